"""The calendar that a forecast runs on: its first day, how long a sample's period is, and when the team works less.

A forecast counts in periods of work. A day of full capacity is a day of a period; a blackout day is none, and a day of
a month with capacity 0.5 is half a day. So the law of the periods stays as it is, and only the days that it is told in
are stretched. Every blackout day therefore moves what follows by one day, and a capacity above 1 brings it nearer.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.sim.dates import ACCEPTED, read_date
from chalicelib.sim.fields import DayText, SavingFields

DAYS_PER_WEEK = 7
MAX_CADENCE_DAYS = 366
# Capacities are whole thousandths, so that adding up a thousand days leaves no residue.
FULL = 1_000
_MONTHS = 12


class BlackoutPeriod(Struct, frozen=True, kw_only=True, rename="camel"):
    """Days in a row on which nobody works, both ends included."""

    start: Annotated[DayText, Meta(description=f"First day: {ACCEPTED}.")]
    end: Annotated[DayText, Meta(description="Last day, in the same formats.")]


class CalendarFields(SavingFields, frozen=True, kw_only=True, rename="camel"):
    """What a request that can be saved may say about its calendar."""

    throughput_cadence_days: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_CADENCE_DAYS)] | None,
        Meta(
            description="Days that one throughput sample covers, 7 when missing. Everything that is told in weeks is "
            "then in periods of this length, and days follow from it."
        ),
    ] = None
    blackout_dates: Annotated[
        tuple[DayText, ...],
        Meta(max_length=1_000, description="Days on which nobody works; each moves what follows by a day."),
    ] = ()
    blackout_periods: Annotated[
        tuple[BlackoutPeriod, ...],
        Meta(max_length=200, description="The same for days in a row, such as a shutdown between the years."),
    ] = ()
    monthly_capacity: Annotated[
        tuple[Annotated[float, Meta(ge=0, le=10)], ...],
        Meta(
            max_length=_MONTHS,
            description="Share of the usual throughput that each month sees, January first: twelve numbers, 1 for a "
            "usual month, 0.5 for half of it. Empty: every month is usual. Read to 3 decimals.",
        ),
    ] = ()


class WorkCalendar(Struct, frozen=True, kw_only=True):
    """A start, None if there is none, and how days count from there.

    blackouts: ascending, each day once. capacity: thousandths of a usual day for January to December.
    """

    start: date | None = None
    cadence_days: int = DAYS_PER_WEEK
    blackouts: tuple[date, ...] = ()
    capacity: tuple[int, ...] = (FULL,) * _MONTHS

    @property
    def is_even(self) -> bool:
        """Whether every day counts as one day."""
        return not self.blackouts and all(each == FULL for each in self.capacity)

    def elapsed_weeks(self, periods: float) -> float:
        """The calendar weeks that so many periods take, blackout days included; from the start if there is one."""
        found = None if self.is_even else self.date_after(periods)
        if found and self.start:
            return (found - self.start).days / DAYS_PER_WEEK
        return periods * self.cadence_days / DAYS_PER_WEEK

    def day_after(self, periods: float) -> str | None:
        """The ISO day by which so many periods of work have passed; None without a start, or past the year 9999."""
        found = self.date_after(periods)
        return found.isoformat() if found else None

    def date_after(self, periods: float) -> date | None:
        """The same as a date: the first day before which the capacity of `periods` has been there."""
        if self.start is None:
            return None
        days = periods * self.cadence_days
        try:
            if self.is_even:
                return self.start + timedelta(days=math.ceil(days - 1e-9))
            return _day_at(self, self.start, math.ceil(days * FULL - 1e-6))
        except OverflowError:
            return None

    def periods_until(self, day: date) -> float:
        """How many periods of work fit between the start and the beginning of `day`; negative for a day before it.

        Needs a start. Before the start every day counts as one.
        """
        assert self.start is not None
        if self.is_even or day <= self.start:
            return (day - self.start).days / self.cadence_days
        return _capacity_between(self, self.start, day) / (self.cadence_days * FULL)


def read_calendar(fields: CalendarFields, start: date | None) -> WorkCalendar:
    """The calendar of a request that has passed `check_calendar`."""
    return WorkCalendar(
        start=start,
        cadence_days=fields.throughput_cadence_days or DAYS_PER_WEEK,
        blackouts=tuple(sorted(set(_blackouts(fields)))),
        capacity=tuple(math.floor(each * FULL + 0.5) for each in fields.monthly_capacity) or (FULL,) * _MONTHS,
    )


def check_calendar(fields: CalendarFields) -> Iterator[tuple[str, str]]:
    """(pointer, what is wrong) for every rule of a calendar that its schema cannot state."""
    for index, text in enumerate(fields.blackout_dates):
        if read_date(text) is None:
            yield f"/blackoutDates/{index}", f"must be a date like {ACCEPTED}, got {text!r}"
    for index, period in enumerate(fields.blackout_periods):
        yield from _check_period(period, f"/blackoutPeriods/{index}")
    months = fields.monthly_capacity
    if months and len(months) != _MONTHS:
        yield "/monthlyCapacity", f"must have 12 numbers, January to December, got {len(months)}"
    elif months and not any(each >= 1 / FULL for each in months):
        yield "/monthlyCapacity", "at least one month must have a capacity above 0, or nothing is ever finished"


# Longer than any shutdown; a project that stands still for years is not forecast from its throughput.
_LONGEST_BLACKOUT_DAYS = 1_000


def _check_period(period: BlackoutPeriod, pointer: str) -> Iterator[tuple[str, str]]:
    start, end = read_date(period.start), read_date(period.end)
    for name, text, day in (("start", period.start, start), ("end", period.end, end)):
        if day is None:
            yield f"{pointer}/{name}", f"must be a date like {ACCEPTED}, got {text!r}"
    if start and end and start > end:
        yield f"{pointer}/end", f"must not be before start ({start.isoformat()}), got {end.isoformat()}"
    elif start and end and (end - start).days >= _LONGEST_BLACKOUT_DAYS:
        yield f"{pointer}/end", f"a blackout must be at most {_LONGEST_BLACKOUT_DAYS} days long, got {end - start}"


def _blackouts(fields: CalendarFields) -> Iterator[date]:
    for text in fields.blackout_dates:
        day = read_date(text)
        if day:
            yield day
    for period in fields.blackout_periods:
        start, end = read_date(period.start), read_date(period.end)
        if start and end:
            yield from (start + timedelta(days=each) for each in range((end - start).days + 1))


def _day_at(calendar: WorkCalendar, start: date, capacity: int) -> date:
    """The first day D with at least `capacity` thousandths in start .. D - 1; OverflowError past the year 9999."""
    day, left = start, capacity
    while left > 0:
        if day == date.max:
            raise OverflowError("past the year 9999")
        end = _next_month(day)
        within = _capacity_between(calendar, day, end)
        if within >= left:
            break
        day, left = end, left - within
    while left > 0:
        left -= _capacity_of(calendar, day)
        day += timedelta(days=1)
    return day


def _capacity_between(calendar: WorkCalendar, first: date, end: date) -> int:
    """Thousandths of a day from `first` to the day before `end`."""
    total = 0
    while first < end:
        last = min(end, _next_month(first))
        total += calendar.capacity[first.month - 1] * ((last - first).days - _blackouts_between(calendar, first, last))
        first = last
    return total


def _capacity_of(calendar: WorkCalendar, day: date) -> int:
    return _capacity_between(calendar, day, day + timedelta(days=1))


def _blackouts_between(calendar: WorkCalendar, first: date, end: date) -> int:
    return bisect.bisect_left(calendar.blackouts, end) - bisect.bisect_left(calendar.blackouts, first)


def _next_month(day: date) -> date:
    """The first of the next month; the last day that there is, for the last month."""
    if day.month < _MONTHS:
        return date(day.year, day.month + 1, 1)
    return date(day.year + 1, 1, 1) if day.year < date.max.year else date.max
