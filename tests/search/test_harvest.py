"""Cursors of a harvest."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidRequest
from chalicelib.search.filters import Filters, TimeRange
from chalicelib.search.harvest import Cursor, HarvestRequest, fingerprint, read_cursor, write_cursor

ROADS = HarvestRequest(keywords=("road",))
NUMBERS = st.integers(0, 2_000_000_000)


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@given(st.integers(1, 2**31 - 1), NUMBERS, NUMBERS)
def test_cursor_is_read_as_it_was_written(version: int, after: int, total: int) -> None:
    cursor = Cursor(version, after, total, fingerprint(ROADS))
    text = write_cursor(cursor)
    assert re.fullmatch(r"[\w-]{1,200}", text, re.ASCII)
    assert read_cursor(HarvestRequest(keywords=("road",), cursor=text)) == cursor


def test_first_page_has_no_cursor() -> None:
    assert read_cursor(ROADS) is None


def test_same_filters_in_other_words_are_the_same() -> None:
    other = Filters(keywords=(" ROAD ", "road"), areas=("",))
    assert fingerprint(other) == fingerprint(ROADS)
    year = Filters(time_ranges=(TimeRange(type="yearly", year=2022),))
    assert fingerprint(year) != fingerprint(ROADS)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "é",
        "!!!!",
        encoded("{}"),
        encoded("[1,2,3]"),
        encoded('[0,1,1,"f"]'),
        encoded('[1,-1,1,"f"]'),
        encoded('[1,2000000001,1,"f"]'),
        encoded('[1,1,1,"f",1]'),
        encoded('[1,"1; DROP",1,"f"]'),
    ],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_cursor(HarvestRequest(cursor=text))
    assert [(e.pointer, e.detail) for e in refused.value.errors] == [
        ("/cursor", f"must be the next_cursor of a page, got {text[:40]!r}")
    ]


def test_cursor_of_other_filters_is_refused() -> None:
    cursor = write_cursor(Cursor(1, 5, 9, fingerprint(ROADS)))
    with pytest.raises(InvalidRequest, match="belongs to other filters"):
        read_cursor(HarvestRequest(keywords=("bridge",), cursor=cursor))
