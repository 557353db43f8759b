"""Forecast of a delivery date from throughput history: the full law of the duration, not a sample of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from chalicelib.errors import NotSaved, TooLarge, Unavailable
from chalicelib.jobs.kind import JobKind, Progress
from chalicelib.sim.cost import SYNC_LIMIT
from chalicelib.sim.engine import choose
from chalicelib.sim.inputs import SimulateRequest, check
from chalicelib.sim.project import plan
from chalicelib.sim.result import SimulateResult
from chalicelib.telemetry import log

if TYPE_CHECKING:
    from chalicelib.db.forecasts import NewForecast
    from chalicelib.runtime import Runtime

# How far a forecast that is to be saved has come when it is computed.
_COMPUTED = 0.9
# A database that restarts or fails over is back within a minute or so: waiting for it is cheaper than to compute again.
_PATIENCE_S, _PAUSE_S = 60, 5


def weigh(request: SimulateRequest, in_line: bool) -> None:
    """Refuses work that no engine takes, and in line what takes the one that would answer more than a request may."""
    engine = choose(request, plan(request))
    if in_line and engine.work > SYNC_LIMIT:
        raise TooLarge(
            f"a forecast in one request may take {SYNC_LIMIT:.1e} cell updates and this one needs about "
            f"{engine.work:.1e} (engine {engine.name}); send it to {KIND.path} and poll its task"
        )


def run(request: SimulateRequest, progress: Progress) -> SimulateResult:
    from chalicelib.sim.forecast import forecast

    if not request.save:
        return forecast(request, progress=progress)
    result = forecast(request, progress=lambda fraction, stage: progress(_COMPUTED * fraction, stage))
    progress(_COMPUTED, "saving")
    return _saved(request, result, progress)


def _saved(request: SimulateRequest, result: SimulateResult, progress: Progress) -> SimulateResult:
    """The result with its forecast's id, or with why it has none; a long outage passes while there are attempts."""
    try:
        forecast_id = _save(_row(request, result, progress), progress)
    except (NotSaved, Unavailable) as error:
        if isinstance(error, Unavailable) and not progress.is_last_attempt:
            raise
        log.warning("forecast not saved", job_id=progress.job_id, slug=error.slug, reason=error.detail)
        return msgspec.structs.replace(result, save_error=error.detail)
    log.info("forecast saved", job_id=progress.job_id, forecast_id=forecast_id)
    return msgspec.structs.replace(result, forecast_id=forecast_id)


def _save(row: NewForecast, progress: Progress) -> int:
    """Saves the forecast once the database lets it; raises NotSaved, and Unavailable after _PATIENCE_S."""
    runtime = cast("Runtime", progress.parts)
    deadline = runtime.clock.now() + _PATIENCE_S
    while True:
        try:
            return runtime.forecasts.save(row)
        except Unavailable:
            if runtime.clock.now() + _PAUSE_S > deadline:
                raise
        progress(_COMPUTED, "waiting for the database")
        runtime.clock.sleep(_PAUSE_S)


def _row(request: SimulateRequest, result: SimulateResult, progress: Progress) -> NewForecast:
    from chalicelib.db.forecasts import NewForecast
    from chalicelib.sim.summary import summarise

    # Sent as it is kept, the request computes and does not save again.
    kept = msgspec.structs.replace(request, save=False)
    return NewForecast(
        job_id=progress.job_id,
        owner=progress.owner,
        project_id="" if request.project_id is None else str(request.project_id).strip(),
        name=(request.project_name or "").strip() or "Unnamed Project",
        team_size=max(1, round(request.total_contributors)),
        forecast_type="monte_carlo",
        forecast_data=msgspec.json.encode(result).decode(),
        input_data=msgspec.json.encode(kept).decode(),
        **msgspec.structs.asdict(summarise(request, result)),
    )


KIND = JobKind(
    name="simulate",
    summary="Delivery forecast",
    path="/api/async/simulate",
    sync_path="/api/simulate",
    queue="simulations",
    request=SimulateRequest,
    result=SimulateResult,
    example=SimulateRequest(
        project_name="Website relaunch",
        number_of_simulations=10_000,
        tp_samples=(5, 6, 7, 8),
        number_of_tasks=50,
        total_contributors=5,
    ),
    check=check,
    weigh=weigh,
    run=run,
    lenient=True,
    opened_by="public_forecasts",
)
