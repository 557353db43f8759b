"""Which part of an answer is wanted, and in what order. Equals stand in the default order, so pages never overlap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

# What awards can be grouped by.
Dimension = Literal["contractor", "organization", "area", "category"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)

# What awards can be sorted by, in the words of clients.
SortField = Literal[
    "award_date",
    "contract_amount",
    "award_amount",
    "contract_value",
    "total_contract_amount",
    "awardee_name",
    "organization_name",
    "business_category",
    "area_of_delivery",
    "contract_no",
    "reference_id",
    "award_title",
    "notice_title",
    "created_at",
    "award_status",
]
# `none` is what is the same in every row.
SortKey = Literal[
    "award_date", "amount", "contractor", "organization", "area", "category", "contract_number", "award_title",
    "notice_title", "none",
]  # fmt: skip
# What groups can be sorted by.
GroupField = Literal["total_value", "count", "avg_value", "label"]

PageNumber = Annotated[int, Meta(ge=1, le=1_000_000_000)]
PageSize = Annotated[int, Meta(ge=1, le=1_000)]

KEYS: Mapping[SortField, SortKey] = {
    "award_date": "award_date",
    "contract_amount": "amount",
    "award_amount": "amount",
    "contract_value": "amount",
    "total_contract_amount": "amount",
    "awardee_name": "contractor",
    "organization_name": "organization",
    "business_category": "category",
    "area_of_delivery": "area",
    "contract_no": "contract_number",
    "reference_id": "contract_number",
    "award_title": "award_title",
    "notice_title": "notice_title",
    "created_at": "none",
    "award_status": "none",
}


class Page(Struct, frozen=True):
    """A page by its number, which begins at 1, and its size."""

    number: PageNumber = 1
    size: PageSize = 20

    @property
    def skipped(self) -> int:
        """How many rows stand before it."""
        return (self.number - 1) * self.size


class Order(Struct, frozen=True):
    """An order of awards; what has no value stands last in both directions."""

    field: SortField = "award_date"
    is_descending: bool = True

    @property
    def key(self) -> SortKey:
        return KEYS[self.field]

    @property
    def is_default(self) -> bool:
        """Whether it is the order in which the rows of a data set are numbered."""
        return self.key == "none" or (self.key == "award_date" and self.is_descending)


class GroupOrder(Struct, frozen=True):
    """An order of groups; equals stand in the order of their labels, the group without a label last of all."""

    field: GroupField = "total_value"
    is_descending: bool = True
