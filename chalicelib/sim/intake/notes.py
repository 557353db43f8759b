"""What an import took for granted and what speaks against its numbers, as sentences for whoever reads the answer."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.sim.intake.ageing import LONGEST_SAMPLE, MOST_SAMPLES
from chalicelib.sim.intake.buckets import MOST_BUCKETS
from chalicelib.sim.intake.dates import Reading
from chalicelib.sim.intake.inputs import ImportRequest
from chalicelib.sim.intake.items import Items, Rows
from chalicelib.sim.intake.result import ImportResult

FEWEST_BUCKETS = 7
DAYS_PER_WEEK = 7
# Shorter pauses, for holidays say, are common in a real history.
LONG_IDLE_DAYS = 28

_IN_WORDS = {"dmy": "day, month, year", "mdy": "month, day, year"}
_MOST_TYPES = 20


def on_dates(started: Reading, closed: Reading) -> Iterator[str]:
    """What was assumed of the order of day and month."""
    if started.is_assumed or closed.is_assumed:
        yield "Dates like 03/04/2026 were read as day, month, year: no date in the file decides. See dateOrder."
    for name, column in (("start", started), ("closing", closed)):
        if column.is_mixed and column.order:
            yield (
                f"Some {name} dates have the day first and some the month: all were read as {_IN_WORDS[column.order]}."
            )
    if started.order and closed.order and started.order != closed.order:
        yield (
            f"Start dates were read as {_IN_WORDS[started.order]}, closing dates as {_IN_WORDS[closed.order]}: "
            "their values say so."
        )


def on_rows(request: ImportRequest, rows: Rows, items: Items) -> Iterator[str]:
    """What is odd about rows, besides the faults that are listed by line."""
    if items.closed_before_start:
        yield f"Rows rejected because they were closed before their start: {items.closed_before_start}."
    if rows.done_without_date:
        yield f"Rows with a status like Done but no closing date, so not counted as closed: {rows.done_without_date}."
    found = {name.casefold() for name in rows.types}
    missing = [name for name in request.item_types if name.strip().casefold() not in found]
    if missing:
        known = ", ".join(repr(name) for name in sorted(rows.types)[:_MOST_TYPES])
        yield f"No row has the type {', '.join(map(repr, missing))}; the types are {known}."


def on_result(request: ImportRequest, result: ImportResult) -> Iterator[str]:
    """What the numbers are worth in a forecast."""
    yield from _on_throughput(result)
    yield from _on_idle_time(result, request.cadence_days)
    if result.tp_samples and request.cadence_days != DAYS_PER_WEEK:
        yield f"A sample covers {request.cadence_days} days: in a forecast each stands for a week."
    yield from _on_cycle_times(result)


def _on_throughput(result: ImportResult) -> Iterator[str]:
    count = len(result.tp_samples)
    if result.items_closed == 0:
        yield "No item was closed within the window."
    elif count == 0:
        yield "There is no whole bucket, so no sample of throughput: the closing dates cover too few days."
    elif count < FEWEST_BUCKETS:
        yield f"Only {count} samples of throughput: {FEWEST_BUCKETS} or more are advised for a forecast."
    if result.items_before_first_bucket:
        why = f"only the newest {MOST_BUCKETS} buckets are kept" if count == MOST_BUCKETS else "it would not be whole"
        yield f"Items closed before the first bucket, which are in none as {why}: {result.items_before_first_bucket}."


def _on_idle_time(result: ImportResult, cadence_days: int) -> Iterator[str]:
    """The longest run of buckets in which nothing was closed: a wrong date looks like one."""
    begin = longest = after = 0
    for index, closed in enumerate(result.tp_samples, 1):
        if closed:
            begin = index
        elif index - begin > longest:
            longest, after = index - begin, begin
    if longest * cadence_days >= LONG_IDLE_DAYS:
        first, last = result.buckets[after].start, result.buckets[after + longest - 1].end
        yield (
            f"Nothing was closed from {first} to {last}, which counts as idle time. If no work was under way, or a "
            "date is wrong, set fromDate, toDate or asOf."
        )


def _on_cycle_times(result: ImportResult) -> Iterator[str]:
    if result.columns.started is None:
        yield "No column says when work began, so there are no cycle times and no ages. startColumn can name one."
        return
    timed = result.cycle_time.count if result.cycle_time else 0
    if timed < result.items_closed:
        yield f"{result.items_closed - timed} of {result.items_closed} closed items have no start, so no cycle time."
    too_long = min(timed, MOST_SAMPLES) - len(result.lt_samples)
    if too_long:
        yield f"Cycle times above {LONGEST_SAMPLE} days, not in ltSamples as no forecast takes them: {too_long}."
