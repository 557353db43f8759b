"""Answers to questions about contracts: rows, charts and tables. Amounts are in pesos."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Pesos = Annotated[float, Meta(description="In pesos.")]
Count = Annotated[int, Meta(description="How many awards.")]


# From a place in a text, counted in characters from 0, up to but without another one.
Range = tuple[int, int]
Matches = dict[str, tuple[Range, ...]]


class Contract(Struct, frozen=True, kw_only=True):
    """An award; null where the source says nothing."""

    id: Annotated[int, Meta(description="Its place in the default order, which names it within one data set.")]
    reference_id: Annotated[str | None, Meta(description="Contract number; several awards may share one.")]
    contract_no: Annotated[str | None, Meta(description="The same.")]
    award_title: str | None
    notice_title: str | None
    award_date: Annotated[date | None, Meta(description="ISO day, yyyy-mm-dd.")]
    awardee_name: Annotated[str, Meta(description="Who got the award.")]
    organization_name: Annotated[str | None, Meta(description="Procuring entity.")]
    area_of_delivery: str | None
    business_category: str | None
    contract_amount: Pesos
    award_amount: Annotated[float, Meta(description="The same.")]
    award_status: Annotated[Literal["active"], Meta(description="The same in every row: the source does not say.")] = (
        "active"
    )
    created_at: Annotated[Literal["2023-01-01"], Meta(description="The same in every row, for older clients.")] = (
        "2023-01-01"
    )
    matches: Annotated[
        Matches | UnsetType,
        Meta(
            description="Where `highlight` was asked for: by field, where what was looked for stands, in characters "
            "from 0 (of Unicode, not of UTF-16), the end not included."
        ),
    ] = UNSET


class Summary(Struct, frozen=True, kw_only=True):
    """All awards that fit."""

    count: Count
    total_value: Pesos
    avg_value: Annotated[float, Meta(description="In pesos; 0 where there are no awards.")]


class YearTotal(Struct, frozen=True, kw_only=True):
    """The awards of a calendar year."""

    year: int
    total_value: Pesos
    count: Count


class MonthTotal(Struct, frozen=True, kw_only=True):
    """The awards of a month."""

    month: Annotated[str, Meta(description="yyyy-mm.")]
    total_value: Pesos
    count: Count


class LabelTotal(Struct, frozen=True, kw_only=True):
    """The awards with one name."""

    label: str
    total_value: Pesos
    count: Count


class Series(Struct, frozen=True, kw_only=True):
    """What charts show. Awards without a date are in no year or month, those without a name in no list of names."""

    summary: Annotated[tuple[Summary, ...], Meta(description="One item.")]
    by_year: Annotated[tuple[YearTotal, ...], Meta(description="Earliest first.")]
    by_month: Annotated[tuple[MonthTotal, ...], Meta(description="Earliest first.")]
    by_contractor: Annotated[tuple[LabelTotal, ...], Meta(description="Largest total first.")]
    by_organization: Annotated[tuple[LabelTotal, ...], Meta(description="Largest total first.")]
    by_area: Annotated[tuple[LabelTotal, ...], Meta(description="Largest total first.")]
    by_category: Annotated[tuple[LabelTotal, ...], Meta(description="Largest total first.")]


class Group(Struct, frozen=True, kw_only=True):
    """The awards with one name, or with none."""

    label: Annotated[str | None, Meta(description="Null for awards that have no such name.")]
    total_value: Pesos
    count: Count
    avg_value: Annotated[float, Meta(description="In pesos.")]


def average(centavos: int, count: int) -> float:
    """The mean of amounts in pesos from their sum in centavos; 0 for none."""
    return centavos / (100 * count) if count else 0.0
