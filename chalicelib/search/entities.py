"""Drill-downs: names with their sums, names that occur together, and the awards that have exact names.

The fields are those of the portal's older clients. A page is one of `page_size` rows, counted from 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.errors import FieldError
from chalicelib.search.filters import NO_CHARACTER, Filters, TimeRange, check
from chalicelib.search.names import NameField, NameOrder, NameSums, SearchText, check_texts
from chalicelib.search.paging import Dimension, Order, Page, PageSize, SortField
from chalicelib.search.result import Contract, average

# As clients write them, one or many.
EntityType = Literal[
    "contractors", "contractor", "organizations", "organization", "areas", "area", "categories", "category",
    "business_categories", "business_category",
]  # fmt: skip
DIMENSION_OF: Mapping[EntityType, Dimension] = {
    "contractors": "contractor",
    "contractor": "contractor",
    "organizations": "organization",
    "organization": "organization",
    "areas": "area",
    "area": "area",
    "categories": "category",
    "category": "category",
    "business_categories": "category",
    "business_category": "category",
}
EntityField = Literal[
    "entity", "contract_count", "total_contract_value", "average_contract_value", "first_contract_date",
    "last_contract_date",
]  # fmt: skip
_NAME_FIELDS: Mapping[EntityField, NameField] = {
    "entity": "name",
    "contract_count": "count",
    "total_contract_value": "total",
    "average_contract_value": "average",
    "first_contract_date": "first_date",
    "last_contract_date": "last_date",
}
# The columns of awards as these clients name them.
_SORT_FIELDS: Mapping[str, SortField] = {
    "award_date": "award_date",
    "contractor_name": "awardee_name",
    "business_category": "business_category",
    "organization_name": "organization_name",
    "area_of_delivery": "area_of_delivery",
    "contract_value": "contract_value",
    "award_title": "award_title",
    "notice_title": "notice_title",
    "contract_no": "contract_no",
}
_ORDER = re.compile(r"(\w+)(?:\s+(asc|desc))?", re.ASCII | re.IGNORECASE)
# More than there are kinds of names only says the same again, or nothing at all.
_MOST_FILTERS = 20
# The fields of a time range by their names in these requests.
_TIME_FIELDS = {"year": "year", "quarter": "quarter", "startDate": "start_date", "endDate": "end_date"}

_ExactName = Annotated[str, Meta(min_length=1, max_length=10_000)]
_PageIndex = Annotated[int, Meta(ge=0, lt=1_000_000_000, description="Page, from 0.")]
_RowsOfPage = Annotated[PageSize, Meta(description="Rows of a page, at most 1000.")]
_Day = Annotated[str, Meta(max_length=40)]


class Timed(Struct, frozen=True, kw_only=True):
    """A request about a stretch of time; awards without a date are in all_time alone."""

    time_range: Annotated[
        Literal["all_time", "yearly", "quarterly", "custom"],
        Meta(
            description="yearly needs year; quarterly needs year and quarter; custom needs start_date and end_date. "
            "What it does not need is without effect."
        ),
    ] = "all_time"
    year: Annotated[Annotated[int, Meta(ge=1900, le=2100)] | None, Meta(description="Calendar year, 1900 to 2100.")] = (
        None
    )
    quarter: Annotated[
        Annotated[int, Meta(ge=1, le=4)] | None, Meta(description="1 is January to March, 4 October to December.")
    ] = None
    start_date: Annotated[_Day | None, Meta(description="First day, yyyy-mm-dd.")] = None
    end_date: Annotated[_Day | None, Meta(description="Last day, yyyy-mm-dd.")] = None


class EntityQuery(Timed, frozen=True, kw_only=True):
    """Which names to list, with what sums, and in what order."""

    entity_type: Annotated[EntityType, Meta(description="Kind of the names.")]
    search: Annotated[SearchText, Meta(description="Text that stands anywhere in the name, in any case.")] = ""
    page_index: _PageIndex = 0
    page_size: _RowsOfPage = 10
    sort_by: Annotated[EntityField, Meta(description="What to sort by; equals stand in the order of names.")] = (
        "total_contract_value"
    )
    sort_dir: Annotated[Literal["DESC", "ASC", "desc", "asc"], Meta(description="DESC or ASC.")] = "DESC"
    include_flood_control: Annotated[
        bool, Meta(description="Accepted and without effect: those projects are among the awards.")
    ] = False


class RelatedQuery(Timed, frozen=True, kw_only=True):
    """A name, and the kind of the names that its awards have besides."""

    source_dim: Annotated[Dimension, Meta(description="Kind of the name.")]
    source_value: Annotated[_ExactName, Meta(description="The whole name, exactly as it is.")]
    target_dim: Annotated[Dimension, Meta(description="Kind of the names that are wanted.")]
    limit: Annotated[PageSize, Meta(description="Most names, those with the largest sums; at most 1000.")] = 10


class EntityFilter(Struct, frozen=True, kw_only=True):
    """A name that awards must have."""

    dim: Annotated[Dimension, Meta(description="Kind of the name.")]
    value: Annotated[_ExactName, Meta(description="The whole name, exactly as it is.")]


class EntityContractsRequest(Timed, frozen=True, kw_only=True):
    """Which awards are wanted, a page of them, and in what order."""

    filters: Annotated[
        tuple[EntityFilter, ...], Meta(max_length=_MOST_FILTERS, description="Names that the awards have, all of them.")
    ]
    page_index: _PageIndex = 0
    page_size: _RowsOfPage = 20
    order_by: Annotated[
        Annotated[str, Meta(max_length=60)],
        Meta(description=f"Field and ASC or DESC; the fields are {', '.join(_SORT_FIELDS)}."),
    ] = "award_date DESC"


class EntityRow(Struct, frozen=True, kw_only=True):
    """A name with its awards in the time that was asked for."""

    entity: str
    contract_count: int
    total_contract_value: Annotated[float, Meta(description="In pesos.")]
    average_contract_value: Annotated[float, Meta(description="The total by the count, in pesos.")]
    first_contract_date: Annotated[date | None, Meta(description="Null where no award has a date.")]
    last_contract_date: date | None


class EntityContract(Struct, frozen=True, kw_only=True):
    """An award; null where the source says nothing."""

    award_date: date | None
    contractor_name: str
    business_category: str | None
    organization_name: str | None
    area_of_delivery: str | None
    contract_value: Annotated[float, Meta(description="In pesos.")]
    award_title: str | None
    notice_title: str | None
    contract_no: str | None


class _Envelope(Struct, frozen=True, kw_only=True):
    totalCount: Annotated[int, Meta(description="Rows that fit, on whichever page.")]  # noqa: N815
    pageIndex: Annotated[int, Meta(description="Page, from 0.")]  # noqa: N815
    pageSize: int  # noqa: N815
    totalPages: int  # noqa: N815


class EntityPage(_Envelope, frozen=True, kw_only=True):
    """A page of names."""

    rows: tuple[EntityRow, ...]


class EntityContractPage(_Envelope, frozen=True, kw_only=True):
    """A page of awards."""

    rows: tuple[EntityContract, ...]


class AvailableTimes(Struct, frozen=True, kw_only=True):
    """The years and quarters that have awards."""

    all_time: Annotated[bool, Meta(description="Whether there are awards at all.")]
    yearly: Annotated[bool, Meta(description="Whether there is a year with awards.")]
    quarterly: Annotated[bool, Meta(description="The same of quarters.")]
    years: Annotated[tuple[int, ...], Meta(description="Earliest first, typing errors of the source included.")]
    quarters: Annotated[tuple[str, ...], Meta(description="Such as year_2024_q1, earliest first.")]


def check_timed(request: Timed) -> list[FieldError]:
    """The rules of texts and times that the schema cannot state."""
    return [*check_texts(request), *_wrong_times(request)]


def check_entity_contracts(request: EntityContractsRequest) -> list[FieldError]:
    """Those of exact names and of the order besides."""
    return [*check_timed(request), *_wrong_names(request.filters), *_wrong_order(request.order_by)]


def time_filters(request: Timed) -> Filters:
    """The time that is wanted, as filters."""
    return Filters(time_ranges=tuple(_time_ranges(request)))


def page_of(request: EntityQuery | EntityContractsRequest) -> Page:
    """The page that is wanted; its number begins at 1."""
    return Page(request.page_index + 1, request.page_size)


def name_order_of(request: EntityQuery) -> NameOrder:
    """The order of the names."""
    return NameOrder(_NAME_FIELDS[request.sort_by], request.sort_dir.upper() == "DESC")


def order_of(request: EntityContractsRequest) -> Order:
    """The order of the awards; ascending where no direction is given, as in SQL."""
    found = _ORDER.fullmatch(request.order_by.strip())
    assert found is not None
    return Order(_SORT_FIELDS[found[1].lower()], (found[2] or "asc").lower() == "desc")


def entity_row(sums: NameSums) -> EntityRow:
    """A name as these lists have it."""
    return EntityRow(
        entity=sums.name,
        contract_count=sums.awards,
        total_contract_value=sums.centavos / 100,
        average_contract_value=average(sums.centavos, sums.awards),
        first_contract_date=sums.first,
        last_contract_date=sums.last,
    )


def entity_contract(contract: Contract) -> EntityContract:
    """An award as these lists have it."""
    return EntityContract(
        award_date=contract.award_date,
        contractor_name=contract.awardee_name,
        business_category=contract.business_category,
        organization_name=contract.organization_name,
        area_of_delivery=contract.area_of_delivery,
        contract_value=contract.contract_amount,
        award_title=contract.award_title,
        notice_title=contract.notice_title,
        contract_no=contract.contract_no,
    )


def envelope(page: Page, total: int) -> dict[str, int]:
    """The place of a page among `total` rows, in the words of these answers."""
    return {
        "totalCount": total,
        "pageIndex": page.number - 1,
        "pageSize": page.size,
        "totalPages": -(-total // page.size),
    }


def available_times(months: Sequence[date]) -> AvailableTimes:
    """The years and quarters of the months that have awards with a date."""
    years = sorted({month.year for month in months})
    quarters = sorted({(month.year, (month.month + 2) // 3) for month in months})
    return AvailableTimes(
        all_time=True,
        yearly=bool(years),
        quarterly=bool(quarters),
        years=tuple(years),
        quarters=tuple(f"year_{year}_q{quarter}" for year, quarter in quarters),
    )


def _time_ranges(request: Timed) -> Iterator[TimeRange]:
    if request.time_range != "all_time":
        yield TimeRange(
            type=request.time_range,
            year=request.year,
            quarter=request.quarter,
            startDate=request.start_date,
            endDate=request.end_date,
        )


def _wrong_times(request: Timed) -> Iterator[FieldError]:
    for error in check(time_filters(request)):
        name = _TIME_FIELDS[error.pointer.rpartition("/")[2]]
        yield FieldError(f"/{name}", error.detail.replace("startDate", "start_date"))


def _wrong_names(filters: Sequence[EntityFilter]) -> Iterator[FieldError]:
    for place, wanted in enumerate(filters):
        if NO_CHARACTER.search(wanted.value):
            yield FieldError(f"/filters/{place}/value", "must not contain U+0000 or half of a surrogate pair")


def _wrong_order(text: str) -> Iterator[FieldError]:
    found = _ORDER.fullmatch(text.strip())
    if found is None or found[1].lower() not in _SORT_FIELDS:
        fields = ", ".join(_SORT_FIELDS)
        yield FieldError("/order_by", f"must be one of {fields}, with ASC or DESC after it, got {text!r}")
