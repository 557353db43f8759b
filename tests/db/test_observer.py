"""What operators ask of the database through the function that reaches it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import psycopg2
import pytest

from chalicelib.db.connect import Database
from chalicelib.db.migrate import MIGRATIONS
from chalicelib.db.observer import Observer
from chalicelib.errors import ConfigurationError
from chalicelib.operating import operate
from chalicelib.runtime import Runtime
from chalicelib.settings import Settings

LAST = max(path.name for path in MIGRATIONS.glob("*.sql"))


@pytest.fixture
def observer(database: Database) -> Observer:
    return Observer(database)


@contextmanager
def waiting(dsn: str) -> Iterator[int]:
    """Somebody who holds the accounts, and somebody who waits for them; answers the pid of the first."""
    with closing(psycopg2.connect(dsn)) as holder, closing(psycopg2.connect(dsn)) as waiter:
        # It has no transaction left open once it has got what it waits for.
        waiter.autocommit = True
        with holder.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone() or (0,)
            cursor.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")

        def ask() -> None:
            with suppress(psycopg2.Error), waiter.cursor() as cursor:
                cursor.execute("SELECT id FROM users WHERE email = 'ada@sluice.test' -- 'it''s secret'")

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            yield pid
        finally:
            with suppress(psycopg2.Error):
                holder.rollback()
            thread.join()


def slow(observer: Observer, least: int) -> list[dict[str, object]]:
    """The slow ones, once there are so many."""
    while len(found := observer.look().slow) < least:
        pass
    return [{"pid": each.pid, "waits_for": each.waits_for, "statement": each.statement} for each in found]


def test_who_waits_is_told_with_whom_it_waits_for_and_without_values(dsn: str, observer: Observer) -> None:
    with waiting(dsn) as pid:
        holder, waiter = slow(observer, 2)
        assert (holder["pid"], holder["waits_for"], waiter["waits_for"]) == (pid, [], [pid])
        assert waiter["statement"] == "SELECT id FROM users WHERE email = ? -- ?"
        # To measure the table would be to wait for it.
        assert observer.look().largest_tables is None


def test_ended_connection_lets_the_others_go_on(dsn: str, observer: Observer) -> None:
    with waiting(dsn) as pid:
        slow(observer, 2)
        assert observer.end(pid) is True
        while observer.look().slow:
            pass
        assert observer.end(pid) is False


def test_no_connection_of_another_database_is_ended(database: Database, module_dsn: str) -> None:
    with closing(psycopg2.connect(module_dsn)) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone() or (0,)
        assert Observer(database).end(pid) is False
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_migrations_are_held_against_the_code(dsn: str, observer: Observer) -> None:
    assert observer.look().migrations.applied == len(list(MIGRATIONS.glob("*.sql")))
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM schema_migrations WHERE name = %s", (LAST,))
        cursor.execute("INSERT INTO schema_migrations (name, checksum) VALUES ('9999_post_new.sql', '')")
        cursor.execute("UPDATE schema_migrations SET checksum = '' WHERE name = '0001_pre_users.sql'")
    found = observer.look().migrations
    assert (found.missing, found.unknown, found.changed) == ([LAST], ["9999_post_new.sql"], ["0001_pre_users.sql"])


@pytest.fixture
def runtime(dsn: str) -> Iterator[Runtime]:
    runtime = Runtime()
    runtime.__dict__["settings"] = Settings(stage="test", database_url=dsn)
    yield runtime
    runtime.database.close()


def test_function_without_an_order_applies_migrations_and_answers_orders_as_json(runtime: Runtime) -> None:
    assert LAST in operate(runtime, None)["applied"]
    assert operate(runtime, {"phases": ["pre", "post"]}) == {"applied": []}
    told = json.loads(json.dumps(operate(runtime, {"look": True})))
    assert (told["migrations"]["missing"], told["connections"] >= 1) == ([], True)
    assert operate(runtime, {"end": 0}) == {"is_ended": False}


@pytest.mark.parametrize("event", [{"look": "SELECT 1"}, {"end": "1"}, {"erase": "1"}, {"erase": "1", "step": "all"}])
def test_order_that_is_not_known_changes_nothing(runtime: Runtime, event: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="nothing is known"):
        operate(runtime, event)
