"""When will this backlog be done? The project's law of the duration, and beside it what the forecasters say."""

from __future__ import annotations

from chalicelib.sim.calendar import read_calendar
from chalicelib.sim.dates import read_date
from chalicelib.sim.forecast import Examined, examine, part
from chalicelib.sim.forecasters.futures import Futures
from chalicelib.sim.pace import Report
from chalicelib.sim.questions.inputs import WhenRequest, as_simulation
from chalicelib.sim.questions.result import MlWhenView, WhenResult, WhenView
from chalicelib.sim.questions.views import (
    ENGINE_SHARE,
    blend_of,
    date_after,
    futures_of,
    in_words_of,
    known_weeks,
    maybe_stats,
    method_of,
    models_of,
    stats_of,
    weeks_of,
    written,
)
from chalicelib.sim.summary import Summary, named, people


def tell_when(request: WhenRequest, progress: Report) -> WhenResult:
    """The answer to a request that has passed `inputs.check_when`.

    Raises TooLarge where no engine can answer. Cost: that of a forecast, and about 10 ms for the forecasters.
    """
    examined = examine(as_simulation(request), part(progress, 0, ENGINE_SHARE))
    progress(ENGINE_SHARE, "forecasters")
    futures = futures_of(examined, request.tp_samples)
    result = examined.result
    return WhenResult(
        project_name=request.project_name,
        engine=result.engine,
        engine_reason=result.engine_reason,
        seed=result.seed,
        assumptions=in_words_of(request, result.assumptions),
        warnings=in_words_of(request, result.warnings),
        monte_carlo=_view(request, examined),
        machine_learning=_foretold(request, examined, futures) if futures else None,
        confidence=result.confidence,
        percentiles=result.percentiles,
        dates=result.dates,
        distribution=result.distribution,
        history_interval=result.history_interval,
    )


def summarise_when(request: WhenRequest, result: WhenResult) -> Summary:
    """The figures under which the answer is saved."""
    calendar = read_calendar(request, read_date(request.start_date))
    return Summary(
        name=named(request.project_name),
        forecast_type="when",
        team_size=people(request.team_size),
        backlog=request.backlog,
        start_date=calendar.start,
        projected_weeks_p85=calendar.elapsed_weeks(result.percentiles.p85),
        deadline_date=None,
        weeks_to_deadline=None,
        can_meet_deadline=None,
    )


def _view(request: WhenRequest, examined: Examined) -> WhenView:
    calendar, periods = examined.project.calendar, examined.result.percentiles
    assert calendar.start
    return WhenView(
        backlog=request.backlog,
        start_date=written(calendar.start),
        date_p50=date_after(calendar, periods.p50),
        date_p85=date_after(calendar, periods.p85),
        date_p95=date_after(calendar, periods.p95),
        weeks_p50=known_weeks(calendar, periods.p50),
        weeks_p85=known_weeks(calendar, periods.p85),
        weeks_p95=known_weeks(calendar, periods.p95),
        percentile_stats=stats_of(calendar, periods),
    )


def _foretold(request: WhenRequest, examined: Examined, futures: Futures) -> MlWhenView:
    calendar, prediction = examined.project.calendar, futures.prediction
    assert calendar.start
    p50, p85, p95 = (futures.quantile(level) for level in (0.50, 0.85, 0.95))
    return MlWhenView(
        backlog=request.backlog,
        start_date=written(calendar.start),
        date_p50=date_after(calendar, p50),
        date_p85=date_after(calendar, p85),
        date_p95=date_after(calendar, p95),
        weeks_p50=weeks_of(calendar, p50),
        weeks_p85=weeks_of(calendar, p85),
        weeks_p95=weeks_of(calendar, p95),
        percentile_stats=maybe_stats(calendar, futures),
        unfinished_share=futures.unfinished,
        forecast_method=method_of(prediction),
        ml_models=models_of(prediction),
        blend=blend_of(prediction),
    )
