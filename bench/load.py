"""Events at a steady rate, each followed from its request to its row in Postgres.

    python -m bench.load --rate 500 --duration 60 [--per minute|second] [--batch N] [--url URL --postgres DSN]
    python -m bench.load --rate 100 --per second --through queue

Open loop: requests are sent when they are due, whether or not the ones before have been answered, and times are
counted from then, so that a service that stalls cannot slow down its own measurement. Some events that are not timed go
first and are waited for, so that functions are started (`--cold` leaves them out). Without --url it is the local stage,
which `make up` has started. Its emulator answers some 40 requests a second on two processors; `--through queue` puts
what ingest would put there on the local stage's queue instead, so that only the way to the row is measured. At the end
every event that was accepted is looked up in Postgres: it must be there once. Exit code 1 where one is lost or doubled,
a request was refused, or a bound of the report was missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import aiohttp
import msgspec
import psycopg2

from chalicelib.events.taken import EventMessage, TakenEvent
from localstack.emulator import aws_session
from localstack.settings import read_settings

# What may be asked of a machine that others use too.
MOST_PER_SECOND, MOST_SECONDS, MOST_BATCH = 1_000, 600, 1_000
# Requests that may wait for their answers at a time; more are not sent and count as refused.
MOST_OPEN = 500
_REQUEST_S = 30.0
# After the last request.
_PATIENCE_S = 120.0
_LOOK_S = 0.02
# Requests, one a second, before time is taken.
_FIRST = 3


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """Where a system's events are found: the app's number, and the columns that have it and the message's id."""

    app: str
    message_id: str

    @property
    def last(self) -> str:
        return f"""
            SELECT apps.id, (SELECT coalesce(max(log_entries.id), 0) FROM log_entries WHERE {self.app} = apps.id)
            FROM apps
            WHERE apps.app_id = %(app_id)s
        """

    @property
    def new(self) -> str:
        return f"""
            SELECT id, {self.message_id}
            FROM log_entries
            WHERE {self.app} = %(app)s AND id > %(last)s AND {self.message_id} LIKE %(name)s
        """

    @property
    def counts(self) -> str:
        return f"SELECT {self.message_id}, count(*) FROM log_entries WHERE {self.message_id} LIKE %(name)s GROUP BY 1"


TABLES = {
    "sluice": Tables(app="app", message_id="message_id"),
    # Of bench/peer, whose rows have the id in their event alone.
    "peer": Tables(app="app_id", message_id="payload ->> 'messageId'"),
}
# Rows are seen in the order of their commits, which is not that of their ids.
_OVERLAP = 5_000
# Events a second, and how long 99 % of them may take from request to row then.
ROW_BOUNDS_S = ((500 / 60, 1.0), (100.0, 2.0))


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent, and where to."""

    url: str
    postgres: str
    app: str
    # Events a second.
    rate: float
    duration_s: float
    # Events of a request; 1 is the route of single events.
    batch: int = 1
    # Whether functions that have not been started yet are part of what is measured.
    is_cold: bool = False
    # Where SQS is, if events go to the queue without a request.
    endpoint: str = ""
    tables: Tables = TABLES["sluice"]


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """Percentiles in milliseconds."""

    p50: float
    p95: float
    p99: float
    most: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    events: int
    accepted: int
    # Requests by their answer's status, or what went wrong.
    answers: dict[str, int]
    rate: float
    submit_ms: Times | None
    row_ms: Times | None
    stored: int
    lost: int
    doubled: int
    seconds: float
    missed: tuple[str, ...]


class Queue:
    """The queue of events of the local stage."""

    def __init__(self, options: Options) -> None:
        self._sqs = aws_session().client("sqs", endpoint_url=options.endpoint)
        self._url = self._sqs.get_queue_url(QueueName="sluice-local-events")["QueueUrl"]
        with closing(psycopg2.connect(options.postgres)) as connection, connection.cursor() as cursor:
            cursor.execute(options.tables.last, {"app_id": options.app})
            ((self._app, _),) = cursor.fetchall()

    def send(self, ids: Sequence[str], numbers: range) -> None:
        """Puts the events of these numbers into one message."""
        events = tuple(
            TakenEvent(
                message_id=message_id,
                name="user_login",
                status="valid",
                is_user=True,
                rules_version=1,
                body=msgspec.Raw(msgspec.json.encode({"eventName": "user_login", "payload": {"userId": number}})),
                results=msgspec.Raw(b"[]"),
            )
            for message_id, number in zip(ids, numbers, strict=True)
        )
        message = EventMessage(app=self._app, accepted_ms=int(time.time() * 1000), events=events)
        self._sqs.send_message(QueueUrl=self._url, MessageBody=msgspec.json.encode(message).decode())


class Run:
    """One run's events, by their message ids."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.name = f"load-{uuid.uuid4()}-"
        self.due: dict[str, float] = {}
        self.accepted: set[str] = set()
        self.answers = Counter[str]()
        self.submit_s: list[float] = []
        self.row_s: dict[str, float] = {}
        self.open = 0
        self.queue = Queue(options) if options.endpoint else None

    async def send(self, session: aiohttp.ClientSession, numbers: range, due: float) -> None:
        """Sends the events of these numbers as one request."""
        ids = [f"{self.name}{number}" for number in numbers]
        events = [
            {"eventName": "user_login", "messageId": message_id, "payload": {"userId": number, "method": "load"}}
            for number, message_id in zip(numbers, ids, strict=True)
        ]
        self.due |= dict.fromkeys(ids, due)
        if self.open >= MOST_OPEN:
            self.answers["not sent: too many open"] += 1
            return
        self.open += 1
        if self.queue is not None:
            await asyncio.to_thread(self.queue.send, ids, numbers)
            self.open -= 1
            self.answers["queued"] += 1
            self.accepted.update(ids)
            self.submit_s.append(time.perf_counter() - due)
            return
        path = f"/api/logs/{self.options.app}" + ("" if self.options.batch == 1 else "/batch")
        body: object = events[0] if self.options.batch == 1 else events
        try:
            async with session.post(self.options.url + path, json=body) as response:
                await response.read()
                self.answers[str(response.status)] += 1
                if response.status == 202:
                    self.accepted.update(ids)
                    self.submit_s.append(time.perf_counter() - due)
        except (aiohttp.ClientError, TimeoutError) as error:
            self.answers[type(error).__name__] += 1
        finally:
            self.open -= 1

    def watch(self, is_done: asyncio.Event) -> None:
        """Notes when rows are first seen, until all that was accepted is there or it takes too long."""
        tables = self.options.tables
        with closing(psycopg2.connect(self.options.postgres)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(tables.last, {"app_id": self.options.app})
                ((app, last),) = cursor.fetchall()
                deadline: float | None = None
                while deadline is None or time.perf_counter() < deadline:
                    cursor.execute(tables.new, {"app": app, "last": last - _OVERLAP, "name": f"{self.name}%"})
                    now = time.perf_counter()
                    for number, message_id in cursor.fetchall():
                        self.row_s.setdefault(message_id, now - self.due[message_id])
                        last = max(last, number)
                    if is_done.is_set():
                        if self.accepted <= self.row_s.keys():
                            return
                        deadline = deadline or now + _PATIENCE_S
                    time.sleep(_LOOK_S)

    def count(self) -> tuple[int, int, int]:
        """Events of the run in Postgres: stored, lost and doubled."""
        with closing(psycopg2.connect(self.options.postgres)) as connection, connection.cursor() as cursor:
            cursor.execute(self.options.tables.counts, {"name": f"{self.name}%"})
            found = {message_id: int(count) for message_id, count in cursor.fetchall()}
        lost = len(self.accepted - found.keys())
        return len(found), lost, sum(count > 1 for count in found.values())


async def load(options: Options) -> Report:
    """Sends all, waits for the rows, and counts them."""
    requests = round(options.rate * options.duration_s / options.batch)
    first = Run(options)
    if not options.is_cold:
        await _send_all(first, _FIRST, 1.0)
    run = Run(options)
    seconds = await _send_all(run, requests, options.batch / options.rate, _tell)
    return _report(run, requests, seconds, first)


async def _send_all(
    run: Run, requests: int, gap_s: float, tell: Callable[[Run, int, int], None] = lambda *_: None
) -> float:
    """Sends so many requests and waits for their rows; answers how long it took to have them answered."""
    is_done = asyncio.Event()
    watching = asyncio.create_task(asyncio.to_thread(run.watch, is_done))
    # The watcher has to know from which row on to look.
    await asyncio.sleep(0.2)
    batch, timeout = run.options.batch, aiohttp.ClientTimeout(total=_REQUEST_S)
    connector = aiohttp.TCPConnector(limit=MOST_OPEN)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        began = time.perf_counter()
        sent: list[asyncio.Task[None]] = []
        for place in range(requests):
            due = began + place * gap_s
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            numbers = range(place * batch, (place + 1) * batch)
            sent.append(asyncio.create_task(run.send(session, numbers, due)))
            tell(run, place + 1, requests)
        await asyncio.gather(*sent)
        seconds = time.perf_counter() - began
    is_done.set()
    await watching
    return seconds


def _report(run: Run, requests: int, seconds: float, first: Run) -> Report:
    options, events = run.options, requests * run.options.batch
    lost_first = len(first.accepted - first.row_s.keys())
    stored, lost, doubled = run.count()
    row_ms = _times(list(run.row_s.values()))
    missed = [
        *([f"{events - len(run.accepted)} events were not accepted"] if len(run.accepted) < events else []),
        *([f"{lost} events were lost"] if lost else []),
        *([f"{doubled} events were doubled"] if doubled else []),
        *([f"{lost_first} of the events before were lost"] if lost_first else []),
    ]
    for most, bound_s in ROW_BOUNDS_S:
        if options.rate <= most and (row_ms is None or row_ms.p99 > 1000 * bound_s):
            missed.append(f"p99 from request to row is to be at most {bound_s:g} s at this rate")
            break
    return Report(
        events=events,
        accepted=len(run.accepted),
        answers=dict(run.answers),
        rate=round(events / seconds, 1),
        submit_ms=_times(run.submit_s),
        row_ms=row_ms,
        stored=stored,
        lost=lost,
        doubled=doubled,
        seconds=round(seconds, 1),
        missed=tuple(missed),
    )


def _times(seconds: list[float]) -> Times | None:
    if len(seconds) < 2:
        return None
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    p50, p95, p99 = (round(1000 * cuts[place - 1], 1) for place in (50, 95, 99))
    return Times(p50=p50, p95=p95, p99=p99, most=round(1000 * max(seconds), 1))


def _tell(run: Run, sent: int, requests: int) -> None:
    if not sys.stderr.isatty() and sent % max(1, requests // 10):
        return
    end = "\r" if sys.stderr.isatty() and sent < requests else "\n"
    line = f"{sent} of {requests} requests sent, {len(run.accepted)} events accepted, {len(run.row_s)} rows seen"
    print(line, end=end, file=sys.stderr, flush=True)


def table(report: Report) -> str:
    """The report as a person reads it."""
    lines = [
        f"{report.events} events in {report.seconds} s ({report.rate} a second), answers {report.answers}",
        f"accepted {report.accepted}, stored {report.stored}, lost {report.lost}, doubled {report.doubled}",
    ]
    for name, times in (("request to answer", report.submit_ms), ("request to row", report.row_ms)):
        if times is not None:
            lines.append(f"{name}: p50 {times.p50} ms, p95 {times.p95} ms, p99 {times.p99} ms, most {times.most} ms")
    return "\n".join([*lines, *(f"MISSED: {each}" for each in report.missed)])


def _options(arguments: Sequence[str] | None) -> tuple[Options, Path | None]:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description="Events at a steady rate.")
    parser.add_argument("--rate", type=float, default=500.0, help="events in the time of --per (500)")
    parser.add_argument("--per", choices=("minute", "second"), default="minute")
    parser.add_argument("--duration", type=float, default=60.0, metavar="S", help=f"at most {MOST_SECONDS} s")
    parser.add_argument("--batch", type=int, default=1, help=f"events of a request, at most {MOST_BATCH} (1)")
    parser.add_argument("--cold", action="store_true", help="take time from the first request on")
    parser.add_argument("--app", default="test-app")
    parser.add_argument("--through", choices=("http", "queue"), default="http", help="queue: of the local stage alone")
    parser.add_argument("--url", help="where the API is; by default the local stage")
    parser.add_argument("--postgres", metavar="DSN", help="where its rows are")
    parser.add_argument("--rows-of", choices=tuple(TABLES), default="sluice", help="peer: of bench/peer, with --url")
    parser.add_argument("--json", type=Path, metavar="FILE")
    said = parser.parse_args(arguments)
    rate = said.rate / (60 if said.per == "minute" else 1)
    for name, value, most in (
        ("--rate", rate, MOST_PER_SECOND),
        ("--duration", said.duration, MOST_SECONDS),
        ("--batch", said.batch, MOST_BATCH),
    ):
        if not 0 < value <= most:
            parser.error(f"{name} must be above 0 and at most {most}{' a second' if name == '--rate' else ''}")
    url, postgres, endpoint = said.url, said.postgres, ""
    if said.through == "queue" and url is not None:
        parser.error("--through queue is for the local stage, without --url")
    if url is None:
        file = read_settings().state / "run.json"
        if not file.exists():
            parser.error("the local stage does not run: start it with make up, or name --url and --postgres")
        found = json.loads(file.read_text())
        url, postgres = found["url"], postgres or found["database_url"]
        endpoint = found["endpoint"] if said.through == "queue" else ""
    if not postgres:
        parser.error("--postgres must say where the rows are")
    options = Options(
        url=url.rstrip("/"),
        postgres=postgres,
        app=said.app,
        rate=rate,
        duration_s=said.duration,
        batch=said.batch,
        is_cold=said.cold,
        endpoint=endpoint,
        tables=TABLES[said.rows_of],
    )
    return options, said.json


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; answers 1 where something was missed."""
    options, file = _options(arguments)
    report = asyncio.run(load(options))
    print(table(report))
    if file:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
