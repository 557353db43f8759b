"""Conditions: which words of an index can lead to a text, and what they prove."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.search.conditions import GramTest, Keyword, NameTest, WordTest, conditions_of
from chalicelib.search.filters import Filters, TimeRange
from chalicelib.search.phrases import phrase

ALPHABET = "abAß1 -_%\\²é"


@pytest.mark.parametrize(
    ("part", "words", "texts"),
    [
        ("Road", ["%road%"], []),
        ("flood control", ["%flood", "control%"], ["%flood control%"]),
        ("of flood-control for", ["%of", "flood", "control", "for%"], ["%of flood-control for%"]),
        ("road,", ["%road"], ["%road,%"]),
        (".road", ["road%"], ["%.road%"]),
        ("(road)", ["road"], ["%(road)%"]),
        ("100%", ["%100"], ["%100\\%%"]),
        ("a_b\\c", ["%a", "b", "c%"], ["%a\\_b\\\\c%"]),
        ("...", [], ["%...%"]),
    ],
)
def test_run_at_an_end_of_a_text_may_be_part_of_a_word(part: str, words: list[str], texts: list[str]) -> None:
    (keyword,) = conditions_of(Filters(keywords=(part,))).keywords
    assert [test.word for test in keyword.words] == words
    assert list(keyword.texts) == texts


def test_all_parts_of_an_item_are_of_one_keyword() -> None:
    assert conditions_of(Filters(keywords=("b && a!",))).keywords == (
        Keyword((WordTest("%a", "%a!%"), WordTest("%b%", "%b%")), ("%a!%",)),
    )


def extended(item: str) -> Keyword:
    (keyword,) = conditions_of(Filters(keywords=(item,), syntax="extended")).keywords
    return keyword


def test_words_of_a_phrase_are_whole_and_one_of_them_needs_no_look_into_titles() -> None:
    assert extended('"Road"') == Keyword((WordTest("road", "%road%"),), ())


def test_phrase_of_two_words_is_what_their_pair_proves() -> None:
    text, whole = "%flood control%", phrase("flood control")
    assert extended('"flood control"') == Keyword(
        words=(WordTest("flood", text), WordTest("control", text)),
        texts=(text,),
        grams=(GramTest(("flood", " ", "control"), text, whole),),
        phrases=(whole,),
    )


def test_phrase_with_more_than_words_has_to_be_looked_for() -> None:
    keyword = extended('", road_"')
    assert keyword == Keyword((WordTest("road", "%, road\\_%"),), ("%, road\\_%",), phrases=(phrase(", road_"),))


def test_what_is_left_out_is_looked_for_as_if_it_were_wanted() -> None:
    assert extended('b && -a && -"c"') == Keyword(
        words=(WordTest("%b%", "%b%"),),
        texts=(),
        unwanted=(Keyword((WordTest("%a%", "%a%"),), ()), Keyword((WordTest("c", "%c%"),), ())),
    )


def test_alternatives_of_names_are_patterns_and_regular_expressions() -> None:
    filters = Filters(areas=('"ab" && c || d && -e && -"f" && -"g_"',), syntax="extended")
    assert conditions_of(filters).names == {
        "area": (
            NameTest(("%ab%", "%c%"), (phrase("ab"),)),
            NameTest(("%d%",), unwanted_texts=("%e%",), unwanted_phrases=(phrase("f", "g_"),)),
        )
    }


@pytest.mark.parametrize(
    ("item", "run"),
    [("Road", "road"), ('"road"', None), ("road && -a", None), ("road || a", None), ("road,", None), ("a && b", None)],
)
def test_run_of_letters_is_all_that_is_asked_only_where_it_may_stand_anywhere(item: str, run: str | None) -> None:
    assert conditions_of(Filters(keywords=(item,), syntax="extended")).only_run == run


def like(text: str, pattern: str) -> bool:
    """What LIKE says, by a regular expression."""
    kinds = re.sub(r"\\(.)|(%)|(.)", lambda m: ".*" if m[2] else re.escape(m[1] or m[3]), pattern, flags=re.DOTALL)
    return re.fullmatch(kinds, text, flags=re.DOTALL) is not None


@given(st.text(alphabet=ALPHABET, max_size=12), st.text(alphabet=ALPHABET, min_size=1, max_size=4))
def test_words_and_texts_find_a_title_just_where_the_part_stands_in_it(title: str, part: str) -> None:
    folded = title.lower()
    words = re.findall(r"[^\W_]+", folded)
    for keyword in conditions_of(Filters(keywords=(part.replace("&", ""),))).keywords:
        by_words = all(any(like(word, test.word) for word in words) for test in keyword.words)
        is_found = by_words and all(like(folded, pattern) for pattern in keyword.texts)
        assert is_found == (part.strip().lower() in folded)
        assert all(like(folded, test.text) for test in keyword.words) or not is_found


@pytest.mark.parametrize(
    ("times", "years"),
    [
        ((), ()),
        ((TimeRange(type="yearly", year=2024), TimeRange(type="yearly", year=2021)), (2021, 2024)),
        (tuple(TimeRange(type="quarterly", year=2024, quarter=each) for each in (4, 2, 1, 3)), (2024,)),
        ((TimeRange(type="quarterly", year=2024, quarter=1),), None),
    ],
)
def test_whole_years_are_known_however_they_are_asked_for(
    times: tuple[TimeRange, ...], years: tuple[int, ...] | None
) -> None:
    assert conditions_of(Filters(time_ranges=times)).years == years
