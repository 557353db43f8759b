"""Awarded contracts by name, made from the current data set; the same question is answered once for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from chalicelib.asking import question
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


KIND = question(
    JobKind(
        name="contract_table",
        summary="Awarded contracts by name",
        path="/api/async/contracts/table",
        sync_path="/api/v1/contracts/chip-aggregates-paginated",
        queue="searches",
        contract=contract,
        run=run,
    ),
    canonical,
)
