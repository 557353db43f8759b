"""Names of one version: lists of them, their awards, what occurs together, and all about one of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from msgspec import structs
from psycopg2 import sql

from chalicelib.db.contracts.fragments import fragment
from chalicelib.db.contracts.names import NameQuery, find_names, name_sums, with_names
from chalicelib.db.contracts.rollups import KINDS
from chalicelib.db.contracts.scope import Names, opened
from chalicelib.db.contracts.search import find_page
from chalicelib.db.contracts.statements import Statement, run
from chalicelib.errors import NotFound
from chalicelib.search.entities import EntityFilter
from chalicelib.search.filters import Filters
from chalicelib.search.names import NameOrder, NameSums, is_entity_id
from chalicelib.search.paging import DIMENSIONS, Dimension, Order, Page
from chalicelib.search.profile import MOST_PARTNERS, MOST_VARIANTS, Partners, Relations, describe_partners
from chalicelib.search.result import Contract, YearTotal

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

    from chalicelib.db.connect import Database, Row


class ContractEntities:
    """Answers about the names of a version; raises Unavailable, and Gone where the version was dropped."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def names(self, version: int, query: NameQuery, times: Filters) -> tuple[list[NameSums], int]:
        """A page of names with their sums in a stretch of time, and how many there are in all."""
        with opened(self._database, version, times) as (cursor, scope):
            return find_names(cursor, scope, query)

    def related(self, version: int, source: EntityFilter, query: NameQuery, times: Filters) -> list[NameSums]:
        """The names that the awards with an exact name have."""
        with opened(self._database, version, times) as (cursor, scope):
            return find_names(cursor, with_names(cursor, scope, [(source.dim, source.value)]), query)[0]

    def contracts(
        self, version: int, filters: Sequence[EntityFilter], times: Filters, page: Page, order: Order
    ) -> tuple[list[Contract], int]:
        """A page of the awards with exact names, and how many there are in all."""
        with opened(self._database, version, times) as (cursor, scope):
            named = with_names(cursor, scope, [(each.dim, each.value) for each in filters])
            return find_page(cursor, named, page, order)

    def months(self, version: int) -> list[tuple[date, int]]:
        """The months that have awards, in order, with how many."""
        with opened(self._database, version, Filters()) as (cursor, _):
            cursor.execute(fragment("months", version))
            return [(row["month"], row["awards"]) for row in cursor.fetchall()]

    def profile(self, version: int, kind: Dimension, entity: str) -> tuple[NameSums, Relations]:
        """All about the name that an id stands for; raises NotFound for an id of no name of this kind."""
        with opened(self._database, version, Filters()) as (cursor, scope):
            row = _entity(cursor, version, kind, entity)
            values = {"id": row["id"], "likeness": row["likeness"], "most": MOST_VARIANTS}
            years = _rows(cursor, fragment("years_of_name", version, kind=sql.Literal(KINDS[kind])), values)
            variants = _rows(cursor, fragment("variants", version, dimension=kind), values)
            alone = structs.replace(scope, names={kind: Names((row["id"],), row["awards"])})
            partners: dict[str, Partners] = {}
            for other in DIMENSIONS:
                if other != kind:
                    query = NameQuery(dimension=other, order=NameOrder(), page=Page(1, MOST_PARTNERS))
                    partners[other] = describe_partners(*find_names(cursor, alone, query))
        relations = Relations(
            years=[
                YearTotal(year=each["year"], total_value=each["total"] / 100, count=each["awards"]) for each in years
            ],
            partners=partners,
            variants=list(map(name_sums, variants)),
            variant_count=variants[0]["variants"] if variants else 0,
        )
        return name_sums(row), relations


def _entity(cursor: RealDictCursor, version: int, kind: Dimension, entity: str) -> Row:
    text = fragment("entity", version, dimension=kind)
    rows = _rows(cursor, text, {"entity": entity}) if is_entity_id(entity) else []
    if not rows:
        raise NotFound(f"no {kind} of the contracts has the id {entity[:40]}")
    return rows[0]


def _rows(cursor: RealDictCursor, text: sql.Composed, values: dict[str, object]) -> list[Row]:
    return run(cursor, Statement(text, values))
