"""Counts of amounts of rows found by filters, as looking at every row finds them."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.db.contracts.integrity import ContractIntegrity
from chalicelib.search.filters import Filters, ValueRange
from tests.db.contracts import oracle
from tests.db.contracts.asking.conftest import Library
from tests.db.contracts.asking.wishes import wishes

STEPS = {"10M": 10_000_000, "1M": 1_000_000, "100K": 100_000, "10K": 10_000, "1K": 1_000}


@pytest.fixture(scope="session")
def integrity(library: Library) -> ContractIntegrity:
    return ContractIntegrity(library.database)


def step(centavos: int) -> str:
    return next((name for name, pesos in STEPS.items() if centavos % (pesos * 100) == 0), "No rounding")


def zeros(text: str) -> int:
    return len(text) - len(text.rstrip("0"))


@settings(max_examples=150, deadline=None)
@given(data=st.data(), bins=st.integers(10, 40))
def test_amounts_are_counted_as_looking_at_every_row_counts_them(
    library: Library, integrity: ContractIntegrity, data: st.DataObject, bins: int
) -> None:
    chosen = data.draw(st.sampled_from((library.many, library.awkward)))
    filters = data.draw(wishes(chosen.awards))
    amounts = [award.centavos for _, award in oracle.matching(chosen.awards, filters)]
    pesos = [str(amount // 100) for amount in amounts]

    benford = integrity.benford(chosen.version, filters)
    firsts = Counter(int(text[0]) for text in pesos if text != "0")
    assert [share.count for share in benford.analysis] == [firsts[digit] for digit in range(1, 10)]

    rounding = integrity.rounding(chosen.version, filters)
    steps, lasts = Counter(map(step, amounts)), Counter(int(text[-1]) for text in pesos)
    assert {each.bucket: each.count for each in rounding.rounding_buckets if each.count} == steps
    assert sum(round(each.total_value * 100) for each in rounding.rounding_buckets) == sum(amounts)
    assert {each.digit: each.count for each in rounding.last_digit_distribution if each.count} == lasts
    assert {each.zeros: each.count for each in rounding.trailing_zeros_distribution} == Counter(map(zeros, pesos))

    spread = integrity.value_distribution(chosen.version, filters, bins)
    low, high = min(amounts, default=0), max(amounts, default=0)
    width = Fraction(high - low, bins) or Fraction(1)
    numbers = Counter(min((amount - low) // width + 1, bins) for amount in amounts)
    assert {number: each.count for number, each in spread.bins.items()} == numbers
    assert sum(round(each.total_value * 100) for each in spread.bins.values()) == sum(amounts)


def test_equal_amounts_are_in_the_first_bin(library: Library, integrity: ContractIntegrity) -> None:
    filters = Filters(value_range=ValueRange(min=999.99, max=999.99))
    spread = integrity.value_distribution(library.awkward.version, filters, 10)
    assert (spread.min_value, spread.max_value, spread.bin_width, list(spread.bins)) == (999.99, 999.99, 0.0, [1])
