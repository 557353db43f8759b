"""The elements of the arrays of a JSON document, one after the other, each with the byte behind it.

A document of gigabytes is no value to be held in memory: its bytes are looked at only as far as it takes to see where
an element ends, so a reader can go on behind any element later, in another process.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import IO, NamedTuple, NoReturn

import msgspec

from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.search.source import BOM

# Longer than any release; an element is held in memory whole.
ELEMENT_BYTES = 16 << 20
_CHUNK = 1 << 20
_BLANKS = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
# Up to the next bracket that is in no string; a string that does not end yet keeps it from matching. What is taken is
# never given back (`*+`), so that neither time nor memory grows faster than the text.
_TO_BRACKET = re.compile(rb'[^"{}\[\]]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"{}\[\]]*+)*+[{}\[\]]', re.DOTALL)
_SCALAR = re.compile(rb"[^ \t\r\n,:\"{}\[\]]+(?=[ \t\r\n,:\"{}\[\]])")
_OPENING = b"{["


class Element(NamedTuple):
    """An element, and the byte behind it in the document."""

    text: bytes
    end: int


class Elements:
    """Walks one document; raises InvalidRequest with the byte where it is no JSON, or more than can be held."""

    def __init__(self, file: IO[bytes], byte: int = 0, *, limit: int = ELEMENT_BYTES) -> None:
        self._file = file
        self._buffer = b""
        # Where the buffer begins in the document.
        self._base = byte
        self._at = 0
        self._limit = limit

    def opening(self) -> bytes:
        """The bracket that the document begins with."""
        if not self._buffer:
            self._fill()
            self._at += len(BOM) * self._buffer.startswith(BOM)
        return self._peek()

    def all(self, names: Container[str]) -> Iterator[Element]:
        """The elements of a document from its begin: of an array, or of an object's arrays that have the names."""
        if self.opening() == b"[":
            yield from self._array()
        else:
            self._expect(b"{")
            if not self._take(b"}"):
                yield from self._members(names)
        self._end()

    def behind(self, names: Container[str], opening: bytes) -> Iterator[Element]:
        """Those that `all` has behind an element, where the file is opened now."""
        yield from self._rest_of_array()
        if opening == b"{" and not self._take(b"}"):
            self._expect(b",")
            yield from self._members(names)
        self._end()

    def _members(self, names: Container[str]) -> Iterator[Element]:
        while True:
            name = self._value()
            if not name.startswith(b'"'):
                self._refuse("a name in quotes is expected")
            self._expect(b":")
            if self._decoded(name) in names and self._peek() == b"[":
                yield from self._array()
            else:
                self._decoded(self._value())
            if self._take(b"}"):
                return
            self._expect(b",")

    def _array(self) -> Iterator[Element]:
        self._expect(b"[")
        if self._take(b"]"):
            return
        yield self._element()
        yield from self._rest_of_array()

    def _rest_of_array(self) -> Iterator[Element]:
        while not self._take(b"]"):
            self._expect(b",")
            yield self._element()

    def _element(self) -> Element:
        text = self._value()
        return Element(text, self._base + self._at)

    def _value(self) -> bytes:
        """The next value, which is JSON as far as its brackets and quotes go."""
        first = self._peek()
        if first in (b"{", b"["):
            end = self._end_of_nested()
        elif first in (b",", b":", b"}", b"]"):
            self._refuse("a value is expected")
        else:
            end = self._end_of(_STRING if first == b'"' else _SCALAR)
        text = self._buffer[self._at : end]
        if len(text) > self._limit:
            self._refuse_length()
        self._at = end
        return text

    def _end_of_nested(self) -> int:
        # From the value's begin, which moves in the buffer when that is filled.
        done = depth = 0
        while True:
            buffer, at = self._buffer, self._at + done
            while match := _TO_BRACKET.match(buffer, at):
                at = match.end()
                depth += 1 if buffer[at - 1] in _OPENING else -1
                if depth == 0:
                    return at
            done = at - self._at
            self._fill()

    def _end_of(self, pattern: re.Pattern[bytes]) -> int:
        while True:
            match = pattern.match(self._buffer, self._at)
            if match is not None:
                return match.end()
            self._fill()

    def _peek(self) -> bytes:
        """The next byte that is no blank."""
        while True:
            blanks = _BLANKS.match(self._buffer, self._at)
            assert blanks is not None
            self._at = blanks.end()
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            self._fill()

    def _take(self, wanted: bytes) -> bool:
        is_there = self._peek() == wanted
        self._at += is_there
        return is_there

    def _expect(self, wanted: bytes) -> None:
        if not self._take(wanted):
            self._refuse(f"{wanted.decode()} is expected")

    def _fill(self) -> None:
        """Reads on; what lies behind is let go."""
        kept = self._buffer[self._at :]
        if len(kept) > self._limit:
            self._refuse_length()
        self._base += self._at
        # As much again as is there, so that a long value is looked at from its begin a few times only.
        more = self._file.read(max(_CHUNK, len(kept)))
        self._buffer, self._at = kept + more, 0
        if not more:
            self._refuse("the file ends within it")

    def _end(self) -> None:
        while True:
            if self._buffer[self._at :].strip(b" \t\r\n"):
                self._peek()
                self._refuse("something stands behind its end")
            self._base += len(self._buffer)
            self._buffer, self._at = self._file.read(_CHUNK), 0
            if not self._buffer:
                return

    def _decoded(self, text: bytes) -> object:
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._refuse("a value before it is no JSON")

    def _refuse_length(self) -> NoReturn:
        self._refuse(f"a value begins that has more than {self._limit} bytes")

    def _refuse(self, why: str) -> NoReturn:
        detail = f"must be one JSON document, or one in each line; at byte {self._base + self._at} {why}"
        raise InvalidRequest([FieldError("", detail)])


def is_whole(line: bytes) -> bool:
    """Whether a line is an object or an array from its begin to its end, as far as its brackets and quotes go."""
    at = depth = 0
    while match := _TO_BRACKET.match(line, at):
        at = match.end()
        depth += 1 if line[at - 1] in _OPENING else -1
        if depth <= 0:
            break
    return at > 0 and depth == 0 and not line[at:].strip()
