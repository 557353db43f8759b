"""What one event name for all costs: writers that wait for each other at the newest event of a name, or do not.

    python -m bench.queueing_names

The worker's write keeps the newest event of each name of an app in one row, so transactions with events of one name
follow one another. Processes write batches of ten for some seconds, all with one name and each with its own, in turns.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.contract_server import running_server
from bench.event_rows import event_rows
from bench.events import _app as add_app
from chalicelib.db.connect import Database
from chalicelib.db.events.upkeep import EventTables
from chalicelib.db.events.writer import EventWriter
from chalicelib.db.migrate import migrate
from chalicelib.jobs.context import Unwatched

ROOT = Path(__file__).parents[1]
WRITERS, ROUNDS, SECONDS, BATCH, MOST = (1, 4, 8), 3, 4.0, 10, 8_000


def rows_per_s(dsn: str, app: int, names: list[str]) -> float:
    """Of one writer for each of the names, together."""
    writers = []
    for name in names:
        argv = [sys.executable, "-m", "bench.queueing_names", dsn, str(app), name]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        writers.append(subprocess.Popen(argv, cwd=ROOT, text=True, **pipes))  # type: ignore[call-overload]
    for writer in writers:
        if writer.stdout.readline() != "ready\n":
            raise SystemExit("a writer does not start")
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    found = [float(writer.communicate()[0]) for writer in writers]
    return sum(found)


def write(dsn: str, app: int, name: str) -> None:
    """One writer: tells when it is ready, waits to be told, and says how many rows a second it has written."""
    rows = event_rows(app, MOST, int(time.time() * 1000), seed=time.monotonic_ns())
    events = [msgspec.structs.replace(each, name=name) for each in rows]
    with closing(Database(dsn)) as database:
        writer = EventWriter(database)
        writer.store(events[:BATCH])
        print("ready", flush=True)
        sys.stdin.readline()
        began_s, written = time.perf_counter(), BATCH
        while time.perf_counter() - began_s < SECONDS and written < MOST:
            writer.store(events[written : written + BATCH])
            written += BATCH
        print((written - BATCH) / (time.perf_counter() - began_s), flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder) / "server") as server:
        migrate(server.dsn)
        EventTables(server.dsn, Unwatched(None, "")).add_days(datetime.now(UTC).date())
        app = add_app(server.dsn)
        print(f"rows/s in batches of {BATCH}, medians of {ROUNDS} rounds of {SECONDS:g} s")
        for count in WRITERS:
            own = [f"name-{number}" for number in range(count)]
            both = [
                (rows_per_s(server.dsn, app, ["one"] * count), rows_per_s(server.dsn, app, own)) for _ in range(ROUNDS)
            ]
            one, several = (statistics.median(each) for each in zip(*both, strict=True))
            print(f"{count} writers: one name {one:6,.0f}, a name each {several:6,.0f}, ratio {one / several:.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    else:
        main()
