"""Which format a file of awards has: its first bytes tell, not its name."""

from __future__ import annotations

import re
from typing import IO

from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.search.award_file import AwardFile
from chalicelib.search.elements import ELEMENT_BYTES, is_whole
from chalicelib.search.releases import ReleaseDocument, ReleaseLines
from chalicelib.search.source import BOM, Open, Source
from chalicelib.search.unpacked import MAGIC, Unpacked

_HEAD = 1 << 12
# Formats that are no text, and text that is neither.
_OTHERS = {
    MAGIC: "a gzip file in a gzip file",
    b"PK\x03\x04": "an Excel workbook or a ZIP file: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save the sheet as CSV",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF document",
    b"BZh": "a bzip2 file: pack it with gzip",
    b"\xfd7zXZ": "an xz file: pack it with gzip",
    b"\x28\xb5\x2f\xfd": "a Zstandard file: pack it with gzip",
    b"7z\xbc\xaf": "a 7z file: pack it with gzip",
    b"<?xml": "an XML document",
    b"<!": "an HTML page",
    b"<html": "an HTML page",
    b"<HTML": "an HTML page",
}
_JSON = re.compile(rb'\s*(?:\{\s*(?:["}]|\Z)|\[\s*(?:[{\]]|\Z))')


def open_source(open_at: Open, size: int = 0) -> Source:
    """The awards of a file: CSV, or OCDS releases as JSON or JSON Lines, each also packed with gzip.

    Raises InvalidRequest where it is none of these, as far as its first bytes tell, and what `open_at` raises.
    """
    head = _head(open_at)
    if not head.startswith(MAGIC):
        return _open_text(open_at, size, head)
    unpacked = Unpacked(open_at)
    return _open_text(unpacked.open_at, unpacked.estimate(size) if size else 0, _head(unpacked.open_at))


def _head(open_at: Open) -> bytes:
    with open_at(0) as file:
        return file.read(_HEAD)


def _open_text(open_at: Open, size: int, head: bytes) -> Source:
    for magic, name in _OTHERS.items():
        if head.startswith(magic):
            detail = f"must be CSV, or OCDS releases as JSON or JSON Lines, but this is {name}"
            raise InvalidRequest([FieldError("", detail)])
    if not _JSON.match(head.removeprefix(BOM)):
        return AwardFile(open_at, size)
    with open_at(0) as file:
        is_of_lines = _is_of_lines(file)
    return ReleaseLines(open_at, size) if is_of_lines else ReleaseDocument(open_at, size)


def _is_of_lines(file: IO[bytes]) -> bool:
    """Whether the first line is a value of its own, and not the only one."""
    line = b""
    while not line.removeprefix(BOM).strip():
        line = file.readline(ELEMENT_BYTES)
    return line.endswith(b"\n") and is_whole(line.removeprefix(BOM)) and bool(file.read(_HEAD).strip())
