"""Rule sheets as CSV files: every problem is listed with its line, and nothing in a file raises.

Files come out of spreadsheets, so the delimiter is whichever makes column names of the first line, a byte order mark is
no part of the first one, and the name of an event stands on the first row of its fields only.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from msgspec import Struct

from chalicelib.events.rule_checks import MOST_RULES, find_faults
from chalicelib.events.rule_columns import COLUMN_OF_FIELD, COLUMNS, NEEDED, Column, fold_column, write_row
from chalicelib.events.rules import Rule, RuleSheet, tidy_rule

# What a user can read and mend in one go.
MOST_PROBLEMS = 1_000
_DELIMITERS = ",;\t"
_BOM = "\ufeff"
_MOST_SHOWN = 100


class Problem(Struct, frozen=True):
    """What is wrong in a file, and where."""

    # As an editor counts them, from 1.
    line: int
    # As the file has it, or would; empty where the whole line is meant.
    column: str
    # What is there, cut to 100 characters.
    value: str
    reason: str


class RuleFile(Struct, frozen=True):
    """What a file says: the sheet, tidied, if there are no problems."""

    sheet: RuleSheet
    problems: tuple[Problem, ...] = ()
    # Names of columns that mean nothing here.
    ignored_columns: tuple[str, ...] = ()


class _Row(Struct, frozen=True):
    line: int
    cells: list[str]


class _Header(Struct, frozen=True):
    names: list[str]
    # By place in the row, for those that are known.
    columns: dict[int, Column]


def read_rules(content: bytes) -> RuleFile:
    """The rules of a CSV file in UTF-8; the file's size is bounded by whoever takes it. Cost: linear in it."""
    try:
        text = content.decode().removeprefix(_BOM)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return _refused(Problem(line, "", "", f"must be UTF-8 text, byte {error.start} is not"))
    first = next((line for line in text.splitlines() if line.strip()), "")
    rows = _rows(text, _delimiter(first))
    header_row = next(rows, None)
    if header_row is None or isinstance(header_row, Problem):
        return _refused(header_row or Problem(1, "", "", f"must have a line of column names: {_needed()}"))
    header = _read_header(header_row)
    if isinstance(header, Problem):
        return _refused(header)
    return _read(rows, header)


def write_rules(sheet: RuleSheet) -> bytes:
    """The sheet as a CSV file with all columns, which reads back as the same sheet once it is tidied."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([column.name for column in COLUMNS])
    writer.writerows(map(write_row, sheet.rules))
    return file.getvalue().encode()


def _refused(problem: Problem) -> RuleFile:
    return RuleFile(RuleSheet(), (problem,))


def _needed() -> str:
    return ", ".join(column.name for column in NEEDED)


def _delimiter(line: str) -> str:
    """The one that makes most known column names of a line."""
    known = {fold_column(column.name) for column in COLUMNS}

    def count(delimiter: str) -> int:
        return sum(fold_column(name) in known for name in line.split(delimiter))

    return max(_DELIMITERS, key=count)


def _rows(text: str, delimiter: str) -> Iterator[_Row | Problem]:
    """Rows that are not blank, and one problem in the end where the file cannot be read on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            yield Problem(line, "", "", f"must be readable as CSV: {error}")
            return
        if any(cells):
            yield _Row(line, cells)


def _read_header(row: _Row) -> _Header | Problem:
    known = {fold_column(column.name): column for column in COLUMNS}
    columns = {place: known[name] for place, cell in enumerate(row.cells) if (name := fold_column(cell)) in known}
    found = [column.name for column in columns.values()]
    missing = [column.name for column in NEEDED if column.name not in found]
    if missing:
        shown = _cut(", ".join(row.cells))
        return Problem(row.line, "", shown, f"must have columns {_needed()}; missing: {', '.join(missing)}")
    for place, column in columns.items():
        if found.count(column.name) > 1:
            return Problem(row.line, row.cells[place], row.cells[place], "must be there once")
    return _Header(row.cells, columns)


def _read(rows: Iterator[_Row | Problem], header: _Header) -> RuleFile:
    problems: list[Problem] = []
    rules: list[Rule] = []
    read: list[_Row] = []
    event = ""
    for row in rows:
        if isinstance(row, Problem):
            problems.append(row)
            break
        said = _say(row, header, event)
        event = said.get("event", event)
        # A row with a name alone heads the rows below it.
        if not said.keys() - {"event"}:
            continue
        found = _read_row(row, header, said)
        if isinstance(found, Rule):
            rules.append(found)
            read.append(row)
        problems += found if isinstance(found, list) else []
        if len(rules) > MOST_RULES or len(problems) > MOST_PROBLEMS:
            break
    if len(rules) > MOST_RULES:
        problems.append(Problem(read[-1].line, "", "", f"must have at most {MOST_RULES} rules, this is one more"))
    problems += _problems_of_rules(rules, read, header)
    if not rules and not problems:
        problems.append(Problem(1, "", "", "must have at least 1 rule below the column names, got 0"))
    ignored = [name for place, name in enumerate(header.names) if name and place not in header.columns]
    return RuleFile(RuleSheet(rules=tuple(rules)), _bounded(problems), tuple(ignored))


def _say(row: _Row, header: _Header, event: str) -> dict[str, str]:
    """The cells that are not blank, by field; the event from a row above where this one has none."""
    said = {column.field: row.cells[place] for place, column in header.columns.items() if _has(row.cells, place)}
    return {"event": event, **said} if event else said


def _has(cells: Sequence[str], place: int) -> bool:
    return place < len(cells) and bool(cells[place])


def _read_row(row: _Row, header: _Header, said: dict[str, str]) -> Rule | list[Problem]:
    problems = [
        Problem(row.line, _name(header, column.field), "", reason)
        for column, reason in zip(
            NEEDED, ("must be here or on a row above", "must not be blank", "must not be blank"), strict=True
        )
        if column.field not in said
    ]
    if len(row.cells) > len(header.names) and any(row.cells[len(header.names) :]):
        reason = f"must have at most {len(header.names)} values, got {len(row.cells)}"
        problems.append(Problem(row.line, "", _cut(row.cells[-1]), reason))
    values = {}
    for column in header.columns.values():
        cell = said.get(column.field, "")
        try:
            values[column.field] = column.read(cell, said.get("type", ""))
        except ValueError as error:
            problems.append(Problem(row.line, _name(header, column.field), _cut(cell), f"{error}, got {_cut(cell)!r}"))
    return problems or tidy_rule(Rule(**values))


def _problems_of_rules(rules: list[Rule], rows: list[_Row], header: _Header) -> Iterator[Problem]:
    for fault in find_faults(rules):
        row, field = rows[fault.place], fault.field.partition("/")[0]
        value = next((row.cells[place] for place, each in header.columns.items() if each.field == field), "")
        yield Problem(row.line, _name(header, field), _cut(value), fault.reason)


def _name(header: _Header, field: str) -> str:
    """The column of a field as the file has it."""
    named = (header.names[place] for place, column in header.columns.items() if column.field == field)
    return next(named, COLUMN_OF_FIELD[field])


def _bounded(problems: list[Problem]) -> tuple[Problem, ...]:
    problems.sort(key=lambda problem: problem.line)
    if len(problems) <= MOST_PROBLEMS:
        return tuple(problems)
    last = Problem(problems[MOST_PROBLEMS].line, "", "", f"has more problems; the first {MOST_PROBLEMS} are listed")
    return (*problems[:MOST_PROBLEMS], last)


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
