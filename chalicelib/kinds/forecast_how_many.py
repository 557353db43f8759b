"""How many items will be finished from one day to another, from throughput history and by forecasters beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.sim.questions.inputs import HowManyRequest
    from chalicelib.sim.questions.result import HowManyResult


def contract() -> Contract[HowManyRequest, HowManyResult]:
    from chalicelib.sim.questions.inputs import HowManyRequest, check_how_many
    from chalicelib.sim.questions.result import HowManyResult

    samples = (5, 6, 7, 8, 4, 9, 6, 7)
    example = HowManyRequest(tp_samples=samples, start_date="2026-01-05", end_date="2026-02-02")
    return Contract(request=HowManyRequest, result=HowManyResult, example=example, check=check_how_many)


def run(request: HowManyRequest, progress: Progress) -> HowManyResult:
    from chalicelib.saving import compute_and_keep
    from chalicelib.sim.questions.how_many import summarise_how_many, tell_how_many

    return compute_and_keep(request, progress, compute=tell_how_many, summarise=summarise_how_many)


KIND = JobKind(
    name="forecast_how_many",
    summary="How many items will be finished",
    path="/api/async/forecast-how-many",
    sync_path="/api/forecast-how-many",
    queue="simulations",
    contract=contract,
    run=run,
    lenient=True,
    opened_by="public_forecasts",
)
