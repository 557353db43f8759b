"""What the forecasters say of the next weeks, and of a backlog, under the names of the old service."""

from __future__ import annotations

import math
from datetime import date

import numpy as np

from chalicelib.sim.calendar import WorkCalendar
from chalicelib.sim.engine import own_seed
from chalicelib.sim.forecast import Examined, examine
from chalicelib.sim.forecasters.ensemble import Prediction, paths_by_model, predict
from chalicelib.sim.forecasters.inputs import (
    CombinedRequest,
    ForecasterFields,
    MlForecastRequest,
    ThroughputRequest,
    as_project,
)
from chalicelib.sim.forecasters.result import (
    CombinedResult,
    EnsembleSteps,
    McThroughputResult,
    MlDurationView,
    MlForecastResult,
    MlSteps,
    SimpleMonteCarlo,
    TotalItems,
    WalkForward,
    assessment,
)
from chalicelib.sim.forecasters.stability import risk_assessment
from chalicelib.sim.lattice import Floats
from chalicelib.sim.notes import history_warnings
from chalicelib.sim.pace import Report
from chalicelib.sim.project import plan
from chalicelib.sim.questions.views import blend_of, futures_of, maybe_stats, method_of, models_of, stats_of
from chalicelib.sim.summary import Summary, named

_MODEL_PATHS = 500


def tell_weeks(request: MlForecastRequest, progress: Report) -> MlForecastResult:
    """The next weeks for a request that has passed its checks. Cost: that of `predict`, twice."""
    simulation = as_project(request)
    project = plan(simulation)
    seed = own_seed(simulation, project) if request.seed is None else request.seed
    progress(0.0, "forecasters")
    prediction = predict(request.tp_samples, horizon=request.forecast_steps, seed=seed)
    forecasts = _forecasts(request.tp_samples, prediction, seed)
    name: str = request.model
    chosen = forecasts if name == "ensemble" else {name: forecasts[name]}
    return MlForecastResult(
        forecasts=chosen,
        ensemble_stats=steps_of(prediction.paths),
        total=_total(prediction.paths),
        dates=_days(project.calendar, request.forecast_steps),
        model_results=models_of(prediction),
        risk_assessment=assessment(risk_assessment(request.tp_samples)),
        walk_forward=_walk_forward(prediction),
        blend=blend_of(prediction),
        seed=seed,
        warnings=list(history_warnings(simulation)),
    )


def summarise_weeks(request: MlForecastRequest, result: MlForecastResult) -> Summary:
    """The figures under which the answer is saved: the items of 85 %, due at the end of the weeks."""
    calendar = plan(as_project(request)).calendar
    return _summary(
        request,
        kind="ml_forecast",
        backlog=result.total.p85,
        start=calendar.start,
        weeks=calendar.elapsed_weeks(request.forecast_steps),
    )


def tell_throughput(request: ThroughputRequest, progress: Report) -> McThroughputResult:
    """When the backlog is done, for a request that has passed its checks. Cost: that of a forecast without interval."""
    examined = examine(as_project(request), progress)
    simple = _simple(examined)
    return McThroughputResult(
        percentile_stats=simple.percentile_stats,
        mean=simple.mean,
        std=simple.std,
        input_stats=simple.input_stats,
        machine_learning=_duration(examined, request.tp_samples),
        dates=examined.result.dates,
        engine=simple.engine,
        seed=examined.engine.seed,
        warnings=examined.result.warnings,
    )


def summarise_throughput(request: ThroughputRequest, result: McThroughputResult) -> Summary:
    """The figures under which the answer is saved."""
    start = plan(as_project(request)).calendar.start
    weeks = result.percentile_stats.p85
    return _summary(request, kind="mc_throughput", backlog=request.backlog, start=start, weeks=weeks)


def tell_both(request: CombinedRequest, progress: Report) -> CombinedResult:
    """Both forecasts for a request that has passed its checks."""
    examined = examine(as_project(request), progress)
    prediction = predict(request.tp_samples, horizon=request.forecast_steps, seed=examined.engine.seed)
    duration = _duration(examined, request.tp_samples)
    assert duration  # there are samples enough
    return CombinedResult(
        ml=MlSteps(
            forecasts=_forecasts(request.tp_samples, prediction, examined.engine.seed),
            ensemble=steps_of(prediction.paths),
            risk_assessment=assessment(risk_assessment(request.tp_samples)),
            model_results=models_of(prediction),
            walk_forward=_walk_forward(prediction),
            duration=duration,
        ),
        monte_carlo=_simple(examined),
        dates=examined.result.dates,
        seed=examined.engine.seed,
        warnings=examined.result.warnings,
    )


def summarise_both(request: CombinedRequest, result: CombinedResult) -> Summary:
    """The figures under which the answer is saved."""
    start = plan(as_project(request)).calendar.start
    weeks = result.monte_carlo.percentile_stats.p85
    return _summary(request, kind="combined", backlog=request.backlog, start=start, weeks=weeks)


def steps_of(paths: Floats) -> EnsembleSteps:
    """Each week in figures, from futures of shape (paths, weeks)."""
    p10, p25, p50, p75, p90 = np.quantile(paths, (0.10, 0.25, 0.50, 0.75, 0.90), axis=0).round(6).tolist()
    return EnsembleSteps(
        mean=paths.mean(axis=0).round(6).tolist(),
        median=p50,
        p10=p10,
        p25=p25,
        p75=p75,
        p90=p90,
        std=paths.std(axis=0).round(6).tolist(),
    )


def _forecasts(samples: tuple[float, ...], prediction: Prediction, seed: int) -> dict[str, list[float]]:
    horizon = prediction.paths.shape[1]
    alone = paths_by_model(samples, horizon=horizon, seed=seed, paths=_MODEL_PATHS)
    return {
        name: paths.mean(axis=0).round(6).tolist() for name, paths in (*alone.items(), ("ensemble", prediction.paths))
    }


def _total(paths: Floats) -> TotalItems:
    sums = paths.sum(axis=1)
    ordered = np.sort(np.floor(sums + 1e-9))
    p50, p85, p95 = (int(ordered[math.floor((1 - level) * ordered.size + 1e-9)]) for level in (0.50, 0.85, 0.95))
    return TotalItems(p50=p50, p85=p85, p95=p95, mean=float(sums.mean()))


def _days(calendar: WorkCalendar, steps: int) -> list[str | None] | None:
    return [calendar.day_after(step) for step in range(steps)] if calendar.start else None


def _walk_forward(prediction: Prediction) -> dict[str, WalkForward]:
    return {
        score.name: WalkForward(
            mae=score.errors.mae,
            rmse=score.errors.rmse,
            r2=score.errors.r_squared,
            mape=score.errors.mape,
            smape=score.errors.smape,
            median_ae=score.errors.median_ae,
            n_forecasts=score.errors.pairs,
        )
        for score in (*prediction.models, prediction.ensemble)
    }


def _simple(examined: Examined) -> SimpleMonteCarlo:
    calendar, weeks = examined.project.calendar, examined.laws.weeks
    return SimpleMonteCarlo(
        percentile_stats=stats_of(calendar, examined.result.percentiles),
        mean=calendar.elapsed_weeks(weeks.mean()),
        std=weeks.deviation() * calendar.cadence_days / 7,
        input_stats=examined.result.input_stats,
        engine=examined.engine.name,
    )


def _duration(examined: Examined, samples: tuple[float, ...]) -> MlDurationView | None:
    futures = futures_of(examined, samples)
    if futures is None:
        return None
    return MlDurationView(
        percentile_stats=maybe_stats(examined.project.calendar, futures),
        unfinished_share=futures.unfinished,
        forecast_method=method_of(futures.prediction),
        blend=blend_of(futures.prediction),
    )


def _summary(request: ForecasterFields, *, kind: str, backlog: int, start: date | None, weeks: float) -> Summary:
    return Summary(
        name=named(request.project_name),
        forecast_type=kind,
        team_size=1,
        backlog=backlog,
        start_date=start,
        projected_weeks_p85=weeks,
        deadline_date=None,
        weeks_to_deadline=None,
        can_meet_deadline=None,
    )
