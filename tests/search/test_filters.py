"""Filters: what is refused, and when two ask for the same."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import FieldError
from chalicelib.search.filters import Centavos, Days, Filters, alternatives_of, canonical, centavos_of, check, days_of
from chalicelib.search.syntax import Alternative, Part


def read(**said: Any) -> Filters:  # any JSON
    return msgspec.convert(said, Filters)


def test_blanks_and_empty_parts_ask_for_nothing() -> None:
    filters = read(contractors=["", "  ", "&&", " && "], time_ranges=[], value_range={}, include_flood_control=True)
    assert check(filters) == []
    assert canonical(filters) == {}


def test_item_is_parts_that_must_all_be_there() -> None:
    assert alternatives_of(read(areas=["Public Works && dist", " DPWH&&deo && "]), "areas") == (
        Alternative((Part("deo"), Part("dpwh"))),
        Alternative((Part("dist"), Part("public works"))),
    )


def test_extended_question_written_otherwise_is_the_same() -> None:
    one = read(keywords=['Road && -"Broad  St" || lot', "b"], areas=["-x && y"], syntax="extended")
    other = read(
        keywords=["B || LOT||b", ' -"broad  st" &&road&&  -"BROAD  ST"&& ROAD', '""'],
        areas=["y && -X || y &&-x"],
        contractors=[" || "],
        syntax="extended",
    )
    assert canonical(one) == canonical(other)
    assert canonical(one) == {
        "areas": ["y && -x"],
        "keywords": ["b", "lot", 'road && -"broad  st"'],
        "syntax": "extended",
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"keywords": ['"road"'], "syntax": "extended"}, {"keywords": ['"road"']}),
        ({"keywords": ['"road"'], "syntax": "extended"}, {"keywords": ["road"], "syntax": "extended"}),
        ({"keywords": ['"a b"'], "syntax": "extended"}, {"keywords": ['"a  b"'], "syntax": "extended"}),
        ({"keywords": ["a && -b"], "syntax": "extended"}, {"keywords": ["a && b"], "syntax": "extended"}),
        ({"keywords": ["a || b"], "syntax": "extended"}, {"keywords": ["a && b"], "syntax": "extended"}),
        ({"keywords": ["a || b"]}, {"keywords": ["a", "b"]}),
    ],
)
def test_questions_that_differ_are_told_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert canonical(read(**one)) != canonical(read(**other))


def test_syntax_says_nothing_where_there_is_no_text() -> None:
    times = [{"type": "yearly", "year": 2023}]
    assert canonical(read(time_ranges=times, keywords=['""'], syntax="extended")) == canonical(read(time_ranges=times))


@given(st.lists(st.text(alphabet='aB &|"-İ', max_size=9), max_size=4))
def test_canonical_extended_filters_are_their_own_canonical_form(texts: list[str]) -> None:
    once = canonical(Filters(keywords=tuple(texts), syntax="extended"))
    again = msgspec.convert(once, Filters)
    assert check(again) == []
    assert canonical(again) == once


def test_same_question_written_otherwise_is_the_same() -> None:
    one = read(
        organizations=["dpwh && deo", "lgu"],
        keywords=["Road "],
        time_ranges=[{"type": "yearly", "year": 2023}, {"type": "quarterly", "year": 2024, "quarter": 1}],
        value_range={"min": 0, "max": 1000},
    )
    other = read(
        organizations=["LGU", " DEO&&DPWH", "deo && dpwh && deo"],
        keywords=["road", "ROAD"],
        areas=[" "],
        time_ranges=[
            {"type": "custom", "startDate": "2023-07-01", "endDate": "2024-03-31"},
            {"type": "custom", "startDate": "2023-01-01", "endDate": "2023-08-01"},
        ],
        value_range={"max": 1000.0},
        include_flood_control=True,
    )
    assert canonical(one) == canonical(other)
    assert canonical(one) == {
        "organizations": ["deo && dpwh", "lgu"],
        "keywords": ["road"],
        "time_ranges": [{"type": "custom", "startDate": "2023-01-01", "endDate": "2024-03-31"}],
        "value_range": {"max": 1000.0},
    }


@given(st.lists(st.text(alphabet="aB &%İßΣ", max_size=9), max_size=4))
def test_canonical_filters_are_their_own_canonical_form(texts: list[str]) -> None:
    once = canonical(Filters(keywords=tuple(texts)))
    assert canonical(msgspec.convert(once, Filters)) == once


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ({"type": "yearly", "year": 2024}, date(2024, 1, 1), date(2024, 12, 31)),
        ({"type": "quarterly", "year": 2023, "quarter": 1}, date(2023, 1, 1), date(2023, 3, 31)),
        ({"type": "quarterly", "year": 2023, "quarter": 2}, date(2023, 4, 1), date(2023, 6, 30)),
        ({"type": "quarterly", "year": 2023, "quarter": 4}, date(2023, 10, 1), date(2023, 12, 31)),
        ({"type": "custom", "startDate": "2024-02-29", "endDate": "9999-12-31"}, date(2024, 2, 29), date.max),
    ],
)
def test_time_range_is_days_of_which_both_ends_are_included(wanted: dict[str, Any], first: date, last: date) -> None:
    filters = read(time_ranges=[wanted])
    assert check(filters) == []
    assert days_of(filters) == (Days(first, last),)


@pytest.mark.parametrize(
    ("bounds", "low", "high"),
    [
        ({"min": 4e6, "max": 6e6}, 400_000_000, 600_000_000),
        ({"min": 0.29, "max": 0.29}, 29, 29),
        ({"min": 10.001, "max": 10.009}, 1001, 1000),
        ({"min": 0}, None, None),
        ({"max": 0}, None, 0),
    ],
)
def test_bounds_in_pesos_are_the_nearest_centavos_within(
    bounds: dict[str, float], low: int | None, high: int | None
) -> None:
    assert centavos_of(read(value_range=bounds)) == Centavos(low, high)


@pytest.mark.parametrize(
    ("said", "errors"),
    [
        ({"time_ranges": [{"type": "yearly"}]}, [("/time_ranges/0/year", "is required for yearly")]),
        (
            {"time_ranges": [{"type": "quarterly"}]},
            [
                ("/time_ranges/0/year", "is required for quarterly"),
                ("/time_ranges/0/quarter", "is required for quarterly"),
            ],
        ),
        (
            {"time_ranges": [{"type": "yearly", "year": 2024}, {"type": "custom", "endDate": "2024-02-30"}]},
            [
                ("/time_ranges/1/startDate", "is required for custom"),
                ("/time_ranges/1/endDate", "must be a day like 2024-12-31, got '2024-02-30'"),
            ],
        ),
        (
            {"time_ranges": [{"type": "custom", "startDate": "2024-01-02", "endDate": "2024-01-01"}]},
            [("/time_ranges/0/endDate", "must not be before startDate (2024-01-02), got 2024-01-01")],
        ),
        ({"value_range": {"min": 2, "max": 1}}, [("/value_range/max", "must be at least min (2.0), got 1.0")]),
        ({"keywords": ["a", "b\0"]}, [("/keywords/1", "must not contain U+0000 or half of a surrogate pair")]),
        (
            {"organizations": ["&&".join(f"{number}" for number in range(60))] * 2},
            [("/organizations", "must have at most 100 texts, those joined by && counted each, got 120")],
        ),
        (
            {"organizations": ["||".join(f"a&&-{number}" for number in range(60))] * 2, "syntax": "extended"},
            [("/organizations", "must have at most 100 texts, those joined by && or || counted each, got 240")],
        ),
        (
            {"areas": ["a", "-b"], "keywords": ['the "road'], "contractors": ['"a" b'], "syntax": "extended"},
            [
                ("/contractors/0", "must have && or || between a text in quotes and what is beside it, got '\"a\" b'"),
                ("/areas/1", "must look for something besides what it leaves out, got '-b'"),
                (
                    "/keywords/0",
                    'must close each " (one that is meant itself is written "" within quotes), got \'the "road\'',
                ),
            ],
        ),
        ({"areas": ["a", "-b"], "keywords": ['the "road'], "contractors": ['"a" b']}, []),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_stands(said: dict[str, Any], errors: list[tuple[str, str]]) -> None:
    assert check(read(**said)) == [FieldError(*error) for error in errors]


@pytest.mark.parametrize(
    "said",
    [
        {"time_ranges": [{"type": "all_time"}]},
        {"time_ranges": [{"type": "yearly", "year": 1899}]},
        {"time_ranges": [{"type": "yearly", "year": "2024' OR 1=1"}]},
        {"time_ranges": [{"type": "quarterly", "year": 2024, "quarter": 5}]},
        {"value_range": {"min": "1; DROP TABLE fact"}},
        {"value_range": {"min": -1}},
        {"contractors": ["x" * 501]},
        {"areas": ["x" * 201]},
        {"keywords": ["x" * 101]},
        {"keywords": ["x"] * 51},
        {"keywords": "road"},
        {"syntax": "regex"},
    ],
)
def test_what_is_of_no_such_kind_is_refused_by_the_schema(said: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(**said)
