"""What each of the next weeks will finish, by four forecasters weighted by what they foretold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.sim.forecasters.inputs import MlForecastRequest
    from chalicelib.sim.forecasters.result import MlForecastResult


def contract() -> Contract[MlForecastRequest, MlForecastResult]:
    from chalicelib.sim.forecasters.inputs import MlForecastRequest, check_forecasters
    from chalicelib.sim.forecasters.result import MlForecastResult

    samples = (5, 6, 7, 8, 4, 9, 6, 7, 5, 8, 6, 7)
    example = MlForecastRequest(tp_samples=samples, forecast_steps=4, start_date="2026-01-05")
    return Contract(
        request=MlForecastRequest, result=MlForecastResult, example=example, check=check_forecasters, weigh=weigh
    )


def weigh(request: MlForecastRequest, in_line: bool) -> None:
    """Refuses histories that are too short to learn from."""
    from chalicelib.sim.forecasters.inputs import require_enough

    require_enough(request)


def run(request: MlForecastRequest, progress: Progress) -> MlForecastResult:
    from chalicelib.saving import compute_and_keep
    from chalicelib.sim.forecasters.answers import summarise_weeks, tell_weeks

    return compute_and_keep(request, progress, compute=tell_weeks, summarise=summarise_weeks)


KIND = JobKind(
    name="ml_forecast",
    summary="The next weeks, by forecasters",
    path="/api/async/ml-forecast",
    sync_path="/api/ml-forecast",
    queue="simulations",
    contract=contract,
    run=run,
    lenient=True,
    opened_by="public_forecasts",
)
