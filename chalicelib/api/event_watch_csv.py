"""CSV files of events, small enough for an answer, in which no cell is computed by a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

import msgspec

from chalicelib.api.http import Answer
from chalicelib.db.events.watch import MOST_BYTES, MOST_LOOKED_AT, sent_bytes
from chalicelib.errors import TooLarge

RESULT_COLUMNS = ("eventName", "key", "value", "expectedType", "receivedType", "validationStatus", "comment")
# What spreadsheets take for the beginning of a formula, in either width, also behind blanks. See OWASP, CSV injection.
_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_BOM = "\ufeff"


class CsvFile:
    """A file that grows by rows; raises TooLarge where it would have more than MOST_BYTES as they are sent."""

    def __init__(self, columns: Sequence[str], *, has_bom: bool) -> None:
        self._parts = [_BOM] if has_bom else []
        self._bytes = 0
        self.add(columns)

    def add(self, cells: Sequence[str]) -> None:
        """A row more."""
        line = io.StringIO(newline="")
        csv.writer(line).writerow(map(safe_cell, cells))
        self._parts.append(line.getvalue())
        self._bytes += sent_bytes(line.getvalue())
        if self._bytes > MOST_BYTES:
            raise too_large()

    def answer(self, name: str) -> Answer:
        """The file, under a name that has none but plain characters."""
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Answer(body="".join(self._parts).encode(), content_type="text/csv; charset=utf-8", headers=headers)


def safe_cell(text: str) -> str:
    """The text as a spreadsheet shows it without computing it: behind an apostrophe, unless it is a plain number."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def plain_text(value: object) -> str:
    """A JSON value as a cell has it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def too_large() -> TooLarge:
    return TooLarge(
        f"the file must have at most {MOST_BYTES} bytes as they are sent, and be of at most {MOST_LOOKED_AT} events; "
        "ask for less by from and to, event_names or other filters"
    )
