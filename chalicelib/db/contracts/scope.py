"""What the conditions of a search come down to in one version: names and words by their lists, days by spans of rows.

It is looked up before the rows are, so that their statement is planned for what is there: a list of ids, and not a
pattern. Only here do texts of the caller reach Postgres, and only as values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from msgspec import Struct
from psycopg2 import errors, sql
from psycopg2.extras import RealDictCursor

from chalicelib.db.connect import Turns
from chalicelib.db.contracts.fragments import all_of, any_of, fragment, placeholder, united
from chalicelib.db.contracts.lookups import Lookup, find_lookups
from chalicelib.db.contracts.versions import Transactions
from chalicelib.errors import Gone, Unavailable
from chalicelib.search.conditions import Conditions, NameTest, Patterns, conditions_of
from chalicelib.search.filters import Centavos, Days, Filters
from chalicelib.search.paging import Dimension

# Names the locks of those whose turn it is among all advisory locks of the database.
_GATE = 5_040_002


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
        return sum(lookup.most(self.rows) for lookup in self.keywords)

    @property
    def most_by_facts(self) -> int:
        """How many rows the other conditions have at most, amounts aside, of which that is not known."""
        days = [sum(span.rows for span in self.spans)] if self.days else []
        return min([self.rows, *days, *(names.awards for names in self.names.values())])


@contextmanager
def opened(database: Transactions, version: int, filters: Filters) -> Iterator[tuple[RealDictCursor, Scope]]:
    """A transaction and the scope of filters that have passed their check; raises Gone if the version was dropped."""
    with reading(database, version) as cursor:
        yield cursor, find_scope(cursor, version, conditions_of(filters))


@contextmanager
def reading(database: Transactions, version: int) -> Iterator[RealDictCursor]:
    """A transaction that reads a version, when it is its turn.

    Raises Gone if the version was dropped, Unavailable if the turn did not come.
    """
    try:
        with database.transaction() as cursor:
            _settle(cursor, version, database.turns)
            yield cursor
    except errors.UndefinedTable:
        raise Gone(f"version {version} of the contracts has been replaced; ask again") from None


def _settle(cursor: RealDictCursor, version: int, turns: Turns | None) -> None:
    if turns is None:
        cursor.execute(fragment("settle", version))
        return
    try:
        cursor.execute(
            fragment("take_turn", version),
            {"turns": turns.count, "gate": _GATE, "patience_ms": int(1000 * turns.patience_s)},
        )
    except errors.LockNotAvailable:
        raise Unavailable("too many searches run at the moment", retry_after_s=10) from None


def find_scope(cursor: RealDictCursor, version: int, conditions: Conditions) -> Scope:
    """What the conditions come down to. Cost: a look at all names of a dimension, at all words for an end of a text."""
    cursor.execute(fragment("rows", version))
    rows = int(cursor.fetchall()[0]["awards"])
    return Scope(
        version=version,
        rows=rows,
        names={name: _find_names(cursor, version, name, items) for name, items in conditions.names.items()},
        keywords=find_lookups(cursor, version, conditions.keywords, rows),
        days=conditions.days,
        spans=_find_spans(cursor, version, conditions.days),
        amounts=conditions.amounts,
        years=conditions.years,
    )


def _find_names(cursor: RealDictCursor, version: int, dimension: Dimension, tests: tuple[NameTest, ...]) -> Names:
    values: dict[str, object] = {}
    together: list[sql.Composable] = []
    alone: list[sql.Composable] = []
    for place, test in enumerate(tests):
        own = dict(_name_values(f"item_{place}", test))
        fits = all_of([fragment(piece, version, patterns=placeholder(name)) for name, (piece, _) in own.items()])
        (alone if test.phrases or test.unwanted_phrases else together).append(fits)
        values |= {name: list(patterns) for name, (_, patterns) in own.items()}
    # Each with a phrase looks at the names by itself: Postgres keeps but 32 regular expressions compiled.
    scans = [*([any_of(together)] if together else []), *alone]
    found = united([fragment("names_that_fit", version, dimension=dimension, fits=fits) for fits in scans])
    cursor.execute(fragment("names", version, found=found), values)
    row = cursor.fetchall()[0]
    return Names(tuple(row["ids"]), row["awards"])


def _name_values(name: str, test: NameTest) -> Iterator[tuple[str, tuple[str, Patterns]]]:
    """The patterns of a test by the names of their values, with the piece that each are for."""
    yield name, ("name_fits", test.texts)
    if test.phrases:
        yield f"{name}_phrases", ("name_has_phrases", test.phrases)
    if test.unwanted_texts:
        yield f"{name}_not", ("name_lacks_texts", test.unwanted_texts)
    if test.unwanted_phrases:
        yield f"{name}_not_phrases", ("name_lacks_phrases", test.unwanted_phrases)


def _find_spans(cursor: RealDictCursor, version: int, days: tuple[Days, ...]) -> tuple[Span, ...]:
    if not days:
        return ()
    cursor.execute(
        fragment("spans", version), {"first": [each.first for each in days], "last": [each.last for each in days]}
    )
    return tuple(Span(row["low"], row["high"]) for row in cursor.fetchall())
