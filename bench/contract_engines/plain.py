"""The same awards in one flat table, as SQL that both Postgres and DuckDB understand but for how dates are written.

Statements have the shapes of the system that Sluice replaces: one query that is counted and paged, and seven scans for
charts. Sums are of whole centavos, so that they can be compared; those of decimals would take longer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from bench.contract_engines.engine import ChartAnswer, Group, PageAnswer
from chalicelib.search.filters import Filters, alternatives_of, centavos_of, days_of
from chalicelib.search.paging import Order, Page

COLUMNS = "contract_number, award_date, award_title, notice_title, awardee, organization, area, category, amount"
DEFAULT_ORDER = "award_date DESC NULLS LAST, amount DESC, place"
ORDERS = {
    "award_date": DEFAULT_ORDER,
    "contract_amount": f"amount DESC, {DEFAULT_ORDER}",
    "awardee_name": f"lower(awardee), awardee, {DEFAULT_ORDER}",
}
# Runs a statement with its values in their order.
Run = Callable[[str, Sequence[object]], list[tuple[Any, ...]]]


class FlatTable:
    """Asks about a table; `mark` is how a value's place is written, `like` what finds a text in any case."""

    def __init__(self, run: Run, table: str, *, mark: str, like: str) -> None:
        self._run = run
        self._table = table
        self._mark = mark
        self._like = like

    def page(self, filters: Filters, page: Page, order: Order) -> PageAnswer:
        condition, values = self._condition(filters)
        wanted = f"SELECT * FROM {self._table} WHERE {condition}"
        rows = self._run(
            f"WITH found AS ({wanted}), counted AS (SELECT count(*) AS total FROM found) "
            f"SELECT {COLUMNS}, total FROM found, counted ORDER BY {ORDERS[order.field]} "
            f"LIMIT {page.size:d} OFFSET {page.skipped:d}",
            values,
        )
        if rows:
            return PageAnswer([(*row[:8], int(row[8])) for row in rows], rows[0][9])
        # The old system then said that there are none; it is asked again, so that the totals can be compared.
        ((total,),) = self._run(f"SELECT count(*) FROM {self._table} WHERE {condition}", values)
        return PageAnswer([], total)

    def charts(self, filters: Filters, most: int) -> ChartAnswer:
        condition, values = self._condition(filters)
        ((count, total),) = self._run(
            f"SELECT count(*), coalesce(sum(amount), 0) FROM {self._table} WHERE {condition}", values
        )
        groups: dict[str, list[Group]] = {}
        for name, key in (
            ("year", "CAST(extract(year FROM award_date) AS integer)"),
            ("month", "CAST(date_trunc('month', award_date) AS date)"),
        ):
            groups[name] = self._groups(key, f"{condition} AND award_date IS NOT NULL", values, "ORDER BY 1")
        for name in ("awardee", "organization", "area", "category"):
            last = f"ORDER BY 2 DESC, lower({name}), {name} LIMIT {most:d}"
            groups[name] = self._groups(name, f"{condition} AND {name} IS NOT NULL", values, last)
        return ChartAnswer(count, int(total), groups)

    def _groups(self, key: str, condition: str, values: Sequence[object], last: str) -> list[Group]:
        text = f"SELECT {key}, sum(amount), count(*) FROM {self._table} WHERE {condition} GROUP BY {key} {last}"
        return [(_label(row[0]), int(row[1]), row[2]) for row in self._run(text, values)]

    def _condition(self, filters: Filters) -> tuple[str, list[object]]:
        conditions, values = ["true"], list[object]()
        for column, kind in (
            ("awardee", "contractors"),
            ("organization", "organizations"),
            ("area", "areas"),
            ("category", "business_categories"),
            ("search_text", "keywords"),
        ):
            # The old system had no syntax but the plain one.
            items = [[part.text for part in item.wanted] for item in alternatives_of(filters, kind)]
            if items:
                tests = [" AND ".join([self._like.format(column=column)] * len(parts)) for parts in items]
                conditions.append(f"({' OR '.join(tests)})")
                values += [f"%{part}%" for parts in items for part in parts]
        days = days_of(filters)
        if days:
            conditions.append(
                "(" + " OR ".join([f"award_date BETWEEN {self._mark} AND {self._mark}"] * len(days)) + ")"
            )
            values += [bound for each in days for bound in (each.first, each.last)]
        amounts = centavos_of(filters)
        for sign, bound in ((">=", amounts.low), ("<=", amounts.high)):
            if bound is not None:
                conditions.append(f"amount {sign} {self._mark}")
                values.append(bound)
        return " AND ".join(conditions), values


def _label(value: object) -> str:
    return value.isoformat()[:7] if isinstance(value, date) else str(value)
