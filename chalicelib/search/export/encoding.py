"""Tables as bytes, in pieces that one process can begin and another go on with.

Whoever stops between two pieces keeps `place`, which is small, and hands it to the next encoder; all pieces after each
other are the file.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from chalicelib.search.export.columns import Column, Content, Row, Value, pesos
from chalicelib.search.export.workbook import Workbook

Format = Literal["csv", "xlsx", "jsonl"]
# What the compressor's header says instead of a file's name and time: a gzip member.
_GZIP = 16 + zlib.MAX_WBITS
# Twice as fast as the usual level, for files a tenth larger.
_LEVEL = 3


class Encoder(Protocol):
    """Encodes rows in their order."""

    def begin(self) -> bytes:
        """What stands before the first row."""

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Some rows, of which a part may come with the next piece."""

    def pause(self) -> tuple[bytes, bytes]:
        """The rest of the rows so far, and the place from which another encoder can go on."""

    def end(self) -> bytes:
        """The rest of the file."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is made of; the rules of `ExportRequest` hold for it."""

    format: Format
    columns: tuple[Column, ...]
    has_bom: bool = False
    is_compressed: bool = False


def encoder(layout: Layout, place: bytes = b"") -> Encoder:
    """An encoder for a new file, or for one that another encoder paused at a place."""
    if layout.format == "xlsx":
        return Workbook(layout.columns, place)
    plain = _Csv(layout.columns, has_bom=layout.has_bom) if layout.format == "csv" else _JsonLines(layout.columns)
    return _Compressed(plain) if layout.is_compressed else plain


class _Csv:
    """Comma-separated values as in RFC 4180; amounts with two decimals."""

    def __init__(self, columns: Sequence[Column], *, has_bom: bool) -> None:
        self._columns = columns
        self._has_bom = has_bom
        self._money = [place for place, column in enumerate(columns) if column.content == "money"]

    def begin(self) -> bytes:
        return (b"\xef\xbb\xbf" if self._has_bom else b"") + self.rows([[column.name for column in self._columns]])

    def rows(self, rows: Sequence[Row]) -> bytes:
        content = io.StringIO(newline="")
        csv.writer(content).writerows(map(self._texts, rows))
        return content.getvalue().encode()

    def pause(self) -> tuple[bytes, bytes]:
        return b"", b""

    def end(self) -> bytes:
        return b""

    def _texts(self, row: Row) -> Row:
        texts = list(row)
        for place in self._money:
            value = texts[place]
            if isinstance(value, int):
                texts[place] = pesos(value)
        return texts


class _JsonLines:
    """An object on each line."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = [(column.name, column.content) for column in columns]

    def begin(self) -> bytes:
        return b""

    def rows(self, rows: Sequence[Row]) -> bytes:
        return msgspec.json.Encoder().encode_lines([self._object(row) for row in rows])

    def pause(self) -> tuple[bytes, bytes]:
        return b"", b""

    def end(self) -> bytes:
        return b""

    def _object(self, row: Row) -> dict[str, Value]:
        return {name: _plain(content, value) for (name, content), value in zip(self._columns, row, strict=True)}


def _plain(content: Content, value: Value) -> Value:
    return value / 100 if content == "money" and isinstance(value, int) else value


class _Compressed:
    """The same as gzip; each piece between two pauses is a member of its own, as RFC 1952 allows."""

    def __init__(self, plain: Encoder) -> None:
        self._plain = plain
        self._member = self._new_member()

    def begin(self) -> bytes:
        return self._compress(self._plain.begin())

    def rows(self, rows: Sequence[Row]) -> bytes:
        return self._compress(self._plain.rows(rows))

    def pause(self) -> tuple[bytes, bytes]:
        rest, place = self._plain.pause()
        return self._compress(rest) + self._close(), place

    def end(self) -> bytes:
        rest = self._compress(self._plain.end())
        # Without a row there is one member all the same: an empty file is no gzip.
        return rest + self._close()

    def _compress(self, content: bytes) -> bytes:
        return self._member.compress(content)

    def _close(self) -> bytes:
        rest = self._member.flush()
        self._member = self._new_member()
        return rest

    def _new_member(self) -> zlib._Compress:
        return zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
