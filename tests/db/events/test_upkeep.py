"""Upkeep of events: days have partitions before they begin, outdated ones go, and apps are published again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from chalicelib import kinds
from chalicelib.db.connect import Database
from chalicelib.db.events.counts import EventCounts
from chalicelib.db.events.writer import EventWriter
from chalicelib.hourly import Hourly
from chalicelib.jobs.context import Unwatched
from chalicelib.upkeep import UpkeepResult, keep_up
from tests.db.desks import desk, expect
from tests.db.events.conftest import NewApp
from tests.db.events.test_writer import event
from tests.db.test_database import query
from tests.doubles import MemoryRuntime

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def runtime(database: Database, dsn: str) -> MemoryRuntime:
    runtime = MemoryRuntime(database_url=dsn, event_days=10)
    runtime.__dict__["database"] = database
    return runtime


def run(runtime: MemoryRuntime) -> UpkeepResult:
    return keep_up(Unwatched(runtime, ""))


def today(runtime: MemoryRuntime) -> datetime:
    now = datetime.fromtimestamp(runtime.clock.now(), UTC)
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def partitions(dsn: str) -> list[object]:
    text = (
        "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid "
        "WHERE inhparent = 'log_entries'::regclass AND relname <> 'log_entries_other' ORDER BY 1"
    )
    return [name for (name,) in query(dsn, text)]


def test_today_and_a_week_have_partitions(runtime: MemoryRuntime, dsn: str) -> None:
    assert run(runtime) == UpkeepResult(days_made=8, days_dropped=0, apps_published=0)
    days = [today(runtime) + timedelta(days=ahead) for ahead in range(8)]
    assert partitions(dsn) == [f"log_entries_{day:%Y%m%d}" for day in days]
    assert run(runtime) == UpkeepResult(days_made=0, days_dropped=0, apps_published=0)
    runtime.parts.clock.sleep(24 * 3600)
    assert run(runtime).days_made == 1


def test_events_that_came_before_their_partition_are_moved_into_it(
    runtime: MemoryRuntime, database: Database, dsn: str, new_app: NewApp
) -> None:
    app, now_ms = new_app("shop"), int(runtime.clock.now() * 1000)
    writer = EventWriter(database)
    writer.store([event(app, "a", accepted_ms=now_ms), event(app, "old", accepted_ms=now_ms - 3 * DAY_MS)])
    run(runtime)
    writer.store([event(app, "b", accepted_ms=now_ms)])
    day = f"log_entries_{today(runtime):%Y%m%d}"
    assert query(dsn, "SELECT message_id, tableoid::regclass::text FROM log_entries ORDER BY 1") == [
        ("a", day),
        ("b", day),
        ("old", "log_entries_other"),
    ]
    assert writer.store([event(app, "a", accepted_ms=now_ms + 1)]) == ["duplicate"]


def test_outdated_events_go_with_all_that_is_known_of_them(
    runtime: MemoryRuntime, database: Database, dsn: str, new_app: NewApp
) -> None:
    app, now_ms = new_app("shop"), int(runtime.clock.now() * 1000)
    run(runtime)
    writer = EventWriter(database)
    writer.store([event(app, "first", accepted_ms=now_ms, name="a")])
    writer.store([event(app, "stray", accepted_ms=now_ms - DAY_MS, name="b")])
    runtime.parts.clock.sleep(10 * 24 * 3600)
    run(runtime)
    writer.store([event(app, "new", accepted_ms=int(runtime.clock.now() * 1000), name="c")])
    # Ten days and today are kept: of what is a day older nothing is left.
    assert query(dsn, "SELECT message_id FROM log_entries ORDER BY 1") == [("first",), ("new",)]
    runtime.parts.clock.sleep(24 * 3600)
    assert run(runtime).days_dropped == 1
    for table, column in (("log_entries", "message_id"), ("event_ids", "message_id"), ("latest_event", "event_name")):
        assert query(dsn, f"SELECT {column} FROM {table}") == [("new" if column == "message_id" else "c",)]
    assert writer.store([event(app, "first", accepted_ms=now_ms)]) == ["stored"]


def test_counts_outlive_their_events(runtime: MemoryRuntime, database: Database, dsn: str, new_app: NewApp) -> None:
    def kept() -> tuple[int, ...]:
        return tuple(
            len(query(dsn, f"SELECT 1 FROM {name}")) for name in ("log_entries", "event_quarters", "event_hours")
        )

    EventWriter(database).store([event(new_app("shop"), "a", accepted_ms=int(runtime.clock.now() * 1000))])
    EventCounts(database).count()
    found = []
    # After 1, 2, 12, 91 and 92 days; what is counted is as old as the beginning of its step.
    for days in (1, 1, 10, 79, 1):
        runtime.parts.clock.sleep(days * 24 * 3600)
        run(runtime)
        found.append(kept())
    assert found == [(1, 1, 1), (1, 0, 1), (0, 0, 1), (0, 0, 1), (0, 0, 0)]


def test_apps_are_published_again_with_their_rules(runtime: MemoryRuntime, database: Database) -> None:
    ann = desk(database, "Ann")
    for app_id in ("shop", "bank"):
        ann.post("/api/apps", {"name": "App", "app_id": app_id})
    rules = {"rules": [{"event": "login", "path": "userId", "type": "integer"}]}
    expect(ann.call("POST", "/api/apps/shop/rules", rules), 201)
    assert runtime.records.app("shop") is None
    assert run(runtime).apps_published == 2
    shop, bank = runtime.records.app("shop"), runtime.records.app("bank")
    assert shop == ann.api.runtime.records.app("shop")
    assert bank == ann.api.runtime.records.app("bank")
    assert shop is not None
    assert msgspec.json.decode(runtime.records.sheet(shop.id, 1) or b"") == rules


def test_upkeep_is_started_once_an_hour(runtime: MemoryRuntime) -> None:
    registry = kinds.registry("local")
    for _ in range(3):
        # Each as another process.
        Hourly().start(runtime, registry)
    one = Hourly()
    one.start(runtime, registry)
    assert len(runtime.parts.queues.sent["batch"]) == 1
    runtime.parts.clock.sleep(3600)
    one.start(runtime, registry)
    one.start(runtime, registry)
    assert len(runtime.parts.queues.sent["batch"]) == 2
