"""Pages of events and of results: what the filters find, held against a look at every event in Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import count

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.db.accounts import Accounts
from chalicelib.db.connect import Database
from chalicelib.db.events.watch import EventWatch, Wanted
from chalicelib.db.events.watch_filters import Filters
from chalicelib.db.events.writer import EventWriter, NewEvent, moment
from chalicelib.db.migrate import migrate
from tests.db.events.conftest import NewApp, insert_app
from tests.db.events.watched import NOW_MS, event, result, store

Shared = tuple[Database, str, str]
_numbers = count()

NAMES = ("login", "Login", "BUY", "Été", "x%_y")
KEYS = ("a", "A", "items[0].price", "items[12].price", "a_b")
VALUES = ("", "50%", "5_0", "Abc", "ABC\\", "été ÉTÉ", "'; --", "1")
STATUSES = ("Valid", "Payload value is Empty", "if a is 1, b must be there")
TYPES = ("text", "EXTRA", "integer")
SECONDS = st.integers(0, 4)
a_result = st.builds(
    result,
    st.sampled_from(KEYS),
    st.sampled_from(VALUES),
    st.sampled_from(STATUSES),
    expectedType=st.sampled_from(TYPES),
    receivedType=st.sampled_from(TYPES),
)
an_event = st.tuples(
    st.sampled_from(NAMES),
    SECONDS,
    st.sampled_from(["valid", "invalid", "no_rules"]),
    st.booleans(),
    st.lists(a_result, max_size=4),
)
a_time = SECONDS.map(lambda second: moment(NOW_MS + 1000 * second))
A_FILTER: dict[str, st.SearchStrategy[object]] = {
    "event_names": st.lists(st.sampled_from([*NAMES, "LOGIN ", "été", "gone"]), min_size=1, max_size=2).map(tuple),
    "field_names": st.lists(st.sampled_from([*KEYS, "items[].price"]), min_size=1, max_size=2).map(tuple),
    "validation_statuses": st.lists(st.sampled_from(STATUSES), min_size=1, max_size=2).map(tuple),
    "expected_types": st.lists(st.sampled_from(TYPES), min_size=1, max_size=2).map(tuple),
    "received_types": st.lists(st.sampled_from(TYPES), min_size=1, max_size=2).map(tuple),
    "value_search": st.sampled_from(["%", "_", "\\", "bc", "ÉT", "'", "0"]),
    "status": st.sampled_from(["valid", "invalid", "no_rules"]),
    "is_user": st.booleans(),
    "accepted_from": a_time,
    "accepted_before": a_time,
    "latest_only": st.just(True),
}
# More kinds at once would mostly find nothing.
filters = (
    st.sets(st.sampled_from(sorted(A_FILTER)), max_size=2)
    .flatmap(lambda kinds: st.fixed_dictionaries({kind: A_FILTER[kind] for kind in kinds}))
    .map(lambda said: Filters(**said))  # type: ignore[arg-type]
)


@pytest.fixture(scope="module")
def shared(module_dsn: str) -> Iterator[Shared]:
    """A database for many examples, and an owner of apps in it."""
    migrate(module_dsn)
    with closing(Database(module_dsn)) as database:
        owner = Accounts(database).put(email="bob@example.org", name="Bob", password_hash="hash", role="student")
        yield database, module_dsn, owner


def fits(found: dict[str, str], wanted: Filters) -> bool:
    names = {found["key"], re.sub(r"\[\d+\]", "[]", found["key"])}
    return (
        (not wanted.field_names or bool(names & set(wanted.field_names)))
        and (not wanted.validation_statuses or found["validationStatus"] in wanted.validation_statuses)
        and (not wanted.expected_types or found["expectedType"] in wanted.expected_types)
        and (not wanted.received_types or found["receivedType"] in wanted.received_types)
        and wanted.value_search.lower() in found["value"].lower()
    )


def is_wanted(one: NewEvent, wanted: Filters) -> bool:
    at: datetime = moment(one.accepted_ms)
    return (
        (not wanted.event_names or one.name.lower() in {name.strip().lower() for name in wanted.event_names})
        and wanted.status in (None, one.status)
        and wanted.is_user in (None, one.is_user)
        and (wanted.accepted_from is None or at >= wanted.accepted_from)
        and (wanted.accepted_before is None or at < wanted.accepted_before)
    )


def expected(events: list[NewEvent], wanted: Filters) -> tuple[list[str], list[tuple[str, int]]]:
    """Message ids of the events that fit, and places of the results, newest first."""
    newest = {one.name.lower(): one.message_id for one in sorted(events, key=lambda one: one.accepted_ms)}
    rows, places = [], []
    for one in reversed(events):
        if not is_wanted(one, wanted) or (wanted.latest_only and newest[one.name.lower()] != one.message_id):
            continue
        kept = [place for place, found in enumerate(msgspec.json.decode(one.results), 1) if fits(found, wanted)]
        places += [(one.message_id, place) for place in kept]
        if kept or not wanted.is_by_result:
            rows.append(one.message_id)
    return rows, places


def every_entry(watch: EventWatch, app: int, wanted: Wanted) -> list[str]:
    """All pages after each other."""
    found = []
    while True:
        page = watch.entries(app, wanted)
        found += [entry.message_id for entry in page.entries]
        if page.next is None:
            return found
        wanted = msgspec.structs.replace(wanted, after=page.next)


def every_result(watch: EventWatch, app: int, wanted: Wanted) -> list[tuple[int, int]]:
    found = []
    while True:
        page = watch.results(app, wanted)
        found += [(one.id, one.place) for one in page.results]
        if page.next is None:
            return found
        wanted = msgspec.structs.replace(wanted, after=page.next)


@settings(max_examples=200, deadline=None)
@given(
    said=st.lists(an_event, min_size=4, max_size=12),
    wanted=filters,
    limit=st.integers(1, 4),
    most=st.integers(1, 14),
)
def test_pages_are_what_a_look_at_every_event_finds(
    shared: Shared, said: list[tuple[str, int, str, bool, list[dict[str, str]]]], wanted: Filters, limit: int, most: int
) -> None:
    database, dsn, owner = shared
    app = insert_app(dsn, f"shop-{next(_numbers)}", owner)
    events = [
        event(app, str(place), *results, name=name, status=status, is_user=is_user, accepted_ms=NOW_MS + 1000 * second)
        for place, (name, second, status, is_user, results) in enumerate(said)
    ]
    EventWriter(database).store(events)
    rows, places = expected(events, wanted)
    ids = {entry.id: entry.message_id for entry in EventWatch(database).entries(app, Wanted(limit=500)).entries}
    for watch in (EventWatch(database), EventWatch(database, most_looked_at=most)):
        assert every_entry(watch, app, Wanted(filters=wanted, limit=limit)) == rows
        found = every_result(watch, app, Wanted(filters=wanted, limit=limit))
        assert [(ids[row_id], place) for row_id, place in found] == places
    page = EventWatch(database).entries(app, Wanted(filters=wanted, limit=limit, offset=1, counts=True))
    assert ([entry.message_id for entry in page.entries], page.total) == (rows[1 : limit + 1], len(rows))


def test_entry_has_all_that_is_stored(database: Database, new_app: NewApp) -> None:
    app = new_app("shop")
    store(database, event(app, "m", result("a", "ü"), name="Buy", body={"eventName": "Buy", "n": 1.0}))
    (entry,) = EventWatch(database).entries(app, Wanted(limit=1)).entries
    assert (entry.event_name, entry.message_id, entry.status, entry.is_user) == ("Buy", "m", "valid", True)
    assert (entry.accepted_at, entry.rules_version) == (datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC), 1)
    assert (entry.body, msgspec.json.decode(entry.results)) == ('{"n": 1.0, "eventName": "Buy"}', [result("a", "ü")])
    assert EventWatch(database).find(app, entry.id) == entry
    assert EventWatch(database).find(app + 1, entry.id) is None


def test_page_ends_before_it_is_larger_than_an_answer(database: Database, new_app: NewApp) -> None:
    app = new_app("shop")
    store(database, *(event(app, str(number), result("a", "é" * 500)) for number in range(4)))
    # As an answer carries it, each has more than 3,000 bytes.
    page = EventWatch(database).entries(app, Wanted(limit=10, most_bytes=9_000))
    assert [entry.message_id for entry in page.entries] == ["3", "2"]
    assert page.next is not None
    small = EventWatch(database).results(app, Wanted(limit=10, most_bytes=1))
    assert len(small.results) == 1
    every = Wanted(limit=10, most_bytes=1)
    assert every_entry(EventWatch(database), app, every) == ["3", "2", "1", "0"]


def test_total_says_whether_all_were_counted(database: Database, new_app: NewApp) -> None:
    app = new_app("shop")
    store(database, *(event(app, str(number)) for number in range(3)))
    wanted = Wanted(limit=1, counts=True)
    pages = [EventWatch(database, most_looked_at=most).entries(app, wanted) for most in (3, 4)]
    assert [(page.total, page.is_total_exact) for page in pages] == [(3, False), (3, True)]
    assert EventWatch(database).entries(app, Wanted(limit=1)).total is None
