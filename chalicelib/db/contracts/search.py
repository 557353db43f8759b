"""Questions about the contracts of one version: rows, charts and tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from chalicelib.db.contracts.fragments import fragment
from chalicelib.db.contracts.scope import Scope, Span, find_scope, opened, reading
from chalicelib.db.contracts.statements import (
    page_statement,
    run,
    series_statement,
    table_statement,
    word_series_statement,
)
from chalicelib.search.conditions import conditions_of
from chalicelib.search.filters import Filters
from chalicelib.search.paging import Dimension, GroupOrder, Order, Page
from chalicelib.search.result import Contract, Group, LabelTotal, MonthTotal, Series, Summary, YearTotal, average

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

    from chalicelib.db.connect import Database, Row


class ContractSearch:
    """Answers questions by filters that have passed their check; raises Unavailable, and Gone where a version was."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, version: int, filters: Filters, page: Page, order: Order) -> tuple[list[Contract], int]:
        """The awards of a page, and how many fit in all, also behind the last page."""
        with opened(self._database, version, filters) as (cursor, scope):
            return find_page(cursor, scope, page, order)

    def series(self, version: int, filters: Filters, most: int) -> Series:
        """What charts show, with the `most` names of each dimension that have the largest sums."""
        conditions = conditions_of(filters)
        with reading(self._database, version) as cursor:
            word = _summed_word(cursor, version, conditions.only_run, most)
            if word is not None:
                return _series(run(cursor, word_series_statement(version, word, most)))
            return _series(run(cursor, series_statement(find_scope(cursor, version, conditions), most)))

    def table(
        self, version: int, filters: Filters, dimension: Dimension, page: Page, order: GroupOrder
    ) -> tuple[list[Group], int]:
        """The groups of a page, and how many there are in all; awards without a name are one."""
        with opened(self._database, version, filters) as (cursor, scope):
            rows = run(cursor, table_statement(scope, dimension, page, order))
        return [_group(row) for row in rows if row["awards"] is not None], rows[0]["groups"]


def find_page(cursor: RealDictCursor, scope: Scope, page: Page, order: Order) -> tuple[list[Contract], int]:
    """The awards of a page of a scope, and how many fit in all."""
    if scope.is_of_time_alone and order.is_default:
        spans = spans_of(scope)
        total, rids = sum(span.rows for span in spans), list(_slice(spans, page))
    else:
        row = run(cursor, page_statement(scope, page, order))[0]
        total, rids = row["total"], row["rids"]
    return read_contracts(cursor, scope.version, rids), total


def read_contracts(cursor: RealDictCursor, version: int, rids: Sequence[int]) -> list[Contract]:
    """The awards with these numbers, in this order."""
    cursor.execute(fragment("contracts", version, texts=fragment("with_texts", version)), {"rids": list(rids)})
    return [_contract(row) for row in cursor.fetchall()]


def spans_of(scope: Scope) -> tuple[Span, ...]:
    """All rows of a scope of time alone."""
    return scope.spans if scope.days else (Span(1, scope.rows),)


def _summed_word(cursor: RealDictCursor, version: int, run_of_letters: str | None, most: int) -> int | None:
    """The number of the word for which sums of so many names are kept: those of all rows that have it in any word."""
    if run_of_letters is None:
        return None
    cursor.execute(fragment("summed_word", version), {"word": run_of_letters, "most": most})
    row = cursor.fetchone()
    return None if row is None else row["id"]


def _slice(spans: Sequence[Span], page: Page) -> Iterator[int]:
    """The numbers of the rows of a page of spans that follow each other."""
    skipped, wanted = page.skipped, page.size
    for span in spans:
        part = range(span.low, span.high + 1)[skipped : skipped + wanted]
        yield from part
        skipped, wanted = max(0, skipped - span.rows), wanted - len(part)


def _contract(row: Row) -> Contract:
    number, amount = row["contract_number"], row["amount"] / 100
    said = {name: value for name, value in row.items() if name not in ("contract_number", "amount")}
    return Contract(**said, reference_id=number, contract_no=number, contract_amount=amount, award_amount=amount)


def _group(row: Row) -> Group:
    awards, total = row["awards"], row["total"]
    return Group(label=row["label"], total_value=total / 100, count=awards, avg_value=average(total, awards))


def _series(rows: Sequence[Row]) -> Series:
    count, total = sum(row["awards"] for row in rows if row["series"] == "month"), _total(rows)
    months = sorted((row for row in rows if row["month"]), key=lambda row: row["month"])
    return Series(
        summary=(Summary(count=count, total_value=total / 100, avg_value=average(total, count)),),
        by_year=_years(months),
        by_month=tuple(
            MonthTotal(month=row["month"].isoformat()[:7], total_value=row["total"] / 100, count=row["awards"])
            for row in months
        ),
        by_contractor=_largest(rows, "contractor"),
        by_organization=_largest(rows, "organization"),
        by_area=_largest(rows, "area"),
        by_category=_largest(rows, "category"),
    )


def _total(rows: Sequence[Row]) -> int:
    return sum(row["total"] for row in rows if row["series"] == "month")


def _years(months: Sequence[Row]) -> tuple[YearTotal, ...]:
    counts, totals = Counter[int](), Counter[int]()
    for row in months:
        counts[row["month"].year] += row["awards"]
        totals[row["month"].year] += row["total"]
    return tuple(YearTotal(year=year, total_value=totals[year] / 100, count=counts[year]) for year in counts)


def _largest(rows: Sequence[Row], dimension: Dimension) -> tuple[LabelTotal, ...]:
    mine = sorted((row for row in rows if row["series"] == dimension), key=lambda row: (-row["total"], row["id"]))
    return tuple(LabelTotal(label=row["label"], total_value=row["total"] / 100, count=row["awards"]) for row in mine)
