"""Faults of the database, each from its beginning to its end. None of them touches a row that it has not made."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg2
from psycopg2.extensions import parse_dsn

from chalicelib.db.connect import connect
from infra.local_stage import LocalStage, wait_for

# Of `table-growing`.
EVENTS, AT_ONCE = 5_000, 500
APP = "fault-table-growing"
# Left for whoever looks, of `connections-used-up`.
SPARE = 12
FUTURE = "9999_post_of_a_later_version.sql"
SOCKET = ".s.PGSQL.5432"


@contextmanager
def database_away(stage: LocalStage) -> Iterator[dict[str, str]]:
    """nobody reaches the database, and every connection to it is cut"""
    host = parse_dsn(stage.dsn).get("host", "")
    if not host.startswith("/"):
        raise SystemExit("DATABASE_URL names a server that is not this stage's own: it is left alone")
    # The server goes on and makes its socket anew when it starts: whatever ends this process, nothing is lost.
    here = Path(host) / SOCKET
    away = here.with_name(SOCKET + ".away")
    with closing(connect(stage.dsn)) as connection, connection, connection.cursor() as cursor:
        here.rename(away)
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend'"
                       " AND pid <> pg_backend_pid()")  # fmt: skip
    try:
        yield {}
    finally:
        away.rename(here)


@contextmanager
def slow_database(stage: LocalStage) -> Iterator[dict[str, str]]:
    """somebody holds a lock on the accounts, and everybody who logs in waits for it"""
    over = threading.Event()
    with closing(connect(stage.dsn)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        user = threading.Thread(target=_log_in_until, args=(stage, over))
        user.start()
        try:
            wait_for(lambda: _waits(stage), "somebody who logs in waits")
            yield {}
        finally:
            over.set()
            with suppress(psycopg2.Error):  # an operator may have ended it
                connection.rollback()
            user.join()


@contextmanager
def connections_used_up(stage: LocalStage) -> Iterator[dict[str, str]]:
    """nearly all connections that the server allows are taken"""
    taken = []
    try:
        with closing(connect(stage.dsn)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('max_connections')::integer - count(*) FROM pg_stat_activity"
                           " WHERE backend_type = 'client backend'")  # fmt: skip
            (free,) = cursor.fetchone() or (0,)
        taken = [connect(stage.dsn) for _ in range(free - SPARE)]
        yield {}
    finally:
        for each in taken:
            each.close()


@contextmanager
def migration_failed(stage: LocalStage) -> Iterator[dict[str, str]]:
    """the database has a migration that only newer code survives, and this code is older"""
    _ledger(stage, "INSERT INTO schema_migrations (name, checksum) VALUES (%s, '') ON CONFLICT DO NOTHING")
    try:
        yield {}
    finally:
        _ledger(stage, "DELETE FROM schema_migrations WHERE name = %s")


@contextmanager
def table_growing(stage: LocalStage) -> Iterator[dict[str, str]]:
    """an app sends thousands of events"""
    token = stage.login()
    app = stage.ask("POST", "/api/apps", {"app_id": APP, "name": "Made by make fault"}, token=token)
    try:
        for first in range(0, EVENTS, AT_ONCE):
            wait_for(lambda first=first: _send(stage, first), "the events are taken")  # type: ignore[misc]
        wait_for(lambda: _stored(stage, app["app_id"]) == EVENTS, "the events are stored")
        yield {}
    finally:
        stage.call("POST", f"/api/apps/{APP}/delete-logs", token=token)
        stage.call("DELETE", f"/api/apps/{APP}", token=token)


def _log_in_until(stage: LocalStage, over: threading.Event) -> None:
    while not over.is_set():
        with suppress(SystemExit, OSError):
            stage.login()
        over.wait(1)


def _waits(stage: LocalStage) -> bool:
    """Whether anybody has waited for a lock for a second, from which on it counts as slow."""
    with closing(connect(stage.dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
                       " AND xact_start < clock_timestamp() - interval '1 second'")  # fmt: skip
        (count,) = cursor.fetchone() or (0,)
        return bool(count)


def _ledger(stage: LocalStage, statement: str) -> None:
    with closing(connect(stage.dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement, (FUTURE,))


def _send(stage: LocalStage, first: int) -> bool:
    events = [
        {"eventName": "fault", "messageId": f"fault-{number}", "payload": {"number": number, "text": "x" * 400}}
        for number in range(first, first + AT_ONCE)
    ]
    return stage.call("POST", f"/api/logs/{APP}", events).status < 300


def _stored(stage: LocalStage, app_id: str) -> int:
    with closing(connect(stage.dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM log_entries JOIN apps ON apps.id = app WHERE app_id = %s", (app_id,))
        (count,) = cursor.fetchone() or (0,)
        return int(count)
