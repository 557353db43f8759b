"""The columns of exported tables: their names, and what their values are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from msgspec import Struct

# `text` is a str, `day` a date, `count` an int, `money` centavos, `mean` pesos as a float; None where there is nothing.
Content = Literal["text", "day", "count", "money", "mean"]
Value = str | date | int | float | None
Row = Sequence[Value]


class Column(Struct, frozen=True):
    """A column by the name that clients know."""

    name: str
    content: Content


# Of awards; number and status stand twice and are constant for programs that read the files of the old service.
AWARDS = (
    Column("reference_id", "text"),
    Column("contract_no", "text"),
    Column("award_title", "text"),
    Column("notice_title", "text"),
    Column("awardee_name", "text"),
    Column("organization_name", "text"),
    Column("area_of_delivery", "text"),
    Column("business_category", "text"),
    Column("contract_amount", "money"),
    Column("award_date", "day"),
    Column("award_status", "text"),
)
# Of sums by name.
SUMS = (
    Column("label", "text"),
    Column("total_value", "money"),
    Column("count", "count"),
    Column("avg_value", "mean"),
)

# Of rows that were not loaded.
REJECTIONS = (
    Column("line", "count"),
    Column("column", "text"),
    Column("value", "text"),
    Column("reason", "text"),
)


def pesos(centavos: int) -> str:
    """An amount, which is not negative, as a decimal number of pesos, exactly."""
    return f"{centavos // 100}.{centavos % 100:02d}"
