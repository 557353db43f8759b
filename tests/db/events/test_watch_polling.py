"""Polling for what is new: nothing is missed, whichever transaction ends first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from chalicelib.db.connect import Database, connect
from chalicelib.db.events.watch import Entries, EventWatch, Wanted
from chalicelib.db.events.watch_filters import Filters
from chalicelib.db.events.watch_marks import Cursor, Mark, read_cursor, read_mark, read_snapshot
from chalicelib.db.events.writer import EventWriter
from tests.db.events.conftest import NewApp
from tests.db.events.watched import event, store

INSERT = """
    INSERT INTO log_entries (app, accepted_at, event_name, message_id, status, is_user, rules_version, body, results)
    VALUES (%s, now(), 'login', %s, 'valid', true, 1, '{}', '[]')
"""


def ids(page: Entries) -> list[str]:
    return [entry.message_id for entry in page.entries]


def since(mark: Mark, limit: int = 10, **said: Cursor | Filters | None) -> Wanted:
    return Wanted(limit=limit, since=mark, **said)  # type: ignore[arg-type]


@contextmanager
def slow_writer(dsn: str, app: int, message_id: str) -> Iterator[None]:
    """An event whose id is given at the beginning of the block, and whose transaction ends with it."""
    with closing(connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(INSERT, (app, message_id))
        yield


def test_only_what_came_since_is_shown_newest_first(database: Database, new_app: NewApp) -> None:
    app, other = new_app("shop"), new_app("bank")
    watch = EventWatch(database)
    store(database, event(app, "1"), event(app, "2"))
    first = watch.entries(app, Wanted(limit=10))
    store(database, event(app, "3"), event(other, "4"), event(app, "5"))
    second = watch.entries(app, since(first.newest))
    assert (ids(first), ids(second)) == (["2", "1"], ["5", "3"])
    assert ids(watch.entries(app, since(second.newest))) == []


def test_first_event_of_all_is_new(database: Database, new_app: NewApp) -> None:
    app = new_app("shop")
    nothing = EventWatch(database).entries(app, Wanted(limit=10))
    store(database, event(app, "1"))
    assert ids(EventWatch(database).entries(app, since(nothing.newest))) == ["1"]


def test_event_of_a_slow_writer_is_not_missed(database: Database, dsn: str, new_app: NewApp) -> None:
    app = new_app("shop")
    watch = EventWatch(database)
    with slow_writer(dsn, app, "slow"):
        store(database, event(app, "quick"))
        first = watch.entries(app, Wanted(limit=10))
        store(database, event(app, "later"))
        second = watch.entries(app, since(first.newest))
    third = watch.entries(app, since(second.newest))
    assert [ids(first), ids(second), ids(third)] == [["quick"], ["later"], ["slow"]]
    assert ids(watch.entries(app, since(third.newest))) == []
    assert ids(watch.entries(app, Wanted(limit=10))) == ["later", "quick", "slow"]


def test_more_than_a_page_of_news_goes_on_by_the_cursor(database: Database, new_app: NewApp) -> None:
    app = new_app("shop")
    watch = EventWatch(database)
    store(database, event(app, "old"))
    mark = watch.entries(app, Wanted(limit=10)).newest
    store(database, *(event(app, str(number)) for number in range(5)))
    first = watch.entries(app, since(mark, limit=3))
    second = watch.entries(app, since(mark, limit=3, after=first.next))
    assert (ids(first), ids(second), second.next) == (["4", "3", "2"], ["1", "0"], None)


def test_news_are_filtered(database: Database, new_app: NewApp) -> None:
    app = new_app("shop")
    watch = EventWatch(database)
    mark = watch.entries(app, Wanted(limit=10)).newest
    store(database, event(app, "1", status="invalid"), event(app, "2"))
    assert ids(watch.entries(app, since(mark, filters=Filters(status="invalid")))) == ["1"]


def test_poller_beside_many_writers_sees_each_event_once(database: Database, dsn: str, new_app: NewApp) -> None:
    app, writers, each = new_app("shop"), 4, 25
    watch, seen = EventWatch(database), list[str]()
    mark = watch.entries(app, Wanted(limit=1)).newest
    start = threading.Barrier(writers)

    def write(writer: int) -> None:
        with closing(Database(dsn)) as own:
            start.wait(timeout=10)
            for number in range(each):
                EventWriter(own).store([event(app, f"{writer}-{number}", name=f"event {writer}")])

    with ThreadPoolExecutor(writers) as pool:
        running = [pool.submit(write, writer) for writer in range(writers)]
        is_over = False
        while not is_over:
            is_over = all(one.done() for one in running)
            page = watch.entries(app, since(mark, limit=500))
            seen += ids(page)
            mark = page.newest
    assert [one.result() for one in running] == [None] * writers
    assert sorted(seen) == sorted(f"{writer}-{number}" for writer in range(writers) for number in range(each))


@pytest.mark.parametrize("mark", [Mark(0, 3), Mark(12, 760, (755, 758)), Mark(10**17, 10**17)])
def test_mark_is_read_as_it_was_written(mark: Mark) -> None:
    assert read_mark(str(mark)) == mark


@pytest.mark.parametrize("cursor", [Cursor(0), Cursor(12), Cursor(12, 3)])
def test_cursor_is_read_as_it_was_written(cursor: Cursor) -> None:
    assert read_cursor(str(cursor)) == cursor


@pytest.mark.parametrize("text", ["", "x", "1", "-1", "1-", "1-2.", "1-2.x", "1-2,3", "9" * 19 + "-1", "1-2\n", "²-1"])
def test_text_that_is_no_mark_is_none(text: str) -> None:
    assert read_mark(text) is None


@pytest.mark.parametrize("text", ["", "x", "-1", "1-", "1-2-3", "9" * 19, "1\n", "²", "1.5", "' OR 1"])
def test_text_that_is_no_cursor_is_none(text: str) -> None:
    assert read_cursor(text) is None


def test_snapshot_is_what_postgres_says() -> None:
    assert read_snapshot("754:760:755,758", 9) == Mark(9, 760, (755, 758))
    assert read_snapshot("754:754:", 0) == Mark(0, 754)


def test_writers_that_run_are_waited_for_longer() -> None:
    assert (Mark(100_000, 5).floor, Mark(100_000, 5, (3,)).floor) == (95_000, 50_000)
