"""Where what was looked for stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.search.filters import Filters
from chalicelib.search.highlight import highlight
from chalicelib.search.result import Contract, Matches


def award(
    title: str | None = None, notice: str | None = None, supplier: str = "Acme", area: str | None = None
) -> Contract:
    return Contract(
        id=1,
        reference_id=None,
        contract_no=None,
        award_title=title,
        notice_title=notice,
        award_date=None,
        awardee_name=supplier,
        organization_name=None,
        area_of_delivery=area,
        business_category=None,
        contract_amount=1,
        award_amount=1,
    )


def marked(contract: Contract, **filters: tuple[str, ...]) -> dict[str, list[str]]:
    """The texts at the places that are told."""
    matches = highlight(contract, Filters(**filters)).matches  # type: ignore[arg-type]
    assert isinstance(matches, dict)
    return {field: [getattr(contract, field)[low:high] for low, high in ranges] for field, ranges in matches.items()}


def test_keyword_is_marked_in_both_titles_in_any_case() -> None:
    assert marked(award("Repair of ROAD", "broad road"), keywords=("Road",)) == {
        "award_title": ["ROAD"],
        "notice_title": ["road", "road"],
    }


def test_text_over_the_end_of_one_title_is_marked_in_both() -> None:
    assert marked(award("flood control", "wall"), keywords=("control wall",)) == {
        "award_title": ["control"],
        "notice_title": ["wall"],
    }


def test_item_of_which_a_part_is_missing_is_no_reason() -> None:
    contract = award("road and bridge", None)
    assert marked(contract, keywords=("road && tunnel", "bridge")) == {"award_title": ["bridge"]}


def test_places_that_overlap_or_touch_are_one() -> None:
    assert marked(award("aaaa bc"), keywords=("aa", "b && c")) == {"award_title": ["aaaa", "bc"]}


def test_names_are_marked_in_their_own_fields() -> None:
    contract = award("Acme road", supplier="ACME Builders", area="Acme Town")
    assert marked(contract, contractors=("acme",), areas=("town",)) == {
        "awardee_name": ["ACME"],
        "area_of_delivery": ["Town"],
    }


def test_letters_that_fold_to_two_are_marked_whole() -> None:
    assert marked(award("İstanbul road"), keywords=("stanbul",)) == {"award_title": ["stanbul"]}
    assert marked(award("İİx"), keywords=("\u0307x",)) == {"award_title": ["İx"]}


def marked_extended(contract: Contract, keyword: str) -> dict[str, list[str]]:
    matches = highlight(contract, Filters(keywords=(keyword,), syntax="extended")).matches
    assert isinstance(matches, dict)
    return {field: [getattr(contract, field)[low:high] for low, high in ranges] for field, ranges in matches.items()}


@pytest.mark.parametrize(
    ("keyword", "marks"),
    [
        ('"road"', ["ROAD", "Road"]),
        ('"road" && "repair"', []),
        ('"road" && of || "works"', ["works"]),
        ("road && -broad", []),
        ('road && -"oad"', ["road", "ROAD", "Road"]),
        ("road && -bridge || works && -lane", ["road", "ROAD", "works", "Road"]),
        ('"ROAD, works" || -x && "broad"', ["broad", "ROAD, works"]),
    ],
)
def test_wanted_parts_of_alternatives_that_hold_are_marked(keyword: str, marks: list[str]) -> None:
    contract = award("broad ROAD, works", "Road")
    found = marked_extended(contract, keyword)
    assert [*found.get("award_title", []), *found.get("notice_title", [])] == marks


def test_award_without_filters_has_no_places() -> None:
    assert highlight(award("road"), Filters()).matches == {}


@pytest.mark.parametrize("title", ["", None])
def test_missing_title_is_no_place(title: str | None) -> None:
    assert marked(award(title, "road"), keywords=("road",)) == {"notice_title": ["road"]}


@given(
    title=st.text("abİß Σ", max_size=20),
    notice=st.text("abİß Σ", max_size=20),
    keyword=st.text("abß", min_size=1, max_size=3),
)
def test_every_place_says_what_was_looked_for(title: str, notice: str, keyword: str) -> None:
    contract = award(title, notice)
    matches = highlight(contract, Filters(keywords=(keyword,))).matches
    assert isinstance(matches, dict)
    is_found = keyword.strip().lower() in f"{title} {notice}".lower()
    assert bool(matches) == is_found
    for field, ranges in matches.items():
        check(getattr(contract, field), ranges, keyword)


def check(text: str, ranges: Matches | object, keyword: str) -> None:
    assert isinstance(ranges, tuple)
    ends = [place for each in ranges for place in each]
    assert ends == sorted(ends)
    assert all(0 <= low < high <= len(text) for low, high in ranges)
    assert all(keyword.lower() in text[low:high].lower() for low, high in ranges)
