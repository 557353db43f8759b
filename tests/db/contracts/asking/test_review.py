"""Concentration and bunching of rows found by filters, as looking at every row finds them."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.db.contracts.review import ContractReview
from chalicelib.search.bunching import BunchingRequest
from chalicelib.search.concentration import ConcentrationRequest
from chalicelib.search.filters import Filters
from tests.db.contracts import oracle
from tests.db.contracts.asking.conftest import Library
from tests.db.contracts.asking.wishes import wishes


@pytest.fixture(scope="session")
def review(library: Library) -> ContractReview:
    return ContractReview(library.database)


def said(filters: Filters) -> dict[str, object]:
    return {name: getattr(filters, name) for name in Filters.__struct_fields__}


@settings(max_examples=60, deadline=None)
@given(data=st.data(), top=st.integers(1, 15))
def test_concentration_is_what_looking_at_every_row_finds(
    library: Library, review: ContractReview, data: st.DataObject, top: int
) -> None:
    chosen = data.draw(st.sampled_from((library.many, library.awkward)))
    filters = data.draw(wishes(chosen.awards))
    awards = [award for _, award in oracle.matching(chosen.awards, filters)]
    sums = Counter[str]()
    for award in awards:
        sums[award.contractor] += award.centavos
    whole = sums.total()
    ordered = sorted(sums, key=lambda name: (-sums[name], name.lower(), name))
    found = review.concentration_in(chosen.version, ConcentrationRequest(**said(filters), top=top))  # type: ignore[arg-type]
    assert (found.total_contracts, found.supplier_count) == (len(awards), len(sums))
    assert round(found.total_value * 100) == whole
    assert [(each.label, round(each.total_value * 100)) for each in found.suppliers] == [
        (name, sums[name]) for name in ordered[:top]
    ]
    if whole:
        hhi = sum(Fraction(100 * part, whole) ** 2 for part in sums.values())
        assert found.hhi == pytest.approx(float(hhi), abs=0.051)
        shares = [100 * sum(sums[name] for name in ordered[:count]) / whole for count in (1, 4, 10)]
        assert [found.largest_share, found.top4_share, found.top10_share] == pytest.approx(shares, abs=0.0051)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), window=st.sampled_from([0.5, 5.0, 20.0]))
def test_awards_near_thresholds_are_counted_as_looking_at_every_row_counts_them(
    library: Library, review: ContractReview, data: st.DataObject, window: float
) -> None:
    chosen = data.draw(st.sampled_from((library.many, library.awkward)))
    filters = data.draw(wishes(chosen.awards))
    amounts = [award.centavos for _, award in oracle.matching(chosen.awards, filters)]
    wanted = [1_000.0, 250_000.0, data.draw(st.sampled_from(amounts or [100])) / 100 or 1.0, 1_000.0]
    thresholds = tuple(max(1.0, each) for each in wanted)
    found = review.bunching_in(
        chosen.version,
        BunchingRequest(**said(filters), thresholds=thresholds, window=window),  # type: ignore[arg-type]
    )
    for each, threshold in zip(found.thresholds, thresholds, strict=True):
        middle = round(threshold * 100)
        width = max(1, round(middle * window / 100))
        below = [middle - amount for amount in amounts if amount < middle]
        above = [amount - middle for amount in amounts if amount > middle]
        assert (each.far_below, each.below, each.at, each.above, each.far_above) == (
            sum(width < distance <= 2 * width for distance in below),
            sum(distance <= width for distance in below),
            amounts.count(middle),
            sum(distance <= width for distance in above),
            sum(width < distance <= 2 * width for distance in above),
        )
