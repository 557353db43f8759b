"""Filters as people write them, of texts that are in the awards and of texts that are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import TypeVar, get_args

from hypothesis import strategies as st

from chalicelib.search.filters import Filters, TimeRange, ValueRange
from chalicelib.search.paging import DIMENSIONS, Dimension, GroupField, GroupOrder, Order, Page, SortField
from tests.db.contracts.oracle import Award

T = TypeVar("T")

_STRAY = ("", " ", "&&", "%", "_", "\\", "'", '"', "--", ";", ".", ",", "e", "1", "zzz", "  ", "а", "&", "{}")
_CASES: tuple[Callable[[str], str], ...] = (str.upper, str.lower, str.title, str.swapcase)

orders = st.one_of(st.just(Order()), st.builds(Order, st.sampled_from(get_args(SortField)), st.booleans()))
group_orders = st.builds(GroupOrder, st.sampled_from(get_args(GroupField)), st.booleans())
pages = st.builds(Page, st.one_of(st.just(1), st.integers(1, 60)), st.integers(1, 40))
dimensions: st.SearchStrategy[Dimension] = st.sampled_from(DIMENSIONS)


def wishes(awards: Sequence[Award]) -> st.SearchStrategy[Filters]:
    """Filters of up to three kinds, keywords more often than others."""
    return _wishes(tuple(awards))


@lru_cache
def _wishes(awards: tuple[Award, ...]) -> st.SearchStrategy[Filters]:
    keywords = _items([award.text for award in awards])
    kinds: dict[str, st.SearchStrategy[object]] = {
        "keywords": keywords,
        "contractors": _items([award.contractor for award in awards]),
        "organizations": _items([award.organization for award in awards]),
        "areas": _items([award.area for award in awards]),
        "business_categories": _items([award.category for award in awards]),
        "time_ranges": st.lists(_times(awards), max_size=5).map(tuple),
        "value_range": _values(awards),
        "include_flood_control": st.booleans(),
    }
    others = st.lists(st.sampled_from([*kinds, "time_ranges", "time_ranges"]), max_size=2)
    chosen = st.builds(lambda names, has: {*names, *has}, others, st.sampled_from(((), ("keywords",))))
    return chosen.flatmap(lambda names: st.builds(Filters, **{name: kinds[name] for name in kinds if name in names}))


def _one_of(values: Sequence[T]) -> st.SearchStrategy[T]:
    """One of many values, of which none is shown when a test fails but the one that it failed with."""
    return st.integers(0, len(values) - 1).map(lambda place: values[place])


def _items(texts: Iterable[str | None]) -> st.SearchStrategy[tuple[str, ...]]:
    known = _one_of(sorted({text for text in texts if text}))
    part = st.one_of(
        known.flatmap(lambda text: _slice(text, longest=12)), known.flatmap(_words), st.sampled_from(_STRAY)
    )
    cased = st.builds(lambda text, case: case(text), part, st.sampled_from(_CASES))
    short = known.flatmap(lambda text: _slice(text, longest=2))
    item = st.lists(st.one_of(short, part, cased), min_size=1, max_size=2).map("&&".join)
    return st.lists(item, max_size=3).map(tuple)


def _slice(text: str, *, longest: int) -> st.SearchStrategy[str]:
    start = st.integers(0, len(text) - 1)
    return st.builds(lambda first, length: text[first : first + length], start, st.integers(1, longest))


def _words(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from(text.split() or [text])


def _times(awards: tuple[Award, ...]) -> st.SearchStrategy[TimeRange]:
    days = _one_of(sorted({award.day for award in awards if award.day}))
    years = st.one_of(days.map(lambda day: day.year), st.integers(1999, 2027))
    custom = st.builds(
        lambda day, length: TimeRange(
            type="custom", startDate=day.isoformat(), endDate=(day + timedelta(length)).isoformat()
        ),
        days,
        st.one_of(st.integers(0, 400), st.integers(0, 9_000)),
    )
    return st.one_of(
        st.builds(lambda year: TimeRange(type="yearly", year=year), years),
        st.builds(
            lambda year, quarter: TimeRange(type="quarterly", year=year, quarter=quarter), years, st.integers(1, 4)
        ),
        custom,
    )


def _values(awards: tuple[Award, ...]) -> st.SearchStrategy[ValueRange]:
    amounts = _one_of(sorted({award.centavos for award in awards})).map(lambda centavos: centavos / 100)
    bound = st.one_of(st.none(), amounts, amounts.map(lambda amount: amount + 0.004))
    return st.tuples(bound, bound).map(_ordered)


def _ordered(bounds: tuple[float | None, float | None]) -> ValueRange:
    one, other = bounds
    if one is not None and other is not None:
        one, other = min(one, other), max(one, other)
    return ValueRange(min=one, max=other)
