"""Sums of rows found by filters, as looking at every row finds them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.db.contracts.search import ContractSearch
from chalicelib.search.filters import Filters, TimeRange
from chalicelib.search.paging import Dimension, GroupOrder, Page
from chalicelib.search.result import Group, Series, Summary
from tests.db.contracts import oracle
from tests.db.contracts.asking.conftest import Library
from tests.db.contracts.asking.wishes import dimensions, group_orders, pages, wishes

TIMES = st.lists(
    st.one_of(
        st.builds(lambda year: TimeRange(type="yearly", year=year), st.integers(2015, 2025)),
        st.builds(
            lambda year, quarter: TimeRange(type="quarterly", year=year, quarter=quarter),
            st.integers(2020, 2025),
            st.integers(1, 4),
        ),
    ),
    max_size=5,
).map(tuple)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_charts_are_what_looking_at_every_row_finds(
    library: Library, search: ContractSearch, data: st.DataObject
) -> None:
    chosen = data.draw(st.sampled_from((library.many, library.awkward)))
    filters, most = data.draw(wishes(chosen.awards)), data.draw(st.integers(1, 30))
    assert search.series(chosen.version, filters, most) == oracle.series(chosen.awards, filters, most)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_table_is_what_looking_at_every_row_finds(
    library: Library, search: ContractSearch, data: st.DataObject
) -> None:
    chosen = data.draw(st.sampled_from((library.many, library.awkward)))
    asked = (data.draw(wishes(chosen.awards)), data.draw(dimensions), data.draw(pages), data.draw(group_orders))
    assert search.table(chosen.version, *asked) == oracle.table(chosen.awards, *asked)


@settings(max_examples=40, deadline=None)
@given(times=TIMES, order=group_orders, dimension=dimensions)
def test_sums_made_at_load_are_those_of_the_rows(
    library: Library, search: ContractSearch, times: tuple[TimeRange, ...], order: GroupOrder, dimension: Dimension
) -> None:
    chosen, filters = library.many, Filters(time_ranges=times)
    assert search.series(chosen.version, filters, 10) == oracle.series(chosen.awards, filters, 10)
    asked = (filters, dimension, Page(2, 9), order)
    assert search.table(chosen.version, *asked) == oracle.table(chosen.awards, *asked)


def test_charts_of_nothing_are_empty(library: Library, search: ContractSearch) -> None:
    nothing = Series(
        summary=(Summary(count=0, total_value=0.0, avg_value=0.0),),
        by_year=(),
        by_month=(),
        by_contractor=(),
        by_organization=(),
        by_area=(),
        by_category=(),
    )
    assert search.series(library.many.version, Filters(keywords=("no such word",)), 20) == nothing
    assert search.table(library.many.version, Filters(areas=("nowhere",)), "area", Page(), GroupOrder()) == ([], 0)


def test_table_has_a_group_for_awards_without_a_name(library: Library, search: ContractSearch) -> None:
    groups, total = search.table(
        library.awkward.version,
        Filters(keywords=("100%",)),
        "area",
        Page(1, 9),
        GroupOrder("label", is_descending=False),
    )
    assert [group.label for group in groups] == ["Abra", "Manila, Metro", "Metro Manila", "metro manila", None]
    assert total == 5
    assert groups[0] == Group(label="Abra", total_value=123456789012.34, count=1, avg_value=123456789012.34)


def test_table_behind_its_last_page_has_no_groups_and_the_true_number(library: Library, search: ContractSearch) -> None:
    assert search.table(library.awkward.version, Filters(), "area", Page(9, 20), GroupOrder()) == ([], 5)
