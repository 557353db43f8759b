"""Charts of awarded contracts, made from the current data set; the same question is answered once for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from chalicelib.asking import question
from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.runtime import Runtime
    from chalicelib.search.answers import ChartAnswer
    from chalicelib.search.requests import ChartRequest


def contract() -> Contract[ChartRequest, ChartAnswer]:
    from chalicelib.search.answers import ChartAnswer
    from chalicelib.search.filters import check
    from chalicelib.search.requests import ChartRequest

    example = ChartRequest(areas=("manila",))
    return Contract(request=ChartRequest, result=ChartAnswer, example=example, check=check)


def run(request: ChartRequest, progress: Progress) -> ChartAnswer:
    progress(0.0, "searching")
    runtime = cast("Runtime", progress.parts)
    return runtime.contracts.charts(request)


def canonical(request: ChartRequest) -> object:
    from chalicelib.search.requests import canonical_charts

    return canonical_charts(request)


KIND = question(
    JobKind(
        name="contract_analytics",
        summary="Charts of awarded contracts",
        path="/api/async/contracts/analytics",
        sync_path="/api/v1/contracts/chip-aggregates",
        queue="searches",
        contract=contract,
        run=run,
    ),
    canonical,
)
