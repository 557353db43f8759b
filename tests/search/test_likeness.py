"""Names that read alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.search.likeness import likeness


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ACME BUILDERS", "Acme Builders"),
        ("ACME BUILDERS", "ACME  BUILDERS"),
        ("ACME BUILDERS", "Acme-Builders"),
        ("ACME BUILDERS", "A.C.M.E. Builders"),
        ("ACME BUILDERS", "АСМЕ BUILDERS"),
        ("ACME BUILDERS", "αcme builders"),
        ("ACME BUILDERS", "ACME Builders, Inc."),
        ("ACME BUILDERS CORP", "ACME BUILDERS Co., Ltd."),
        ("NIÑO", "NIN\u0303O"),
        ("NIÑO", "nino"),
        ("GOODS & SERVICES", "Goods and Services"),
        ("PROVINCE OF ABRA", "РROVINCE OF ABRA"),
        ("STRASSE", "Straße"),
        ("Ｗｉｄｅ", "wide"),
        ("İlk", "ilk"),
        ("Ødegård", "odegard"),
    ],
)
def test_spelling_that_is_often_written_in_two_ways_is_left_out(one: str, other: str) -> None:
    assert likeness(one) == likeness(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ACME BUILDERS", "ACME BUILDER"),
        ("ACME 1", "ACME 2"),
        ("INCA TRADING", "TRADING"),
        ("Inc. Trading", "Trading"),
        ("Inc.", "Corp."),
        ("...", "!?"),
        ("...", ". . ."),
        ("山田", "山本"),
    ],
)
def test_names_that_differ_in_a_letter_or_digit_are_told_apart(one: str, other: str) -> None:
    assert likeness(one) != likeness(other)


@given(st.text(min_size=1))
def test_case_and_blanks_never_matter_and_something_is_always_left(name: str) -> None:
    assert likeness(name)
    if likeness(name) != name:
        assert likeness(f"  {name}  ") == likeness(name)
