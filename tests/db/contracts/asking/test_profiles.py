"""All about one name, as looking at every award finds it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.db.contracts.entities import ContractEntities
from chalicelib.errors import NotFound
from chalicelib.search.names import NameOrder, entity_id
from chalicelib.search.paging import DIMENSIONS, Dimension, Page
from tests.db.contracts import name_oracle
from tests.db.contracts.asking.conftest import Library
from tests.db.contracts.asking.wishes import dimensions


@pytest.fixture(scope="session")
def entities(library: Library) -> ContractEntities:
    return ContractEntities(library.database)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), kind=dimensions)
def test_profile_is_what_looking_at_every_award_finds(
    library: Library, entities: ContractEntities, data: st.DataObject, kind: Dimension
) -> None:
    chosen = data.draw(st.sampled_from((library.many, library.awkward)))
    wanted = data.draw(st.sampled_from(name_oracle.names(chosen.awards, kind)))
    found, relations = entities.profile(chosen.version, kind, entity_id(wanted.name))
    assert found == wanted

    awards = name_oracle.having(chosen.awards, [(kind, wanted.name)])
    counts, totals = Counter[int](), Counter[int]()
    for award in awards:
        if award.day:
            counts[award.day.year] += 1
            totals[award.day.year] += award.centavos
    years = [(each.year, each.count, round(each.total_value * 100)) for each in relations.years]
    assert years == [(year, counts[year], totals[year]) for year in sorted(counts)]

    assert set(relations.partners) == {*DIMENSIONS} - {kind}
    for other, partners in relations.partners.items():
        named = name_oracle.names(awards, other)  # type: ignore[arg-type]
        largest = name_oracle.page(named, NameOrder(), Page(1, 10))
        assert partners.count == len(named)
        assert [(each.id, each.name, each.count, round(each.total_value * 100)) for each in partners.largest] == [
            (entity_id(each.name), each.name, each.awards, each.centavos) for each in largest
        ]


@pytest.mark.parametrize(
    ("kind", "name", "variants"),
    [
        ("contractor", "ACME", ["ACME %", "Acme %", "АСМЕ"]),
        ("contractor", '"Joe\'s" \\ Sons', []),
        ("organization", "Province of Abra", ["РROVINCE of Abra"]),
        ("organization", "DPWH - 1st_DEO", ["DPWH - 1ST DEO"]),
        ("area", "metro manila", ["Metro Manila"]),
        ("area", "Manila, Metro", []),
        ("category", "civil works & goods", []),
        ("category", "Civil Works", ["Civil  Works"]),
    ],
)
def test_variants_are_the_other_names_that_read_alike_most_awards_first(
    library: Library, entities: ContractEntities, kind: Dimension, name: str, variants: list[str]
) -> None:
    _, relations = entities.profile(library.awkward.version, kind, entity_id(name))
    assert [each.name for each in relations.variants] == variants
    assert relations.variant_count == len(variants)


@pytest.mark.parametrize("entity", ["", "x", "\0", "'; DROP", entity_id("ACME").upper(), entity_id("nobody")])
def test_id_of_no_name_is_not_found(library: Library, entities: ContractEntities, entity: str) -> None:
    with pytest.raises(NotFound, match="no contractor of the contracts has the id"):
        entities.profile(library.awkward.version, "contractor", entity)


def test_name_of_one_kind_is_none_of_another(library: Library, entities: ContractEntities) -> None:
    with pytest.raises(NotFound):
        entities.profile(library.awkward.version, "organization", entity_id("ACME"))
