"""Features in the order in which they are worked on: what may be asked about them. No numpy: the API reads this."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.errors import FieldError
from chalicelib.sim.dates import ACCEPTED, read_date
from chalicelib.sim.fields import MAX_TASKS, DayText, Text
from chalicelib.sim.inputs import SimulateRequest, check
from chalicelib.sim.questions.inputs import TRIALS, Samples, TeamFields

MOST_FEATURES = 50


class Feature(Struct, frozen=True, kw_only=True, rename="camel"):
    """One feature and how many items it may have."""

    name: Annotated[Text, Meta(min_length=1, description="What it is called.")]
    low: Annotated[int, Meta(ge=0, le=MAX_TASKS, description="Fewest items still to do.")]
    high: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_TASKS)] | None,
        Meta(description="Most items; low when missing. Every number from low to high is equally likely."),
    ] = None


class FeaturesRequest(TeamFields, frozen=True, kw_only=True, rename="camel"):
    """Which of these features will be done by when? The team works on one after the other."""

    tp_samples: Samples
    features: Annotated[
        tuple[Feature, ...],
        Meta(min_length=1, max_length=MOST_FEATURES, description="In the order of priority, the first one first."),
    ]
    start_date: Annotated[DayText | None, Meta(description=f"First day: {ACCEPTED}.")] = None
    deadline_date: Annotated[
        DayText | None, Meta(description="The day for which the cut line is drawn, in the same formats.")
    ] = None


def as_project(request: FeaturesRequest) -> SimulateRequest:
    """The team and its calendar as a simulate request with all items of all features."""
    return SimulateRequest(
        tp_samples=request.tp_samples,
        number_of_tasks=sum(each.low if each.high is None else each.high for each in request.features),
        number_of_simulations=request.n_simulations or TRIALS,
        total_contributors=request.team_size,
        historical_team_size=request.historical_team_size,
        team_focus=request.team_focus,
        start_date=request.start_date,
        seed=request.seed,
        project_name=request.project_name,
        throughput_cadence_days=request.throughput_cadence_days,
        blackout_dates=request.blackout_dates,
        blackout_periods=request.blackout_periods,
        monthly_capacity=request.monthly_capacity,
    )


def check_features(request: FeaturesRequest) -> list[FieldError]:
    """Every rule of the request that its schema cannot state, all broken ones at once."""
    own = [FieldError(pointer, detail) for pointer, detail in _rules(request)]
    renamed = {"/totalContributors": "/teamSize", "/numberOfTasks": "/features"}
    shared = [
        FieldError(renamed.get(error.pointer, error.pointer), error.detail) for error in check(as_project(request))
    ]
    return [*own, *shared]


def _rules(request: FeaturesRequest) -> Iterator[tuple[str, str]]:
    for index, feature in enumerate(request.features):
        if feature.high is not None and feature.high < feature.low:
            yield f"/features/{index}/high", f"must be at least low ({feature.low}), got {feature.high}"
    total = as_project(request).number_of_tasks
    if total > MAX_TASKS:
        yield "/features", f"all features together must have at most {MAX_TASKS} items, got {total}"
    if request.deadline_date and read_date(request.deadline_date) is None:
        yield "/deadlineDate", f"must be a date like {ACCEPTED}, got {request.deadline_date!r}"
    elif request.deadline_date and not request.start_date:
        yield "/startDate", "is required with deadlineDate"
