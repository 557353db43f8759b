"""Work items out of the records of a file; whatever cannot be one is rejected by its line."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from chalicelib.sim.intake.columns import Layout
from chalicelib.sim.intake.dates import NO_DAY, UNREADABLE, Reading
from chalicelib.sim.intake.result import Rejected
from chalicelib.sim.intake.sheet import Record, Sheet, records, refusal

# What is kept of so many rows stays below a few hundred megabytes.
MAX_ROWS = 500_000

_LONGEST_TEXT, _LONGEST_VALUE = 200, 100
_ROWS_PER_TELL = 4_096
_DONE = frozenset({"done", "closed", "resolved", "completed", "complete", "finished"})

Tell = Callable[[float], None]


class Row(Struct, frozen=True, gc=False):
    """What is kept of a record: texts as written, stripped, and empty where there is none."""

    line: int
    id: str
    title: str
    started: str
    # Column in which the start stands, of the several in which it may.
    started_column: int | None
    closed: str
    is_wanted: bool


class Rows(Struct, frozen=True):
    """The records that have all their fields, and what is known of all of them."""

    # All records, those that are rejected too.
    count: int
    kept: list[Row]
    rejected: list[Rejected]
    # All types of the file if items were chosen by type.
    types: set[str]
    # Rows with a status like Done and no closing date.
    done_without_date: int


class Item(Struct, frozen=True, gc=False):
    """A work item; days are ordinals, NO_DAY if unknown or not yet."""

    id: str
    title: str
    started: int
    closed: int


class Items(Struct, frozen=True):
    """The wanted items in the order of the file, and what became of the other rows."""

    wanted: list[Item]
    filtered: int
    rejected: list[Rejected]
    duplicates: int
    closed_before_start: int
    # Over all items, the unwanted too, as they show which days the file covers; NO_DAY without any.
    first_closed: int
    latest: int


def read_rows(sheet: Sheet, layout: Layout, types: tuple[str, ...], tell: Tell) -> Rows:
    """Every record below the header, rejected if it is no CSV or has not as many fields as the header.

    types: names of the wanted types, in any case; all when empty. tell: called with the share that is done. More
    fields than the header has are forgiven if they are empty. Raises InvalidRequest beyond MAX_ROWS records. Cost: one
    pass, memory for a few texts of each row.
    """
    wanted, kept, rejected = {_folded(name) for name in types}, list[Row](), list[Rejected]()
    shared: dict[str, str] = {}
    seen: set[str] = set()
    count = done = 0
    for count, record in enumerate(records(sheet), 1):
        if count % _ROWS_PER_TELL == 0:
            tell(record.line / sheet.line_count)
        if count > MAX_ROWS:
            raise refusal(sheet.pointer, f"must have at most {MAX_ROWS} rows")
        if problem := _problem(record, len(sheet.headers)):
            rejected.append(Rejected(line=record.line, column=None, value="", reason=problem))
            continue
        kind = _text(record, layout.type) if wanted else ""
        if wanted:
            seen.add(kind)
        row = _row(record, layout, shared, is_wanted=not wanted or _folded(kind) in wanted)
        done += not row.closed and _folded(_text(record, layout.status)) in _DONE
        kept.append(row)
    return Rows(count, kept, rejected, seen, done)


def make_items(rows: Rows, judge: Judge) -> Items:
    """The items of the rows less those that the judge rejects; a row of an unwanted type is never rejected.

    Cost: one pass over the rows.
    """
    wanted, rejected, filtered = list[Item](), list(rows.rejected), 0
    first, latest = NO_DAY, NO_DAY
    for row in rows.kept:
        start, end = judge.started.days[row.started], judge.closed.days[row.closed]
        fault = judge.fault(row, start, end)
        filtered += not row.is_wanted
        if fault is not None:
            if row.is_wanted:
                rejected.append(fault)
            continue
        latest = max(latest, start, end)
        if end > NO_DAY and (end < first or first == NO_DAY):
            first = end
        if row.is_wanted:
            wanted.append(Item(row.id, row.title, start, end))
    rejected.sort(key=lambda each: each.line)
    return Items(wanted, filtered, rejected, judge.duplicates, judge.backwards, first, latest)


class Judge:
    """Finds what is wrong with a row, given the rows before it: a bad date, an id for the second time, a late start.

    A row that is rejected leaves its id to a later one.
    """

    def __init__(self, headers: tuple[str, ...], layout: Layout, *, started: Reading, closed: Reading) -> None:
        self.headers, self.layout = headers, layout
        self.started, self.closed = started, closed
        self.duplicates = self.backwards = 0
        self._lines: dict[str, int] = {}

    def fault(self, row: Row, start: int, end: int) -> Rejected | None:
        """Why the row is no item; None for a sound one, whose id is then taken. start and end: its days as read."""
        if end == UNREADABLE:
            return self._rejected(row, self.layout.closed, row.closed, _unreadable(self.closed))
        if start == UNREADABLE:
            return self._rejected(row, row.started_column, row.started, _unreadable(self.started))
        if row.id in self._lines:
            self.duplicates += row.is_wanted
            return self._rejected(row, self.layout.id, row.id, f"has the same id as line {self._lines[row.id]}")
        if start > end > NO_DAY:
            self.backwards += row.is_wanted
            return self._rejected(row, self.layout.closed, row.closed, f"is before the start, {row.started}")
        if row.id:
            self._lines[row.id] = row.line
        return None

    def _rejected(self, row: Row, column: int | None, value: str, reason: str) -> Rejected:
        name = None if column is None else self.headers[column]
        return Rejected(line=row.line, column=name, value=value[:_LONGEST_VALUE], reason=reason)


def _problem(record: Record, width: int) -> str:
    """What is wrong with the record as such; empty if nothing is."""
    count = len(record.cells)
    if record.problem or count == width or (count > width and not "".join(record.cells[width:]).strip()):
        return record.problem
    lines = f"; it takes up lines {record.line} to {record.last_line}" if record.last_line > record.line else ""
    return f"has {count} fields, the first row has {width}{lines}"


def _row(record: Record, layout: Layout, shared: dict[str, str], *, is_wanted: bool) -> Row:
    """shared: one copy of each text of a date, of which there are few."""
    closed, started, column = record.cells[layout.closed].strip(), "", None
    for column in layout.started:
        if started := record.cells[column].strip():
            break
    return Row(
        line=record.line,
        id=_text(record, layout.id),
        title=_text(record, layout.title),
        started=shared.setdefault(started, started),
        started_column=column,
        closed=shared.setdefault(closed, closed),
        is_wanted=is_wanted,
    )


def _text(record: Record, column: int | None) -> str:
    return "" if column is None else record.cells[column].strip()[:_LONGEST_TEXT]


def _folded(text: str) -> str:
    return text.strip().casefold()


def _unreadable(column: Reading) -> str:
    if column.order is None:
        return "is no date that can be read"
    return f"is no date that can be read as {'day, month, year' if column.order == 'dmy' else 'month, day, year'}"
