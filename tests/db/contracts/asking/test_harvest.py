"""A whole harvest is all awards that fit, each once and in order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from chalicelib.db.contracts.harvest import ContractHarvest
from chalicelib.errors import Gone
from chalicelib.search.filters import Filters
from chalicelib.search.harvest import Cursor, HarvestPage, HarvestRequest, fingerprint, read_cursor
from chalicelib.search.paging import Order, Page
from chalicelib.search.result import Contract
from tests.db.contracts import oracle
from tests.db.contracts.asking.conftest import DataSet, Library
from tests.db.contracts.asking.wishes import wishes

EVERYTHING = Page(1, 1_000_000)
MOST_PAGES = 13


@pytest.fixture(scope="session")
def harvest(library: Library) -> ContractHarvest:
    return ContractHarvest(library.database)


def pages(harvest: ContractHarvest, version: int, filters: Filters, size: int) -> Iterator[HarvestPage]:
    """The pages of a harvest, as a client reads them."""
    request = HarvestRequest(**structs.asdict(filters), page_size=size)
    page = harvest.first(version, request)
    yield page
    # A harvest that does not end is a wrong one, not a test without an end.
    for _ in range(MOST_PAGES):
        if page.next_cursor is None:
            return
        request = structs.replace(request, cursor=page.next_cursor)
        cursor = read_cursor(request)
        assert cursor is not None
        page = harvest.next(cursor, request)
        yield page


def gathered(chosen: DataSet, filters: Filters) -> list[Contract]:
    return oracle.page(chosen.awards, filters, EVERYTHING, Order())[0]


@settings(max_examples=200, deadline=None)
@given(data=st.data(), size=st.integers(1, 300))
def test_whole_harvest_is_all_that_looking_at_every_award_finds(
    library: Library, harvest: ContractHarvest, data: st.DataObject, size: int
) -> None:
    chosen = data.draw(st.sampled_from((library.many, library.awkward)))
    filters = data.draw(wishes(chosen.awards))
    expected = gathered(chosen, filters)
    # Not more than can be read.
    step = max(size, -(-len(expected) // MOST_PAGES))
    found = list(pages(harvest, chosen.version, filters, step))
    assert [row for page in found for row in page.data] == expected
    assert {(page.total_count, page.dataset_version) for page in found} == {(len(expected), chosen.version)}
    assert [len(page.data) for page in found[:-1]] == [step] * (len(found) - 1)
    assert len(found) == max(1, -(-len(expected) // step))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), after=st.integers(0, 2_100))
def test_page_goes_on_behind_any_row(
    library: Library, harvest: ContractHarvest, data: st.DataObject, after: int
) -> None:
    chosen = library.many
    filters = data.draw(wishes(chosen.awards))
    cursor = Cursor(chosen.version, after, 7, fingerprint(filters))
    found = harvest.next(cursor, HarvestRequest(**structs.asdict(filters), page_size=50))
    assert list(found.data) == [row for row in gathered(chosen, filters) if row.id > after][:50]


@pytest.mark.parametrize("filters", [Filters(), Filters(keywords=("road",)), Filters(areas=("manila",))])
def test_page_behind_the_last_row_there_can_be_is_empty(
    library: Library, harvest: ContractHarvest, filters: Filters
) -> None:
    cursor = Cursor(library.many.version, 2_000_000_000, 7, fingerprint(filters))
    page = harvest.next(cursor, HarvestRequest(**structs.asdict(filters)))
    assert (page.data, page.next_cursor) == ((), None)


def test_cursor_of_a_version_that_there_never_was_is_gone(library: Library, harvest: ContractHarvest) -> None:
    cursor = Cursor(77, 0, 7, fingerprint(Filters()))
    with pytest.raises(Gone, match="data set 77 is not there: begin again, without a cursor"):
        harvest.next(cursor, HarvestRequest())
