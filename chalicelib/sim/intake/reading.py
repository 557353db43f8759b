"""From a file of work items to what a forecast needs: throughput, cycle times and the age of open items.

The file is read twice, once to see what its columns hold and once for the items, so that a wide export need not be
kept. Days are taken as they are written, without regard to a time of day or a zone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.errors import InvalidRequest
from chalicelib.sim.intake.ageing import ageing, cycle_times, describe, lead_time_samples, service_levels
from chalicelib.sim.intake.buckets import Window, place, throughput, window_of
from chalicelib.sim.intake.columns import Layout, guess_layout
from chalicelib.sim.intake.dates import NO_DAY, DateOrder, read_columns
from chalicelib.sim.intake.inputs import ImportRequest
from chalicelib.sim.intake.items import Items, Judge, make_items, read_rows
from chalicelib.sim.intake.notes import on_dates, on_result, on_rows
from chalicelib.sim.intake.result import ImportResult, Parts
from chalicelib.sim.intake.sheet import Sheet, open_sheet, records, refusal, samples

MOST_REJECTED = 100

# Shares of the time, measured: the rows take 56 % if few dates are distinct and 30 % if all are.
_SURVEYED, _READ = 0.05, 0.5


def take_in(
    text: str, request: ImportRequest, *, progress: Callable[[float, str], None], today: date | None = None
) -> ImportResult:
    """The throughput, cycle times and ageing that the file `text` tells of, and how it was read.

    request: as `check` allows; its content is not read, as the file may have been sent before. progress: called with
    the share that is done, 0 to 1, and what is being done, every few thousand rows; what it raises ends the import.
    today: the latest as_of that is taken from the file itself, which may hold planned dates.
    Raises InvalidRequest if the file is no table, has no rows, no column of closing dates, no date that can be read,
    more rows than MAX_ROWS, or not a column that the request names. Cost: 4 to 11 microseconds a row; memory is
    linear in the text.
    """
    progress(0.0, "looking at the columns")
    sheet = open_sheet(text, request.source)
    if next(records(sheet), None) is None:
        raise refusal(request.source, "must have rows below the header, got none")
    layout = guess_layout(sheet, samples(sheet), request)
    rows = read_rows(sheet, layout, request.item_types, lambda share: progress(_reading(share), "reading rows"))
    progress(_READ, "reading dates")
    started, closed = read_columns(
        [{row.started for row in rows.kept}, {row.closed for row in rows.kept}], request.date_order
    )
    items = make_items(rows, Judge(sheet.headers, layout, started=started, closed=closed))
    if items.latest == NO_DAY:
        raise _no_date(items, request)
    source = _Source(sheet, layout, closed.order, rows.count)
    result = _result(source, items, window_of(request, items, today))
    said = [*layout.notes, *on_dates(started, closed), *on_rows(request, rows, items)]
    return replace(result, warnings=[*said, *on_result(request, result)])


class _Source(Struct, frozen=True):
    """The file as it was understood."""

    sheet: Sheet
    layout: Layout
    date_order: DateOrder | None
    row_count: int


def _reading(share: float) -> float:
    return _SURVEYED + (_READ - _SURVEYED) * min(share, 1.0)


def _no_date(items: Items, request: ImportRequest) -> InvalidRequest:
    first = next(iter(items.rejected), None)
    fault = f"; line {first.line}: {first.value!r} {first.reason}" if first else ""
    return refusal(request.source, f"must hold a date that can be read in the columns of closing and start{fault}")


def _result(source: _Source, items: Items, window: Window) -> ImportResult:
    """The answer without its warnings."""
    placed = place(items.wanted, window)
    flow = throughput([item.closed for item in placed.closed], window, items.first_closed)
    times = cycle_times(placed.closed)
    found = describe(times)
    begun = [item for item in placed.open if item.started > NO_DAY]
    return ImportResult(
        format=source.layout.format,
        delimiter=source.sheet.delimiter,
        date_order=source.date_order,
        as_of=date.fromordinal(window.as_of).isoformat(),
        columns=_parts(source.sheet.headers, source.layout),
        stages=[source.sheet.headers[index] for index in source.layout.stages],
        headers=list(source.sheet.headers),
        rows_read=source.row_count,
        items_closed=len(placed.closed),
        items_open=len(placed.open),
        items_outside_window=placed.outside,
        items_filtered=items.filtered,
        rejected_count=len(items.rejected),
        rejected=items.rejected[:MOST_REJECTED],
        duplicates=items.duplicates,
        tp_samples=[bucket.closed for bucket in flow.buckets],
        buckets=flow.buckets,
        partial_bucket=flow.partial,
        items_before_first_bucket=flow.before_first,
        lt_samples=lead_time_samples(times),
        cycle_time=found,
        sle=service_levels(found),
        ageing=ageing(begun, times, window.as_of),
        ageing_count=len(begun),
        warnings=[],
    )


def _parts(headers: tuple[str, ...], layout: Layout) -> Parts:
    def name(index: int | None) -> str | None:
        return None if index is None else headers[index]

    return Parts(
        id=name(layout.id),
        title=name(layout.title),
        type=name(layout.type),
        status=name(layout.status),
        started=name(next(iter(layout.started), None)),
        closed=headers[layout.closed],
    )
