"""The statements of a search, composed of fragments for a scope, with their values beside them.

Sums over the whole data set, over whole years or of a common word are read from those made when it was loaded; all
others pass once over the facts of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct
from psycopg2 import sql
from psycopg2.extras import RealDictCursor

from chalicelib.db.connect import Row
from chalicelib.db.contracts.fragments import fragment
from chalicelib.db.contracts.matching import conditions, found, values_of
from chalicelib.db.contracts.rollups import KINDS, rollup_of, rollup_values
from chalicelib.db.contracts.scope import Scope
from chalicelib.search.paging import DIMENSIONS, Dimension, GroupField, GroupOrder, Order, Page, SortKey

# Dimensions that have few names.
_PLACES: tuple[Dimension, ...] = ("area", "category")
# Beyond the last number that a row can have.
_FARTHEST = 2_147_000_000
_TITLES: tuple[SortKey, ...] = ("contract_number", "award_title", "notice_title")
# Never null, so that an index can be read backwards.
_FILLED: tuple[SortKey, ...] = ("amount", "contractor")
_GROUP_KEYS: dict[GroupField, sql.SQL] = {
    "total_value": sql.SQL("total"),
    "count": sql.SQL("awards"),
    "avg_value": sql.SQL("total::double precision / awards"),
    "label": sql.SQL("id"),
}


class Statement(Struct, frozen=True):
    """A statement and its values by name."""

    text: sql.Composed
    values: dict[str, object]


def run(cursor: RealDictCursor, statement: Statement) -> list[Row]:
    """The rows of a statement."""
    cursor.execute(statement.text, statement.values)
    return list(cursor.fetchall())


def page_statement(scope: Scope, page: Page, order: Order) -> Statement:
    """How many rows fit (`total`), and the numbers of those of a page (`rids`)."""
    values = values_of(scope) | {"skipped": min(page.skipped, _FARTHEST), "size": page.size}
    if order.is_default:
        return Statement(fragment("page", scope.version, found=found(scope)), values)
    is_filled, is_known = order.key in _FILLED, scope.is_of_time_alone
    key, direction = _key(order.key), _direction(order.is_descending, is_filled=is_filled)
    if is_filled and scope.keywords and not scope.depends_on_facts:
        text = fragment("headed_page", scope.version, found=found(scope), key=key, direction=direction)
        return Statement(text, values | {"rows": scope.rows})
    text = fragment(
        "ordered_page",
        scope.version,
        key=key,
        direction=direction,
        titles=fragment("titles", scope.version) if order.key in _TITLES else sql.SQL(""),
        conditions=conditions(scope),
        total=fragment("known_count" if is_known else "count", scope.version),
    )
    return Statement(text, values | {"total": scope.most_by_facts})


def series_statement(scope: Scope, most: int) -> Statement:
    """Sums by month, and by name for the names with the largest ones: series, month, id, label, awards, total."""
    is_of_rows = _source(scope) == "rows"
    text = fragment(
        "series",
        scope.version,
        matching=_matching(scope),
        places=fragment("places", scope.version) if is_of_rows else sql.SQL(""),
        months=fragment(f"months_of_{_source(scope)}", scope.version),
        largest=_largest(
            scope.version,
            {
                dimension: fragment("groups_of_places", scope.version, dimension=dimension)
                if is_of_rows and dimension in _PLACES
                else _groups(scope, dimension, with_blank=False)
                for dimension in DIMENSIONS
            },
        ),
    )
    return Statement(text, _sum_values(scope) | {"most": most})


def word_series_statement(version: int, word: int, most: int) -> Statement:
    """The same of the rows with a word, from its sums, which were kept for as many names at least."""
    groups = {
        dimension: fragment("groups_of_word", version, kind=sql.Literal(KINDS[dimension])) for dimension in DIMENSIONS
    }
    text = fragment(
        "series",
        version,
        matching=sql.SQL(""),
        places=sql.SQL(""),
        months=fragment("months_of_word", version),
        largest=_largest(version, groups),
    )
    return Statement(text, {"word": word, "most": most})


def table_statement(scope: Scope, dimension: Dimension, page: Page, order: GroupOrder) -> Statement:
    """How many groups there are (`groups`), and label, awards and total of those of a page."""
    text = fragment(
        "table",
        scope.version,
        matching=_matching(scope),
        groups=_groups(scope, dimension, with_blank=True),
        dimension=dimension,
        key=_GROUP_KEYS[order.field],
        direction=_direction(order.is_descending, is_filled=False),
    )
    return Statement(text, _sum_values(scope) | {"skipped": page.skipped, "size": page.size})


def amounts_statement(scope: Scope, name: Literal["first_digits", "roundness", "bins"], bins: int = 0) -> Statement:
    """Counts of the amounts of the rows that fit, as the statement of that name has them."""
    text = fragment(name, scope.version, conditions=conditions(scope))
    return Statement(text, values_of(scope) | {"bins": bins})


def _largest(version: int, groups: Mapping[Dimension, sql.Composable]) -> sql.Composable:
    """Of each dimension's groups those with the largest sums."""
    largest = [
        fragment("largest", version, series=sql.Literal(dimension), groups=grouped, dimension=dimension)
        for dimension, grouped in groups.items()
    ]
    return sql.SQL("\nUNION ALL\n").join(largest)


def _key(key: SortKey) -> sql.Composable:
    # Names are numbered in their order; titles are compared by code points, as Python does.
    return sql.SQL('{} COLLATE "C"').format(sql.Identifier("t", key)) if key in _TITLES else sql.Identifier("f", key)


def _direction(is_descending: bool, *, is_filled: bool) -> sql.SQL:
    nulls = "" if is_filled else " NULLS LAST"
    return sql.SQL(f"DESC{nulls}" if is_descending else f"ASC{nulls}")


def _source(scope: Scope) -> str:
    """Where sums come from."""
    return rollup_of(scope) or "rows"


def _matching(scope: Scope) -> sql.Composable:
    if _source(scope) != "rows":
        return sql.SQL("")
    return fragment("matching", scope.version, conditions=conditions(scope))


def _groups(scope: Scope, dimension: Dimension, *, with_blank: bool) -> sql.Composable:
    """Sums by name; those of the rows without a name may be among them in any case."""
    kind, source = sql.Literal(KINDS[dimension]), _source(scope)
    groups = fragment(f"groups_of_{source}", scope.version, dimension=dimension, kind=kind)
    if source != "all" or not with_blank:
        return groups
    return fragment("groups_with_blank", scope.version, groups=groups, kind=kind)


def _sum_values(scope: Scope) -> dict[str, object]:
    return values_of(scope) | rollup_values(scope)
