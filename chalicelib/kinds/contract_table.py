"""Awarded contracts by name, made from the current data set; the same question is answered once for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from chalicelib.asking import from_the_data_set
from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.runtime import Runtime
    from chalicelib.search.answers import TableAnswer
    from chalicelib.search.requests import TableRequest


def contract() -> Contract[TableRequest, TableAnswer]:
    from chalicelib.search.answers import TableAnswer
    from chalicelib.search.filters import check
    from chalicelib.search.requests import TableRequest

    example = TableRequest(entity_type="organization")
    return Contract(request=TableRequest, result=TableAnswer, example=example, check=check)


def run(request: TableRequest, progress: Progress) -> TableAnswer:
    progress(0.0, "searching")
    runtime = cast("Runtime", progress.parts)
    return runtime.contracts.table(request)


def canonical(request: TableRequest) -> object:
    from chalicelib.search.requests import canonical_table

    return canonical_table(request)


KIND = JobKind(
    name="contract_table",
    summary="Awarded contracts by name",
    path="/api/async/contracts/table",
    sync_path="/api/v1/contracts/chip-aggregates-paginated",
    queue="searches",
    contract=contract,
    run=run,
    time_limit_s=600,
    keep_s=1800,
    max_attempts=3,
    retry_s=30,
    cache=from_the_data_set(canonical),
    lenient=True,
    opened_by="public_search",
)
