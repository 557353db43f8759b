"""All awards of one version that fit, a page after the other: each goes on behind the last row of the one before it.

What a page costs does not depend on how many came before. Rows found by words are a list that is made for each page and
sliced; all others are read from an index from where the last page ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from chalicelib.db.contracts.fragments import fragment, placeholder
from chalicelib.db.contracts.matching import conditions, found, values_of
from chalicelib.db.contracts.scope import Scope, opened
from chalicelib.db.contracts.search import read_contracts, spans_of
from chalicelib.db.contracts.statements import Statement, run
from chalicelib.db.sql import statements
from chalicelib.errors import Gone
from chalicelib.search.harvest import Cursor, HarvestPage, HarvestRequest, fingerprint, write_cursor

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

    from chalicelib.db.connect import Database

_SQL = statements("contracts_entities")


class ContractHarvest:
    """Answers by filters that have passed their check; raises Unavailable, and Gone where a version was dropped."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def first(self, version: int, request: HarvestRequest) -> HarvestPage:
        """The first page."""
        return self._page(version, 0, None, request)

    def next(self, cursor: Cursor, request: HarvestRequest) -> HarvestPage:
        """The page that a cursor of these filters stands for; raises Gone if its data set is there no more."""
        with self._database.transaction() as transaction:
            transaction.execute(_SQL["is_published"], {"version": cursor.version})
            is_published = transaction.fetchall()[0]["is_published"]
        gone = Gone(f"data set {cursor.version} is not there: begin again, without a cursor")
        if not is_published:
            raise gone
        try:
            return self._page(cursor.version, cursor.after, cursor.total, request)
        except Gone:
            raise gone from None

    def _page(self, version: int, after: int, known: int | None, request: HarvestRequest) -> HarvestPage:
        with opened(self._database, version, request) as (cursor, scope):
            # One more than wanted tells whether there is a next page.
            rids, total = _find(cursor, scope, after, request.page_size + 1, known)
            data = tuple(read_contracts(cursor, version, rids[: request.page_size]))
        is_last = len(rids) <= request.page_size
        following = None if is_last else write_cursor(Cursor(version, data[-1].id, total, fingerprint(request)))
        return HarvestPage(data=data, next_cursor=following, total_count=total, dataset_version=version)


def _find(cursor: RealDictCursor, scope: Scope, after: int, size: int, known: int | None) -> tuple[Sequence[int], int]:
    """The numbers of the next rows, and how many there are in all, which is counted where it is not known."""
    if scope.is_of_time_alone:
        spans = spans_of(scope)
        following = chain.from_iterable(range(max(span.low, after + 1), span.high + 1) for span in spans)
        return list(islice(following, size)), sum(span.rows for span in spans)
    row = run(cursor, _statement(scope, {"after": after, "size": size, "total": known}))[0]
    return row["rids"], row["total"]


def _statement(scope: Scope, values: dict[str, object]) -> Statement:
    version = scope.version
    if scope.keywords:
        return Statement(fragment("harvest_of_list", version, found=found(scope)), values_of(scope) | values)
    facts = conditions(scope)
    is_known = values["total"] is not None
    text = fragment(
        "harvest_of_facts",
        version,
        total=placeholder("total") if is_known else fragment("count_of_facts", version, conditions=facts),
        conditions=facts,
    )
    return Statement(text, values_of(scope) | values)
