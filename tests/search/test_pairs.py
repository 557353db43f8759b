"""Pairs of words that follow each other in a title."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.search.pairs import PairFinder

ALPHABET = "ab1 -_,é\n"
WORDS = {"a", "b", "ab", "1", "é", "a1"}


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("a b", {"a b"}),
        ("a b a", {"a b", "b a"}),
        ("a  b", set()),
        ("a\nb", set()),
        ("a, b", set()),
        ("a (b", set()),
        ("x-a b,1 a", {"a b", "1 a"}),
        ("a_ b", set()),
        ("a bx b", set()),
        ("", set()),
    ],
)
def test_pair_is_two_of_the_words_with_nothing_but_one_blank_between_them(text: str, pairs: set[str]) -> None:
    assert PairFinder(WORDS)(text) == pairs


@given(st.lists(st.text(alphabet=ALPHABET, max_size=25), max_size=4))
def test_pairs_are_found_in_one_text_after_another_as_a_pattern_finds_them(texts: list[str]) -> None:
    find = PairFinder(WORDS)
    for text in texts:
        found = re.findall(r"(?<![^\W_])(?=([^\W_]+) ([^\W_]+))", text)
        assert find(text) == {f"{left} {right}" for left, right in found if {left, right} <= WORDS}
