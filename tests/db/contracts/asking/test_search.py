"""Rows found by filters, as looking at every row finds them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.db.contracts.search import ContractSearch
from chalicelib.errors import Gone
from chalicelib.search.filters import Filters, TimeRange, ValueRange
from chalicelib.search.paging import Order, Page
from tests.db.contracts import oracle
from tests.db.contracts.asking.conftest import Library, Sided
from tests.db.contracts.asking.wishes import orders, pages, wishes

ALL = Page(1, 1_000)
NEWEST = Order()


@settings(max_examples=500, deadline=None)
@given(data=st.data())
def test_page_is_what_looking_at_every_row_finds(library: Library, search: ContractSearch, data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from((library.many, library.awkward)))
    filters, part, order = data.draw(wishes(chosen.awards)), data.draw(pages), data.draw(orders)
    assert search.page(chosen.version, filters, part, order) == oracle.page(chosen.awards, filters, part, order)


@settings(max_examples=150, deadline=None)
@given(
    filters=st.builds(
        Filters,
        keywords=st.lists(
            st.sampled_from(("road", "small", "large", "both", "small && both")), min_size=1, max_size=2
        ).map(tuple),
        time_ranges=st.sampled_from(((), (TimeRange(type="quarterly", year=2024, quarter=2),))),
    ),
    part=st.builds(Page, st.integers(1, 80), st.integers(1, 60)),
    order=st.builds(Order, st.sampled_from(("contract_amount", "awardee_name")), st.booleans()),
)
def test_page_in_another_order_is_the_same_wherever_in_it_the_rows_that_fit_are(
    sided: Sided, filters: Filters, part: Page, order: Order
) -> None:
    version, awards = sided.data
    assert sided.search.page(version, filters, part, order) == oracle.page(awards, filters, part, order)


def found(library: Library, search: ContractSearch, filters: Filters) -> list[tuple[str | None, str | None]]:
    """The titles of the awkward awards that fit, each once, in alphabetical order."""
    rows, total = search.page(library.awkward.version, filters, ALL, NEWEST)
    assert len(rows) == total
    return sorted({(row.award_title, row.notice_title) for row in rows}, key=str)


@pytest.mark.parametrize(
    ("keyword", "titles"),
    [
        ("100%", [("ROAD REPAIR 100% COMPLETE", None)]),
        ("d_r", [("Road repair 100 percent complete", "ROAD_REPAIR")]),
        ("a\\b", [("A\\B switch", "a\\\\b switch")]),
        ("O'Brien st. \"as", [('O\'BRIEN ST. "AS IS"', "o''brien st.")]),
        ("OADBA", [("broad_band, LOT_2", "Broadband lot 2")]),
        ("lot_2 broad", [("broad_band, LOT_2", "Broadband lot 2")]),
        ("\tFLOOD-CONTROL ", [("Flood control; DROP TABLE fact; --", "flood-control")]),
        ("ii\nflood", [("flood  control, phase ii\nflood control", "FLOOD CONTROL")]),
        ("x && y && niño", [("NIÑO x&&y", "nin\u0303o x&y")]),
        ("x&y", [("NIÑO x&&y", "nin\u0303o x&y")]),
        ("...", [("...", "!?")]),
        ("?", [("...", "!?")]),
        ("%s %(", [(None, "%s %(rids)s {schema} $1 :name")]),
        ("complete road_repair", [("Road repair 100 percent complete", "ROAD_REPAIR")]),
        ("complete repair", []),
        ("straße", [("STRASSE", "Straße İstanbul ΟΔΟΣ οδός")]),
        ("οδοσ", []),
        ("оа", [("РОАD RЕРАIR", "road repair")]),
        (" && ", None),
    ],
)
def test_keyword_is_found_anywhere_in_a_title_and_every_character_stands_for_itself(
    library: Library, search: ContractSearch, keyword: str, titles: list[tuple[str | None, str | None]] | None
) -> None:
    everything = sorted({(award.title, award.notice) for award in library.awkward.awards}, key=str)
    assert found(library, search, Filters(keywords=(keyword,))) == (everything if titles is None else titles)


def test_page_behind_the_last_one_has_no_rows_and_the_true_total(library: Library, search: ContractSearch) -> None:
    version, total = library.many.version, len(library.many.awards)
    beyond = Page(1_000_000_000, 1_000)
    assert search.page(version, Filters(), Page(total // 20 + 2, 20), NEWEST) == ([], total)
    assert search.page(version, Filters(contractors=("e",)), beyond, NEWEST)[0] == []
    assert search.page(version, Filters(contractors=(" && ",)), beyond, Order("award_title")) == ([], total)


def test_pages_of_equal_rows_neither_overlap_nor_leave_one_out(library: Library, search: ContractSearch) -> None:
    version, order = library.awkward.version, Order("organization_name", is_descending=True)
    whole, total = search.page(version, Filters(), ALL, order)
    parts = [search.page(version, Filters(), Page(number, 7), order)[0] for number in range(1, 14)]
    assert len(whole) == total == 86
    assert [row for part in parts for row in part] == whole


def test_last_day_that_there_is_can_be_asked_for(library: Library, search: ContractSearch) -> None:
    always = TimeRange(type="custom", startDate="0001-01-01", endDate="9999-12-31")
    _, total = search.page(library.awkward.version, Filters(time_ranges=(always,)), ALL, NEWEST)
    assert total == sum(award.day is not None for award in library.awkward.awards)


def test_bounds_of_amounts_are_included(library: Library, search: ContractSearch) -> None:
    rows, _ = search.page(
        library.awkward.version, Filters(value_range=ValueRange(min=999.99, max=1000)), ALL, Order("contract_amount")
    )
    assert {row.contract_amount for row in rows} == {999.99, 1000.0}


def test_version_that_was_replaced_is_gone(library: Library, search: ContractSearch) -> None:
    with pytest.raises(Gone, match="version 77 of the contracts has been replaced"):
        search.page(77, Filters(), ALL, NEWEST)


def test_many_names_and_words_at_once_are_found(library: Library, search: ContractSearch) -> None:
    letters = tuple("abcdefghijklmnopqrstuvwxyz")
    filters = Filters(contractors=letters, keywords=tuple(f"{one}{other}" for one in letters for other in "ae")[:50])
    chosen = library.many
    assert search.page(chosen.version, filters, ALL, NEWEST) == oracle.page(chosen.awards, filters, ALL, NEWEST)
