"""What an engine is asked, and what it answers: the same values in every engine, so that answers can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Protocol

import msgspec

from chalicelib.search.filters import Filters
from chalicelib.search.paging import Order, Page

# Number, day, both titles, awardee, organization, area, category, centavos.
Row = tuple[str | None, date | None, str | None, str | None, str, str | None, str | None, str | None, int]
# Label, sum in centavos, number of awards.
Group = tuple[str, int, int]


class PageAnswer(msgspec.Struct, frozen=True):
    """The rows of a page, and how many rows there are in all."""

    rows: list[Row]
    total: int


class ChartAnswer(msgspec.Struct, frozen=True):
    """Count, sum, and groups by year, month and the names with the largest sums."""

    count: int
    total: int
    groups: Mapping[str, list[Group]]


Answer = PageAnswer | ChartAnswer


class Engine(Protocol):
    """A way to keep the awards and to ask about them."""

    name: str

    def page(self, filters: Filters, page: Page, order: Order) -> PageAnswer: ...

    def charts(self, filters: Filters, most: int) -> ChartAnswer: ...

    def cpu_s(self) -> float | None:
        """The processor time of all that works for it so far; None where that cannot be told."""

    def close(self) -> None: ...


def centavos(pesos: float | Decimal | None) -> int:
    """Pesos as they are told, exact again."""
    return int((Decimal(repr(pesos) if isinstance(pesos, float) else pesos or 0) * 100).to_integral_value())
