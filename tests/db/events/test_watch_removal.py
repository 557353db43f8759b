"""Removing stored events: what is known of the newest of each name stays true, and nothing comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.extras import RealDictCursor

from chalicelib.db.connect import Database
from chalicelib.db.events.watch_removal import EventRemoval, Removed
from chalicelib.db.events.writer import EventWriter, Outcome
from tests.db.events.conftest import NewApp, insert_app
from tests.db.events.watched import NOW_MS, event, store
from tests.db.test_database import query

LATEST = """
    SELECT latest_event.app, latest_event.event_name, message_id, latest_event.status, latest_event.is_user
    FROM latest_event
    LEFT JOIN log_entries USING (app, id, accepted_at)
    ORDER BY 1, 2
"""
# What the table should say, from the events themselves.
NEWEST = """
    SELECT DISTINCT ON (app, event_name COLLATE "C") app, event_name, message_id, status, is_user
    FROM log_entries
    ORDER BY app, event_name COLLATE "C", accepted_at DESC, id DESC
"""


def row_id(dsn: str, message_id: str) -> int:
    ((number,),) = query(dsn, f"SELECT id FROM log_entries WHERE message_id = '{message_id}'")
    return int(str(number))


def left(dsn: str) -> list[object]:
    return [row[0] for row in query(dsn, "SELECT message_id FROM log_entries ORDER BY id")]


def test_one_event_is_removed_and_no_other(database: Database, dsn: str, new_app: NewApp) -> None:
    app, other = new_app("shop"), new_app("bank")
    store(database, event(app, "1"), event(app, "2"), event(other, "3"))
    removal = EventRemoval(database)
    assert not removal.remove(other, row_id(dsn, "1"))
    assert removal.remove(app, row_id(dsn, "1"))
    assert left(dsn) == ["2", "3"]
    assert not removal.remove(app, 10**17)


def test_newest_event_that_is_removed_gives_way_to_the_one_before(
    database: Database, dsn: str, new_app: NewApp
) -> None:
    app = new_app("shop")
    store(
        database,
        event(app, "late", accepted_ms=NOW_MS + 2, status="invalid", is_user=False),
        event(app, "early", accepted_ms=NOW_MS),
        event(app, "newest", accepted_ms=NOW_MS + 3),
        event(app, "earlier", accepted_ms=NOW_MS + 1),
        event(app, "other", name="Login"),
    )
    EventRemoval(database).remove(app, row_id(dsn, "newest"))
    assert query(dsn, LATEST) == [(app, "Login", "other", "valid", True), (app, "login", "late", "invalid", False)]


def test_name_without_an_event_is_forgotten(database: Database, dsn: str, new_app: NewApp) -> None:
    app = new_app("shop")
    store(database, event(app, "1"), event(app, "2", name="buy"))
    EventRemoval(database).remove(app, row_id(dsn, "1"))
    assert query(dsn, LATEST) == [(app, "buy", "2", "valid", True)]


def test_removed_event_does_not_come_back(database: Database, dsn: str, new_app: NewApp) -> None:
    app = new_app("shop")
    store(database, event(app, "1"), event(app, "2"))
    removal = EventRemoval(database)
    removal.remove(app, row_id(dsn, "1"))
    removal.clear(app)
    again = [event(app, "1", accepted_ms=NOW_MS + 1), event(app, "2", accepted_ms=NOW_MS + 1)]
    assert EventWriter(database).store(again) == [Outcome.DUPLICATE, Outcome.DUPLICATE]
    assert (left(dsn), query(dsn, LATEST)) == ([], [])


@pytest.mark.parametrize("at_once", [1, 2, 3, 10])
def test_all_events_of_an_app_are_removed(database: Database, dsn: str, new_app: NewApp, at_once: int) -> None:
    app, other = new_app("shop"), new_app("bank")
    store(database, event(app, "1"), event(app, "2"), event(other, "3"), event(app, "4", name="buy"))
    assert EventRemoval(database, at_once=at_once).clear(app) == Removed(3, is_all=True)
    assert (left(dsn), query(dsn, LATEST)) == (["3"], [(other, "login", "3", "valid", True)])


def test_one_call_removes_so_many_and_says_that_there_are_more(database: Database, dsn: str, new_app: NewApp) -> None:
    app = new_app("shop")
    store(database, *(event(app, str(number)) for number in range(15)))
    removal = EventRemoval(database, at_once=1)
    assert (removal.clear(app), left(dsn)) == (Removed(10, is_all=False), ["10", "11", "12", "13", "14"])
    assert query(dsn, LATEST) == [(app, "login", "14", "valid", True)]
    assert (removal.clear(app), removal.clear(app)) == (Removed(5, is_all=True), Removed(0, is_all=True))


def test_name_whose_events_were_outdated_is_forgotten_with_all(database: Database, dsn: str, new_app: NewApp) -> None:
    app = new_app("shop")
    store(database, event(app, "1"), event(app, "2", name="buy"))
    query(dsn, "DELETE FROM log_entries WHERE event_name = 'buy' RETURNING id")
    EventRemoval(database).clear(app)
    assert query(dsn, LATEST) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.lists(st.tuples(st.sampled_from(["a", "A", "b"]), st.integers(0, 3)), max_size=8),
    doomed=st.sets(st.integers(0, 7)),
)
def test_newest_of_each_name_is_what_the_events_say(
    database: Database, dsn: str, owner: int, said: list[tuple[str, int]], doomed: set[int]
) -> None:
    query(dsn, "WITH e AS (DELETE FROM log_entries), i AS (DELETE FROM event_ids), a AS (DELETE FROM apps) SELECT 1")
    app = insert_app(dsn, "shop", str(owner))
    store(database, *(event(app, str(at), name=name, accepted_ms=NOW_MS + ms) for at, (name, ms) in enumerate(said)))
    for number in sorted(doomed & set(range(len(said)))):
        assert EventRemoval(database).remove(app, row_id(dsn, str(number)))
        assert query(dsn, LATEST) == query(dsn, NEWEST)


class Halting(Database):
    """Waits before each end of a transaction until it may go on."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.is_there, self.may_go_on = threading.Event(), threading.Event()

    @contextmanager
    def transaction(self) -> Iterator[RealDictCursor]:
        with super().transaction() as cursor:
            yield cursor
            self.is_there.set()
            assert self.may_go_on.wait(20)


@pytest.mark.parametrize("is_clearing", [False, True])
def test_removal_waits_for_a_writer_of_the_name(
    database: Database, dsn: str, new_app: NewApp, is_clearing: bool
) -> None:
    app = new_app("shop")
    first, newest = event(app, "first"), event(app, "newest", accepted_ms=NOW_MS + 2)
    store(database, *([newest] if is_clearing else [first, newest]))
    removal = EventRemoval(database)
    number = row_id(dsn, "newest")
    with closing(Halting(dsn)) as other, ThreadPoolExecutor(2) as pool:
        between = event(app, "between", accepted_ms=NOW_MS + 1)
        writing = pool.submit(EventWriter(other).store, [between])
        assert other.is_there.wait(20)
        removing = pool.submit(removal.clear, app) if is_clearing else pool.submit(removal.remove, app, number)
        while not query(dsn, "SELECT 1 FROM pg_locks WHERE NOT granted"):
            assert not removing.done()
        other.may_go_on.set()
        assert writing.result() == [Outcome.STORED]
        removing.result()
    assert query(dsn, LATEST) == query(dsn, NEWEST)


def test_newest_of_each_name_stays_true_beside_writers(database: Database, dsn: str, new_app: NewApp) -> None:
    app = new_app("shop")
    names = ("Zebra", "apple", "Ärger")

    def write(writer: int) -> None:
        with closing(Database(dsn)) as own:
            for number in range(15):
                EventWriter(own).store(
                    [event(app, f"{writer}-{number}-{name}", name=name, accepted_ms=NOW_MS + number) for name in names]
                )

    def remove() -> None:
        with closing(Database(dsn)) as own:
            for _ in range(15):
                newest = query(dsn, f"SELECT id FROM latest_event WHERE app = {app}")
                for (number,) in newest:
                    EventRemoval(own).remove(app, int(str(number)))
                EventRemoval(own, at_once=3).clear(app)

    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(write, 0), pool.submit(write, 1), pool.submit(remove)]
        assert [one.result() for one in running] == [None] * 3
    assert query(dsn, LATEST) == query(dsn, NEWEST)
