"""What is asked of a forecast: when, how many, and whether a deadline holds. No numpy: the API reads these.

The names are those of the old service. Samples are the output of `teamSize` people, who go on working, unless
`historicalTeamSize`, `minContributors` or `maxContributors` say otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

from msgspec import Meta, structs

from chalicelib.errors import FieldError
from chalicelib.sim.calendar import CalendarFields
from chalicelib.sim.dates import ACCEPTED, read_date
from chalicelib.sim.fields import MAX_PEOPLE, MAX_SEED, MAX_TASKS, MAX_TRIALS, DayText, Weekly
from chalicelib.sim.inputs import SMALLEST_TEAM, Dependency, EngineWish, Risk, SimulateRequest, check

TRIALS = 10_000
# A time longer than this is not forecast from weeks.
MAX_PERIODS = 3_660

Samples = Annotated[
    tuple[Weekly, ...],
    Meta(
        min_length=1,
        max_length=1_000,
        description="Throughput history: items finished in each past week (or period of throughputCadenceDays), oldest "
        "first, idle ones included as 0. At least one must be 1 or more.",
    ),
]
_Days = Annotated[float, Meta(ge=0, le=3_650)]
_Ratio = Annotated[float, Meta(ge=0.2, le=10)]
_Team = Annotated[float, Meta(ge=0, le=MAX_PEOPLE)]


class TeamFields(CalendarFields, frozen=True, kw_only=True, rename="camel"):
    """Who works, how many trials a sampled answer takes, and which percentile is quoted."""

    team_size: Annotated[
        float, Meta(ge=SMALLEST_TEAM, le=MAX_PEOPLE, description="People who work; read to 2 decimals.")
    ] = 1.0
    historical_team_size: Annotated[
        _Team | None, Meta(description="Size of the team that produced tpSamples; teamSize when missing or 0.")
    ] = None
    team_focus: Annotated[
        float, Meta(ge=0.01, le=1, description="Share of the team's time for this work, 0.01 to 1.")
    ] = 1.0
    n_simulations: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_TRIALS)] | None,
        Meta(description=f"Trials where no exact answer can be afforded; {TRIALS} when missing."),
    ] = None
    seed: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_SEED)] | None,
        Meta(description="Start of the random numbers; follows from the request when missing. The answer repeats it."),
    ] = None
    confidence_level: Annotated[
        float, Meta(ge=1, le=99, description="Which confidence `confidence` in the answer quotes, in %.")
    ] = 85


class HowManyRequest(TeamFields, frozen=True, kw_only=True, rename="camel"):
    """How many items will be finished from one day to another?"""

    tp_samples: Samples
    start_date: Annotated[DayText, Meta(description=f"First day: {ACCEPTED}.")]
    end_date: Annotated[DayText, Meta(description="The day at whose beginning the items are counted, same formats.")]


class BacklogFields(TeamFields, frozen=True, kw_only=True, rename="camel"):
    """A backlog, and all that makes it larger or later."""

    min_contributors: Annotated[
        _Team | None, Meta(description="People at both ends of the work; teamSize when missing or 0.")
    ] = None
    max_contributors: Annotated[
        _Team | None, Meta(description="People in the middle of the work; teamSize when missing or 0.")
    ] = None
    s_curve_size: Annotated[
        int, Meta(description="Length of the ramp at each end in % of the work; taken as 0 below 0, as 50 above 50.")
    ] = 0
    lt_samples: Annotated[
        tuple[_Days, ...],
        Meta(max_length=1_000, description="Lead times of past items in days; their average delays the start."),
    ] = ()
    split_rate_samples: Annotated[
        tuple[_Ratio, ...],
        Meta(max_length=1_000, description="Finished / planned items of past projects, each 0.2 to 10."),
    ] = ()
    risks: Annotated[tuple[Risk, ...], Meta(max_length=100, description="Risks; each may add items.")] = ()
    dependencies: Annotated[
        tuple[Dependency, ...], Meta(max_length=50, description="Dependencies; each may add calendar delay.")
    ] = ()
    engine: Annotated[
        EngineWish, Meta(description="exact, monte_carlo, or auto: exact if its work is within the limit.")
    ] = "auto"
    history_interval: Annotated[
        bool,
        Meta(description="Whether the answer tells how far p50, p85 and p95 would move had other weeks been seen."),
    ] = True


class WhenRequest(BacklogFields, frozen=True, kw_only=True, rename="camel"):
    """When will this backlog be done?"""

    tp_samples: Samples
    backlog: Annotated[int, Meta(ge=1, le=MAX_TASKS, description="Items to do.")]
    start_date: Annotated[DayText, Meta(description=f"First day: {ACCEPTED}.")]


class DeadlineRequest(BacklogFields, frozen=True, kw_only=True, rename="camel"):
    """Will this backlog be done by that day, what can be done by then, and what does it cost?"""

    tp_samples: Annotated[Samples | None, Meta(description="Needed unless simulationData has it.")] = None
    backlog: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_TASKS)] | None,
        Meta(description="Items to do. Needed unless simulationData has numberOfTasks."),
    ] = None
    start_date: Annotated[
        DayText | None, Meta(description=f"First day: {ACCEPTED}. Needed unless simulationData has it.")
    ] = None
    deadline_date: Annotated[
        DayText | None,
        Meta(description="The day by whose beginning all has to be done. Needed unless simulationData has it."),
    ] = None
    cost_per_person_week: Annotated[
        float, Meta(ge=0, le=1e9, description="What one person costs a week, in `currency`.")
    ] = 5_000.0
    currency: Annotated[
        str, Meta(max_length=10, description='Put before amounts, such as "EUR" or "R$"; none when missing.')
    ] = ""
    simulation_data: Annotated[
        SimulateRequest | None,
        Meta(
            description="A whole body of `/api/simulate`: what it says goes before the fields beside it, save "
            "nSimulations, startDate, deadlineDate and the calendar, which go before it."
        ),
    ] = None


def as_simulation(request: WhenRequest | DeadlineRequest) -> SimulateRequest:
    """The same project as a simulate request; the request has passed its check."""
    own = _project(request)
    if not isinstance(request, DeadlineRequest) or request.simulation_data is None:
        return own
    given = request.simulation_data
    calendar = {name: getattr(own, name) or getattr(given, name) for name in _CALENDAR}
    return structs.replace(
        given,
        number_of_simulations=request.n_simulations or given.number_of_simulations,
        start_date=own.start_date or given.start_date,
        deadline_date=request.deadline_date or given.deadline_date,
        seed=given.seed if own.seed is None else own.seed,
        history_interval=own.history_interval and given.history_interval,
        save=False,
        **calendar,
    )


def deadline_of(request: DeadlineRequest) -> date | None:
    """The deadline, where one is given that can be read."""
    text = request.deadline_date or (request.simulation_data.deadline_date if request.simulation_data else None)
    return read_date(text) if isinstance(text, str) else None


def check_when(request: WhenRequest) -> list[FieldError]:
    """Every rule of the request that its schema cannot state, all broken ones at once."""
    missing = [] if request.start_date else [FieldError("/startDate", "is required")]
    return [*missing, *_translated(check(as_simulation(request)))]


def check_deadline(request: DeadlineRequest) -> list[FieldError]:
    """The same for a deadline, whose project may stand in simulationData."""
    missing = [FieldError(pointer, f"is required{where}") for pointer, where in _missing(request)]
    if any(error.pointer in ("/tpSamples", "/backlog") for error in missing):
        return missing
    simulation = as_simulation(request)
    broken = [FieldError(_place(request, error.pointer), error.detail) for error in check(simulation)]
    text = request.deadline_date or simulation.deadline_date
    if text and deadline_of(request) is None:
        broken.append(FieldError("/deadlineDate", f"must be a date like {ACCEPTED}, got {text!r}"))
    return [*missing, *broken]


def check_how_many(request: HowManyRequest) -> list[FieldError]:
    """The same for a number of items."""
    broken = [FieldError(pointer, detail) for pointer, detail in _how_many_rules(request)]
    return [*broken, *_translated(check(pace_of(request)))]


def pace_of(request: HowManyRequest) -> SimulateRequest:
    """The team as a simulate request of one task: what it finishes does not follow from how much there is to do."""
    return SimulateRequest(
        tp_samples=request.tp_samples, number_of_tasks=1, start_date=request.start_date, **_team(request)
    )


_CALENDAR = ("throughput_cadence_days", "blackout_dates", "blackout_periods", "monthly_capacity")
_CALENDAR_ON_WIRE = ("throughputCadenceDays", "blackoutDates", "blackoutPeriods", "monthlyCapacity")
# Wire names of a simulate request that these requests have under another name.
_RENAMED = {"/totalContributors": "/teamSize", "/numberOfTasks": "/backlog", "/numberOfSimulations": "/nSimulations"}


def _team(request: TeamFields) -> dict[str, Any]:  # fields of a simulate request by name
    calendar = {name: getattr(request, name) for name in _CALENDAR}
    return calendar | {
        "total_contributors": request.team_size,
        "historical_team_size": request.historical_team_size,
        "team_focus": request.team_focus,
        "number_of_simulations": request.n_simulations or TRIALS,
        "seed": request.seed,
        "confidence_level": request.confidence_level,
        "project_name": request.project_name,
    }


def _project(request: WhenRequest | DeadlineRequest) -> SimulateRequest:
    shared = (
        "min_contributors", "max_contributors", "s_curve_size", "lt_samples", "split_rate_samples", "risks",
        "dependencies", "engine", "history_interval", "start_date",
    )  # fmt: skip
    return SimulateRequest(
        tp_samples=request.tp_samples or (),
        number_of_tasks=request.backlog or 0,
        deadline_date=request.deadline_date if isinstance(request, DeadlineRequest) else None,
        **{name: getattr(request, name) for name in shared},
        **_team(request),
    )


def _missing(request: DeadlineRequest) -> Iterator[tuple[str, str]]:
    given = request.simulation_data
    if given is None:
        for pointer, value in (("/tpSamples", request.tp_samples), ("/backlog", request.backlog)):
            if value is None:
                yield pointer, ""
    elif given.number_of_tasks < 1:
        yield "/simulationData/numberOfTasks", ", at least 1 task: there is nothing to do by the deadline"
    where = " here or in simulationData" if given else ""
    if not (request.start_date or (given and given.start_date)):
        yield "/startDate", where
    if not (request.deadline_date or (given and given.deadline_date)):
        yield "/deadlineDate", where


def _place(request: DeadlineRequest, pointer: str) -> str:
    """Where in the body the field stands that `pointer` names in the simulate request."""
    name = pointer.split("/")[1]
    own = {"startDate": request.start_date} | {
        wire: getattr(request, field) for field, wire in zip(_CALENDAR, _CALENDAR_ON_WIRE, strict=True)
    }
    if request.simulation_data is None:
        return _RENAMED.get(pointer, pointer)
    return pointer if own.get(name) else f"/simulationData{pointer}"


def _how_many_rules(request: HowManyRequest) -> Iterator[tuple[str, str]]:
    start, end = read_date(request.start_date), read_date(request.end_date)
    if not request.start_date:
        yield "/startDate", "is required"
    if end is None:
        yield "/endDate", f"must be a date like {ACCEPTED}, got {request.end_date!r}"
    if start and end and end < start:
        yield "/endDate", f"must not be before startDate ({start.isoformat()}), got {end.isoformat()}"
    cadence = request.throughput_cadence_days or 7
    if start and end and (end - start).days > MAX_PERIODS * cadence:
        yield "/endDate", f"must be at most {MAX_PERIODS} periods of {cadence} days after startDate, got {end - start}"


def _translated(errors: list[FieldError]) -> list[FieldError]:
    return [FieldError(_RENAMED.get(error.pointer, error.pointer), error.detail) for error in errors]
