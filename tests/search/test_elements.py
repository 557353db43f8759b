"""Where the elements of a JSON document end: against a parser that reads it whole, however it is written."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidRequest
from chalicelib.search.elements import Elements, is_whole

NAMES = ("releases", "records")
# What a scanner of brackets and quotes stumbles over.
TEXTS = st.text(alphabet='a"\\{}[],: \n\té\U0001f6a7', max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
BLANKS = st.text(alphabet=" \t\r\n", max_size=3)


class Trickling(io.BytesIO):
    """A file that hands out little at a time."""

    def __init__(self, content: bytes, step: int) -> None:
        super().__init__(content)
        self._step = step

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._step if size is None or size < 0 else min(size, self._step))


@st.composite
def documents(draw: st.DrawFn) -> tuple[bytes, list[Any]]:
    """A document with blanks anywhere and any escapes, and its elements."""
    members = draw(st.lists(st.tuples(TEXTS | st.sampled_from(NAMES), VALUES), max_size=5))
    is_ascii = draw(st.booleans())

    def write(value: Any) -> str:
        before, behind = draw(BLANKS), draw(BLANKS)
        if isinstance(value, list):
            return f"{before}[{','.join(map(write, value)) or draw(BLANKS)}]{behind}"
        if isinstance(value, dict):
            pairs = (f"{draw(BLANKS)}{json.dumps(name)}{draw(BLANKS)}:{write(each)}" for name, each in value.items())
            return f"{before}{{{','.join(pairs) or draw(BLANKS)}}}{behind}"
        return f"{before}{json.dumps(value, ensure_ascii=is_ascii)}{behind}"

    if draw(st.booleans()):
        elements = [value for _, value in members]
        return write(elements).encode(), elements
    elements = [each for name, value in members if name in NAMES and isinstance(value, list) for each in value]
    pairs = (f"{draw(BLANKS)}{json.dumps(name)}{draw(BLANKS)}:{write(value)}" for name, value in members)
    return f"{draw(BLANKS)}{{{','.join(pairs) or draw(BLANKS)}}}{draw(BLANKS)}".encode(), elements


@given(documents(), st.integers(3, 9), st.booleans())
def test_elements_are_those_of_a_parser_and_the_walk_goes_on_behind_any(
    made: tuple[bytes, list[Any]], step: int, has_bom: bool
) -> None:
    text, expected = made
    text = b"\xef\xbb\xbf" + text if has_bom else text
    found = list(Elements(Trickling(text, step)).all(NAMES))
    assert [json.loads(element.text) for element in found] == expected
    opening = Elements(Trickling(text, step)).opening()
    for count, element in enumerate(found, 1):
        rest = Elements(Trickling(text[element.end :], step), element.end).behind(NAMES, opening)
        assert list(rest) == found[count:]


@given(documents(), st.data())
def test_document_that_ends_early_is_refused(made: tuple[bytes, list[Any]], data: st.DataObject) -> None:
    text = made[0].strip()
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(InvalidRequest, match="the file ends within it"):
        list(Elements(io.BytesIO(cut)).all(NAMES))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b'{"releases": [1 2]}', "at byte 16 , is expected"),
        (b'{"releases": [1,]}', "at byte 16 a value is expected"),
        (b'{"releases": [,1]}', "at byte 14 a value is expected"),
        (b'{"releases" [1]}', "at byte 12 : is expected"),
        (b"{releases: [1]}", "at byte 9 a name in quotes is expected"),
        (b'{"a": nope, "releases": [1]}', "at byte 10 a value before it is no JSON"),
        (b'{"a": [1}, "releases": [1]}', "at byte 9 a value before it is no JSON"),
        (b'{"a": "\xff", "releases": [1]}', "at byte 9 a value before it is no JSON"),
        (b'{"releases": [1]} {"releases": [2]}', "at byte 18 something stands behind its end"),
        (b'{"releases": [1]}' + b" " * 3_000_000 + b"x", "at byte 3000017 something stands behind its end"),
        (b"[1]]", "at byte 3 something stands behind its end"),
        (b'"text"', "at byte 0 { is expected"),
    ],
)
def test_text_that_is_no_document_is_refused_with_the_byte(text: bytes, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=f"must be one JSON document, or one in each line; {problem}"):
        list(Elements(io.BytesIO(text)).all(NAMES))


@pytest.mark.parametrize(
    "value", ["[" * 99, '"' + "x" * 99, "[" + "1," * 50 + "1]", '{"a":"' + '\\"' * 50 + '"}', "1" * 99]
)
@pytest.mark.parametrize("write", ['{{"releases":[{0}]}}'.format, '{{"a":{0},"releases":[1]}}'.format])
def test_value_that_is_longer_than_the_limit_is_refused(value: str, write: Callable[[str], str]) -> None:
    with pytest.raises(InvalidRequest, match="a value begins that has more than 60 bytes"):
        list(Elements(Trickling(write(value).encode(), 7), limit=60).all(NAMES))


def test_no_more_is_held_than_a_value_and_what_was_read_with_it() -> None:
    sizes: list[int] = []

    class Endless(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            sizes.append(size or 0)
            return b"[" * (size or 0)

    with pytest.raises(InvalidRequest, match="a value begins that has more than 4000000 bytes"):
        list(Elements(Endless(), limit=4_000_000).all(NAMES))
    assert sum(sizes) < 10_000_000


@pytest.mark.parametrize("line", [b"{}", b' {"a": "}"} \r\n', b'[{"a": [1]}]\n', b'{"a": nope}\n'])
def test_line_with_a_value_of_its_own_is_whole(line: bytes) -> None:
    assert is_whole(line)


@pytest.mark.parametrize("line", [b"", b"{", b'{"a": "}\n', b'{"releases": [{"a": 1},\n', b"{} {}", b"{},\n", b"]"])
def test_line_that_goes_on_in_the_next_one_is_not_whole(line: bytes) -> None:
    assert not is_whole(line)
