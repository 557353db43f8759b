"""A table in a text file: its delimiter, its header, and its records with the physical line where each begins.

Records are read anew at each pass instead of being kept, so that memory does not grow with the columns of a wide
export.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.sim.intake.dates import is_date

MAX_COLUMNS = 2_000
# Enough values of a column to tell what it holds.
SAMPLE_SIZE = 100

_DELIMITERS = (",", ";", "\t")
_ROWS_TO_COMPARE = 6
# str.splitlines would also break at form feeds and other signs that are no line ends in CSV.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_LONGEST_HEADER = 200


class Record(Struct, frozen=True, gc=False):
    """One row as written: the lines it takes up (the first line is 1), its fields, and why it cannot be read if so."""

    line: int
    last_line: int
    cells: list[str]
    problem: str = ""


class Sheet(Struct, frozen=True):
    """A file whose header is known."""

    text: str
    # JSON pointer to the field of the request that named the file.
    pointer: str
    # None if the file has a single column, in which commas are no delimiters either.
    delimiter: str | None
    headers: tuple[str, ...]
    # Line before the first record.
    header_line: int
    line_count: int

    @property
    def has_header(self) -> bool:
        return self.header_line > 0


def open_sheet(text: str, pointer: str) -> Sheet:
    """The table in `text`; a byte order mark is dropped, NUL characters are replaced.

    The delimiter is the one of comma, semicolon and tab that splits most of the first rows alike. A first row with a
    date in it is no header: the columns are then called "column 1" and so on. Raises InvalidRequest at `pointer` if the
    file is empty, is a workbook or binary, has a first row that is no CSV, or more than MAX_COLUMNS columns.
    """
    if text.startswith("PK\x03\x04"):
        raise refusal(pointer, "must be a text file, got a ZIP archive or an Excel workbook; save the sheet as CSV")
    nul = text.find("\0")
    # Postgres keeps no NUL in a JSON document.
    text = text.removeprefix("\ufeff").replace("\0", "\ufffd")
    delimiter, first = _first_row(text, pointer)
    if nul >= 0 and text.count("\n", 0, nul) < first.last_line:
        raise refusal(pointer, f"must be a text file, line {first.line} holds NUL characters")
    cells = [cell.strip() for cell in first.cells]
    if len(cells) > MAX_COLUMNS:
        raise refusal(pointer, f"must have at most {MAX_COLUMNS} columns, got {len(cells)}")
    has_header = not any(map(is_date, cells))
    return Sheet(
        text=text,
        pointer=pointer,
        delimiter=delimiter,
        headers=tuple((has_header and cell[:_LONGEST_HEADER]) or f"column {n}" for n, cell in enumerate(cells, 1)),
        header_line=first.last_line if has_header else 0,
        line_count=text.count("\n") + 1,
    )


def records(sheet: Sheet) -> Iterator[Record]:
    """The rows below the header in the order of the file; rows without any value are no records.

    A record that breaks the rules of CSV comes with its `problem` and no fields; reading goes on at the next line.
    """
    for record in _read(sheet.text, sheet.delimiter):
        if record.line > sheet.header_line:
            yield record


def samples(sheet: Sheet) -> list[list[str]]:
    """The first SAMPLE_SIZE values of each column that are not empty, from anywhere in the file. Cost: one pass."""
    found: list[list[str]] = [[] for _ in sheet.headers]
    hungry = list(range(len(found)))
    for record in records(sheet):
        if len(record.cells) != len(found):
            continue
        for index in hungry:
            if value := record.cells[index].strip():
                found[index].append(value)
        hungry = [index for index in hungry if len(found[index]) < SAMPLE_SIZE]
        if not hungry:
            break
    return found


def refusal(pointer: str, detail: str) -> InvalidRequest:
    """The error for a file or a field that cannot be used."""
    return InvalidRequest([FieldError(pointer, detail)])


def _first_row(text: str, pointer: str) -> tuple[str | None, Record]:
    """The delimiter and the first row with a value. A row that is a date as a whole has one column: Jan 5, 2026."""
    heads = {delimiter: list(islice(_read(text, delimiter), _ROWS_TO_COMPARE)) for delimiter in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda delimiter: _fit(heads[delimiter]))
    if not heads[best]:
        raise refusal(pointer, "must hold a table, the file is empty")
    first, whole = heads[best][0], heads["\t"][0].cells if heads["\t"] else []
    if first.problem:
        raise refusal(pointer, f"must be CSV, line {first.line} {first.problem}")
    if len(whole) == 1 and (len(first.cells) == 1 or is_date(whole[0].strip())):
        return None, heads["\t"][0]
    return best, first


def _fit(head: list[Record]) -> tuple[int, int]:
    """How well a delimiter suits the first rows: those with as many fields as the first one, and how many these are."""
    width = len(head[0].cells) if head else 0
    return sum(len(record.cells) == width > 1 for record in head), width


def _read(text: str, delimiter: str | None) -> Iterator[Record]:
    lines = (found[0] for found in _LINE.finditer(text))
    # Strict, as otherwise a quote that is never closed would swallow the rest of the file without a word.
    reader = csv.reader(lines, delimiter=delimiter or "\t", skipinitialspace=True, strict=True)
    while True:
        line, problem = reader.line_num + 1, ""
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells, problem = [], _why(error, line, reader.line_num)
        if problem or "".join(cells).strip():
            yield Record(line, reader.line_num, cells, problem)


def _why(error: csv.Error, line: int, last_line: int) -> str:
    detail = "has a quote that is never closed" if "end of data" in str(error) else f"is no CSV ({error})"
    return detail if line == last_line else f"{detail}; lines {line} to {last_line} could not be read"
