"""Events into Postgres: the worker's write in batches of several sizes, beside COPY and one commit for each row.

    python -m bench.events [--rows N] [--json FILE]

A Postgres of the bench's own; each way writes the same rows into the same tables, message ids and newest events
included, some rounds in turn. Rows a second are of the best round, for other work on the machine only ever takes away.
Exit code 1 where a bar is missed: with 1,000 rows in a batch at least 5,000 rows a second and 30 % of what COPY does.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
import psycopg2

from bench.contract_server import running_server
from bench.event_rows import event_rows
from chalicelib.db.connect import Database
from chalicelib.db.events.upkeep import EventTables
from chalicelib.db.events.writer import EventWriter, NewEvent, Outcome, moment
from chalicelib.db.migrate import migrate
from chalicelib.jobs.context import Unwatched
from localstack.errors import Interrupted, LocalStackError
from localstack.supervise import interruptible

BATCHES = (1, 10, 100, 1_000)
ROUNDS = 5
ROWS_BAR, COPY_BAR = 5_000.0, 0.30
_START_MS = 1_800_000_000_000


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One way to write."""

    way: str
    rows: int
    rows_per_s: float
    # Of what COPY does.
    of_copy: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    rows: int
    row_bytes: int
    machine: dict[str, float | int | None]
    lines: list[Line]
    missed: list[str]


def measure(rows: int, state: Path, tell: Callable[[str], None]) -> Report:
    """Runs all ways in turn."""
    machine: dict[str, float | int | None] = {"cores": os.cpu_count(), "load_1m_start": round(os.getloadavg()[0], 2)}
    with running_server(state) as server:
        migrate(server.dsn)
        EventTables(server.dsn, Unwatched(None, "")).add_days(moment(_START_MS).date())
        app = _app(server.dsn)
        events = list(event_rows(app, rows, _START_MS))
        best: dict[str, tuple[int, float]] = {}
        for _ in range(ROUNDS):
            for way, count, write in _ways(server.dsn, events):
                _empty(server.dsn)
                began = time.perf_counter()
                write()
                rate = count / (time.perf_counter() - began)
                _check(server.dsn, count)
                best[way] = count, max(rate, best.get(way, (0, 0.0))[1])
                tell(f"{way}: {rate:,.0f} rows/s")
    copied = best["COPY"][1]
    lines = [
        Line(way=way, rows=count, rows_per_s=round(rate), of_copy=round(rate / copied, 2))
        for way, (count, rate) in best.items()
    ]
    machine["load_1m_end"] = round(os.getloadavg()[0], 2)
    bytes_ = sum(len(event.body) + len(event.results) for event in events) // rows
    return Report(rows=rows, row_bytes=bytes_, machine=machine, lines=lines, missed=_missed(lines))


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


def _app(dsn: str) -> int:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO users (email, password_hash, name) VALUES ('b@example.org', '', 'B') RETURNING id")
        ((user,),) = cursor.fetchall()
        cursor.execute(
            "INSERT INTO apps (app_id, user_id, name, salt) "
            "VALUES ('bench', %s, 'Bench', decode(repeat('00', 32), 'hex')) RETURNING id",
            (user,),
        )
        ((app,),) = cursor.fetchall()
    return int(app)


def _empty(dsn: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("TRUNCATE log_entries, event_ids, latest_event")


def _check(dsn: str, count: int) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM log_entries), (SELECT count(*) FROM event_ids)")
        assert cursor.fetchall() == [(count, count)]


def _missed(lines: Sequence[Line]) -> list[str]:
    largest = next(line for line in lines if line.way == f"batches of {BATCHES[-1]}")
    return [
        *([f"{largest.way}: at least {ROWS_BAR:g} rows/s"] if largest.rows_per_s < ROWS_BAR else []),
        *([f"{largest.way}: at least {COPY_BAR:.0%} of COPY"] if largest.of_copy < COPY_BAR else []),
    ]


def table(report: Report) -> str:
    """The report as a person reads it."""
    lines = [f"{report.rows} rows of {report.row_bytes} bytes; {report.machine}; best of {ROUNDS} rounds"]
    lines += [f"{line.way:<16}{line.rows_per_s:>9,.0f} rows/s  {line.of_copy:>5.2f} of COPY" for line in report.lines]
    return "\n".join([*lines, *(f"MISSED: {each}" for each in report.missed)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; answers 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.events")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--json", type=Path, metavar="FILE")
    said = parser.parse_args(arguments)
    try:
        with interruptible(), tempfile.TemporaryDirectory() as folder:
            report = measure(said.rows, Path(folder), lambda line: print(line, file=sys.stderr, flush=True))
    except Interrupted as interrupted:
        return interrupted.exit_code
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(table(report))
    if said.json:
        said.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
