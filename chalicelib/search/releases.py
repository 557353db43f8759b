"""Awards in OCDS releases: one in each line of a file, or all of them in one JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO

from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.search.awards import Award, Rejection, reject
from chalicelib.search.elements import ELEMENT_BYTES, Element, Elements
from chalicelib.search.ocds import read_item
from chalicelib.search.source import BOM, Open, Place

# The arrays of release packages and of record packages.
_ARRAYS = ("releases", "records")


class _Releases:
    """What both have: `place` moves with the last record of an item, which may have none or many."""

    def __init__(self, open_at: Open, size: int = 0, *, item_bytes: int = ELEMENT_BYTES) -> None:
        self._open_at = open_at
        self._item_bytes = item_bytes
        self.size = size
        self.place = Place()

    def _hand_out(self, records: Sequence[Award | Rejection], behind: Place) -> Iterator[Award | Rejection]:
        if records:
            yield from records[:-1]
            self.place = behind
            yield records[-1]


class ReleaseLines(_Releases):
    """A file of JSON Lines as a Source: a release, a record, or a package of them, in each line."""

    told_again = "is told of again by the later release on line %s"

    def records(self, start: Place) -> Iterator[Award | Rejection]:
        place = start
        with self._open_at(start.byte) as file:
            while line := file.readline(self._item_bytes):
                length = len(line) + self._skip_rest(file, line)
                text = line if place.byte else line.removeprefix(BOM)
                place = Place(place.byte + length, place.lines + 1)
                yield from self._hand_out(self._read(place.lines, text, length), place)
        self.place = place

    def _skip_rest(self, file: IO[bytes], line: bytes) -> int:
        """Bytes of the line that are not held, because it is too long."""
        skipped = 0
        while line and not line.endswith(b"\n"):
            line = file.readline(self._item_bytes)
            skipped += len(line)
        return skipped

    def _read(self, number: int, line: bytes, length: int) -> list[Award | Rejection]:
        if length > self._item_bytes:
            reason = f"must have at most {self._item_bytes} bytes, got {length}"
            return [reject(number, "", line[:200].decode(errors="replace"), reason)]
        return read_item(number, line) if line.strip() else []


class ReleaseDocument(_Releases):
    """One JSON document as a Source: a package of releases or records, an array of them, or a single one.

    The line of a record is the number of its release, because a document need not have lines.
    """

    told_again = "is told of again by the later release number %s"

    def records(self, start: Place) -> Iterator[Award | Rejection]:
        number = start.lines
        for element in self._elements(start):
            number += 1
            yield from self._hand_out(read_item(number, element.text), Place(element.end, number))
        if number == 0:
            # No byte in it is one to go on from.
            yield from self._hand_out(read_item(1, self._whole()), Place(0, 1))

    def _elements(self, start: Place) -> Iterator[Element]:
        with self._open_at(0) as file:
            elements = Elements(file, limit=self._item_bytes)
            if not start.byte:
                yield from elements.all(_ARRAYS)
                return
            opening = elements.opening()
        with self._open_at(start.byte) as file:
            yield from Elements(file, start.byte, limit=self._item_bytes).behind(_ARRAYS, opening)

    def _whole(self) -> bytes:
        with self._open_at(0) as file:
            text = file.read(self._item_bytes + 1)
        if len(text) > self._item_bytes:
            detail = f"must have an array releases or records, or be one release of at most {self._item_bytes} bytes"
            raise InvalidRequest([FieldError("", detail)])
        return text.removeprefix(BOM)
