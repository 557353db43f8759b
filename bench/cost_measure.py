"""Both systems on this machine: what Sluice's functions take for each piece of work, and the peer's processes."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import psutil
import psycopg2

from bench import cold_start
from bench.contract_server import running_server
from bench.cost_scenarios import BASIC, event
from bench.cost_work import Measured
from bench.peer.stack import Peer, running_peer
from localstack import demo
from localstack.emulator import aws_session, clean_environment
from localstack.errors import LocalStackError
from localstack.progress import Progress
from localstack.run import LocalStack, local_stack
from localstack.settings import Settings

ROOT = Path(__file__).parents[1]
PEER_STATE = ROOT / ".local" / "bench" / "peer"
PEER_SCHEMA = ROOT / "bench" / "peer" / "schema.sql"
_LONGEST_S = 300.0
_EVENTS_PER_S, _EVENTS, _FORECASTS = 60.0, 600, 20
_ROW_BYTES = """
SELECT sum(pg_total_relation_size(oid)) FILTER (WHERE pg_relation_size(oid) > 0) / (SELECT count(*) FROM log_entries)
FROM pg_class
WHERE relkind = 'r' AND (relname LIKE 'log_entries%' OR relname LIKE 'event_ids%')
"""
# The peer's rules for the same event that Sluice has rules for (localstack/data/event-rules.csv).
_RULES = """
INSERT INTO validation_rules (app_id, event_name, field_name, data_type, is_required)
VALUES (1, 'purchase', 'orderId', 'text', true), (1, 'purchase', 'total', 'float', true),
       (1, 'purchase', 'currency', 'text', true), (1, 'purchase', 'items[].sku', 'text', true),
       (1, 'purchase', 'items[].price', 'float', true)
"""
# Of a forecast of the peer, which draws; Sluice answers with the exact law.
TRIALS = 10_000


class PeerCost(msgspec.Struct, frozen=True, kw_only=True):
    """CPU milliseconds of the peer's processes: its web server's, and those of its tasks with Redis."""

    event_web_ms: float
    event_task_ms: float
    event_database_ms: float
    row_bytes: float
    forecast_ms: float


def measure_sluice(state: Path, progress: Progress) -> Measured:
    """Starts the local stack, switches its mappings off, and has bench.cost_process run the functions."""
    settings = Settings(root=ROOT, state=state, keep_data=False)
    with local_stack(settings, progress) as stack:
        switch_mappings(stack, on=False)
        database = stack.children[0].pid
        log = stack.state / "cost.log"
        argv = [sys.executable, "-m", "bench.cost_process", str(log), str(database), demo.EMAIL, demo.PASSWORD]
        environ = clean_environment() | variables(stack, "app.app") | {"AWS_ENDPOINT_URL": stack.endpoint}
        try:
            told = subprocess.run(argv, env=environ, cwd=ROOT, capture_output=True, timeout=_LONGEST_S)
        except subprocess.TimeoutExpired as error:
            raise LocalStackError(f"bench.cost_process did not end within {_LONGEST_S:.0f} s") from error
        if told.returncode:
            raise LocalStackError(f"bench.cost_process has failed: {told.stderr.decode(errors='replace')[-2000:]}")
        measured = msgspec.json.decode(told.stdout, type=Measured)
        return msgspec.structs.replace(
            measured, cold_cpu_ms=_cold_cpu_ms(), row_bytes=_row_bytes(stack.database_url), series=_series(log)
        )


def _cold_cpu_ms() -> dict[str, float]:
    """Of fresh interpreters with the app and its clients, and with what else a worker loads before its first work."""
    app = cold_start.STATEMENTS["app"]
    statements = {"": app, **dict.fromkeys(("work_events", "work_searches"), f"{app}; import psycopg2")}
    statements["work_simulations"] = f"{app}; import numpy"
    medians = {each: statistics.median(cold_start.import_ms(each) for _ in range(5)) for each in {*statements.values()}}
    return {name: round(medians[statement], 1) for name, statement in statements.items()}


def _row_bytes(dsn: str) -> float:
    """What an event takes on disk, with the indexes and the table of message ids."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(_ROW_BYTES)
        ((size,),) = cursor.fetchall()
    return round(float(size))


def _series(log: Path) -> int:
    """How many custom metrics the functions have written: each name with each set of dimensions."""
    found = set()
    for line in log.read_text().splitlines():
        written = json.loads(line) if '"_aws"' in line else {}
        for each in written.get("_aws", {}).get("CloudWatchMetrics", ()):
            for names in each["Dimensions"]:
                values = tuple((name, written[name]) for name in sorted(names))
                found |= {(metric["Name"], values) for metric in each["Metrics"]}
    return len(found)


def switch_mappings(stack: LocalStack, *, on: bool) -> None:
    """Whether queues and streams start functions."""
    api: Any = aws_session().client("lambda", endpoint_url=stack.endpoint)
    for mapping in api.list_event_source_mappings()["EventSourceMappings"]:
        api.update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)


def variables(stack: LocalStack, handler: str) -> dict[str, str]:
    """The environment of one of the functions."""
    api: Any = aws_session().client("lambda", endpoint_url=stack.endpoint)
    (found,) = (each for each in api.list_functions()["Functions"] if each["Handler"] == handler)
    return dict(found["Environment"]["Variables"])


def measure_peer(state: Path, progress: Progress) -> PeerCost:
    """Events at a steady rate and forecasts one after the other, by the CPU of all of its processes."""
    PEER_STATE.mkdir(parents=True, exist_ok=True)
    with running_server(state) as server, closing(psycopg2.connect(server.dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(PEER_SCHEMA.read_text() + _RULES)
            database = next(one for one in psutil.Process().children(recursive=True) if one.name() == "postgres")
            with running_peer(PEER_STATE, progress, server.dsn) as peer:
                _send_events(peer, cursor, 40)
                web, tasks, of_database = _named("/gunicorn"), _named("/celery", "redis-server"), [database]
                before = [_cpu_s(each) for each in (web, tasks, of_database)]
                _send_events(peer, cursor, _EVENTS)
                spent = [_cpu_s(each) - was for each, was in zip((web, tasks, of_database), before, strict=True)]
                cursor.execute("SELECT pg_total_relation_size('log_entries')::float / count(*) FROM log_entries")
                ((row_bytes,),) = cursor.fetchall()
                _forecast(peer, 0)
                began_s = _cpu_s([*web, *tasks])
                for number in range(_FORECASTS):
                    _forecast(peer, number)
                forecasts_s = _cpu_s([*web, *tasks]) - began_s
    web_ms, task_ms, database_ms = (round(1000 * each / _EVENTS, 3) for each in spent)
    return PeerCost(
        event_web_ms=web_ms,
        event_task_ms=task_ms,
        event_database_ms=database_ms,
        row_bytes=round(row_bytes),
        forecast_ms=round(1000 * forecasts_s / _FORECASTS, 3),
    )


def _send_events(peer: Peer, cursor: psycopg2.extensions.cursor, count: int) -> None:
    """So many events at a steady rate, until all have their rows."""
    cursor.execute("SELECT count(*) FROM log_entries")
    ((before,),) = cursor.fetchall()
    began_s = time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, began_s + number / _EVENTS_PER_S - time.perf_counter()))
        _call(f"{peer.url}/api/logs/{demo.APP}", event())
    deadline_s = time.perf_counter() + 30
    while True:
        cursor.execute("SELECT count(*) FROM log_entries")
        ((rows,),) = cursor.fetchall()
        if rows - before >= count:
            return
        if time.perf_counter() > deadline_s:
            raise LocalStackError(f"the peer has stored {rows - before} of {count} events")
        time.sleep(0.05)


def _named(*names: str) -> list[psutil.Process]:
    """Programs of ours by a part of their command lines, without the leashes that hold them."""
    found = []
    for one in psutil.Process().children(recursive=True):
        named = " ".join(one.cmdline()[:4])
        if any(name in named for name in names) and "leash.py" not in named:
            found.append(one)
    return found


def _cpu_s(roots: list[psutil.Process]) -> float:
    found = {one.pid: one for root in roots for one in (root, *root.children(recursive=True))}
    total = 0.0
    for one in found.values():
        try:
            times = one.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total


def _forecast(peer: Peer, seed: int) -> None:
    """Submitted, asked for twice at once and then until it is there, as Sluice's are."""
    request = {**BASIC, "numberOfSimulations": TRIALS, "splitRateSamples": [1.0], "seed": seed}
    task = _call(f"{peer.url}/api/async/simulate", request)
    deadline_s = time.perf_counter() + 30
    for pause_s in (0.0, 0.0, *[0.5] * 60):
        time.sleep(pause_s)
        if _call(f"{peer.url}{task['poll_url']}")["state"] == "SUCCESS" and pause_s:
            return
        if time.perf_counter() > deadline_s:
            break
    raise LocalStackError("the peer's forecast did not succeed")


def _call(url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json"})) as answer:
        return json.load(answer)
