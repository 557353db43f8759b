"""Awards in a CSV file whose columns are found by their names.

PhilGEPS exports its data by line item: an award stands there as often as it has items, each time with its whole amount.
In a file with columns of items, rows that tell of the same award count once; in any other file equal rows are awards of
their own.

Lines are counted as an editor counts them, and bytes too: whoever stops after a record can go on from there later.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import IO, TypeAlias

import msgspec

from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.search.awards import FIELDS, Award, Mention, Rejection, key_of, read_award, reject
from chalicelib.search.source import BOM, Open, Place

# For each of FIELDS the column names it goes by, the first that is there counts: ours, those of the five layouts in
# which PhilGEPS exported its data, and usual ones.
_NAMES = {
    "contract_number": (
        "contract_number",
        "contract_no",
        "award_reference_no",
        "award_reference",
        "award_no",
        "reference_id",
    ),
    "award_date": ("award_date", "date_awarded"),
    "award_title": ("award_title",),
    "notice_title": ("notice_title",),
    "amount": ("contract_amount", "amount", "award_amount"),
    "awardee": (
        "awardee_name",
        "awardee_organization_name",
        "awardee_corporate_title",
        "contractor_name",
        "contractor",
        "supplier",
        "supplier_name",
        "awardee",
    ),
    "organization": (
        "organization_name",
        "procuring_entity",
        "procuring_entity_pe",
        "buyer",
        "buyer_name",
        "organization",
    ),
    "area": ("area_of_delivery", "area_of_delivery_project_location", "area"),
    "category": ("business_category", "category"),
}
_REQUIRED = ("amount", "awardee")
# Columns of an export by line item. `line_item_number` is none: compiled data have it too, and always blank.
_OF_ITEMS = frozenset(("line_item_no", "item_name", "item_description", "item_desc", "item_budget"))
# What the rows of one award have in common besides its own fields.
_REFERENCES = frozenset((*_NAMES["contract_number"], "bid_reference_no"))
# Exports have a title and blank lines above the column names.
_HEADER_RECORDS = 10
_NOT_A_LETTER = re.compile(r"[^a-z0-9]+")
# A file whose lines end otherwise is one line, which would not fit into memory.
_LINE_BYTES = 1 << 20
_Pick: TypeAlias = Callable[[list[str]], Sequence[str]]


class AwardFile:
    """A CSV file as a Source."""

    told_again = "is another item of the award on line %s"

    def __init__(self, open_at: Open, size: int = 0) -> None:
        self._open_at = open_at
        self.size = size
        self.place = Place()

    def records(self, start: Place) -> Iterator[Award | Rejection]:
        """The records from a place on where an earlier reading stopped; raises InvalidRequest without a header."""
        with self._open_at(0) as file:
            lines = _Lines(file, Place())
            header = _find_header(lines)
            if start.byte <= lines.place.byte:
                yield from self._read(lines, header)
                return
        with self._open_at(start.byte) as file:
            yield from self._read(_Lines(file, start), header)

    def _read(self, lines: _Lines, header: Sequence[str]) -> Iterator[Award | Rejection]:
        columns = _columns(header)
        line = lines.place.lines + 1
        for record in _records(lines):
            self.place = lines.place
            if isinstance(record, csv.Error):
                yield reject(line, "", "", f"must be readable as CSV: {record}")
            elif record:
                yield _read_record(line, record, columns)
            line = self.place.lines + 1
        self.place = lines.place


class _Columns(msgspec.Struct, frozen=True):
    """Where a record has what."""

    width: int
    # Takes the values in the order of FIELDS out of a record behind which a blank was put.
    pick: _Pick
    # In a file with columns of items, those of _REFERENCES; None in any other.
    references: tuple[int, ...] | None


class _Lines:
    """Decoded lines, counted."""

    def __init__(self, file: IO[bytes], start: Place) -> None:
        self._file = file
        self._byte, self._lines = start.byte, start.lines

    @property
    def place(self) -> Place:
        return Place(self._byte, self._lines)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(_LINE_BYTES)
        if not line:
            raise StopIteration
        text = _decode(line if self._byte else line.removeprefix(BOM))
        self._byte += len(line)
        self._lines += line.endswith(b"\n")
        return text


def _decode(line: bytes) -> str:
    # Exports from Excel are in its own code page, in which names such as Parañaque are no UTF-8.
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _records(lines: _Lines) -> Iterator[list[str] | csv.Error]:
    """Records, and errors in the place of those that are none."""
    reader = csv.reader(lines)
    while True:
        try:
            yield next(reader)
        except csv.Error as error:
            yield error
        except StopIteration:
            return


def _find_header(lines: _Lines) -> list[str]:
    """The first record that names what is required."""
    for record in islice(_records(lines), _HEADER_RECORDS):
        names = [] if isinstance(record, csv.Error) else [_plain(name) for name in record]
        if all(any(name in names for name in _NAMES[field]) for field in _REQUIRED):
            return names
    wanted = " and ".join(f"{field} ({', '.join(_NAMES[field])})" for field in _REQUIRED)
    detail = f"must have a line of column names with {wanted} among the first lines, or be OCDS releases as JSON"
    raise InvalidRequest([FieldError("", detail)])


def _plain(name: str) -> str:
    return _NOT_A_LETTER.sub("_", name.lower()).strip("_")


def _columns(header: Sequence[str]) -> _Columns:
    references = tuple(place for place, name in enumerate(header) if name in _REFERENCES)
    return _Columns(
        len(header),
        itemgetter(*(_index(header, field) for field in FIELDS)),
        None if _OF_ITEMS.isdisjoint(header) else references,
    )


def _index(header: Sequence[str], field: str) -> int:
    return next((header.index(name) for name in _NAMES[field] if name in header), -1)


def _read_record(line: int, record: list[str], columns: _Columns) -> Award | Rejection:
    width = columns.width
    if len(record) != width:
        # More values than columns: a comma was not quoted, and all behind it is shifted.
        if any(map(str.strip, record[width:])):
            return reject(line, "", ",".join(record), f"must have at most {width} values, got {len(record)}")
        record = record[:width] + [""] * (width - len(record))
    record.append("")
    award = read_award(line, columns.pick(record))
    if columns.references is None or isinstance(award, Rejection):
        return award
    return _mentioned(award, line, [record[place].strip() for place in columns.references])


def _mentioned(award: Award, line: int, references: Sequence[str]) -> Award:
    """The award as one of its items tells of it; the first one counts."""
    key = key_of(
        *references,
        str(award.award_date),
        award.award_title,
        award.notice_title,
        award.amount_centavos,
        award.awardee,
        award.organization,
    )
    return msgspec.structs.replace(award, mention=Mention(key, line, -line))
