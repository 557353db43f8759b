"""Items: what they ask for, what is refused, and that what is written of them reads the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.search.phrases import places
from chalicelib.search.syntax import Alternative, Item, Part, Syntax, read_item, write_alternative
from tests.db.contracts.item_oracle import Refused, asked, has_any

SYNTAXES: tuple[Syntax, ...] = ("plain", "extended")
QUOTE = '"'
items = st.lists(
    st.one_of(st.sampled_from((QUOTE, '""', "-", "&&", "||", " ", '"-', "|", "&")), st.text("aB\tß_,İ", max_size=2)),
    max_size=12,
).map("".join)


def phrase(text: str) -> Part:
    return Part(text, is_phrase=True)


@pytest.mark.parametrize("text", ['"road" || -x && "', "- a", "a || b", "-a"])
def test_plain_item_has_no_sign_but_that_for_all(text: str) -> None:
    wanted = tuple(sorted(Part(part.strip()) for part in text.split("&&")))
    assert read_item(text, "plain") == Item((Alternative(wanted),))


@pytest.mark.parametrize(
    ("text", "alternatives"),
    [
        ("Road", [Alternative((Part("road"),))]),
        ("b && a||C", [Alternative((Part("a"), Part("b"))), Alternative((Part("c"),))]),
        ("a && -B && - c && -", [Alternative((Part("-"), Part("- c"), Part("a")), (Part("b"),))]),
        ("a&&--b", [Alternative((Part("a"),), (Part("-b"),))]),
        ("flood-control", [Alternative((Part("flood-control"),))]),
        ('"Road  Repair" && -"of, "', [Alternative((phrase("road  repair"),), (phrase("of, "),))]),
        ('"a && -b || c"', [Alternative((phrase("a && -b || c"),))]),
        ('"""as is"""', [Alternative((phrase('"as is"'),))]),
        ('"a""b"', [Alternative((phrase('a"b'),))]),
        ('a && "a" && a', [Alternative((Part("a"), phrase("a")))]),
        ("a||", [Alternative((Part("a"),))]),
        ('-"" || a && ""', [Alternative((Part("a"),))]),
        ("a|||b", [Alternative((Part("a"),)), Alternative((Part("|b"),))]),
        ('" "', [Alternative((phrase(" "),))]),
        ('""', []),
        (" || && ", []),
    ],
)
def test_extended_item_is_alternatives(text: str, alternatives: list[Alternative]) -> None:
    assert read_item(text, "extended") == Item(tuple(alternatives))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("-road", "must look for something besides what it leaves out, got '-road'"),
        ("a || -b && -c", "must look for something besides what it leaves out, got 'a || -b && -c'"),
        ('-"a"', "must look for something besides what it leaves out, got '-\"a\"'"),
        ('12" pipe', 'must close each " (one that is meant itself is written "" within quotes), got \'12" pipe\''),
        ('"a"b', "must have && or || between a text in quotes and what is beside it, got '\"a\"b'"),
        ('"a" "b"', 'must have && or || between a text in quotes and what is beside it, got \'"a" "b"\''),
        ('- "a"', "must have && or || between a text in quotes and what is beside it, got '- \"a\"'"),
        ("-" + "x" * 60, f"must look for something besides what it leaves out, got '-{'x' * 59}...'"),
    ],
)
def test_item_that_does_not_say_what_is_meant_is_refused(text: str, fault: str) -> None:
    assert read_item(text, "extended") == Item(fault=fault)


@given(items)
def test_item_is_refused_just_where_reading_it_by_character_refuses_it(text: str) -> None:
    try:
        alternatives = asked(text, "extended")
    except Refused:
        assert read_item(text, "extended").fault
    else:
        assert read_item(text, "extended").fault is None
        assert bool(read_item(text, "extended").alternatives) == bool(alternatives)


@given(items.filter(lambda text: read_item(text, "extended").fault is None), st.text('aB\t-&|"_, ßİ', max_size=9))
def test_item_finds_what_reading_it_by_character_finds(text: str, title: str) -> None:
    folded, alternatives = title.lower(), read_item(text, "extended").alternatives
    is_found = any(
        all(any(True for _ in places(folded, part)) for part in each.wanted)
        and not any(any(True for _ in places(folded, part)) for part in each.unwanted)
        for each in alternatives
    )
    assert (is_found or not alternatives) == has_any(title, [text], "extended")


@given(items, st.sampled_from(SYNTAXES))
def test_what_is_written_of_an_alternative_reads_the_same(text: str, syntax: Syntax) -> None:
    for alternative in read_item(text, syntax).alternatives:
        assert read_item(write_alternative(alternative, syntax), syntax) == Item((alternative,))


@given(st.text("aB _,'%\\&|", max_size=12).filter(lambda text: "||" not in text))
def test_item_without_signs_of_its_own_is_read_as_a_plain_one(text: str) -> None:
    assert read_item(text, "extended") == read_item(text, "plain")


@pytest.mark.parametrize(
    ("text", "part", "found"),
    [
        ("aaaa", Part("aa"), [0, 1, 2]),
        ("aa aa aab", phrase("aa"), [0, 3]),
        ("road, broad road", phrase("road"), [0, 12]),
        ("x_a_x", phrase("a"), [2]),
        ("a a a", phrase("a a"), [0, 2]),
        ("xa a a", phrase("a a"), [3]),
        ("road-", phrase("road-"), [0]),
        ("road-x", phrase("road-"), []),
        ("über", phrase("ber"), []),
    ],
)
def test_phrase_stands_where_no_letter_or_digit_is_beside_it(text: str, part: Part, found: list[int]) -> None:
    assert list(places(text, part)) == found
