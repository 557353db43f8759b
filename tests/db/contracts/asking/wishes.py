"""Filters as people write them, of texts that are in the awards and of texts that are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import TypeVar, get_args

from hypothesis import strategies as st

from chalicelib.search.filters import Filters, TimeRange, ValueRange
from chalicelib.search.paging import DIMENSIONS, Dimension, GroupField, GroupOrder, Order, Page, SortField
from chalicelib.search.syntax import Syntax
from tests.db.contracts.item_oracle import Refused, asked
from tests.db.contracts.oracle import Award

T = TypeVar("T")

_STRAY = ("", " ", "&&", "%", "_", "\\", "'", '"', "--", ";", ".", ",", "e", "1", "zzz", "  ", "а", "&", "{}")
# What has a meaning in extended items.
_SIGNS = ('"', '""', "||", "&&", "-", " -", "- ", "|", '-"', '" ')
_CASES: tuple[Callable[[str], str], ...] = (str.upper, str.lower, str.title, str.swapcase)

orders = st.one_of(st.just(Order()), st.builds(Order, st.sampled_from(get_args(SortField)), st.booleans()))
group_orders = st.builds(GroupOrder, st.sampled_from(get_args(GroupField)), st.booleans())
pages = st.builds(Page, st.one_of(st.just(1), st.integers(1, 60)), st.integers(1, 40))
dimensions: st.SearchStrategy[Dimension] = st.sampled_from(DIMENSIONS)


def wishes(awards: Sequence[Award]) -> st.SearchStrategy[Filters]:
    """Filters of up to three kinds, keywords more often than others; of each syntax, plain more often."""
    known = tuple(awards)
    return st.sampled_from(("plain", "plain", "extended")).flatmap(lambda syntax: _wishes(known, syntax))


def extended_wishes(awards: Sequence[Award]) -> st.SearchStrategy[Filters]:
    """The same in the extended syntax alone."""
    return _wishes(tuple(awards), "extended")


@lru_cache
def _wishes(awards: tuple[Award, ...], syntax: Syntax) -> st.SearchStrategy[Filters]:
    items = _items if syntax == "plain" else _extended_items
    kinds: dict[str, st.SearchStrategy[object]] = {
        "keywords": items([award.text for award in awards]),
        "contractors": items([award.contractor for award in awards]),
        "organizations": items([award.organization for award in awards]),
        "areas": items([award.area for award in awards]),
        "business_categories": items([award.category for award in awards]),
        "time_ranges": st.lists(times(awards), max_size=5).map(tuple),
        "value_range": _values(awards),
        "include_flood_control": st.booleans(),
    }
    others = st.lists(st.sampled_from([*kinds, "time_ranges", "time_ranges"]), max_size=2)
    chosen = st.builds(lambda names, has: {*names, *has}, others, st.sampled_from(((), ("keywords",))))
    said = {"syntax": st.just(syntax)}
    return chosen.flatmap(
        lambda names: st.builds(Filters, **said, **{name: kinds[name] for name in kinds if name in names})
    )


def _one_of(values: Sequence[T]) -> st.SearchStrategy[T]:
    """One of many values, of which none is shown when a test fails but the one that it failed with."""
    return st.integers(0, len(values) - 1).map(lambda place: values[place])


def _items(texts: Iterable[str | None]) -> st.SearchStrategy[tuple[str, ...]]:
    item = st.lists(_parts(texts), min_size=1, max_size=2).map("&&".join)
    return st.lists(item, max_size=3).map(tuple)


def _extended_items(texts: Iterable[str | None]) -> st.SearchStrategy[tuple[str, ...]]:
    """Items with phrases, alternatives and what is left out; also with all that has a meaning where it has none."""
    said = sorted({text for text in texts if text})
    part = st.one_of(_parts(said), st.sampled_from(_SIGNS))
    phrase = st.one_of(part, _one_of(said).flatmap(_words_in_a_row), st.sampled_from(said))
    bare = part.map(lambda text: text.replace('"', ""))
    quoted = phrase.map(lambda text: '"' + text.replace('"', '""') + '"')
    wanted = st.one_of(bare, quoted, quoted)
    # Rows that are told apart by what is left out have more in common than a letter.
    either = st.builds(str.__add__, st.sampled_from(("", "-", " -")), wanted)
    alternative = st.builds(lambda first, others: " && ".join([first, *others]), wanted, st.lists(either, max_size=2))
    item = st.lists(alternative, min_size=1, max_size=2).map("||".join)
    return st.lists(item.filter(_is_taken), max_size=2).map(tuple)


def _is_taken(item: str) -> bool:
    try:
        asked(item, "extended")
    except Refused:
        return False
    return True


def _parts(texts: Iterable[str | None]) -> st.SearchStrategy[str]:
    known = _one_of(sorted({text for text in texts if text}))
    part = st.one_of(
        known.flatmap(lambda text: _slice(text, longest=12)), known.flatmap(_words), st.sampled_from(_STRAY)
    )
    cased = st.builds(lambda text, case: case(text), part, st.sampled_from(_CASES))
    short = known.flatmap(lambda text: _slice(text, longest=2))
    return st.one_of(short, part, cased)


def _slice(text: str, *, longest: int) -> st.SearchStrategy[str]:
    start = st.integers(0, len(text) - 1)
    return st.builds(lambda first, length: text[first : first + length], start, st.integers(1, longest))


def _words_in_a_row(text: str) -> st.SearchStrategy[str]:
    """Some words of a text that follow each other, with what is between them."""
    ends = [match.span() for match in re.finditer(r"[^\W_]+", text)] or [(0, len(text))]
    first = st.integers(0, len(ends) - 1)
    return st.builds(
        lambda first, more: text[ends[first][0] : ends[min(first + more, len(ends) - 1)][1]], first, st.integers(0, 3)
    )


def _words(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from(text.split() or [text])


def times(awards: Sequence[Award]) -> st.SearchStrategy[TimeRange]:
    """Years, quarters and stretches of days, with awards and without."""
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
