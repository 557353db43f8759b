"""Names of one version with the sums of their awards: all of them, or those of a stretch of time or of other names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, structs
from psycopg2 import sql

from chalicelib.db.contracts.fragments import all_of, fragment
from chalicelib.db.contracts.matching import conditions, values_of
from chalicelib.db.contracts.rollups import KINDS, rollup_of, rollup_values
from chalicelib.db.contracts.scope import Names, Scope
from chalicelib.db.contracts.statements import Statement, run
from chalicelib.search.awards import fold
from chalicelib.search.conditions import containing
from chalicelib.search.names import NameField, NameOrder, NameSums, whole_word
from chalicelib.search.paging import Dimension, Page

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

    from chalicelib.db.connect import Row

_KEYS: Mapping[NameField, sql.SQL] = {
    "name": sql.SQL("id"),
    "count": sql.SQL("awards"),
    "total": sql.SQL("total"),
    "average": sql.SQL("total::double precision / awards"),
    "first_date": sql.SQL("first_date"),
    "last_date": sql.SQL("last_date"),
}
_DATES: tuple[NameField, ...] = ("first_date", "last_date")


class NameQuery(Struct, frozen=True, kw_only=True):
    """Which names of a dimension are wanted, and which page of them."""

    dimension: Dimension
    order: NameOrder
    page: Page
    # What stands anywhere in the names, and what does so as a whole word; empty for any.
    text: str = ""
    word: str = ""


def find_names(cursor: RealDictCursor, scope: Scope, query: NameQuery) -> tuple[list[NameSums], int]:
    """The names of a page that awards of the scope have, with the sums of these awards, and how many there are."""
    word = fold(query.word.strip())
    found = _with_word(cursor, scope.version, query.dimension, word) if word else []
    rows = run(cursor, _statement(scope, query, found))
    return [name_sums(row) for row in rows if row["name"] is not None], rows[0]["names"]


def with_names(cursor: RealDictCursor, scope: Scope, names: Sequence[tuple[Dimension, str]]) -> Scope:
    """The scope with names that awards must have exactly and all of, in place of its own."""
    exact: dict[Dimension, Names] = {}
    for dimension, name in names:
        cursor.execute(fragment("exact", scope.version, dimension=dimension), {"name": name})
        found = {row["id"]: row["awards"] for row in cursor.fetchall()}
        before = exact.get(dimension)
        kept = [id_ for id_ in found if before is None or id_ in before.ids]
        exact[dimension] = Names(tuple(kept), sum(found[id_] for id_ in kept))
    return structs.replace(scope, names=exact)


def name_sums(row: Row) -> NameSums:
    """A name as it was read."""
    return NameSums(row["name"], row["awards"], row["total"], row["first_date"], row["last_date"])


def _with_word(cursor: RealDictCursor, version: int, dimension: Dimension, word: str) -> list[int]:
    """The names that have a word; Python tells where words end, as it does in titles."""
    cursor.execute(fragment("texts", version, dimension=dimension), {"word": containing(word)})
    is_there = whole_word(word).search
    return [row["id"] for row in cursor.fetchall() if is_there(row["folded"])]


def _statement(scope: Scope, query: NameQuery, names: Sequence[int]) -> Statement:
    dimension, field, version = query.dimension, query.order.field, scope.version
    rollup = rollup_of(scope)
    source = rollup if rollup == "all" or (rollup == "year" and field not in _DATES) else "rows"
    rows = {"dimension": dimension, "conditions": conditions(scope)}
    text = fragment(
        "name_page",
        version,
        dimension=dimension,
        # What is grouped is grouped once; what is there already is read by its indexes.
        kept=sql.SQL("MATERIALIZED" if source == "rows" else "NOT MATERIALIZED"),
        groups=fragment(f"names_of_{source}", version, kind=sql.Literal(KINDS[dimension]), **rows),
        fits=_fits(version, query),
        key=_KEYS[field],
        direction=_direction(query.order),
        dates="dates" if source == "year" else "page",
        more=fragment("dates_of_rows", version, **rows) if source == "year" else sql.SQL(""),
    )
    values = {
        "pattern": containing(fold(query.text.strip())),
        "names": list(names),
        "skipped": query.page.skipped,
        "size": query.page.size,
    }
    return Statement(text, values_of(scope) | rollup_values(scope) | values)


def _fits(version: int, query: NameQuery) -> sql.Composable:
    fits: list[sql.Composable] = []
    if query.text.strip():
        fits.append(fragment("has_text", version, dimension=query.dimension))
    if query.word.strip():
        fits.append(fragment("has_word", version))
    return all_of(fits or [fragment("any_row", version)])


def _direction(order: NameOrder) -> sql.SQL:
    # Dates may be missing; whatever never is can be read from an index in this order.
    nulls = " NULLS LAST" if order.field in _DATES else ""
    return sql.SQL(f"{'DESC' if order.is_descending else 'ASC'}{nulls}")
