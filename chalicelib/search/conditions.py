"""What has to hold for an award to be wanted, as patterns of LIKE for an index of words and for plain texts.

The index knows the words of a title: its longest runs of letters and digits. Where a text stands in a title, each of
its own runs is a word or a part of one: a run at both ends of the text may go on to both sides, one at its beginning to
the left, one at its end to the right, and any other is a whole word. So rows with fitting words are all that can have
the text. A text that is a single run stands in every one of them; any other has to be looked for in their titles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from chalicelib.search.awards import WORD
from chalicelib.search.filters import Centavos, Days, Filters, Parts, centavos_of, days_of, items_of
from chalicelib.search.paging import Dimension

_WILD = re.compile(r"([\\%_])")
# Patterns that must all fit.
Patterns = tuple[str, ...]


class WordTest(Struct, frozen=True):
    """Rows with a word that fits; `text` is for looking into the titles instead where that is cheaper."""

    word: str
    text: str


class Keyword(Struct, frozen=True):
    """One item of the keywords: all tests of words hold, and all texts, which words alone cannot prove."""

    words: tuple[WordTest, ...]
    texts: Patterns


class Conditions(Struct, frozen=True, kw_only=True):
    """All that has to hold; of the names of a dimension, of keywords and of days any."""

    names: Mapping[Dimension, tuple[Patterns, ...]]
    keywords: tuple[Keyword, ...]
    days: tuple[Days, ...]
    amounts: Centavos

    @property
    def years(self) -> tuple[int, ...] | None:
        """The calendar years that the days are, in order, if they are whole ones."""
        if any(
            (each.first.month, each.first.day, each.last.month, each.last.day) != (1, 1, 12, 31) for each in self.days
        ):
            return None
        return tuple(year for each in self.days for year in range(each.first.year, each.last.year + 1))


def conditions_of(filters: Filters) -> Conditions:
    """The conditions of filters that have passed their check. Cost: linear in their length."""
    texts: dict[Dimension, tuple[str, ...]] = {
        "contractor": filters.contractors,
        "organization": filters.organizations,
        "area": filters.areas,
        "category": filters.business_categories,
    }
    items = {dimension: items_of(said) for dimension, said in texts.items()}
    return Conditions(
        names={name: tuple(map(_patterns, said)) for name, said in items.items() if said},
        keywords=tuple(_keyword(parts) for parts in items_of(filters.keywords)),
        days=days_of(filters),
        amounts=centavos_of(filters),
    )


def _patterns(parts: Parts) -> Patterns:
    return tuple(_pattern(part) for part in parts)


def _pattern(part: str) -> str:
    return "%" + _WILD.sub(r"\\\1", part) + "%"


def _keyword(parts: Parts) -> Keyword:
    tests = tuple(test for part in parts for test in _word_tests(part))
    return Keyword(tests, tuple(_pattern(part) for part in parts if not WORD.fullmatch(part)))


def _word_tests(part: str) -> list[WordTest]:
    text = _pattern(part)
    return [
        WordTest(f"{'' if run.start() else '%'}{run[0]}{'' if run.end() < len(part) else '%'}", text)
        for run in WORD.finditer(part)
    ]
