"""Faults by event, field and kind: what the database groups, held against a look at every event in Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC
from itertools import count

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.db.accounts import Accounts
from chalicelib.db.connect import Database
from chalicelib.db.events.quarantine import EventQuarantine, Group, Wanted
from chalicelib.db.events.watch_filters import Filters
from chalicelib.db.events.writer import EventWriter, NewEvent, moment
from chalicelib.db.migrate import migrate
from chalicelib.events.results import FieldResult
from tests.api.calls import details
from tests.db.desks import Desk, desk
from tests.db.events.conftest import insert_app
from tests.db.events.watched import NOW_MS, event, result, store

Shared = tuple[Database, str, str]
_numbers = count()

WRONG, EMPTY = "Invalid/Wrong datatype/value", "Payload value is Empty"
MISSING, CONDITION = "Payload not present in the log", "b is wanted because of a, or c"
FAULTS = (WRONG, EMPTY, MISSING, CONDITION)
FINE = (
    "Valid",
    "Optional payload not present in the log",
    "Extra key present in the log",
    "Extra event (not in sheet)",
    "Payload from extra event",
    "Further results left out",
)
NAMES = ("login", "buy", "été", "x%_y")
KEYS = ("a", "A", "items[0].price", "items[12].price", "m[0][1]", "m[1][0]")
a_result = st.builds(
    result, st.sampled_from(KEYS), st.sampled_from(["", "[hidden]", "50%"]), st.sampled_from([*FAULTS, *FINE])
)
an_event = st.tuples(
    st.sampled_from(NAMES),
    st.integers(0, 4),
    st.sampled_from(["invalid", "invalid", "valid", "no_rules"]),
    st.integers(0, 2),
    st.lists(a_result, max_size=5),
)
a_time = st.integers(0, 4).map(lambda second: moment(NOW_MS + 1000 * second))
filters = st.builds(
    Filters,
    event_names=st.lists(st.sampled_from([*NAMES, "LOGIN ", "ÉTÉ", "gone"]), max_size=2).map(tuple),
    field_names=st.just(()) | st.sampled_from([("a",), ("items[].price", "A"), ("items[12].price",), ("m[][]",)]),
    validation_statuses=st.just(()) | st.sampled_from([(WRONG,), (CONDITION, EMPTY), ("Valid",)]),
    accepted_from=st.none() | a_time,
    accepted_before=st.none() | a_time,
)


@pytest.fixture(scope="module")
def shared(module_dsn: str) -> Iterator[Shared]:
    """A database for many examples, and an owner of apps in it."""
    migrate(module_dsn)
    with closing(Database(module_dsn)) as database:
        owner = Accounts(database).put(email="bob@example.org", name="Bob", password_hash="hash", role="student")
        yield database, module_dsn, owner


def fold(key: str) -> str:
    return re.sub(r"\[\d+\]", "[]", key)


def is_looked_at(one: NewEvent, wanted: Filters) -> bool:
    at = moment(one.accepted_ms)
    return (
        one.status == "invalid"
        and (not wanted.event_names or one.name in {name.strip().lower() for name in wanted.event_names})
        and (wanted.accepted_from is None or at >= wanted.accepted_from)
        and (wanted.accepted_before is None or at < wanted.accepted_before)
    )


def faults_of(one: NewEvent, wanted: Filters) -> list[dict[str, str]]:
    return [
        each
        for each in msgspec.json.decode(one.results)
        if each["validationStatus"] in FAULTS
        and (not wanted.field_names or {each["key"], fold(each["key"])} & set(wanted.field_names))
        and (not wanted.validation_statuses or each["validationStatus"] in wanted.validation_statuses)
    ]


def expected(events: list[NewEvent], wanted: Filters, most: int) -> tuple[list[Group], int]:
    """The groups by name, and how many events they are made of; `events` are in the order of their ids."""
    looked_at = [(place, one) for place, one in enumerate(events) if is_looked_at(one, wanted)][-most:]
    found: dict[tuple[str, str, str], list[tuple[int, NewEvent, dict[str, str]]]] = {}
    for place, one in looked_at:
        for each in faults_of(one, wanted):
            found.setdefault((one.name, fold(each["key"]), each["validationStatus"]), []).append((place, one, each))
    groups = []
    for (name, field, kind), members in sorted(found.items()):
        last = max(place for place, _, _ in members)
        sample = next(each for place, _, each in members if place == last)
        groups.append(
            Group(
                event_name=name,
                field_name=field,
                validation_status=kind,
                count=len(members),
                events=len({place for place, _, _ in members}),
                first_seen=moment(min(one.accepted_ms for _, one, _ in members)),
                last_seen=moment(max(one.accepted_ms for _, one, _ in members)),
                rules_versions=tuple(sorted({one.rules_version for _, one, _ in members})),
                id=0,
                message_id=events[last].message_id,
                sample=msgspec.convert(sample, FieldResult),
            )
        )
    return groups, len(looked_at)


def told(group: Group) -> Group:
    """The group without the id, which only the database knows, and in UTC."""
    return msgspec.structs.replace(
        group, id=0, first_seen=group.first_seen.astimezone(UTC), last_seen=group.last_seen.astimezone(UTC)
    )


def by_name(group: Group) -> tuple[str, str, str]:
    return group.event_name, group.field_name, group.validation_status


@settings(max_examples=150)
@given(
    said=st.lists(an_event, min_size=3, max_size=12),
    wanted=filters,
    most=st.integers(1, 14),
    limit=st.integers(1, 5),
    by_count=st.booleans(),
)
def test_groups_are_what_a_look_at_every_event_finds(
    shared: Shared,
    said: list[tuple[str, int, str, int, list[dict[str, str]]]],
    wanted: Filters,
    most: int,
    limit: int,
    by_count: bool,
) -> None:
    database, dsn, owner = shared
    app, other = (insert_app(dsn, f"shop-{next(_numbers)}", owner) for _ in range(2))
    events = [
        event(
            app, str(place), *results, name=name, status=status, accepted_ms=NOW_MS + 1000 * second,
            rules_version=version,
        )
        for place, (name, second, status, version, results) in enumerate(said)
    ]  # fmt: skip
    EventWriter(database).store(events)
    EventWriter(database).store([event(other, "1", result("a", status=WRONG), status="invalid")])
    groups, looked_at = expected(events, wanted, most)
    groups.sort(key=lambda each: (-each.count if by_count else 0, -each.last_seen.timestamp(), by_name(each)))
    quarantine = EventQuarantine(database, most_looked_at=most)
    for offset in (0, limit):
        page = quarantine.groups(app, Wanted(filters=wanted, by_count=by_count, limit=limit, offset=offset))
        assert [told(each) for each in page.groups] == groups[offset : offset + limit]
        # A page behind the last one says nothing of the others.
        assert (page.total, page.looked_at, page.is_complete) == (len(groups), looked_at, looked_at < most)


@pytest.fixture
def ann(database: Database) -> Desk:
    ann = desk(database, "Ann")
    ann.post("/api/apps", {"name": "Shop", "app_id": "shop"})
    return ann


def number_of(ann: Desk) -> int:
    app = ann.api.runtime.records.app("shop")
    assert app is not None
    return app.id


@pytest.mark.parametrize("prefix", ["/api/apps/shop", "/app/shop"])
def test_group_is_told_with_a_sample(ann: Desk, database: Database, prefix: str) -> None:
    app = number_of(ann)
    wrong = result("items[3].price", "x", WRONG, expectedType="number", comment="must be a number")
    store(
        database,
        event(app, "m-1", wrong, result("items[4].price", "y", WRONG), status="invalid", accepted_ms=NOW_MS - 1000),
        event(app, "m-2", wrong, status="invalid", rules_version=2),
        event(app, "m-3", result("items[3].price", "1")),
    )
    page = ann.get(f"{prefix}/quarantine")
    (group,) = page["groups"]
    event_id = group["sample"]["id"]
    assert page == {
        "groups": [
            {
                "event_name": "login",
                "field_name": "items[].price",
                "validation_status": WRONG,
                "count": 3,
                "events": 2,
                "first_seen": "2025-06-15T15:06:39Z",
                "last_seen": "2025-06-15T15:06:40Z",
                "rules_versions": [1, 2],
                "sample": {
                    "id": event_id,
                    "message_id": "m-2",
                    "key": "items[3].price",
                    "value": "x",
                    "expected_type": "number",
                    "received_type": "text",
                    "comment": "must be a number",
                },
            }
        ],
        "total": 1,
        "events_looked_at": 2,
        "oldest": "2025-06-15T15:06:39Z",
        "is_complete": True,
        "page": 1,
        "limit": 50,
    }
    assert ann.get(f"/api/logs/shop/{event_id}")["message_id"] == "m-2"


def test_app_without_invalid_events_has_no_groups(ann: Desk, database: Database) -> None:
    store(database, event(number_of(ann), "1", result()))
    assert ann.get("/app/shop/quarantine") == {
        "groups": [], "total": 0, "events_looked_at": 0, "oldest": None, "is_complete": True, "page": 1, "limit": 50,
    }  # fmt: skip


def test_groups_are_paged_sorted_and_filtered(ann: Desk, database: Database) -> None:
    app = number_of(ann)
    store(
        database,
        *(event(app, f"a{n}", result("a", "", EMPTY), status="invalid", accepted_ms=NOW_MS - 9000) for n in range(3)),
        event(app, "b", result("b", "x", WRONG), status="invalid", accepted_ms=NOW_MS - 5000),
        event(app, "c", result("c", "", CONDITION), status="invalid", name="buy"),
    )
    path = "/app/shop/quarantine"

    def fields(query: str) -> list[str]:
        return [group["field_name"] for group in ann.get(f"{path}?{query}")["groups"]]

    assert (fields(""), fields("sort=count")) == (["c", "b", "a"], ["a", "c", "b"])
    assert (fields("limit=2"), fields("limit=2&page=2"), fields("limit=2&page=3")) == (["c", "b"], ["a"], [])
    assert ann.get(f"{path}?limit=2&page=2")["total"] == 3
    assert fields("event_names=LOGIN") == ["b", "a"]
    assert fields("field_names=a,c") == ["c", "a"]
    assert fields(f'validation_statuses=["{CONDITION}"]') == ["c"]
    assert fields("from=2025-06-15T15:06:35Z&to=2025-06-15T15:06:40Z") == ["b"]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=0", "limit must be at least 1, got 0"),
        ("limit=201", "limit must be at most 200, got 201"),
        ("page=10001", "page must be at most 10000, got 10001"),
        ("sort=name", 'sort must be one of "count", "last_seen", got "name"'),
        ("from=today", "/from must be a time such as 2026-01-31T12:00:00Z, got 'today'"),
        ("event_names=[1]", "event_names must be names or a JSON array of them: Expected `str`, got `int` - at `$[0]`"),
    ],
)
def test_query_that_says_nothing_is_refused(ann: Desk, query: str, detail: str) -> None:
    answer = ann.call("GET", f"/app/shop/quarantine?{query}")
    assert (answer.status, " ".join(details(answer)[0]).strip()) == (400, detail)
