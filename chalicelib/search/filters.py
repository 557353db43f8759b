"""Which awards are wanted: the filters of every question about contracts, their rules, and what they come down to.

Filters of different kinds must all hold, of one kind any. A text of a filter is found anywhere in the name or title,
whatever the case, and every character stands for itself; `&&` joins texts that must all be found. What else items may
have is a question of their syntax.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.errors import FieldError
from chalicelib.search.syntax import Alternative, Syntax, read_item, write_alternative

MOST_ITEMS = 50
# Of one kind. Each costs a look at all names, or at all words.
MOST_PARTS = 100
MOST_PESOS = 1e15

TimeType = Literal["yearly", "quarterly", "custom"]

_Long = Annotated[str, Meta(max_length=500)]
_Middling = Annotated[str, Meta(max_length=200)]
_Short = Annotated[str, Meta(max_length=100)]
_Year = Annotated[int, Meta(ge=1900, le=2100)]
_Quarter = Annotated[int, Meta(ge=1, le=4)]
_Day = Annotated[str, Meta(max_length=40)]
_Pesos = Annotated[float, Meta(ge=0, le=MOST_PESOS)]
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# Postgres knows no such characters, so no award has them: zero, and halves of surrogate pairs.
NO_CHARACTER = re.compile("[\0\ud800-\udfff]")
_KINDS = ("contractors", "areas", "organizations", "business_categories", "keywords")


class TimeRange(Struct, frozen=True, kw_only=True):
    """A stretch of time in which the award was made; awards without a date are in none."""

    type: Annotated[
        TimeType,
        Meta(description="yearly needs year; quarterly needs year and quarter; custom needs startDate and endDate."),
    ]
    year: Annotated[_Year | None, Meta(description="Calendar year, 1900 to 2100.")] = None
    quarter: Annotated[_Quarter | None, Meta(description="1 is January to March, 4 October to December.")] = None
    startDate: Annotated[_Day | None, Meta(description="First day, yyyy-mm-dd.")] = None  # noqa: N815
    endDate: Annotated[_Day | None, Meta(description="Last day, yyyy-mm-dd.")] = None  # noqa: N815


class ValueRange(Struct, frozen=True, kw_only=True):
    """Bounds on the amount of the award in pesos; either may be missing."""

    min: Annotated[_Pesos | None, Meta(description="Smallest amount that is wanted.")] = None
    max: Annotated[_Pesos | None, Meta(description="Largest amount that is wanted.")] = None


class Filters(Struct, frozen=True, kw_only=True):
    """Which awards are wanted; every award where nothing is said.

    Filters of different kinds must all hold, of the items of one kind any. Texts are found anywhere and in any case,
    and every character stands for itself; `&&` within an item joins texts that must all be found.
    """

    contractors: Annotated[
        tuple[_Long, ...], Meta(max_length=MOST_ITEMS, description="Texts in the name of who got the award.")
    ] = ()
    areas: Annotated[
        tuple[_Middling, ...], Meta(max_length=MOST_ITEMS, description="Texts in the area of delivery.")
    ] = ()
    organizations: Annotated[
        tuple[_Long, ...], Meta(max_length=MOST_ITEMS, description="Texts in the name of the procuring entity.")
    ] = ()
    business_categories: Annotated[
        tuple[_Middling, ...], Meta(max_length=MOST_ITEMS, description="Texts in the business category.")
    ] = ()
    keywords: Annotated[
        tuple[_Short, ...],
        Meta(max_length=MOST_ITEMS, description="Texts in the title of the award or, after a space, of its notice."),
    ] = ()
    time_ranges: Annotated[
        tuple[TimeRange, ...], Meta(max_length=MOST_ITEMS, description="When the award was made: in any of these.")
    ] = ()
    value_range: Annotated[ValueRange | None, Meta(description="Bounds on the amount, both included.")] = None
    include_flood_control: Annotated[
        bool, Meta(description="Accepted and without effect: those projects are among the awards.")
    ] = False
    syntax: Annotated[
        Syntax,
        Meta(
            description="How texts are read. plain: only && has a meaning. extended: also || between alternatives (&& "
            "binds closer), a dash right before a text that must not be found (beside one that must), and double "
            'quotes around a text that stands as whole words, in which all is literal and "" is a quote.'
        ),
    ] = "plain"


class Days(Struct, frozen=True, order=True):
    """A stretch of calendar days, both ends included, so that the last day there is needs no day after it."""

    first: date
    last: date


class Centavos(Struct, frozen=True):
    """Bounds on an amount, both included; None where there is none."""

    low: int | None = None
    high: int | None = None


def check(filters: Filters) -> list[FieldError]:
    """Every rule of the filters that their schema cannot state, all broken ones at once."""
    return [FieldError(pointer, detail) for pointer, detail in _rules(filters)]


def alternatives_of(filters: Filters, kind: str) -> tuple[Alternative, ...]:
    """What items of a kind ask for, of which any must hold; in one order whichever way they were written."""
    items = (read_item(text, filters.syntax) for text in getattr(filters, kind))
    return tuple(sorted({alternative for item in items for alternative in item.alternatives}))


def days_of(filters: Filters) -> tuple[Days, ...]:
    """The days that are wanted, earliest first, without overlap or touch; the filters have passed their check."""
    merged: list[Days] = []
    for days in sorted(_days(wanted) for wanted in filters.time_ranges):
        if merged and days.first - merged[-1].last <= timedelta(days=1):
            merged[-1] = Days(merged[-1].first, max(merged[-1].last, days.last))
        else:
            merged.append(days)
    return tuple(merged)


def centavos_of(filters: Filters) -> Centavos:
    """The bounds on the amount; a lower one of 0 is none, for no award is below it."""
    wanted = filters.value_range or ValueRange()
    low = None if wanted.min is None else int(_hundredfold(wanted.min).to_integral_value(ROUND_CEILING))
    high = None if wanted.max is None else int(_hundredfold(wanted.max).to_integral_value(ROUND_FLOOR))
    return Centavos(low or None, high)


def canonical(filters: Filters) -> dict[str, object]:
    """The filters as JSON that is the same for the same question: what has no effect is not in it."""
    amounts = centavos_of(filters)
    bounds = {"min": amounts.low, "max": amounts.high}
    said: dict[str, object] = {
        kind: [write_alternative(each, filters.syntax) for each in alternatives_of(filters, kind)] for kind in _KINDS
    }
    if filters.syntax != "plain" and any(said.values()):
        said["syntax"] = filters.syntax
    said["time_ranges"] = [
        {"type": "custom", "startDate": days.first.isoformat(), "endDate": days.last.isoformat()}
        for days in days_of(filters)
    ]
    said["value_range"] = {name: bound / 100 for name, bound in bounds.items() if bound is not None}
    return {name: value for name, value in said.items() if value}


def _hundredfold(pesos: float) -> Decimal:
    # The shortest decimal that the client can have meant, not the binary fraction next to it.
    return Decimal(repr(pesos)) * 100


def _days(wanted: TimeRange) -> Days:
    if wanted.type == "custom":
        return Days(date.fromisoformat(wanted.startDate or ""), date.fromisoformat(wanted.endDate or ""))
    quarter = wanted.quarter or 0
    first, last = (3 * quarter - 2, 3 * quarter) if wanted.type == "quarterly" else (1, 12)
    # The 31st day after the first of a month is in the next one.
    end = (date(wanted.year or 0, last, 1) + timedelta(days=31)).replace(day=1)
    return Days(date(wanted.year or 0, first, 1), end - timedelta(days=1))


def _read_day(text: str | None) -> date | None:
    if text is None or not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _rules(filters: Filters) -> Iterator[tuple[str, str]]:
    for kind in _KINDS:
        yield from _text_rules(f"/{kind}", getattr(filters, kind), filters.syntax)
    for place, wanted in enumerate(filters.time_ranges):
        for name, detail in _time_rules(wanted):
            yield f"/time_ranges/{place}/{name}", detail
    bounds = filters.value_range or ValueRange()
    if bounds.min is not None and bounds.max is not None and bounds.min > bounds.max:
        yield "/value_range/max", f"must be at least min ({bounds.min}), got {bounds.max}"


def _text_rules(pointer: str, texts: tuple[str, ...], syntax: Syntax) -> Iterator[tuple[str, str]]:
    items = [read_item(text, syntax) for text in texts]
    parts = sum(len(alternative.parts) for item in items for alternative in item.alternatives)
    if parts > MOST_PARTS:
        joint = "&&" if syntax == "plain" else "&& or ||"
        yield pointer, f"must have at most {MOST_PARTS} texts, those joined by {joint} counted each, got {parts}"
    for place, (text, item) in enumerate(zip(texts, items, strict=True)):
        if NO_CHARACTER.search(text):
            yield f"{pointer}/{place}", "must not contain U+0000 or half of a surrogate pair"
        if item.fault:
            yield f"{pointer}/{place}", item.fault


def _time_rules(wanted: TimeRange) -> Iterator[tuple[str, str]]:
    if wanted.type == "custom":
        yield from _custom_rules(wanted)
        return
    if wanted.year is None:
        yield "year", f"is required for {wanted.type}"
    if wanted.type == "quarterly" and wanted.quarter is None:
        yield "quarter", "is required for quarterly"


def _custom_rules(wanted: TimeRange) -> Iterator[tuple[str, str]]:
    first, last = _read_day(wanted.startDate), _read_day(wanted.endDate)
    for name, text, day in (("startDate", wanted.startDate, first), ("endDate", wanted.endDate, last)):
        if not text:
            yield name, "is required for custom"
        elif day is None:
            yield name, f"must be a day like 2024-12-31, got {text!r}"
    if first and last and last < first:
        yield "endDate", f"must not be before startDate ({first.isoformat()}), got {last.isoformat()}"
