"""Values of filters with their awards, as looking at every award finds them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from chalicelib.db.contracts.facets import ContractFacets
from chalicelib.search.facets import FacetRequest, Facets
from chalicelib.search.filters import Filters, TimeRange
from chalicelib.search.names import entity_id
from tests.db.contracts import name_oracle
from tests.db.contracts.asking.conftest import Library
from tests.db.contracts.asking.wishes import wishes


@pytest.fixture(scope="session")
def facets(library: Library) -> ContractFacets:
    return ContractFacets(library.database)


def request(filters: Filters, size: int = 200) -> FacetRequest:
    return FacetRequest(**structs.asdict(filters), size=size)


def shown(found: Facets) -> dict[str, name_oracle.Shown]:
    return {
        kind: [(each.value, each.count, round(each.total_value * 100), each.selected) for each in values]
        for kind, values in structs.asdict(found).items()
    }


@settings(max_examples=200, deadline=None)
@given(data=st.data(), size=st.integers(1, 40))
def test_facets_are_what_looking_at_every_award_finds(
    library: Library, facets: ContractFacets, data: st.DataObject, size: int
) -> None:
    chosen = data.draw(st.sampled_from((library.many, library.awkward)))
    filters = data.draw(wishes(chosen.awards))
    expected = name_oracle.facets(chosen.awards, filters, size)
    assert shown(facets.facets(chosen.version, request(filters, size))) == expected


@settings(max_examples=30, deadline=None)
@given(years=st.lists(st.integers(2014, 2026), max_size=3), size=st.integers(1, 200))
def test_facets_of_sums_made_at_load_are_those_of_the_awards(
    library: Library, facets: ContractFacets, years: list[int], size: int
) -> None:
    filters = Filters(time_ranges=tuple(TimeRange(type="yearly", year=year) for year in years))
    expected = name_oracle.facets(library.many.awards, filters, size)
    assert shown(facets.facets(library.many.version, request(filters, size))) == expected


def test_values_of_a_filter_are_counted_as_if_it_were_not_set(library: Library, facets: ContractFacets) -> None:
    found = facets.facets(library.awkward.version, request(Filters(contractors=("acme %",))))
    contractors = [(each.value, each.count, each.selected) for each in found.contractors]
    assert contractors == [
        ("ACME %", 18, True),
        ('"Joe\'s" \\ Sons', 17, False),
        ("ACME", 17, False),
        ("Acme %", 17, True),
        ("АСМЕ", 17, False),
    ]
    # Under the filter itself there are but the areas of these two.
    assert [(each.value, each.count, each.selected) for each in found.areas] == [
        ("Metro Manila", 18, False),
        ("metro manila", 17, False),
    ]


def test_value_has_the_id_of_its_name(library: Library, facets: ContractFacets) -> None:
    found = facets.facets(library.many.version, request(Filters(), 1))
    assert found.areas[0].id == entity_id(found.areas[0].value)
