"""N-grams of words that follow each other in a title."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.search.grams import MOST_WORDS, GramFinder, common_grams

ALPHABET = "ab1 -_,é\n"
WORDS = {"a", "b", "ab", "1", "é", "a1"}
titles = st.text(alphabet=ALPHABET, max_size=25) | st.lists(
    st.sampled_from(["a", "b", "a1", "1", "x", "a,", "(b"])
).map(" ".join)


def sequences(text: str) -> set[tuple[str, ...]]:
    """All words of WORDS that follow each other with up to three characters between them, and these: at least two."""
    runs = re.findall(r"[^\W_]+|[\W_]+", text)
    return {
        tuple(runs[first:last])
        for first, last in combinations(range(len(runs) + 1), 2)
        if last - first >= 3
        and WORDS.issuperset(runs[first:last:2])
        and re.fullmatch(r"[^\W_]+", runs[last - 1])
        and all(len(between) <= 3 for between in runs[first + 1 : last : 2])
    }


def count(words: tuple[str, ...]) -> int:
    return (len(words) + 1) // 2


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("a b", {"a b"}),
        ("a b a", {"a b", "b a"}),
        ("a  b", {"a  b"}),
        ("a    b", set()),
        ("a\nb", {"a\nb"}),
        ("a, (b", {"a, (b"}),
        ("a ,(b", {"a ,(b"}),
        ("a, ((b", set()),
        ("a - b", {"a - b"}),
        ("x-a b,1 a", {"a b", "b,1", "1 a"}),
        ("(a-b)", {"a-b"}),
        ("a_ b", {"a_ b"}),
        ("a bx b", set()),
        ("", set()),
    ],
)
def test_pair_is_two_of_the_words_with_little_between_them(text: str, pairs: set[str]) -> None:
    assert GramFinder(WORDS)(text) == pairs


def test_longer_one_is_found_where_both_that_are_a_word_shorter_are_common() -> None:
    find = GramFinder(WORDS, {"a b", "b-a", "a b-a"})
    assert find("a b-a") == {"a b", "b-a", "a b-a"}
    # "b-a 1" is not, for "a 1" is not common; nor is "a b-a 1".
    assert find("a b-a 1") == {"a b", "b-a", "a b-a", "a 1"}
    assert find("a b,a b x-a") == {"a b", "b,a"}


@given(st.lists(titles, max_size=4), st.integers(1, 3))
def test_n_grams_are_found_in_one_text_after_another_as_a_pattern_finds_them(texts: list[str], least: int) -> None:
    common = common_grams(texts, WORDS, least)
    find = GramFinder(WORDS, common)
    for text in texts:
        assert find(text) == {
            "".join(words)
            for words in sequences(text)
            if count(words) == 2 or (count(words) <= MOST_WORDS and {"".join(words[2:]), "".join(words[:-2])} <= common)
        }


@given(st.lists(titles, max_size=6), st.integers(1, 3))
def test_common_ones_are_in_so_many_texts(texts: list[str], least: int) -> None:
    counts = Counter(words for text in texts for words in sequences(text) if count(words) < MOST_WORDS)
    assert common_grams(texts, WORDS, least) == {"".join(words) for words, rows in counts.items() if rows >= least}
