"""Events: the bars of the design side by side with Flask + Celery + Redis, in one run on this machine.

    python -m bench.events [--quick] [--without-peer] [--rows N] [--events N] [--json FILE]

* the worker's write in batches, beside COPY: 1,000 rows in a batch reach 5,000 rows a second and 30 % of COPY's rate;
* 100,000 queued events drained by the worker in either profile: none lost, none doubled, 5 times as fast as the peer;
* from request to row at 500 a minute and 100 a second: 99 % within 1 s and 2 s in the low-latency profile.

All in one Postgres of the bench's own. Exit code 1 where a bar is missed. The peer needs redis-server on PATH. With
--quick everything is tried and nothing is measured: figures of so few events say little, and only counts are bars then.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import psycopg2

from bench import event_latency as latency
from bench import event_writes as writes
from bench.contract_server import running_server
from bench.event_drain import Drain, drain_by_peer, drain_by_queue, drain_by_worker
from bench.event_latency import RATES, Latency
from bench.event_report import Report, drain_line, latency_line, missed, table
from bench.event_rows import event_rows
from bench.peer.stack import TASK_WORKERS, Peer, redis_server, running_peer
from chalicelib.db.events.upkeep import EventTables
from chalicelib.db.events.writer import NewEvent
from chalicelib.db.migrate import migrate
from chalicelib.jobs.context import Unwatched
from chalicelib.settings import EVENT_PROFILES
from localstack.emulator import forget_aws_settings
from localstack.errors import Interrupted, LocalStackError
from localstack.progress import Progress
from localstack.run import LocalStack, local_stack
from localstack.settings import Settings
from localstack.supervise import interruptible

ROOT = Path(__file__).parents[1]
# The peer's packages stay there between runs.
PEER_STATE = ROOT / ".local" / "bench" / "peer"
PEER_SCHEMA = ROOT / "bench" / "peer" / "schema.sql"
# The largest batch of the writes; and what a machine that others use can be asked for.
LEAST_EVENTS, MOST_EVENTS = 1_000, 200_000


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured, and how much of it."""

    rows: int = 20_000
    rounds: int = 5
    events: int = 100_000
    # The emulator takes longer for each invocation the more messages wait.
    events_in_queue: dict[str, int] = msgspec.field(
        default_factory=lambda: {"low-latency": 10_000, "high-volume": 100_000}
    )
    # It takes minutes for what Sluice does in seconds; whether its pace is steady is shown.
    events_of_peer: int = 10_000
    latency_s: float = 30.0
    with_peer: bool = True
    is_quick: bool = False


QUICK = Plan(
    rows=4_000,
    rounds=1,
    events=4_000,
    events_in_queue={"low-latency": 1_000, "high-volume": 4_000},
    events_of_peer=500,
    latency_s=5.0,
    is_quick=True,
)


class Bench:
    """One run."""

    def __init__(self, plan: Plan, state: Path, progress: Progress) -> None:
        self.plan, self.state, self.progress = plan, state, progress
        self.drains: list[Drain] = []
        self.latencies: list[Latency] = []
        self.loads_1m = [_load_1m()]

    def measure(self) -> Report:
        """Measures everything, one after the other."""
        forget_aws_settings()
        with running_server(self.state / "server") as server:
            migrate(server.dsn)
            EventTables(server.dsn, Unwatched(None, "")).add_days(datetime.now(UTC).date())
            count = max(self.plan.rows, self.plan.events, *self.plan.events_in_queue.values())
            events = list(event_rows(_app(server.dsn), count, int(time.time() * 1000)))
            written = writes.measure(server.dsn, events[: self.plan.rows], self.plan.rounds, self.progress.step)
            self.loads_1m.append(_load_1m())
            of_peer = _database_of_peer(server.dsn) if self.plan.with_peer else ""
            for profile in EVENT_PROFILES:
                if of_peer:
                    # Before each profile, for the machine may have other work by then.
                    with running_peer(PEER_STATE, self.progress, of_peer) as peer:
                        self._measure_peer(peer, of_peer, events)
                with self._stack(server.dsn, profile) as stack:
                    self._measure_sluice(stack, profile, events)
                self.loads_1m.append(_load_1m())
        report = Report(
            is_quick=self.plan.is_quick,
            cores=os.cpu_count() or 0,
            loads_1m=self.loads_1m,
            writes=written,
            drains=self.drains,
            latencies=self.latencies,
        )
        return msgspec.structs.replace(report, missed=missed(report))

    @contextmanager
    def _stack(self, dsn: str, profile: str) -> Iterator[LocalStack]:
        folder = self.state / profile
        folder.mkdir()
        settings = Settings(root=ROOT, state=folder, database_url=dsn, environment={"EVENT_PROFILE": profile})
        with local_stack(settings, self.progress) as stack:
            yield stack

    def _measure_peer(self, peer: Peer, dsn: str, events: Sequence[NewEvent]) -> None:
        if not any(each.system == "peer" for each in self.latencies):
            # The first requests and tasks open the connections.
            latency.of_peer(peer, dsn, 10.0, 2.0)
            for rate, _, _ in RATES:
                self._tell(latency.of_peer(peer, dsn, rate, self.plan.latency_s))
        self._tell(drain_by_peer(peer, dsn, events[: self.plan.events_of_peer], TASK_WORKERS))

    def _measure_sluice(self, stack: LocalStack, profile: str, events: Sequence[NewEvent]) -> None:
        at_a_time, _ = EVENT_PROFILES[profile]
        for through in ("http", "queue"):
            latency.of_sluice(stack, profile, 10.0, through, 2.0)
        for rate, _, through in RATES:
            self._tell(latency.of_sluice(stack, profile, rate, through, self.plan.latency_s))
        of_worker, of_queue = events[: self.plan.events], events[: self.plan.events_in_queue[profile]]
        self._tell(drain_by_worker(stack, of_worker, profile=profile, at_a_time=at_a_time))
        self._tell(drain_by_queue(stack, of_queue, profile=profile, at_a_time=at_a_time))

    def _tell(self, done: Drain | Latency) -> None:
        if isinstance(done, Drain):
            self.drains.append(done)
            self.progress.step(drain_line(done))
        else:
            self.latencies.append(done)
            self.progress.step(latency_line(done))


def _load_1m() -> float:
    return round(os.getloadavg()[0], 2)


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


def _database_of_peer(dsn: str) -> str:
    """Its tables in a database of their own on the same server."""
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE peer")
    of_peer = urlsplit(dsn)._replace(path="/peer").geturl()
    with closing(psycopg2.connect(of_peer)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(PEER_SCHEMA.read_text())
    return of_peer


def _plan(said: argparse.Namespace) -> Plan:
    plan = QUICK if said.quick else Plan()
    changes = {name: getattr(said, name) for name in ("rows", "events") if getattr(said, name) is not None}
    queued = {profile: min(most, said.events or most) for profile, most in plan.events_in_queue.items()}
    return msgspec.structs.replace(plan, **changes, events_in_queue=queued, with_peer=not said.without_peer)


def _count(text: str) -> int:
    number = int(text)
    if not LEAST_EVENTS <= number <= MOST_EVENTS:
        raise argparse.ArgumentTypeError(f"must be from {LEAST_EVENTS} to {MOST_EVENTS}, got {number}")
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; answers 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.events")
    parser.add_argument("--rows", type=_count, help="rows of the writes beside COPY (20000)")
    parser.add_argument("--events", type=_count, help="events that the worker drains (100000)")
    parser.add_argument("--quick", action="store_true", help="few of everything, to see that it works")
    parser.add_argument("--without-peer", action="store_true", help="Sluice alone, without redis-server")
    parser.add_argument("--json", type=Path, metavar="FILE")
    said = parser.parse_args(arguments)
    plan, progress = _plan(said), Progress(sys.stderr)
    try:
        with interruptible(), tempfile.TemporaryDirectory() as folder:
            if plan.with_peer:
                redis_server()  # before anything is started
                PEER_STATE.mkdir(parents=True, exist_ok=True)
            report = Bench(plan, Path(folder), progress).measure()
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
