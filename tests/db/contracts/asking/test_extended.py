"""Phrases, alternatives and what is left out: rows and sums as looking at every row finds them."""

from __future__ import annotations

import re
from contextlib import closing

import psycopg2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from chalicelib.db.contracts.facets import ContractFacets
from chalicelib.db.contracts.harvest import ContractHarvest
from chalicelib.db.contracts.search import ContractSearch
from chalicelib.search.facets import FacetRequest
from chalicelib.search.filters import Filters, check
from chalicelib.search.harvest import HarvestRequest
from chalicelib.search.paging import Order, Page
from chalicelib.search.phrases import phrase
from tests.db.contracts import name_oracle, oracle
from tests.db.contracts.asking.conftest import Library
from tests.db.contracts.asking.wishes import dimensions, extended_wishes, group_orders, orders, pages

ALL = Page(1, 1_000)
NEWEST = Order()
# Letters that fold, that are none, of more than one byte, and what regular expressions read.
ODD = "aZ1_ß²①éΣ\u0307\u0130\u01c5\u2160ñŧअ中\U0001d400\U0001f600 \n\t-^$.*+?()[]{}|\\\"&'%#:!"
odd_texts = st.text(st.one_of(st.sampled_from(ODD), st.characters(exclude_characters="\0", exclude_categories=["Cs"])))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_page_is_what_looking_at_every_row_finds(library: Library, search: ContractSearch, data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from((library.many, library.awkward)))
    filters, part, order = data.draw(extended_wishes(chosen.awards)), data.draw(pages), data.draw(orders)
    assert check(filters) == []
    assert search.page(chosen.version, filters, part, order) == oracle.page(chosen.awards, filters, part, order)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_sums_are_what_looking_at_every_row_finds(
    library: Library, search: ContractSearch, data: st.DataObject
) -> None:
    chosen = data.draw(st.sampled_from((library.many, library.awkward)))
    filters, most = data.draw(extended_wishes(chosen.awards)), data.draw(st.integers(1, 30))
    assert search.series(chosen.version, filters, most) == oracle.series(chosen.awards, filters, most)
    asked = (filters, data.draw(dimensions), data.draw(pages), data.draw(group_orders))
    assert search.table(chosen.version, *asked) == oracle.table(chosen.awards, *asked)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_facets_and_harvest_are_what_looking_at_every_row_finds(library: Library, data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from((library.many, library.awkward)))
    filters = data.draw(extended_wishes(chosen.awards))
    said = structs.asdict(filters)
    facets = ContractFacets(library.database).facets(chosen.version, FacetRequest(**said, size=30))
    shown = {
        kind: [(each.value, each.count, round(each.total_value * 100), each.selected) for each in values]
        for kind, values in structs.asdict(facets).items()
    }
    assert shown == name_oracle.facets(chosen.awards, filters, 30)
    harvested = ContractHarvest(library.database).first(chosen.version, HarvestRequest(**said, page_size=1_000))
    rows, total = oracle.page(chosen.awards, filters, ALL, NEWEST)
    assert (list(harvested.data), harvested.total_count) == (rows, total)


def found(library: Library, search: ContractSearch, **said: tuple[str, ...]) -> list[str]:
    """The titles of the awkward awards that fit, each once, in alphabetical order."""
    filters = Filters(syntax="extended", **said)  # type: ignore[arg-type]
    assert check(filters) == []
    rows, total = search.page(library.awkward.version, filters, ALL, NEWEST)
    assert len(rows) == total
    return sorted({row.award_title or "" for row in rows})


@pytest.mark.parametrize(
    ("keyword", "titles"),
    [
        ('"ROAD"', ["ROAD REPAIR 100% COMPLETE", "Road repair 100 percent complete", "РОАD RЕРАIR"]),
        ('"road_repair"', ["Road repair 100 percent complete"]),
        ('"road repair" && -complete', ["РОАD RЕРАIR"]),
        ('"road repair" && -"complete road_repair"', ["ROAD REPAIR 100% COMPLETE", "РОАD RЕРАIR"]),
        ('"repair 100"', ["ROAD REPAIR 100% COMPLETE", "Road repair 100 percent complete"]),
        ('"100%"', ["ROAD REPAIR 100% COMPLETE"]),
        ('"100% "', []),
        ('"% "', []),
        ('"word"', ["word"]),
        ('word && -"sword"', []),
        ('word && -"swor"', ["word"]),
        ('"words" || "sword" || "..."', ["...", "word"]),
        ('"..."', ["..."]),
        ('"""as is"""', ['O\'BRIEN ST. "AS IS"']),
        ('"st. ""AS"', ['O\'BRIEN ST. "AS IS"']),
        ('"brien"', ['O\'BRIEN ST. "AS IS"']),
        ('"x&&y"', ["NIÑO x&&y"]),
        # The tilde of one of them is a character of its own, and no letter.
        ('"nin"', ["NIÑO x&&y"]),
        ('"nin\u0303o"', ["NIÑO x&&y"]),
        ('"n\u0303o"', []),
        ('"flood control"', ["Flood control; DROP TABLE fact; --", "flood  control, phase ii\nflood control"]),
        ('"flood control" && -table', ["flood  control, phase ii\nflood control"]),
        ('"flood  control, phase ii\nflood"', ["flood  control, phase ii\nflood control"]),
        ('"flood  control, phase i"', []),
        ('flood && -"-"', ["flood  control, phase ii\nflood control"]),
        ('"²³"', ["NULL and void"]),
        ('"²"', []),
        ('"istanbul"', []),
        ('"i\u0307stanbul"', ["STRASSE"]),
        ('"a\\b"', ["A\\B switch"]),
        ('"a\\\\b" && -"(a|b)"', ["A\\B switch"]),
    ],
)
def test_keyword_means_what_it_says(library: Library, search: ContractSearch, keyword: str, titles: list[str]) -> None:
    assert found(library, search, keywords=(keyword,)) == titles


def names(library: Library, search: ContractSearch, item: str) -> list[str | None]:
    filters = Filters(areas=(item,), syntax="extended")
    rows, _ = search.page(library.awkward.version, filters, ALL, NEWEST)
    return sorted({row.area_of_delivery for row in rows}, key=str)


@pytest.mark.parametrize(
    ("item", "areas"),
    [
        ('"manila"', ["Manila, Metro", "Metro Manila", "metro manila"]),
        ('"manil"', []),
        ('manil && -"manila, metro"', ["Metro Manila", "metro manila"]),
        # There is a letter right before it.
        ('manil && -", metro"', ["Manila, Metro", "Metro Manila", "metro manila"]),
        ('manila && -","', ["Manila, Metro", "Metro Manila", "metro manila"]),
        ("manila && -,", ["Metro Manila", "metro manila"]),
        ('"metro manila" || "abra"', ["Abra", "Metro Manila", "metro manila"]),
        ('m && -"Manila, metro" && -"x" || abr && -"abr"', ["Abra", "Metro Manila", "metro manila"]),
        # An award without an area is in no filter of areas, whatever is left out.
        ("a && -zzz", ["Abra", "Manila, Metro", "Metro Manila", "metro manila"]),
    ],
)
def test_name_means_what_it_says(library: Library, search: ContractSearch, item: str, areas: list[str | None]) -> None:
    assert names(library, search, item) == areas


def test_many_phrases_of_names_at_once_are_found(library: Library, search: ContractSearch) -> None:
    words = sorted({word for award in library.many.awards for word in re.findall(r"[a-z]+", award.contractor.lower())})
    phrases = tuple(f'"{word}"' for word in words[:40])
    filters = Filters(
        contractors=phrases, organizations=("a" + "".join(f" && -{each}" for each in phrases),), syntax="extended"
    )
    chosen = library.many
    expected = oracle.page(chosen.awards, filters, ALL, NEWEST)
    assert expected[1] > 0
    assert search.page(chosen.version, filters, ALL, NEWEST) == expected


@settings(max_examples=500, deadline=None)
@given(text=odd_texts, wanted=odd_texts.filter(bool), ends=st.tuples(st.sampled_from(ODD), st.sampled_from(ODD)))
def test_postgres_finds_a_phrase_just_where_python_sees_whole_words(
    library: Library, text: str, wanted: str, ends: tuple[str, str]
) -> None:
    titles = [text, wanted, text + wanted, text + ends[0] + wanted + ends[1], f"{wanted} {ends[0]}{wanted}{wanted}"]
    is_there = re.compile(rf"(?<![^\W_]){re.escape(wanted)}(?![^\W_])").search
    expected = [bool(is_there(title)) for title in titles]
    with closing(psycopg2.connect(library.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT title ~ %s, title ~ %s FROM unnest(%s::text[]) WITH ORDINALITY AS t (title, place) ORDER BY place",
            (phrase(wanted), phrase("no such text", wanted), titles),
        )
        assert cursor.fetchall() == [(each, each) for each in expected]


def test_every_character_is_a_letter_to_postgres_where_it_is_one_to_python(library: Library) -> None:
    places = [place for place in range(1, 0x110000) if not 0xD800 <= place < 0xE000]
    with closing(psycopg2.connect(library.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT place FROM unnest(%s::integer[]) AS place WHERE NOT chr(place) || 'x' ~ %s ORDER BY place",
            (places, phrase("x")),
        )
        letters = [place for (place,) in cursor.fetchall()]
    assert letters == [place for place in places if chr(place).isalnum()]
