"""Names with the sums of their awards, as looking at every award finds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.db.contracts.entities import ContractEntities
from chalicelib.db.contracts.names import NameQuery
from chalicelib.errors import Gone
from chalicelib.search.entities import EntityFilter
from chalicelib.search.filters import Filters, TimeRange
from chalicelib.search.names import NameField, NameOrder
from chalicelib.search.paging import DIMENSIONS, Dimension, Order, Page
from tests.db.contracts import name_oracle, oracle
from tests.db.contracts.asking.conftest import DataSet, Library
from tests.db.contracts.asking.wishes import dimensions, orders, pages, times

ORDERS = st.builds(NameOrder, st.sampled_from(get_args(NameField)), st.booleans())
ALPHABETICAL = NameOrder("name", is_descending=False)
ALL = Page(1, 1_000)


@pytest.fixture(scope="session")
def entities(library: Library) -> ContractEntities:
    return ContractEntities(library.database)


def chosen_of(library: Library, data: st.DataObject) -> DataSet:
    return data.draw(st.sampled_from((library.many, library.awkward)))


def time_of(chosen: DataSet, data: st.DataObject) -> Filters:
    """All time, or one stretch of it."""
    return Filters(time_ranges=tuple(data.draw(st.lists(times(chosen.awards), max_size=1))))


def known(chosen: DataSet, dimension: Dimension) -> list[str]:
    return sorted({name for award in chosen.awards if (name := getattr(award, dimension))})


def text_of(names: Sequence[str], data: st.DataObject) -> str:
    """A part of a name, or what is in no name."""
    name = data.draw(st.sampled_from(names))
    first = data.draw(st.integers(0, len(name) - 1))
    part = name[first : first + data.draw(st.integers(1, 9))]
    return data.draw(st.sampled_from((part, part.upper(), part.lower(), "%", "_", "\\", "&&", "zzz", "'")))


def exact_of(chosen: DataSet, data: st.DataObject) -> tuple[Dimension, str]:
    dimension = data.draw(dimensions)
    return dimension, data.draw(st.sampled_from([*known(chosen, dimension), "no such name", "%"]))


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_page_of_names_is_what_looking_at_every_award_finds(
    library: Library, entities: ContractEntities, data: st.DataObject
) -> None:
    chosen = chosen_of(library, data)
    within, dimension = time_of(chosen, data), data.draw(dimensions)
    text = data.draw(st.sampled_from((True, False))) and text_of(known(chosen, dimension), data)
    query = NameQuery(dimension=dimension, order=data.draw(ORDERS), page=data.draw(pages), text=text or "")
    awards = [award for _, award in oracle.matching(chosen.awards, within)]
    fitting = [
        each for each in name_oracle.names(awards, dimension) if (text or "").strip().lower() in each.name.lower()
    ]
    expected = (name_oracle.page(fitting, query.order, query.page), len(fitting))
    assert entities.names(chosen.version, query, within) == expected


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_whole_word_is_found_where_no_letter_or_digit_is_beside_it(
    library: Library, entities: ContractEntities, data: st.DataObject
) -> None:
    chosen, dimension = chosen_of(library, data), data.draw(dimensions)
    names = known(chosen, dimension)
    word = data.draw(st.one_of(st.just(text_of(names, data)), st.sampled_from(names).map(lambda name: name.split()[0])))
    query = NameQuery(dimension=dimension, order=ALPHABETICAL, page=ALL, word=word)
    found, total = entities.names(chosen.version, query, Filters())
    everything = name_oracle.names(chosen.awards, dimension)
    expected = [each for each in everything if not word.strip() or name_oracle.has_word(each.name, word)]
    assert (found, total) == (expected[:1_000], len(expected))


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("acme", ["ACME", "ACME %", "Acme %"]),
        ("acm", []),
        ("acme %", ["ACME %", "Acme %"]),
        ("joe's", ['"Joe\'s" \\ Sons']),
        ("s", ['"Joe\'s" \\ Sons']),
        ("son", []),
        ("асме", ["АСМЕ"]),
    ],
)
def test_word_of_a_contractor_ends_where_letters_and_digits_do(
    library: Library, entities: ContractEntities, word: str, names: list[str]
) -> None:
    query = NameQuery(dimension="contractor", order=ALPHABETICAL, page=ALL, word=word)
    assert [each.name for each in entities.names(library.awkward.version, query, Filters())[0]] == names


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_names_beside_a_name_are_those_of_its_awards(
    library: Library, entities: ContractEntities, data: st.DataObject
) -> None:
    chosen = chosen_of(library, data)
    within, exact, target = time_of(chosen, data), exact_of(chosen, data), data.draw(dimensions)
    query = NameQuery(dimension=target, order=NameOrder(), page=Page(1, data.draw(st.integers(1, 30))))
    awards = name_oracle.having([award for _, award in oracle.matching(chosen.awards, within)], [exact])
    expected = name_oracle.page(name_oracle.names(awards, target), NameOrder(), query.page)
    source = EntityFilter(dim=exact[0], value=exact[1])
    assert entities.related(chosen.version, source, query, within) == expected


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_awards_with_exact_names_are_those_that_have_all_of_them(
    library: Library, entities: ContractEntities, data: st.DataObject
) -> None:
    chosen = chosen_of(library, data)
    within, part, order = time_of(chosen, data), data.draw(pages), data.draw(orders)
    exact = [exact_of(chosen, data) for _ in range(data.draw(st.integers(0, 1)))]
    if data.draw(st.booleans()):
        # Names that occur together.
        award = data.draw(st.sampled_from(chosen.awards))
        exact += [(each, name) for each in DIMENSIONS if (name := getattr(award, each)) and data.draw(st.booleans())]
    kept = {id(award) for award in name_oracle.having(chosen.awards, exact)}
    places = [place for place, award in oracle.matching(chosen.awards, within) if id(award) in kept]
    everything, _ = oracle.page(chosen.awards, within, Page(1, 1_000_000), order)
    expected = [row for row in everything if row.id in set(places)]
    filters = [EntityFilter(dim=dimension, value=name) for dimension, name in exact]
    found = entities.contracts(chosen.version, filters, within, part, order)
    assert found == (expected[(part.number - 1) * part.size : part.number * part.size], len(expected))


def test_exact_name_is_told_from_those_that_differ_in_case_or_letters_that_look_alike(
    library: Library, entities: ContractEntities
) -> None:
    def count(name: str) -> int:
        wanted = [EntityFilter(dim="contractor", value=name)]
        return entities.contracts(library.awkward.version, wanted, Filters(), ALL, Order())[1]

    assert [count(name) for name in ("ACME %", "Acme %", "acme %", "ACME", "АСМЕ", "ACM%")] == [18, 17, 0, 17, 17, 0]


def test_quarter_has_the_days_of_its_quarter_alone(library: Library, entities: ContractEntities) -> None:
    quarter = Filters(time_ranges=(TimeRange(type="quarterly", year=2023, quarter=1),))
    query = NameQuery(dimension="category", order=NameOrder("name", is_descending=False), page=ALL)
    found, _ = entities.names(library.awkward.version, query, quarter)
    assert {str(day) for each in found for day in (each.first, each.last)} == {"2023-01-01", "2023-03-31"}


def test_months_are_those_of_awards_with_a_date(library: Library, entities: ContractEntities) -> None:
    days = [award.day for award in library.awkward.awards if award.day]
    expected = sorted({day.replace(day=1) for day in days})
    found = entities.months(library.awkward.version)
    assert [month for month, _ in found] == expected
    assert sum(awards for _, awards in found) == len(days)


def test_names_of_a_version_that_was_replaced_are_gone(library: Library, entities: ContractEntities) -> None:
    query = NameQuery(dimension="area", order=ALPHABETICAL, page=ALL)
    with pytest.raises(Gone, match="version 77 of the contracts has been replaced"):
        entities.names(77, query, Filters())
