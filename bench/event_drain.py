"""Queued events drained into Postgres: by Sluice's worker in either profile, and by the peer's tasks.

Sluice's worker is measured twice. `worker`: processes of its own are handed invocations as Lambda would hand them,
for on AWS it is not the function that reads the queue. `queue`: the events lie in the emulator's SQS, and its mapping
brings them to the functions; the emulator looks through its whole queue for each invocation, so that figure is mostly
its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg2

from bench.event_counts import Found, Pace, count, numbers_given_out, watch
from bench.event_invocations import message, write_invocations
from bench.event_worker import Worked
from bench.load import TABLES
from bench.peer.stack import Peer
from chalicelib.db.events.writer import NewEvent
from localstack.emulator import aws_session, clean_environment
from localstack.errors import LocalStackError
from localstack.run import LocalStack

ROOT = Path(__file__).parents[1]
# Of Sluice's worker as of the peer's tasks.
PROCESSES = 4
LONGEST_S = 600.0
_START_S = 60.0
_SENT_AT_ONCE = 10


class Drain(msgspec.Struct, frozen=True, kw_only=True):
    """One drain."""

    system: str
    profile: str
    through: str
    events: int
    # Events of one write.
    at_a_time: int
    processes: int
    pace: Pace
    found: Found
    # Of the worker's processes, where they are the bench's own.
    cpu_us_per_event: float | None = None


def empty(dsn: str) -> None:
    """Forgets all events, and has what was written before on disk, so that nobody pays for it later."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("SELECT tablename FROM pg_tables WHERE tablename = ANY(%s)", (list(_TABLES),))
        cursor.execute(f"TRUNCATE {', '.join(name for (name,) in cursor.fetchall())}")
        cursor.execute("CHECKPOINT")


# Of both systems; each has some of them.
_TABLES = ("log_entries", "event_ids", "latest_event", "event_news")


def drain_by_worker(stack: LocalStack, events: Sequence[NewEvent], *, profile: str, at_a_time: int) -> Drain:
    """The worker's function in PROCESSES processes, each with its share of the invocations."""
    files = [stack.state / f"invocations-{number}.jsonl" for number in range(PROCESSES)]
    write_invocations(events, at_a_time, files)
    empty(stack.database_url)
    environ = clean_environment() | _function(stack)["Environment"]["Variables"] | {"AWS_ENDPOINT_URL": stack.endpoint}
    with _workers(files, environ, stack.state / "workers.log") as workers:
        before = numbers_given_out(stack.database_url)
        for worker in workers:
            _tell(worker)
        pace = watch(stack.database_url, before, len(events), LONGEST_S)
        worked = [msgspec.json.decode(_answer(worker), type=Worked) for worker in workers]
    for file in files:
        file.unlink()
    if sum(each.invocations for each in worked) != -(-len(events) // at_a_time):
        raise LocalStackError(f"the worker's processes have not worked off all of their invocations: {worked}")
    return Drain(
        system="Sluice",
        profile=profile,
        through="worker",
        events=len(events),
        at_a_time=at_a_time,
        processes=PROCESSES,
        pace=pace,
        found=_found(stack.database_url, events, "sluice"),
        cpu_us_per_event=round(sum(each.cpu_s for each in worked) / len(events) * 1e6, 1),
    )


def drain_by_queue(stack: LocalStack, events: Sequence[NewEvent], *, profile: str, at_a_time: int) -> Drain:
    """Everything from the emulator's SQS on: the mapping is off until all events lie there."""
    empty(stack.database_url)
    mapping = _Mapping(stack)
    mapping.switch(on=False)
    _fill(stack, events)
    before = numbers_given_out(stack.database_url)
    mapping.switch(on=True)
    pace = watch(stack.database_url, before, len(events), LONGEST_S)
    return Drain(
        system="Sluice",
        profile=profile,
        through="queue",
        events=len(events),
        at_a_time=at_a_time,
        processes=mapping.concurrency,
        pace=pace,
        found=_found(stack.database_url, events, "sluice"),
    )


def drain_by_peer(peer: Peer, dsn: str, events: Sequence[NewEvent], processes: int) -> Drain:
    """Celery's processes, from a Redis that has all the tasks before they start."""
    peer.worker.stop()
    empty(dsn)
    file = peer.worker.program.log.with_name("tasks.jsonl")
    with file.open("w") as out:
        for event in events:
            arguments = [1, event.name, json.loads(event.body), event.status, json.loads(event.results)]
            out.write(json.dumps(arguments) + "\n")
    argv = [str(peer.python), "-m", "bench.peer.fill", str(file)]
    try:
        subprocess.run(argv, env=peer.env, cwd=ROOT, check=True, timeout=LONGEST_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise LocalStackError(f"the peer's Redis was not filled: {type(error).__name__}") from error
    file.unlink()
    before = numbers_given_out(dsn)
    peer.worker.start()
    pace = watch(dsn, before, len(events), LONGEST_S)
    return Drain(
        system="peer",
        profile="",
        through="Redis",
        events=len(events),
        at_a_time=1,
        processes=processes,
        pace=pace,
        found=_found(dsn, events, "peer"),
    )


def _found(dsn: str, events: Sequence[NewEvent], whose: str) -> Found:
    return count(dsn, TABLES[whose], {event.message_id for event in events})


class _Mapping:
    """What brings queued events to their worker."""

    def __init__(self, stack: LocalStack) -> None:
        self._api: Any = aws_session().client("lambda", endpoint_url=stack.endpoint)  # without stubs here
        arn = f"arn:aws:sqs:us-east-1:000000000000:{stack.prefix}-events"
        (self._mapping,) = self._api.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]

    @property
    def concurrency(self) -> int:
        return int(self._mapping["ScalingConfig"]["MaximumConcurrency"])

    def switch(self, *, on: bool) -> None:
        self._api.update_event_source_mapping(UUID=self._mapping["UUID"], Enabled=on)


def _function(stack: LocalStack) -> dict[str, Any]:  # Lambda's own JSON
    api: Any = aws_session().client("lambda", endpoint_url=stack.endpoint)  # without stubs here
    (found,) = (each for each in api.list_functions()["Functions"] if each["Handler"] == "app.work_events")
    return dict(found)


def _fill(stack: LocalStack, events: Sequence[NewEvent]) -> None:
    sqs = aws_session().client("sqs", endpoint_url=stack.endpoint)
    url = sqs.get_queue_url(QueueName=f"{stack.prefix}-events")["QueueUrl"]
    for first in range(0, len(events), _SENT_AT_ONCE):
        batch = events[first : first + _SENT_AT_ONCE]
        entries = [{"Id": str(place), "MessageBody": message(event)} for place, event in enumerate(batch)]
        answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
        if failed := answer.get("Failed"):
            raise LocalStackError(f"the queue has not taken an event: {failed[0]}")


@contextmanager
def _workers(files: Sequence[Path], environ: dict[str, str], log: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that are ready to work off these files; ended at the end of the block, if they have not by then."""
    workers: list[subprocess.Popen[str]] = []
    with log.open("w") as out:
        try:
            for file in files:
                argv = [sys.executable, "-m", "bench.event_worker", str(file)]
                pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": out}
                workers.append(subprocess.Popen(argv, env=environ, cwd=ROOT, text=True, **pipes))
            for worker in workers:
                if _answer(worker) != "ready\n":
                    raise LocalStackError(f"the worker does not start (log: {log})")
            yield workers
        finally:
            for worker in workers:
                worker.kill()
                worker.communicate()


def _tell(worker: subprocess.Popen[str]) -> None:
    assert worker.stdin is not None
    worker.stdin.write("go\n")
    worker.stdin.flush()


def _answer(worker: subprocess.Popen[str]) -> str:
    """A line of the worker's; empty where it has ended."""
    assert worker.stdout is not None
    return worker.stdout.readline()
