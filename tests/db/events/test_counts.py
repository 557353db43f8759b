"""Counting stored events: each once, whichever transaction ends first, however a run ends, and whatever is removed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg2.extras import RealDictCursor

from chalicelib.db.accounts import Accounts
from chalicelib.db.connect import Database
from chalicelib.db.events.apps import Apps
from chalicelib.db.events.counts import Counted, EventCounts
from chalicelib.db.events.watch_removal import EventRemoval
from chalicelib.db.events.writer import EventWriter, NewEvent, Outcome, moment
from chalicelib.db.migrate import migrate
from chalicelib.db.viewer import Viewer
from chalicelib.errors import Unavailable
from tests.db.events.conftest import NewApp, insert_app
from tests.db.events.watched import event, store
from tests.db.test_database import query

# 2025-06-15 15:00, at the beginning of a quarter of an hour.
T = 1_750_000_000_000 - 400_000
MINUTE = 60_000
HOUR = 60 * MINUTE
HOURS = "SELECT app, slot, event_name, status, is_user, count FROM event_hours"
QUARTERS = "SELECT app, slot, event_name, status, count FROM event_quarters"
_numbers = count()


def drain(database: Database, at_once: int = 3) -> int:
    """Counts all; answers how many events that were."""
    counts, events = EventCounts(database, at_once=at_once), 0
    while True:
        counted = counts.count()
        events += counted.events
        if counted.is_all:
            return events


def floor(ms: int, step_ms: int) -> datetime:
    return moment(ms - ms % step_ms)


def expected_hours(events: list[NewEvent]) -> Counter[tuple[object, ...]]:
    return Counter((e.app, floor(e.accepted_ms, HOUR), e.name.strip().lower(), e.status, e.is_user) for e in events)


def expected_quarters(events: list[NewEvent]) -> Counter[tuple[object, ...]]:
    return Counter((e.app, floor(e.accepted_ms, 15 * MINUTE), e.name.strip().lower(), e.status) for e in events)


def counted(dsn: str, text: str) -> Counter[tuple[object, ...]]:
    found: Counter[tuple[object, ...]] = Counter()
    for *key, number in query(dsn, text):
        assert tuple(key) not in found
        found[tuple(key)] = int(str(number))
    return found


@contextmanager
def held(dsn: str, events: list[NewEvent]) -> Iterator[None]:
    """Events that a writer stores at the beginning of the block, in a transaction that ends with it."""

    class Held(Database):
        @contextmanager
        def transaction(self) -> Iterator[RealDictCursor]:
            with super().transaction() as cursor:
                yield cursor
                is_written.set()
                assert may_end.wait(timeout=20)

    is_written, may_end = threading.Event(), threading.Event()
    with closing(Held(dsn)) as own, ThreadPoolExecutor(1) as pool:
        writer: Future[list[Outcome]] = pool.submit(EventWriter(own).store, events)
        try:
            assert is_written.wait(timeout=20)
            yield
        finally:
            may_end.set()
            assert set(writer.result(timeout=20)) <= {Outcome.STORED}


class Killed(Database):
    """A database whose connection is ended before its transactions are."""

    @contextmanager
    def transaction(self) -> Iterator[RealDictCursor]:
        with super().transaction() as cursor:
            yield cursor
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_events_are_counted_by_hour_quarter_name_status_and_user(database: Database, dsn: str, new_app: NewApp) -> None:
    app, other = new_app("shop"), new_app("bank")
    store(
        database,
        event(app, "1", accepted_ms=T),
        event(app, "2", accepted_ms=T + 15 * MINUTE - 1, name=" LOGIN "),
        event(app, "3", accepted_ms=T + 15 * MINUTE),
        event(app, "4", accepted_ms=T + HOUR, is_user=False),
        event(app, "5", accepted_ms=T - 1, status="invalid"),
        event(other, "1", accepted_ms=T, status="no_rules", name="see"),
    )
    assert counted(dsn, HOURS) == counted(dsn, QUARTERS) == Counter()
    assert drain(database) == 6
    at = datetime(2025, 6, 15, 15, tzinfo=UTC)
    hour, quarter = timedelta(hours=1), timedelta(minutes=15)
    assert counted(dsn, HOURS) == {
        (app, at, "login", "valid", True): 3,
        (app, at + hour, "login", "valid", False): 1,
        (app, at - hour, "login", "invalid", True): 1,
        (other, at, "see", "no_rules", True): 1,
    }
    assert counted(dsn, QUARTERS) == {
        (app, at, "login", "valid"): 2,
        (app, at + quarter, "login", "valid"): 1,
        (app, at + hour, "login", "valid"): 1,
        (app, at - quarter, "login", "invalid"): 1,
        (other, at, "see", "no_rules"): 1,
    }
    assert drain(database) == 0
    assert sum(counted(dsn, HOURS).values()) == 6


def test_message_that_comes_again_counts_once(database: Database, dsn: str, new_app: NewApp) -> None:
    app = new_app("shop")
    writer = EventWriter(database)
    writer.store([event(app, "1"), event(app, "1"), event(app, "1", body_hash=b"b")])
    writer.store([event(app, "1")])
    assert drain(database) == 1
    assert writer.store([event(app, "1", accepted_ms=T)]) == [Outcome.DUPLICATE]
    assert drain(database) == 0


def test_event_of_a_slow_writer_is_counted_when_it_is_seen(database: Database, dsn: str, new_app: NewApp) -> None:
    app = new_app("shop")
    with held(dsn, [event(app, "slow", name="slow")]):
        store(database, event(app, "quick"))
        assert drain(database) == 1
    assert drain(database) == 1
    assert [key[2] for key in sorted(counted(dsn, HOURS), key=str)] == ["login", "slow"]


def test_run_that_is_killed_before_its_end_has_counted_nothing(database: Database, dsn: str, new_app: NewApp) -> None:
    store(database, event(new_app("shop"), "1"))
    with closing(Killed(dsn)) as own, pytest.raises(Unavailable):
        EventCounts(own).count()
    assert counted(dsn, HOURS) == Counter()
    assert EventCounts(database).count() == Counted(1, is_all=True)


def test_counts_outlive_the_events(database: Database, dsn: str, new_app: NewApp) -> None:
    app = new_app("shop")
    store(database, event(app, "1"), event(app, "2"))
    drain(database)
    before = counted(dsn, HOURS)
    store(database, event(app, "3"))
    # Also what is removed before it was counted was stored.
    assert EventRemoval(database).clear(app).count == 3
    assert drain(database) == 1
    assert counted(dsn, HOURS).total() == before.total() + 1 == 3


def test_counts_go_with_their_app_and_do_not_come_back(
    database: Database, dsn: str, new_app: NewApp, owner: int
) -> None:
    app, other = new_app("shop"), new_app("bank")
    store(database, event(app, "1"), event(other, "1"))
    drain(database)
    store(database, event(app, "2"), event(other, "2"))
    Apps(database).remove("shop", Viewer(account=owner, sees_all=False, changes_all=False))
    assert drain(database) == 1
    assert [key[0] for key in counted(dsn, HOURS)] == [key[0] for key in counted(dsn, QUARTERS)] == [other]
    assert query(dsn, "SELECT 1 FROM event_news") == []


def test_app_that_is_removed_during_a_run_is_no_error(
    database: Database, dsn: str, new_app: NewApp, owner: int
) -> None:
    app = new_app("shop")
    store(database, event(app, "1"))
    is_locked, may_end = threading.Event(), threading.Event()

    class Removing(Database):
        @contextmanager
        def transaction(self) -> Iterator[RealDictCursor]:
            with super().transaction() as cursor:
                yield cursor
                is_locked.set()
                assert may_end.wait(timeout=20)

    def waiting() -> bool:
        return query(dsn, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'") != []

    viewer = Viewer(account=owner, sees_all=False, changes_all=False)
    with closing(Removing(dsn)) as own, ThreadPoolExecutor(2) as pool:
        removal = pool.submit(Apps(own).remove, "shop", viewer)
        assert is_locked.wait(timeout=20)
        run = pool.submit(EventCounts(database).count)
        while not waiting() and not run.done():
            pass
        may_end.set()
        removal.result(timeout=20)
        assert run.result(timeout=20) == Counted(0, is_all=True)
    assert counted(dsn, HOURS) == Counter()


def test_what_is_outdated_is_removed(database: Database, dsn: str, new_app: NewApp) -> None:
    app = new_app("shop")
    store(database, *(event(app, str(hours), accepted_ms=T - hours * HOUR) for hours in range(4)))
    drain(database)
    EventCounts(database).tidy(quarters_before=moment(T), hours_before=moment(T - 2 * HOUR))
    assert [key[1] for key in counted(dsn, QUARTERS)] == [moment(T)]
    assert sorted(str(key[1]) for key in counted(dsn, HOURS)) == [str(moment(T - back * HOUR)) for back in (2, 1, 0)]


def test_all_is_counted_until_now_while_nothing_waits(database: Database, dsn: str, new_app: NewApp) -> None:
    text = "SELECT counted_until FROM event_rollup"
    store(database, event(new_app("shop"), "1"), event(new_app("bank"), "1"))
    assert query(dsn, text) == [(None,)]
    # Each transaction takes one of the two rows, so the first one does not know whether there is more.
    one = EventCounts(database, at_once=1)
    assert (one.count(), query(dsn, text)) == (Counted(1, is_all=False), [(None,)])
    assert (one.count(), query(dsn, text)) == (Counted(1, is_all=False), [(None,)])
    assert one.count() == Counted(0, is_all=True)
    assert query(dsn, "SELECT counted_until <= now() FROM event_rollup") == [(True,)]


def events_of(app: int) -> st.SearchStrategy[list[NewEvent]]:
    return st.lists(
        st.builds(
            lambda message, name, status, is_user, late: event(
                app, message, name=name, status=status, is_user=is_user, accepted_ms=T - late
            ),
            st.sampled_from([str(number) for number in range(12)]),
            st.sampled_from(["login", "Login", "buy"]),
            st.sampled_from(["valid", "invalid", "no_rules"]),
            st.booleans(),
            st.integers(0, 3 * HOUR),
        ),
        max_size=6,
    )


class Run:
    """One run of the machine below: what was stored, by the events themselves, and what was counted."""

    def __init__(self, dsn: str, app: int, ends: ExitStack) -> None:
        self.dsn, self.app, self.ends = dsn, app, ends
        self.stored: dict[str, NewEvent] = {}
        self.database = ends.enter_context(closing(Database(dsn)))

    def store(self, events: list[NewEvent]) -> None:
        EventWriter(self.database).store(events)
        for each in events:
            self.stored.setdefault(each.message_id, each)

    def begin_slow(self, events: list[NewEvent]) -> None:
        # Of another name and id each time, for writers of the same ones wait for each other.
        number = next(_numbers)
        slow = [
            event(self.app, f"slow {number} {place}", name=f"slow {number}", accepted_ms=each.accepted_ms)
            for place, each in enumerate(events)
        ]
        if slow:
            self.ends.enter_context(held(self.dsn, slow))
        self.stored |= {each.message_id: each for each in slow}

    def count(self) -> None:
        EventCounts(self.database, at_once=2).count()

    def count_and_die(self) -> None:
        with closing(Killed(self.dsn)) as own, pytest.raises(Unavailable):
            EventCounts(own, at_once=2).count()

    def count_at_the_same_time(self) -> None:
        with ExitStack() as stack, ThreadPoolExecutor(3) as pool:
            owns = [stack.enter_context(closing(Database(self.dsn))) for _ in range(3)]
            for run in [pool.submit(EventCounts(own, at_once=2).count) for own in owns]:
                run.result(timeout=20)

    def remove(self) -> None:
        for (number,) in query(self.dsn, f"SELECT min(id) FROM log_entries WHERE app = {self.app}"):
            EventRemoval(self.database).remove(self.app, int(str(number or 0)))

    def clear(self) -> None:
        EventRemoval(self.database).clear(self.app)


@settings(max_examples=40)
@given(data=st.data())
def test_every_stored_event_is_counted_once(data: st.DataObject, shared: tuple[str, str]) -> None:
    dsn, owner = shared
    app = insert_app(dsn, f"app-{next(_numbers)}", owner)
    with ExitStack() as ends:
        run = Run(dsn, app, ends)
        for _ in range(data.draw(st.integers(1, 12))):
            step = data.draw(
                st.sampled_from(["store", "store", "begin_slow", "count", "count_and_die", "same", "remove"])
            )
            if step in ("store", "begin_slow"):
                getattr(run, step)(data.draw(events_of(app)))
            else:
                getattr(run, "count_at_the_same_time" if step == "same" else step)()
        if data.draw(st.booleans()):
            run.clear()
    with closing(Database(dsn)) as database:
        drain(database)
    events = list(run.stored.values())
    where = f" WHERE app = {app}"
    assert counted(dsn, HOURS + where) == expected_hours(events)
    assert counted(dsn, QUARTERS + where) == expected_quarters(events)
    assert query(dsn, "SELECT 1 FROM event_news") == []


def test_writers_and_counters_at_the_same_time_miss_and_double_nothing(
    database: Database, dsn: str, new_app: NewApp
) -> None:
    app, writers, each = new_app("shop"), 4, 25
    start = threading.Barrier(writers)

    def write(writer: int) -> None:
        with closing(Database(dsn)) as own:
            start.wait(timeout=10)
            for number in range(each):
                EventWriter(own).store([event(app, f"{writer}-{number}", name=f"event {writer}")])

    def keep_counting() -> int:
        with closing(Database(dsn)) as own:
            events = 0
            while not are_done.is_set():
                events += drain(own)
            return events

    are_done = threading.Event()
    with ThreadPoolExecutor(writers + 2) as pool:
        counters = [pool.submit(keep_counting) for _ in range(2)]
        for one in [pool.submit(write, writer) for writer in range(writers)]:
            one.result(timeout=20)
        are_done.set()
        events = sum(one.result(timeout=20) for one in counters) + drain(database)
    assert events == counted(dsn, HOURS).total() == writers * each


@pytest.fixture(scope="module")
def shared(module_dsn: str) -> tuple[str, str]:
    """A database for many examples, and an account in it."""
    migrate(module_dsn)
    with closing(Database(module_dsn)) as database:
        owner = Accounts(database).put(email="bob@example.org", name="Bob", password_hash="hash", role="student")
    return module_dsn, owner
