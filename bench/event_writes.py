"""Events into Postgres: the worker's write in batches of several sizes, beside COPY and one commit for each row.

Each way writes the same rows into the same tables, message ids and newest events included, some rounds in turn. Rows a
second are of the best round, for other work on the machine only ever takes away.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial

import msgspec
import psycopg2

from bench.event_drain import empty
from chalicelib.db.connect import Database
from chalicelib.db.events.writer import EventWriter, NewEvent, Outcome, moment

BATCHES = (1, 10, 100, 1_000)
ROWS_BAR, COPY_BAR = 5_000.0, 0.30


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One way to write."""

    way: str
    rows: int
    rows_per_s: float
    # Of what COPY does.
    of_copy: float


class Writes(msgspec.Struct, frozen=True, kw_only=True):
    """All ways."""

    rows: int
    row_bytes: int
    rounds: int
    lines: list[Line]


def measure(dsn: str, events: list[NewEvent], rounds: int, tell: Callable[[str], None]) -> Writes:
    """Runs all ways in turn."""
    best: dict[str, tuple[int, float]] = {}
    for _ in range(rounds):
        for way, count, write in _ways(dsn, events):
            empty(dsn)
            began = time.perf_counter()
            write()
            rate = count / (time.perf_counter() - began)
            _check(dsn, count)
            best[way] = count, max(rate, best.get(way, (0, 0.0))[1])
            tell(f"{way}: {rate:,.0f} rows/s")
    copied = best["COPY"][1]
    lines = [
        Line(way=way, rows=count, rows_per_s=round(rate), of_copy=round(rate / copied, 2))
        for way, (count, rate) in best.items()
    ]
    bytes_ = sum(len(event.body) + len(event.results) for event in events) // len(events)
    return Writes(rows=len(events), row_bytes=bytes_, rounds=rounds, lines=lines)


def _ways(dsn: str, events: list[NewEvent]) -> list[tuple[str, int, Callable[[], None]]]:
    """Each way's name, its rows, and the write itself; small batches write fewer."""
    ways: list[tuple[str, int, Callable[[], None]]] = [("COPY", len(events), partial(_copy, dsn, events))]
    for size in BATCHES:
        mine = events[: min(len(events), size * 500)]
        ways.append((f"batches of {size}", len(mine), partial(_store, dsn, mine, size)))
    return ways


def _store(dsn: str, events: list[NewEvent], size: int) -> None:
    with closing(Database(dsn)) as database:
        writer = EventWriter(database)
        for first in range(0, len(events), size):
            outcomes = writer.store(events[first : first + size])
            assert set(outcomes) == {Outcome.STORED}


def _copy(dsn: str, events: list[NewEvent]) -> None:
    """The rows into the same two tables, 1,000 in a transaction, without a look at what is there."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        for first in range(0, len(events), 1_000):
            part = events[first : first + 1_000]
            with connection:
                _copy_rows(cursor, "event_ids (app, message_id, body_hash, accepted_at)", map(_id_row, part))
                columns = "app, accepted_at, event_name, message_id, status, is_user, rules_version, body, results"
                _copy_rows(cursor, f"log_entries ({columns})", map(_entry_row, part))


def _copy_rows(cursor: psycopg2.extensions.cursor, into: str, rows: object) -> None:
    file = io.StringIO()
    csv.writer(file).writerows(rows)  # type: ignore[arg-type]
    file.seek(0)
    cursor.copy_expert(f"COPY {into} FROM STDIN WITH (FORMAT csv)", file)


def _id_row(event: NewEvent) -> tuple[object, ...]:
    return event.app, event.message_id, f"\\x{event.body_hash.hex()}", moment(event.accepted_ms)


def _entry_row(event: NewEvent) -> tuple[object, ...]:
    said = (event.name, event.message_id, event.status, event.is_user, event.rules_version, event.body, event.results)
    return event.app, moment(event.accepted_ms), *said


def _check(dsn: str, count: int) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM log_entries), (SELECT count(*) FROM event_ids)")
        assert cursor.fetchall() == [(count, count)]


def missed(writes: Writes) -> list[str]:
    """Where a bar was not met, in words."""
    largest = next(line for line in writes.lines if line.way == f"batches of {BATCHES[-1]}")
    return [
        *([f"{largest.way}: at least {ROWS_BAR:g} rows/s"] if largest.rows_per_s < ROWS_BAR else []),
        *([f"{largest.way}: at least {COPY_BAR:.0%} of COPY"] if largest.of_copy < COPY_BAR else []),
    ]


def table(writes: Writes) -> list[str]:
    """The figures as a person reads them."""
    return [
        f"written straight: {writes.rows} rows of {writes.row_bytes} bytes, best of {writes.rounds} rounds",
        *(f"  {line.way:<18}{line.rows_per_s:>9,.0f} rows/s  {line.of_copy:>5.2f} of COPY" for line in writes.lines),
    ]
