"""A page of awarded contracts, made from the current data set; the same question is answered once for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from chalicelib.asking import question
from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.runtime import Runtime
    from chalicelib.search.answers import SearchAnswer
    from chalicelib.search.requests import SearchRequest


def contract() -> Contract[SearchRequest, SearchAnswer]:
    from chalicelib.search.answers import SearchAnswer
    from chalicelib.search.filters import check
    from chalicelib.search.requests import SearchRequest

    example = SearchRequest(keywords=("road && bridge",))
    return Contract(request=SearchRequest, result=SearchAnswer, example=example, check=check)


def run(request: SearchRequest, progress: Progress) -> SearchAnswer:
    progress(0.0, "searching")
    runtime = cast("Runtime", progress.parts)
    return runtime.contracts.search(request)


def canonical(request: SearchRequest) -> object:
    from chalicelib.search.requests import canonical_search

    return canonical_search(request)


KIND = question(
    JobKind(
        name="contract_search",
        summary="A page of awarded contracts",
        path="/api/async/contracts/search",
        sync_path="/api/v1/contracts/chip-search",
        queue="searches",
        contract=contract,
        run=run,
    ),
    canonical,
)
