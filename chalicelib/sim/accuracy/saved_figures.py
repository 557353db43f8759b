"""The figures that a saved forecast's own JSON holds: weeks by percentile, backlog, days, and what follows from them.

Answers of the older service and of every kind here are read; the JSON may come from anywhere, so what is not as
expected counts as absent. Weeks are calendar weeks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import asdict

from chalicelib.sim.calendar import DAYS_PER_WEEK, MAX_CADENCE_DAYS
from chalicelib.sim.dates import read_date

# Any JSON value: what an older service or a client saved.
Json = Any
Level = Literal["p50", "p85", "p95"]

# More is no duration of a project.
_MOST_WEEKS = 100_000.0
_MOST_ITEMS = 2**31 - 1
# Where the weeks of a level stand, the first that is there counts.
_WEEKS = (
    "monte_carlo.projected_weeks_{}",
    "monte_carlo.weeks_{}",
    "monte_carlo.percentile_stats.{}",
    "projected_weeks_{}",
    "weeks_{}",
)
# The same where it counts in periods of the samples.
_PERIODS = ("percentile_stats.{}", "percentiles.{}")
_BACKLOG_ASKED = ("backlog", "numberOfTasks", "simulationData.numberOfTasks", "simulationData.backlog")
_BACKLOG_TOLD = ("monte_carlo.backlog", "backlog")
_START_ASKED = ("startDate", "start_date", "simulationData.startDate")
_START_TOLD = ("monte_carlo.start_date_raw", "monte_carlo.start_date", "start_date")
_DEADLINE_ASKED = ("deadlineDate", "deadline_date", "simulationData.deadlineDate")
_DEADLINE_TOLD = ("monte_carlo.deadline_date_raw", "monte_carlo.deadline_date", "deadline_date")


class Figures(Struct, frozen=True, kw_only=True):
    """The figures that lists and accuracy reports read; None where one is not known."""

    backlog: int | None = None
    start_date: date | None = None
    deadline_date: date | None = None
    weeks_to_deadline: float | None = None
    projected_weeks_p85: float | None = None
    can_meet_deadline: bool | None = None
    # In %, at most 100.
    scope_completion_pct: float | None = None


def complete(given: Figures, data: Json, inputs: Json) -> Figures:
    """`given`, and what it leaves open read from the answer (`data`) and the request (`inputs`), then computed.

    The share of the scope is read, or taken in proportion to the time where the P85 ends after the deadline.
    """
    start = given.start_date or _day(inputs, _START_ASKED) or _day(data, _START_TOLD)
    deadline = given.deadline_date or _day(inputs, _DEADLINE_ASKED) or _day(data, _DEADLINE_TOLD)
    between = _number(data, _told("weeks_to_deadline"), least=-_MOST_WEEKS)
    found = Figures(
        backlog=_whole(inputs, _BACKLOG_ASKED) or _whole(data, _BACKLOG_TOLD),
        start_date=start,
        deadline_date=deadline,
        weeks_to_deadline=(deadline - start).days / DAYS_PER_WEEK if start and deadline else between,
        projected_weeks_p85=weeks_at("p85", data, inputs, start),
        can_meet_deadline=_flag(data, _told("can_meet_deadline")),
        scope_completion_pct=_number(data, _told("scope_completion_pct"), most=100.0),
    )
    known = {name: value for name, value in asdict(given).items() if value is not None}
    return _concluded(Figures(**asdict(found) | known))


def weeks_at(level: Level, data: Json, inputs: Json, start: date | None) -> float | None:
    """The calendar weeks within which the forecast expects to be done with the level's chance; None if unknown."""
    weeks = _number(data, [place.format(level) for place in _WEEKS])
    if weeks is not None:
        return weeks
    end = _day(data, [f"dates.{level}"])
    if start and end and end >= start:
        return (end - start).days / DAYS_PER_WEEK
    periods = _number(data, [place.format(level) for place in _PERIODS])
    cadence = _number(inputs, ["throughputCadenceDays"], most=MAX_CADENCE_DAYS) or DAYS_PER_WEEK
    return None if periods is None else periods * cadence / DAYS_PER_WEEK


def _concluded(figures: Figures) -> Figures:
    weeks, between = figures.projected_weeks_p85, figures.weeks_to_deadline
    if weeks is None or between is None:
        return figures
    values = asdict(figures)
    if figures.can_meet_deadline is None:
        values["can_meet_deadline"] = between >= weeks
    if figures.scope_completion_pct is None:
        values["scope_completion_pct"] = (
            100.0 if between >= weeks else 100 * max(0.0, between) / weeks if weeks else 0.0
        )
    return Figures(**values)


def _told(name: str) -> Sequence[str]:
    return (f"monte_carlo.{name}", name)


def _values(document: Json, places: Sequence[str]) -> list[Json]:
    """What stands at the places, in their order; those that are not there are left out."""
    found = []
    for place in places:
        value = document
        for name in place.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is not None:
            found.append(value)
    return found


def _number(document: Json, places: Sequence[str], *, least: float = 0.0, most: float = _MOST_WEEKS) -> float | None:
    """The first number within the bounds."""
    values = (value for value in _values(document, places) if isinstance(value, int | float))
    return next((float(value) for value in values if not isinstance(value, bool) and least <= value <= most), None)


def _whole(document: Json, places: Sequence[str]) -> int | None:
    found = _number(document, places, most=_MOST_ITEMS)
    return None if found is None else round(found)


def _flag(document: Json, places: Sequence[str]) -> bool | None:
    return next((value for value in _values(document, places) if isinstance(value, bool)), None)


def _day(document: Json, places: Sequence[str]) -> date | None:
    texts = (value for value in _values(document, places) if isinstance(value, str))
    return next((day for text in texts if (day := read_date(text[:40])) is not None), None)
