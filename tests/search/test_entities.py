"""Requests about names, their rules and what they come down to."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import msgspec
import pytest

from chalicelib.search.entities import (
    DIMENSION_OF,
    EntityContractsRequest,
    EntityFilter,
    EntityQuery,
    EntityType,
    available_times,
    check_entity_contracts,
    check_timed,
    envelope,
    name_order_of,
    order_of,
    time_filters,
)
from chalicelib.search.filters import TimeRange
from chalicelib.search.names import NameOrder
from chalicelib.search.paging import Order, Page, SortField


def query(**said: Any) -> EntityQuery:
    return msgspec.convert({"entity_type": "areas", **said}, EntityQuery)


def test_every_way_to_name_a_kind_is_known() -> None:
    assert set(DIMENSION_OF) == set(get_args(EntityType))


@pytest.mark.parametrize(
    ("said", "errors"),
    [
        ({}, []),
        ({"year": 2022, "quarter": 9 // 3}, []),
        ({"time_range": "yearly"}, [("/year", "is required for yearly")]),
        (
            {"time_range": "quarterly"},
            [("/year", "is required for quarterly"), ("/quarter", "is required for quarterly")],
        ),
        (
            {"time_range": "custom", "end_date": "2022-02-30"},
            [
                ("/start_date", "is required for custom"),
                ("/end_date", "must be a day like 2024-12-31, got '2022-02-30'"),
            ],
        ),
        (
            {"time_range": "custom", "start_date": "2022-02-02", "end_date": "2022-02-01"},
            [("/end_date", "must not be before start_date (2022-02-02), got 2022-02-01")],
        ),
        ({"search": "a\0"}, [("/search", "must not contain U+0000 or half of a surrogate pair")]),
    ],
)
def test_rules_that_no_schema_states_are_checked(said: dict[str, Any], errors: list[tuple[str, str]]) -> None:
    assert [(error.pointer, error.detail) for error in check_timed(query(**said))] == errors


def test_wrong_names_and_orders_of_awards_are_refused_where_they_stand() -> None:
    request = EntityContractsRequest(
        filters=(EntityFilter(dim="area", value="Manila"), EntityFilter(dim="area", value="\ud800")),
        order_by="id; DROP TABLE fact",
    )
    found = [(error.pointer, error.detail) for error in check_entity_contracts(request)]
    fields = (
        "award_date, contractor_name, business_category, organization_name, area_of_delivery, contract_value, "
        "award_title, notice_title, contract_no"
    )
    assert found == [
        ("/filters/1/value", "must not contain U+0000 or half of a surrogate pair"),
        ("/order_by", f"must be one of {fields}, with ASC or DESC after it, got 'id; DROP TABLE fact'"),
    ]


@pytest.mark.parametrize(
    ("text", "field", "is_descending"),
    [
        ("award_date DESC", "award_date", True),
        ("contract_value asc", "contract_value", False),
        (" Contractor_Name  desc ", "awardee_name", True),
        ("contract_no", "contract_no", False),
    ],
)
def test_order_of_awards_is_read_as_sql_writes_it(text: str, field: SortField, is_descending: bool) -> None:
    assert order_of(EntityContractsRequest(filters=(), order_by=text)) == Order(field, is_descending)


def test_order_of_names_is_by_total_unless_another_is_asked_for() -> None:
    assert name_order_of(query()) == NameOrder("total", is_descending=True)
    assert name_order_of(query(sort_by="first_contract_date", sort_dir="asc")) == NameOrder(
        "first_date", is_descending=False
    )


def test_what_a_time_does_not_need_is_without_effect() -> None:
    assert time_filters(query(year=2022)).time_ranges == ()
    assert time_filters(query(time_range="quarterly", year=2022, quarter=2)).time_ranges == (
        TimeRange(type="quarterly", year=2022, quarter=2),
    )


@pytest.mark.parametrize(("total", "pages"), [(0, 0), (1, 1), (20, 1), (21, 2)])
def test_page_index_counts_pages_from_0(total: int, pages: int) -> None:
    assert envelope(Page(3, 20), total) == {"totalCount": total, "pageIndex": 2, "pageSize": 20, "totalPages": pages}


def test_times_are_the_years_and_quarters_of_the_months() -> None:
    found = available_times([date(2024, 2, 1), date(2022, 12, 1), date(2022, 10, 1)])
    assert (found.yearly, found.quarterly) == (True, True)
    assert (found.years, found.quarters) == ((2022, 2024), ("year_2022_q4", "year_2024_q1"))
    assert available_times([]).yearly is False
