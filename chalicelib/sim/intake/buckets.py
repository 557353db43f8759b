"""Throughput by buckets of days, counted back from the last day of which all is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from chalicelib.sim.intake.dates import NO_DAY
from chalicelib.sim.intake.inputs import LATEST, ImportRequest, day_of
from chalicelib.sim.intake.items import Item, Items
from chalicelib.sim.intake.result import Bucket

# As many samples as a forecast takes.
MOST_BUCKETS = 1_000


class Window(Struct, frozen=True):
    """The days of which an import tells, as ordinals: the closing dates that count, and the day of the report."""

    # NO_DAY if the caller named none.
    first: int
    last: int
    as_of: int
    cadence_days: int


class Placed(Struct, frozen=True):
    """Items by what they are at the window's as_of."""

    closed: list[Item]
    open: list[Item]
    outside: int


class Throughput(Struct, frozen=True):
    """Whole buckets, oldest first; the one that is not over; and the items closed before the first of them."""

    buckets: list[Bucket]
    partial: Bucket | None
    before_first: int


def window_of(request: ImportRequest, items: Items, today: date | None = None) -> Window:
    """The request's window; the items' latest day, at most today, stands in for a missing as_of.

    One of the two must be there.
    """
    first, last, as_of = map(day_of, (request.from_date, request.to_date, request.as_of))
    return Window(
        first=first.toordinal() if first else NO_DAY,
        last=last.toordinal() if last else NO_DAY,
        as_of=as_of.toordinal() if as_of else min(items.latest, today.toordinal() if today else items.latest),
        cadence_days=request.cadence_days,
    )


def place(items: Sequence[Item], window: Window) -> Placed:
    """Which items were closed within the window, which were open at the end of as_of, and how many were neither.

    An item closed after as_of was open then, if it is known to have begun by then.
    """
    closed, waiting, outside = list[Item](), list[Item](), 0
    last = window.last or LATEST.toordinal()
    for item in items:
        if item.closed == NO_DAY or item.closed > window.as_of:
            is_open = item.started <= window.as_of and (item.started > NO_DAY or item.closed == NO_DAY)
            if is_open:
                waiting.append(item)
        elif is_open := window.first <= item.closed <= last:
            closed.append(item)
        outside += not is_open
    return Placed(closed, waiting, outside)


def throughput(days: Sequence[int], window: Window, first_covered: int) -> Throughput:
    """The number of closing days in each bucket of the window.

    days: ordinals within the window and up to as_of, may be empty. first_covered: the first day from which the file
    is complete if the window names none, NO_DAY if it has no closing date at all. Buckets are counted back from the
    window's last day or else as_of; those that begin before the first covered day or end after as_of are not whole.
    At most the newest MOST_BUCKETS are made. Cost: linear in the days.
    """
    size, anchor = window.cadence_days, window.last or window.as_of
    # Whole buckets that do not end by as_of; 0 unless the anchor lies behind it.
    ahead = max(0, -((window.as_of - anchor) // size))
    last_end = anchor - ahead * size
    begin = window.first or first_covered
    count = min(max(0, (last_end + 1 - begin) // size), MOST_BUCKETS) if begin else 0
    start = last_end + 1 - count * size
    found = Counter((day - start) // size for day in days)
    return Throughput(
        buckets=[_bucket(start + size * index, size, found[index]) for index in range(count)],
        partial=_bucket(last_end + 1, size, found[count]) if last_end < min(anchor, window.as_of) else None,
        before_first=sum(number for index, number in found.items() if index < 0),
    )


def _bucket(start: int, size: int, closed: int) -> Bucket:
    first, last = date.fromordinal(start), date.fromordinal(start + size - 1)
    return Bucket(start=first.isoformat(), end=last.isoformat(), closed=closed)
