"""What a forecast request may say, field by field, and the rules that a schema cannot state.

No numpy here: the API reads requests with this module and its import must stay cheap. Wire names are camel case,
except where old clients already send snake case (`historical_team_size`, `project_id`, the dependency fields).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from chalicelib.errors import FieldError
from chalicelib.sim.calendar import CalendarFields, check_calendar
from chalicelib.sim.dates import ACCEPTED, read_date
from chalicelib.sim.fields import MAX_PEOPLE, MAX_SEED, MAX_TASKS, MAX_TRIALS, DayText, Text, Weekly

MAX_IMPACT = 10_000
MAX_DELAY_DAYS = 1_000.0
SMALLEST_TEAM = 0.1
SMALLEST_FOCUS = 0.01

EngineWish = Literal["auto", "exact", "monte_carlo"]
Sampling = Literal["bootstrap", "weibull"]

_Days = Annotated[float, Meta(ge=0, le=3_650)]
_Delay = Annotated[float, Meta(ge=0, le=MAX_DELAY_DAYS)]
_Ratio = Annotated[float, Meta(ge=0.2, le=10)]
# A display-only field of the old page may hold anything a browser can send; nothing here reads it.
_Unread = Annotated[Any, Meta(description="Shown by old pages only: accepted, not read by the forecast.")]


class Risk(Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that may add tasks to the project."""

    likelihood: Annotated[
        float,
        Meta(
            ge=0,
            le=100,
            description="Chance that it happens. From 1 up it is a percentage (1 means 1 %); below 1 it is a "
            "probability (0.5 means 50 %).",
        ),
    ]
    low_impact: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_IMPACT)] | None,
        Meta(description="Fewest tasks that it adds; 1 when missing."),
    ] = None
    high_impact: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_IMPACT)] | None,
        Meta(description="Most tasks that it adds; the same as lowImpact when missing."),
    ] = None
    medium_impact: Annotated[
        Annotated[float, Meta(ge=0, le=MAX_IMPACT)] | None,
        Meta(
            description="Most likely number of tasks. When given, the impact follows the triangular law through low, "
            "medium and high, rounded to whole tasks; otherwise every whole number from low to high is equally likely."
        ),
    ] = None
    description: Annotated[Annotated[str, Meta(max_length=2_000)] | None, Meta(description="Free text.")] = None


class Dependency(Struct, frozen=True, kw_only=True):
    """Another project that this one waits for, and the delay if that project is late."""

    id: Annotated[Text | int | None, Meta(description="Name of the record in the caller's system.")] = None
    name: Annotated[Text | None, Meta(description="What is waited for.")] = None
    source_project: Annotated[Text | None, Meta(description="The project that waits.")] = None
    target_project: Annotated[Text | None, Meta(description="The project that is waited for.")] = None
    on_time_probability: Annotated[float, Meta(ge=0, le=1, description="Chance that it causes no delay, 0 to 1.")] = 0.5
    delay_impact_days: Annotated[
        float,
        Meta(
            ge=0,
            le=MAX_DELAY_DAYS,
            description="Typical delay in days when late: uniform from 0.7 to 1.3 times this value. "
            "0 means unknown: uniform from 5 to 15 days.",
        ),
    ] = 0.0
    delay_impact_distribution: Annotated[
        tuple[_Delay, ...],
        Meta(max_length=100, description="Observed delays in days; when given, one of them is drawn instead."),
    ] = ()
    criticality: Annotated[
        str,
        Meta(
            max_length=20,
            description="LOW, MEDIUM, HIGH or CRITICAL: weight 0.5, 1, 2 or 3 in the list of critical dependencies; "
            "anything else counts as MEDIUM.",
        ),
    ] = "MEDIUM"


class SimulateRequest(CalendarFields, frozen=True, kw_only=True, rename="camel"):
    """A project to forecast. `tpSamples` and `numberOfTasks` are enough; everything else has a default."""

    tp_samples: Annotated[
        tuple[Weekly, ...],
        Meta(
            min_length=1,
            max_length=1_000,
            description="Throughput history: tasks finished in each past week, idle weeks included as 0. At least one "
            "must be 1 or more; 7 to 24 weeks are advised. Read to 3 decimals.",
        ),
    ]
    number_of_tasks: Annotated[int, Meta(ge=0, le=MAX_TASKS, description="Planned backlog, in tasks.")]
    number_of_simulations: Annotated[
        int,
        Meta(
            ge=1,
            le=MAX_TRIALS,
            description="Number of trials of the Monte Carlo engine. The exact engine needs none: there it only scales "
            "completion_times.",
        ),
    ] = 10_000
    engine: Annotated[
        EngineWish,
        Meta(
            description="exact: the law itself, without sampling. monte_carlo: numberOfSimulations random trials. "
            "auto: exact if its work is within the limit, else monte_carlo. The answer says which one it was, and why."
        ),
    ] = "auto"
    sampling: Annotated[
        Sampling,
        Meta(
            description="What a week finishes. bootstrap: one of tpSamples, each equally likely. weibull: a Weibull "
            "law fitted to the busy weeks and rounded to whole tasks; idle weeks keep their share."
        ),
    ] = "bootstrap"
    seed: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_SEED)] | None,
        Meta(
            description="Start of the random numbers: the same request with the same seed gives the same trials on any "
            "machine. When missing it follows from the request, so a repetition gives the same answer too. The answer "
            "repeats it."
        ),
    ] = None
    history_interval: Annotated[
        bool,
        Meta(
            description="Whether the answer tells how far p50, p85 and p95 would move had other weeks been observed. "
            "Takes up to a second of computing."
        ),
    ] = True
    confidence_level: Annotated[
        float, Meta(ge=1, le=99, description="Which percentile `confidence` in the answer quotes, in %.")
    ] = 85
    lt_samples: Annotated[
        tuple[_Days, ...],
        Meta(
            max_length=1_000,
            description="Lead times of past tasks in days; their average delays the start. Read to 1 decimal.",
        ),
    ] = ()
    split_rate_samples: Annotated[
        tuple[_Ratio, ...],
        Meta(
            max_length=1_000,
            description="Finished / planned tasks of past projects, each 0.2 to 10. Read to 3 decimals.",
        ),
    ] = ()
    risks: Annotated[tuple[Risk, ...], Meta(max_length=100, description="Risks; each may add tasks.")] = ()
    dependencies: Annotated[
        tuple[Dependency, ...], Meta(max_length=50, description="Dependencies; each may add calendar delay.")
    ] = ()
    total_contributors: Annotated[
        float,
        Meta(
            ge=SMALLEST_TEAM,
            le=MAX_PEOPLE,
            description="Size of the whole team, in people; also the team behind tpSamples unless historicalTeamSize "
            "is given. Team sizes are read to 2 decimals.",
        ),
    ] = 1.0
    min_contributors: Annotated[
        Annotated[float, Meta(ge=0, le=MAX_PEOPLE)] | None,
        Meta(description="People at both ends of the project; totalContributors when missing or 0."),
    ] = None
    max_contributors: Annotated[
        Annotated[float, Meta(ge=0, le=MAX_PEOPLE)] | None,
        Meta(description="People in the middle of the project; totalContributors when missing or 0."),
    ] = None
    s_curve_size: Annotated[
        int,
        Meta(
            description="Length of the ramp at each end, in % of the work; taken as 0 below 0 and as 50 above 50. "
            "Without effect while the smallest and the largest team are the same."
        ),
    ] = 20
    historical_team_size: Annotated[
        Annotated[float, Meta(ge=0, le=MAX_PEOPLE)] | None,
        Meta(description="Size of the team that produced tpSamples; totalContributors when missing or 0."),
    ] = None
    legacy_team_size: Annotated[
        Annotated[float, Meta(ge=0, le=MAX_PEOPLE)] | None,
        Meta(description="Older spelling of historicalTeamSize."),
    ] = field(default=None, name="historical_team_size")
    team_focus: Annotated[
        float,
        Meta(ge=0, le=1, description="Share of the team's time for this project, 0.01 to 1. Read to 3 decimals."),
    ] = 1.0
    backlog_adjusted_min: Annotated[
        Annotated[float, Meta(ge=0, le=MAX_TASKS)] | None,
        Meta(
            description="Smallest backlog. With backlogAdjustedMax, both above 0, the backlog is any whole number "
            "between the two (rounded), equally likely, instead of numberOfTasks."
        ),
    ] = None
    backlog_adjusted_max: Annotated[
        Annotated[float, Meta(ge=0, le=MAX_TASKS)] | None,
        Meta(description="Largest backlog; the two are swapped if reversed."),
    ] = None
    start_date: Annotated[DayText | None, Meta(description=f"First day of the project: {ACCEPTED}.")] = None
    current_date: Annotated[
        DayText | None,
        Meta(
            description="Today, for a project in progress. With startDate and remainingTasks above 0 the forecast "
            "starts here with the remaining tasks."
        ),
    ] = None
    completed_tasks: Annotated[
        Annotated[int, Meta(ge=0, le=100_000)] | None, Meta(description="Tasks already finished.")
    ] = None
    remaining_tasks: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_TASKS)] | None, Meta(description="Tasks still to do.")
    ] = None
    backlog_min: _Unread = None
    backlog_max: _Unread = None
    backlog_original_min: _Unread = None
    backlog_original_max: _Unread = None
    backlog_low_multiplier: _Unread = None
    backlog_high_multiplier: _Unread = None
    backlog_complexity: _Unread = None
    tp_samples_normalized: _Unread = None
    forecast_horizon: _Unread = None
    actual_remaining: _Unread = None
    actual_remaining_min: _Unread = None
    actual_remaining_max: _Unread = None
    actual_remaining_tasks: _Unread = None
    team_focus_percent: _Unread = None
    deadline_date: Annotated[
        Any,
        Meta(description="Not read by the forecast. A saved one says whether its p85 keeps to this day, if it is one."),
    ] = None


def check(request: SimulateRequest) -> list[FieldError]:
    """Every rule of the request that its schema cannot state, all broken ones at once; empty when it is sound.

    The schema's own bounds are not checked again: the request must come from a msgspec decoder. The cost is linear
    in the size of the request.
    """
    return [
        FieldError(pointer, detail)
        for rules in (_samples, _team, _focus, _risks, _dates, check_calendar, _finite)
        for pointer, detail in rules(request)
    ]


_Broken = Iterator[tuple[str, str]]


def _samples(request: SimulateRequest) -> _Broken:
    largest = max(request.tp_samples, default=0.0)
    if not largest >= 1:
        yield "/tpSamples", f"at least one value must be 1 or more, the largest is {largest:g}"


def _team(request: SimulateRequest) -> _Broken:
    sizes = (
        ("/minContributors", request.min_contributors),
        ("/maxContributors", request.max_contributors),
        ("/historicalTeamSize", request.historical_team_size),
        ("/historical_team_size", request.legacy_team_size),
    )
    for pointer, size in sizes:
        if size and size < SMALLEST_TEAM:
            yield pointer, f"must be 0 (not given) or at least {SMALLEST_TEAM:g}, got {size:g}"
    low, high = request.min_contributors, request.max_contributors
    if low and high and low > high:
        yield "/minContributors", f"must be at most maxContributors ({high:g}), got {low:g}"
    new, old = request.historical_team_size, request.legacy_team_size
    if new and old and new != old:
        yield "/historical_team_size", f"must equal historicalTeamSize ({new:g}) when both are given, got {old:g}"


def _focus(request: SimulateRequest) -> _Broken:
    if request.team_focus < SMALLEST_FOCUS:
        yield "/teamFocus", f"must be at least {SMALLEST_FOCUS:g} (1 %), got {request.team_focus:g}"


def _risks(request: SimulateRequest) -> _Broken:
    for index, risk in enumerate(request.risks):
        pointer = f"/risks/{index}"
        if risk.low_impact is None and risk.high_impact is None:
            yield pointer, "lowImpact or highImpact must be given"
            continue
        low, high = impact_range(risk)
        if low > high:
            yield f"{pointer}/lowImpact", f"must be at most highImpact ({high}), got {low}"
        elif risk.medium_impact is not None and not low <= risk.medium_impact <= high:
            yield f"{pointer}/mediumImpact", f"must be from {low} to {high}, got {risk.medium_impact:g}"


def impact_range(risk: Risk) -> tuple[int, int]:
    """The fewest and the most tasks that the risk adds, with the defaults for a missing end applied."""
    low = 1 if risk.low_impact is None else risk.low_impact
    return low, low if risk.high_impact is None else risk.high_impact


def _dates(request: SimulateRequest) -> _Broken:
    for pointer, text in (("/startDate", request.start_date), ("/currentDate", request.current_date)):
        if text and read_date(text) is None:
            yield pointer, f"must be a date like {ACCEPTED}, got {text!r}"


def _finite(request: SimulateRequest) -> _Broken:
    for pointer, values in (
        ("/tpSamples", request.tp_samples),
        ("/ltSamples", request.lt_samples),
        ("/splitRateSamples", request.split_rate_samples),
    ):
        for index, value in enumerate(values):
            if not math.isfinite(value):
                yield f"{pointer}/{index}", f"must be a finite number, got {value}"
