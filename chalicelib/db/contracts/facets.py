"""Facets of one version: the values of each filter with the most awards, under all filters but that one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import structs
from psycopg2 import sql

from chalicelib.db.contracts.fragments import fragment
from chalicelib.db.contracts.matching import conditions, values_of
from chalicelib.db.contracts.rollups import KINDS, rollup_of, rollup_values
from chalicelib.db.contracts.scope import Scope, opened
from chalicelib.db.contracts.statements import Statement, run
from chalicelib.search.facets import FacetRequest, Facets, NameFacet, YearFacet
from chalicelib.search.names import entity_id
from chalicelib.search.paging import DIMENSIONS, Dimension

if TYPE_CHECKING:
    from chalicelib.db.connect import Database, Row

Facet = Dimension | Literal["year"]
_FACETS: tuple[Facet, ...] = (*DIMENSIONS, "year")


class ContractFacets:
    """Answers by filters that have passed their check; raises Unavailable, and Gone where a version was dropped."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def facets(self, version: int, request: FacetRequest) -> Facets:
        """The values of each filter. Cost: that of charts once, and again for each filter that is set."""
        found: dict[Facet, list[Row]] = {facet: [] for facet in _FACETS}
        with opened(self._database, version, request) as (cursor, scope):
            for facets, within in _parts(scope):
                for row in run(cursor, _statement(within, facets, request.size)):
                    found[row["facet"]].append(row)
        named = {dimension: _names(found[dimension], scope, dimension) for dimension in DIMENSIONS}
        return Facets(
            contractors=named["contractor"],
            organizations=named["organization"],
            areas=named["area"],
            business_categories=named["category"],
            years=_years(found["year"], scope),
        )


def _parts(scope: Scope) -> Iterator[tuple[list[Facet], Scope]]:
    """Facets that are read together, and the scope that they are of: each without the conditions of its own."""
    own: list[Facet] = [*scope.names, *(["year"] if scope.days else [])]  # type: ignore[list-item]
    others = [facet for facet in _FACETS if facet not in own]
    if others:
        yield others, scope
    for facet in own:
        yield [facet], _without(scope, facet)


def _without(scope: Scope, facet: Facet) -> Scope:
    if facet == "year":
        return structs.replace(scope, days=(), spans=(), years=())
    return structs.replace(scope, names={name: ids for name, ids in scope.names.items() if name != facet})


def _statement(scope: Scope, facets: Sequence[Facet], size: int) -> Statement:
    source = rollup_of(scope) or "rows"
    matching = fragment("facet_rows", scope.version, conditions=conditions(scope)) if source == "rows" else sql.SQL("")
    tops = sql.SQL("\nUNION ALL\n").join([_top(scope.version, facet, source) for facet in facets])
    values = values_of(scope) | rollup_values(scope) | {"size": size}
    return Statement(fragment("facets", scope.version, matching=matching, tops=tops), values)


def _top(version: int, facet: Facet, source: str) -> sql.Composed:
    if facet == "year":
        months = fragment(f"months_of_{source}", version)
        return fragment("top_years", version, facet=sql.Literal(facet), months=months)
    groups = fragment(f"groups_of_{source}", version, dimension=facet, kind=sql.Literal(KINDS[facet]))
    return fragment("top_names", version, facet=sql.Literal(facet), groups=groups, dimension=facet)


def _names(rows: Sequence[Row], scope: Scope, dimension: Dimension) -> tuple[NameFacet, ...]:
    chosen = set(scope.names[dimension].ids) if dimension in scope.names else set()
    return tuple(
        NameFacet(
            id=entity_id(row["name"]),
            value=row["name"],
            count=row["awards"],
            total_value=row["total"] / 100,
            selected=row["id"] in chosen,
        )
        for row in _sorted(rows)
    )


def _years(rows: Sequence[Row], scope: Scope) -> tuple[YearFacet, ...]:
    return tuple(
        YearFacet(
            value=row["id"],
            count=row["awards"],
            total_value=row["total"] / 100,
            selected=any(days.first.year <= row["id"] <= days.last.year for days in scope.days),
        )
        for row in _sorted(rows)
    )


def _sorted(rows: Sequence[Row]) -> list[Row]:
    # What is united has no order of its own.
    return sorted(rows, key=lambda row: (-row["awards"], row["id"]))
