"""Which column of a table plays which part: told from the names of the columns, checked against what they hold."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.sim.intake.inputs import FileFormat, ImportRequest
from chalicelib.sim.intake.names import CLOSED, CREATED, ID, STARTED, STATUS, TITLE, TYPE, Columns
from chalicelib.sim.intake.sheet import Sheet, refusal


class Layout(Struct, frozen=True, kw_only=True):
    """The parts of the columns, by index, and what is to be said of the guess."""

    format: FileFormat
    closed: int
    # Looked through in this order: work began on the first date found. Empty if no column tells.
    started: tuple[int, ...]
    id: int | None
    title: int | None
    type: int | None
    status: int | None
    notes: tuple[str, ...]
    stages: tuple[int, ...] = ()


def guess_layout(sheet: Sheet, samples: Sequence[Sequence[str]], request: ImportRequest) -> Layout:
    """The part that each column plays, from the header, the first values of each column and the caller's wishes.

    samples: by column, values that are not empty, stripped. Raises InvalidRequest if no column tells when items were
    closed, or if a column that the request names does not exist, with the columns that there are.
    """
    columns = Columns(sheet.headers, samples)
    kind = _format(columns) if request.format == "auto" else request.format
    if kind == "actionable_agile":
        layout = _staged(columns, request)
    else:
        layout = _tabular(columns, request, kind, sheet.has_header)
    if layout.started[:1] == (layout.closed,):
        raise refusal("/startColumn", f"must be another column than {sheet.headers[layout.closed]!r}, which closes")
    if request.item_types and layout.type is None:
        raise refusal("/itemTypes", f"must be empty, as no column holds types; the columns are {columns.listed()}")
    return layout


def _format(columns: Columns) -> FileFormat:
    names = [full for full, _ in columns.names]
    if "issue key" in names or {"key", "issue type"} <= set(names):
        return "jira"
    # The maker of the format asks for an id first and then, by this very name, the link.
    is_headed = "id" in names[0].split() and "link" in names[1:3]
    return "actionable_agile" if is_headed and len(_stages(columns)) > 1 else "closed_dates"


def _tabular(columns: Columns, request: ImportRequest, kind: FileFormat, has_header: bool) -> Layout:
    notes: list[str] = []
    if request.end_column is not None:
        closed, started = columns.called(request.end_column, "/endColumn"), None
    elif has_header:
        closed, started = _closed(columns, request.source, notes), None
    else:
        closed, started = _unnamed(columns, request.source, notes)
    if request.start_column is not None:
        started = columns.called(request.start_column, "/startColumn")
    elif started is None:
        started = _started(columns, closed, notes)
    return _layout(columns, kind, closed=closed, started=() if started is None else (started,), notes=notes)


def _closed(columns: Columns, pointer: str, notes: list[str]) -> int:
    """A column named like an end with a date in it, or without any value, or else the one column of dates."""
    if (found := columns.dated(CLOSED)) is not None:
        return found
    for index in columns.named(CLOSED):
        if columns.is_empty(index):
            return index
    known = columns.named((*STARTED, *CREATED))
    dated = [index for index in range(len(columns.headers)) if columns.is_dates(index) and index not in known]
    if len(dated) != 1:
        raise columns.no_closing(pointer)
    notes.append(f"{columns.headers[dated[0]]!r} was taken as the date of closing: it is the one column of dates.")
    return dated[0]


def _unnamed(columns: Columns, pointer: str, notes: list[str]) -> tuple[int, int | None]:
    """Without a header one column of dates closes; of two the first starts."""
    dated = [index for index in range(len(columns.headers)) if columns.is_dates(index)]
    if not 0 < len(dated) <= 2:
        raise refusal(pointer, f"must have a header, as {len(dated)} columns hold dates")
    start = f" and {columns.headers[dated[0]]} as the start" if len(dated) == 2 else ""
    notes.append(f"The file has no header: {columns.headers[dated[-1]]} was taken as the date of closing{start}.")
    return dated[-1], dated[0] if start else None


def _started(columns: Columns, closed: int, notes: list[str]) -> int | None:
    found = columns.dated(STARTED, besides=closed)
    if found is None:
        found = columns.dated(CREATED, besides=closed)
        notes += _waiting(columns, found)
    return found


def _waiting(columns: Columns, started: int | None) -> list[str]:
    """What is to be said if the start is only the day on which an item was written down."""
    if started is None or started not in columns.named(CREATED):
        return []
    return [
        f"No column says when work began, so {columns.headers[started]!r} was taken: cycle times and ages include "
        "the time that an item waited. startColumn can name another."
    ]


def _staged(columns: Columns, request: ImportRequest) -> Layout:
    """Stages in the order of the file: the last closes, work began with the first one that is no backlog.

    The first stage is a backlog if there are three or more and it is not named like a start of work.
    """
    stages = _stages(columns)
    if request.end_column is not None:
        last = columns.called(request.end_column, "/endColumn")
        stages = [*(stage for stage in stages if stage < last), last]
    if not stages:
        raise columns.no_closing(request.source)
    notes: list[str] = []
    if request.start_column is not None:
        first = columns.called(request.start_column, "/startColumn")
        started = [stage for stage in stages if stage >= first] if first in stages else [first]
    else:
        has_backlog = len(stages) > 2 and stages[0] not in columns.named(STARTED)
        started = stages[has_backlog:] if len(stages) > 1 else []
        notes = _waiting(columns, next(iter(started), None))
    found = _layout(columns, "actionable_agile", closed=stages[-1], started=started, notes=notes)
    return replace(found, stages=tuple(stages))


def _stages(columns: Columns) -> list[int]:
    """Neighbouring columns of dates behind id, link and title; a column without a value among them is a stage too.

    Behind the last dates an empty column is a stage only if it is named like an end: nothing may be closed yet.
    """
    width, head = len(columns.headers), {*columns.named((*ID, "link", *TITLE))}
    start = next((index for index in range(width) if index not in head), width)
    first = next((index for index in range(start, width) if columns.is_dates(index)), width)
    while first > start and columns.is_empty(first - 1):
        first -= 1
    last = first
    while last < width and (columns.is_dates(last) or columns.is_empty(last)):
        last += 1
    ends = columns.named(CLOSED)
    while last > first and columns.is_empty(last - 1) and last - 1 not in ends:
        last -= 1
    return list(range(first, last))


def _layout(columns: Columns, kind: FileFormat, *, closed: int, started: Sequence[int], notes: Sequence[str]) -> Layout:
    number = columns.first(ID)
    if number is None and "id" in columns.names[0][0].split():
        number = 0
    return Layout(
        format=kind,
        closed=closed,
        started=tuple(started),
        id=number,
        title=columns.first(TITLE),
        type=columns.first(TYPE),
        status=columns.first(STATUS),
        notes=tuple(notes),
    )
