"""What the forecasters may be asked for, in the words of the old endpoints. No numpy: the API reads these."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.errors import FieldError, InsufficientData
from chalicelib.sim.calendar import CalendarFields
from chalicelib.sim.dates import ACCEPTED
from chalicelib.sim.fields import MAX_SEED, MAX_TASKS, MAX_TRIALS, DayText, Weekly
from chalicelib.sim.forecasters.limits import FEWEST_SAMPLES
from chalicelib.sim.inputs import SimulateRequest, check
from chalicelib.sim.questions.inputs import TRIALS

STEPS, MAX_STEPS = 4, 520
ModelName = Literal["ensemble", "bootstrap", "recent", "smoothing", "ridge"]


class ForecasterFields(CalendarFields, frozen=True, kw_only=True, rename="camel"):
    """A history, and from when it goes on."""

    tp_samples: Annotated[
        tuple[Weekly, ...],
        Meta(
            min_length=1,
            max_length=1_000,
            description="Throughput history: items finished in each past week, oldest first, idle ones included as 0. "
            "At least one must be 1 or more.",
        ),
    ]
    start_date: Annotated[DayText | None, Meta(description=f"First day of the weeks to come: {ACCEPTED}.")] = None
    seed: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_SEED)] | None,
        Meta(description="Start of the random numbers; follows from the request when missing. The answer repeats it."),
    ] = None


class MlForecastRequest(ForecasterFields, frozen=True, kw_only=True, rename="camel"):
    """What will each of the next weeks finish? Needs at least 8 samples."""

    forecast_steps: Annotated[int, Meta(ge=1, le=MAX_STEPS, description="Weeks to look ahead.")] = STEPS
    model: Annotated[
        ModelName,
        Meta(description="ensemble: the means of all forecasters; or the name of one, whose means are listed alone."),
    ] = "ensemble"


class ThroughputRequest(ForecasterFields, frozen=True, kw_only=True, rename="camel"):
    """When is a backlog done, by one team that goes on as it was?"""

    backlog: Annotated[int, Meta(ge=1, le=MAX_TASKS, description="Items to do.")]
    n_simulations: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_TRIALS)] | None,
        Meta(description=f"Trials where no exact answer can be afforded; {TRIALS} when missing."),
    ] = None


class CombinedRequest(ThroughputRequest, frozen=True, kw_only=True, rename="camel"):
    """The two together: each of the next weeks, and when the backlog is done. Needs at least 8 samples."""

    forecast_steps: Annotated[int, Meta(ge=1, le=MAX_STEPS, description="Weeks to look ahead.")] = STEPS


def as_project(request: ForecasterFields) -> SimulateRequest:
    """The same as a simulate request, of one task where there is no backlog."""
    backlog, trials = (request.backlog, request.n_simulations) if isinstance(request, ThroughputRequest) else (1, None)
    return SimulateRequest(
        tp_samples=request.tp_samples,
        number_of_tasks=backlog,
        number_of_simulations=trials or TRIALS,
        start_date=request.start_date,
        seed=request.seed,
        project_name=request.project_name,
        history_interval=False,
        throughput_cadence_days=request.throughput_cadence_days,
        blackout_dates=request.blackout_dates,
        blackout_periods=request.blackout_periods,
        monthly_capacity=request.monthly_capacity,
    )


def check_forecasters(request: ForecasterFields) -> list[FieldError]:
    """Every rule of the request that its schema cannot state, all broken ones at once."""
    renamed = {"/numberOfTasks": "/backlog", "/numberOfSimulations": "/nSimulations"}
    return [FieldError(renamed.get(error.pointer, error.pointer), error.detail) for error in check(as_project(request))]


def require_enough(request: ForecasterFields) -> None:
    """Raises InsufficientData where the forecasters have too little to learn from."""
    if len(request.tp_samples) < FEWEST_SAMPLES:
        raise InsufficientData("/tpSamples", needed=FEWEST_SAMPLES, provided=len(request.tp_samples))
