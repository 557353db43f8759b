"""What the conditions of a search come down to in one version: names and words by their lists, days by spans of rows.

It is looked up before the rows are, so that their statement is planned for what is there: a list of ids, and not a
pattern. Only here do texts of the caller reach Postgres, and only as values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from msgspec import Struct
from psycopg2 import errors
from psycopg2.extras import RealDictCursor

from chalicelib.db.connect import Database
from chalicelib.db.contracts.fragments import any_of, fragment, placeholder
from chalicelib.errors import Gone
from chalicelib.search.conditions import Conditions, Keyword, Patterns, conditions_of
from chalicelib.search.filters import Centavos, Days, Filters
from chalicelib.search.paging import Dimension


class Names(Struct, frozen=True):
    """Names of a dimension by their ids, and how many awards they have."""

    ids: tuple[int, ...]
    awards: int


class Span(Struct, frozen=True):
    """Rows by their numbers, both ends included."""

    low: int
    high: int

    @property
    def rows(self) -> int:
        return self.high - self.low + 1


class Words(Struct, frozen=True):
    """Words of which a row has one, the most frequent first; `postings` is how long their lists are together."""

    tokens: tuple[str, ...] = ()
    postings: int = 0


class Lookup(Struct, frozen=True):
    """One item of the keywords: rows with a word of each of `words` in whose titles all texts stand."""

    words: tuple[Words, ...]
    texts: Patterns


class Scope(Struct, frozen=True, kw_only=True):
    """Conditions as one version has them; no spans at all where days do not matter."""

    version: int
    # Of the whole version.
    rows: int
    names: Mapping[Dimension, Names]
    keywords: tuple[Lookup, ...]
    days: tuple[Days, ...]
    spans: tuple[Span, ...]
    amounts: Centavos
    # Whole calendar years, none for all of them; None where the days are not whole years.
    years: tuple[int, ...] | None

    @property
    def depends_on_facts(self) -> bool:
        """Whether more than words and days has to be looked at."""
        return bool(self.names) or self.amounts != Centavos()

    @property
    def is_of_time_alone(self) -> bool:
        return not self.keywords and not self.depends_on_facts

    @property
    def most_by_words(self) -> int:
        """How many rows the keywords have at most."""
        return sum(min((each.postings for each in lookup.words), default=self.rows) for lookup in self.keywords)

    @property
    def most_by_facts(self) -> int:
        """How many rows the other conditions have at most, amounts aside, of which that is not known."""
        days = [sum(span.rows for span in self.spans)] if self.days else []
        return min([self.rows, *days, *(names.awards for names in self.names.values())])


@contextmanager
def opened(database: Database, version: int, filters: Filters) -> Iterator[tuple[RealDictCursor, Scope]]:
    """A transaction and the scope of filters that have passed their check; raises Gone if the version was dropped."""
    try:
        with database.transaction() as cursor:
            yield cursor, find_scope(cursor, version, conditions_of(filters))
    except errors.UndefinedTable:
        raise Gone(f"version {version} of the contracts has been replaced; ask again") from None


def find_scope(cursor: RealDictCursor, version: int, conditions: Conditions) -> Scope:
    """What the conditions come down to. Cost: a look at all names of a dimension, at all words for an end of a text."""
    cursor.execute(fragment("rows", version))
    rows = int(cursor.fetchall()[0]["awards"])
    return Scope(
        version=version,
        rows=rows,
        names={name: _find_names(cursor, version, name, items) for name, items in conditions.names.items()},
        keywords=_find_words(cursor, version, conditions.keywords, rows),
        days=conditions.days,
        spans=_find_spans(cursor, version, conditions.days),
        amounts=conditions.amounts,
        years=conditions.years,
    )


def _find_names(cursor: RealDictCursor, version: int, dimension: Dimension, items: tuple[Patterns, ...]) -> Names:
    values = {f"item_{place}": list(patterns) for place, patterns in enumerate(items)}
    fits = [fragment("name_fits", version, patterns=placeholder(name)) for name in values]
    cursor.execute(fragment("names", version, dimension=dimension, fits=any_of(fits)), values)
    row = cursor.fetchall()[0]
    return Names(tuple(row["ids"]), row["awards"])


def _find_words(cursor: RealDictCursor, version: int, keywords: tuple[Keyword, ...], rows: int) -> tuple[Lookup, ...]:
    patterns = sorted({test.word for keyword in keywords for test in keyword.words})
    found: dict[str, Words | None] = dict.fromkeys(patterns, Words())
    if patterns:
        values = {
            "patterns": [pattern for pattern in patterns if "%" in pattern],
            "words": [pattern for pattern in patterns if "%" not in pattern],
            "rows": rows,
        }
        cursor.execute(fragment("words", version), values)
        for row in cursor.fetchall():
            found[row["text"]] = row["tokens"] and Words(tuple(row["tokens"]), int(row["postings"]))
    return tuple(_lookup(keyword, found) for keyword in keywords)


def _lookup(keyword: Keyword, found: Mapping[str, Words | None]) -> Lookup:
    words = [(test, found[test.word]) for test in keyword.words]
    return Lookup(
        tuple(each for _, each in words if each is not None),
        tuple(dict.fromkeys([*keyword.texts, *(test.text for test, each in words if each is None)])),
    )


def _find_spans(cursor: RealDictCursor, version: int, days: tuple[Days, ...]) -> tuple[Span, ...]:
    if not days:
        return ()
    cursor.execute(
        fragment("spans", version), {"first": [each.first for each in days], "last": [each.last for each in days]}
    )
    return tuple(Span(row["low"], row["high"]) for row in cursor.fetchall())
