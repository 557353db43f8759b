"""The questions that can be asked about contracts: filters, and which part of the answer in what order.

Clients have two ways to name the order (`sort_by` and `sortBy`); the first one counts where both are given.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.search.distribution import BINS, BinCount
from chalicelib.search.filters import Filters, canonical
from chalicelib.search.paging import Dimension, GroupField, GroupOrder, Order, Page, PageNumber, PageSize, SortField

Direction = Literal["asc", "desc"]
# As the charts name what they group by.
Chart = Literal["by_contractor", "by_organization", "by_area", "by_category"]

_PageNumber = Annotated[PageNumber, Meta(description="Page, from 1.")]
_PageSize = Annotated[PageSize, Meta(description="Rows of a page, at most 1000.")]
_Direction = Annotated[Direction, Meta(description="asc or desc; what has no value stands last either way.")]


class SearchRequest(Filters, frozen=True, kw_only=True):
    """Which awards are wanted, a page of them, and in what order."""

    page: _PageNumber = 1
    page_size: _PageSize = 20
    sort_by: Annotated[SortField | None, Meta(description="What to sort by; award_date by default.")] = None
    sort_direction: _Direction | None = None
    sortBy: Annotated[SortField | None, Meta(description="The same as sort_by.")] = None  # noqa: N815
    sortDirection: Annotated[Direction | None, Meta(description="The same as sort_direction.")] = None  # noqa: N815
    highlight: Annotated[
        bool, Meta(description="Whether each award says in `matches` where what was looked for stands.")
    ] = False


class ChartRequest(Filters, frozen=True, kw_only=True):
    """Which awards the charts are of."""

    topN: Annotated[  # noqa: N815
        Annotated[int, Meta(ge=1, le=1000)], Meta(description="Names of a list, those with the largest totals.")
    ] = 20


class TableRequest(Filters, frozen=True, kw_only=True):
    """Which awards to group, by what, a page of the groups, and in what order."""

    entity_type: Annotated[Dimension | None, Meta(description="What to group by; contractor by default.")] = None
    dimension: Annotated[Chart | None, Meta(description="The same in the words of the charts.")] = None
    page: _PageNumber = 1
    page_size: _PageSize = 20
    sort_by: Annotated[GroupField, Meta(description="What to sort by.")] = "total_value"
    sort_direction: _Direction = "desc"


class DistributionRequest(Filters, frozen=True, kw_only=True):
    """Which awards to sort into bins of amounts, and into how many."""

    num_bins: BinCount = BINS


def page_of(request: SearchRequest | TableRequest) -> Page:
    """The page that is wanted."""
    return Page(request.page, request.page_size)


def order_of(request: SearchRequest) -> Order:
    """The order of the awards."""
    direction = request.sort_direction or request.sortDirection or "desc"
    return Order(request.sort_by or request.sortBy or "award_date", direction == "desc")


def group_order_of(request: TableRequest) -> GroupOrder:
    """The order of the groups."""
    return GroupOrder(request.sort_by, request.sort_direction == "desc")


def dimension_of(request: TableRequest) -> Dimension:
    """What the awards are grouped by."""
    charts: dict[Chart, Dimension] = {
        "by_contractor": "contractor",
        "by_organization": "organization",
        "by_area": "area",
        "by_category": "category",
    }
    return request.entity_type or (charts[request.dimension] if request.dimension else "contractor")


def canonical_search(request: SearchRequest) -> object:
    """What the question comes down to: the same for every way to put it."""
    order = order_of(request)
    return [canonical(request), request.page, request.page_size, order.key, order.is_descending, request.highlight]


def canonical_charts(request: ChartRequest) -> object:
    """What the question comes down to: the same for every way to put it."""
    return [canonical(request), request.topN]


def canonical_table(request: TableRequest) -> object:
    """What the question comes down to: the same for every way to put it."""
    return [
        canonical(request),
        dimension_of(request),
        request.page,
        request.page_size,
        request.sort_by,
        request.sort_direction,
    ]
