"""The writer of events: each message once, all of a call or nothing, and what became of each."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.db.accounts import Accounts
from chalicelib.db.connect import Database
from chalicelib.db.events.writer import EventWriter, NewEvent, Outcome, Written, moment
from chalicelib.db.migrate import migrate
from chalicelib.errors import Unavailable, Unstorable
from tests.db.events.conftest import NewApp, insert_app
from tests.db.test_database import query

NOW_MS = 1_800_000_000_123
STORED, DUPLICATE, CONFLICT = Outcome.STORED, Outcome.DUPLICATE, Outcome.CONFLICT


def event(app: int, message_id: str, **changes: object) -> NewEvent:
    said: dict[str, object] = {
        "app": app,
        "message_id": message_id,
        "accepted_ms": NOW_MS,
        "name": "login",
        "status": "valid",
        "is_user": True,
        "rules_version": 3,
        "body_hash": b"a",
        "body": '{"x": 1}',
        "results": "[]",
    }
    return NewEvent(**(said | changes))  # type: ignore[arg-type]


def stored(dsn: str) -> list[tuple[object, ...]]:
    return query(dsn, "SELECT app, message_id, event_name, status FROM log_entries ORDER BY id")


def test_event_is_a_row_with_all_that_is_known_of_it(database: Database, dsn: str, new_app: NewApp) -> None:
    app = new_app("shop")
    wanted = event(app, "m", status="invalid", is_user=False, results='[{"key": "x"}]')
    assert EventWriter(database).store([wanted]) == [STORED]
    columns = "app, accepted_at, event_name, message_id, status, is_user, rules_version, body, results"
    assert query(dsn, f"SELECT {columns} FROM log_entries") == [
        (app, moment(NOW_MS), "login", "m", "invalid", False, 3, {"x": 1}, [{"key": "x"}])
    ]
    assert moment(NOW_MS).isoformat() == "2027-01-15T08:00:00.123000+00:00"


def test_message_is_stored_once_however_often_it_comes(database: Database, dsn: str, new_app: NewApp) -> None:
    app, other = new_app("shop"), new_app("bank")
    writer = EventWriter(database)
    assert writer.store([event(app, "m"), event(other, "m"), event(app, "m")]) == [STORED, STORED, DUPLICATE]
    # The same delivery again, the same event sent again later, and another event under its id.
    assert writer.store([event(app, "m")]) == [STORED]
    assert writer.store([event(app, "m", accepted_ms=NOW_MS + 1), event(app, "n")]) == [DUPLICATE, STORED]
    assert writer.store([event(app, "m", body_hash=b"b")]) == [CONFLICT]
    names = [(app, "m", "login", "valid"), (other, "m", "login", "valid"), (app, "n", "login", "valid")]
    assert stored(dsn) == names


def test_new_rows_are_told_by_their_ids_and_known_ones_are_not(database: Database, dsn: str, new_app: NewApp) -> None:
    app = new_app("shop")
    writer = EventWriter(database)
    batch = [event(app, "m"), event(app + 1, "gone"), event(app, "m"), event(app, "n")]
    written = writer.write(batch)
    ids = {message_id: row_id for row_id, message_id in query(dsn, "SELECT id, message_id FROM log_entries")}
    assert written.ids == {0: ids["m"], 3: ids["n"]}
    assert written.outcomes == [STORED, Outcome.NO_APP, DUPLICATE, STORED]
    # As when the delivery comes again.
    again = writer.write([*batch, event(app, "o")])
    assert (again.outcomes[0], sorted(again.ids)) == (STORED, [4])
    assert writer.write([]) == Written([], {})


def test_event_of_an_app_that_is_gone_is_not_stored(database: Database, dsn: str, new_app: NewApp) -> None:
    app = new_app("shop")
    assert EventWriter(database).store([event(app + 1, "m"), event(app, "m")]) == [Outcome.NO_APP, STORED]
    assert query(dsn, "SELECT app FROM event_ids") == [(app,)]


@pytest.mark.parametrize("changes", [{"body": '"\\u0000"'}, {"body": "{"}, {"status": "fine"}, {"message_id": ""}])
def test_event_that_postgres_refuses_has_nothing_stored(
    database: Database, dsn: str, new_app: NewApp, changes: dict[str, object]
) -> None:
    app = new_app("shop")
    bad = msgspec.structs.replace(event(app, "bad"), **changes)
    with pytest.raises(Unstorable, match="the database refuses the event"):
        EventWriter(database).store([event(app, "good"), bad])
    assert stored(dsn) == query(dsn, "SELECT app FROM event_ids") == query(dsn, "SELECT app FROM latest_event") == []


def test_newest_event_of_a_name_is_kept_whatever_comes_later(database: Database, dsn: str, new_app: NewApp) -> None:
    app = new_app("shop")
    writer = EventWriter(database)
    writer.store(
        [
            event(app, "1", accepted_ms=NOW_MS, status="valid"),
            event(app, "2", accepted_ms=NOW_MS + 2, status="invalid"),
            event(app, "3", accepted_ms=NOW_MS + 1, name="buy"),
        ]
    )
    writer.store([event(app, "4", accepted_ms=NOW_MS + 1, status="no_rules"), event(app, "5", accepted_ms=NOW_MS + 5)])
    writer.store([event(app, "6", accepted_ms=NOW_MS + 4, status="no_rules")])
    text = "SELECT event_name, accepted_at, latest_event.status, message_id FROM latest_event JOIN log_entries USING (app, id, event_name, accepted_at) ORDER BY 1"  # noqa: E501
    assert query(dsn, text) == [
        ("buy", moment(NOW_MS + 1), "valid", "3"),
        ("login", moment(NOW_MS + 5), "valid", "5"),
    ]


@settings(max_examples=20, deadline=None)
@given(
    calls=st.lists(
        st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from([b"1", b"2"])), max_size=8), max_size=6
    )
)
def test_writers_at_the_same_time_store_each_message_once(
    calls: list[list[tuple[str, bytes]]], shared: tuple[str, int]
) -> None:
    dsn, app = shared
    query(
        dsn, "WITH gone AS (DELETE FROM log_entries RETURNING 1), ids AS (DELETE FROM event_ids RETURNING 1) SELECT 1"
    )
    start = threading.Barrier(max(1, len(calls)))

    def write(number: int, ids: list[tuple[str, bytes]]) -> list[tuple[str, Outcome]]:
        with closing(Database(dsn)) as own:
            batch = [event(app, one, body_hash=digest, accepted_ms=NOW_MS + number) for one, digest in ids]
            start.wait(timeout=10)
            return list(zip([one for one, _ in ids], EventWriter(own).store(batch), strict=True))

    with ThreadPoolExecutor(max(1, len(calls))) as pool:
        outcomes = [pair for found in pool.map(write, range(len(calls)), calls) for pair in found]
    sent = {one for ids in calls for one, _ in ids}
    assert sorted(one for one, outcome in outcomes if outcome is STORED) == sorted(sent)
    assert [row[1] for row in sorted(stored(dsn), key=str)] == sorted(sent)


@pytest.fixture(scope="module")
def shared(module_dsn: str) -> tuple[str, int]:
    """A database for many examples, and an app in it."""
    migrate(module_dsn)
    with closing(Database(module_dsn)) as database:
        owner = Accounts(database).put(email="bob@example.org", name="Bob", password_hash="hash", role="student")
    return module_dsn, insert_app(module_dsn, "shop", owner)


def test_database_that_is_away_is_told_as_such() -> None:
    with closing(Database("host=127.0.0.1 port=1 dbname=none")) as database, pytest.raises(Unavailable):
        EventWriter(database).store([event(1, "m")])
