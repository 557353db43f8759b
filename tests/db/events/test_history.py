"""Statistics over HTTP: counts by hour and day, filled with zeros, split by status and name, and bounded."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.db.connect import Database
from chalicelib.db.events.apps import App, AppFields, Apps
from chalicelib.db.events.counts import EventCounts
from chalicelib.db.events.watch_removal import EventRemoval
from tests.api.calls import details
from tests.api.published import broken, published
from tests.db.desks import Desk, desk
from tests.db.events.watched import NOW_MS, event, store
from tests.db.test_database import query

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
# The clock of the tests stands at 2025-06-15T15:06:40Z.
THIS_HOUR = "2025-06-15T15:00:00.000Z"


@pytest.fixture
def ann(database: Database) -> Desk:
    return desk(database, "Ann")


@pytest.fixture
def shop(database: Database, ann: Desk) -> App:
    return Apps(database).add("shop", int(ann.account), AppFields(name="Shop"), b"s" * 32)


def count(database: Database) -> None:
    assert EventCounts(database).count().is_all


def points(history: Any, which: str = "total") -> dict[str, int]:  # of a JSON object
    """The steps that are not 0."""
    return {point["at"]: point[which] for point in history["points"] if point[which]}


@pytest.mark.parametrize("prefix", ["/api/apps/shop", "/app/shop"])
def test_last_day_is_told_hour_by_hour(database: Database, shop: App, ann: Desk, prefix: str) -> None:
    store(
        database,
        event(shop.id, "1"),
        event(shop.id, "2", status="invalid"),
        event(shop.id, "3", status="no_rules", name="see"),
        event(shop.id, "4", accepted_ms=NOW_MS - 23 * HOUR_MS),
        event(shop.id, "5", accepted_ms=NOW_MS - 24 * HOUR_MS),
    )
    count(database)
    history = ann.get(f"{prefix}/history")
    counted_until = history.pop("counted_until")
    assert counted_until.endswith("Z")
    hours = [point["at"] for point in history["points"]]
    assert (len(hours), hours[0], hours[-1]) == (24, "2025-06-14T16:00:00.000Z", THIS_HOUR)
    assert hours == sorted(set(hours))
    first, *middle, last = history.pop("points")
    assert first == {"at": hours[0], "total": 1, "valid": 1, "invalid": 0, "no_rules": 0}
    assert last == {"at": THIS_HOUR, "total": 3, "valid": 1, "invalid": 1, "no_rules": 1}
    assert {tuple(point.values())[1:] for point in middle} == {(0, 0, 0, 0)}
    assert history == {
        "step": "hour",
        "from": "2025-06-14T16:00:00.000Z",
        "to": "2025-06-15T16:00:00.000Z",
        "events": [],
        "event_count": None,
    }


def test_days_are_those_of_utc(database: Database, shop: App, ann: Desk) -> None:
    midnight = NOW_MS - 15 * HOUR_MS - 400_000
    store(database, event(shop.id, "1", accepted_ms=midnight), event(shop.id, "2", accepted_ms=midnight - 1))
    count(database)
    history = ann.get("/app/shop/history?step=day")
    assert (history["from"], history["to"], len(history["points"])) == (
        "2025-05-17T00:00:00.000Z",
        "2025-06-16T00:00:00.000Z",
        30,
    )
    assert points(history) == {"2025-06-14T00:00:00.000Z": 1, "2025-06-15T00:00:00.000Z": 1}


@pytest.mark.parametrize(
    ("asked", "first", "beyond"),
    [
        ("from=2025-06-15T13:20:00Z&to=2025-06-15T14:20:00Z", "13:00", "15:00"),
        ("from=2025-06-15T13:00:00Z&to=2025-06-15T14:00:00Z", "13:00", "14:00"),
        ("from=2025-06-15T15:20:00%2B02:00&to=2025-06-15T16:00:00%2B02:00", "13:00", "14:00"),
        ("from=2025-06-15T14:59:59", "14:00", "16:00"),
    ],
)
def test_steps_that_are_named_in_part_are_told_whole(shop: App, ann: Desk, asked: str, first: str, beyond: str) -> None:
    history = ann.get(f"/app/shop/history?{asked}".replace("%2B", "+"))
    assert (history["from"][11:16], history["to"][11:16]) == (first, beyond)
    assert len(history["points"]) == int(beyond[:2]) - int(first[:2])


def test_names_have_series_of_their_own_those_with_most_events_first(database: Database, shop: App, ann: Desk) -> None:
    numbered = (event(shop.id, f"n{number}", name=f"name {number:02}") for number in range(25))
    store(
        database, *numbered, event(shop.id, "1", name="Name 24", status="invalid"), event(shop.id, "2", name="name 23")
    )
    count(database)
    history = ann.get("/app/shop/history?by_event=true")
    assert (history["event_count"], points(history)) == (25, {THIS_HOUR: 27})
    names = [series["event_name"] for series in history["events"]]
    assert names == ["name 23", "name 24", *(f"name {number:02}" for number in range(18))]
    assert [points(series, "invalid") for series in history["events"][:2]] == [{}, {THIS_HOUR: 1}]
    assert [points(series) for series in history["events"][1:3]] == [{THIS_HOUR: 2}, {THIS_HOUR: 1}]
    assert {len(series["points"]) for series in history["events"]} == {24}


def test_counts_are_filtered_by_names_and_users(database: Database, shop: App, ann: Desk) -> None:
    store(
        database,
        event(shop.id, "1", name="Buy"),
        event(shop.id, "2", name="buy", is_user=False),
        event(shop.id, "3", name="see"),
        event(shop.id, "4"),
    )
    count(database)
    asked = ["", "event_names=BUY", "event_names=buy,%20see", "event_names=none", "is_user=false"]
    found = [points(ann.get(f"/app/shop/history?{each}".replace("%20", " "))).get(THIS_HOUR, 0) for each in asked]
    assert found == [4, 2, 3, 0, 1]
    both = ann.get("/app/shop/history?event_names=buy&is_user=true&by_event=true")
    assert (both["event_count"], [series["event_name"] for series in both["events"]]) == (1, ["buy"])


def test_counts_are_of_the_app_alone(database: Database, shop: App, ann: Desk) -> None:
    other = Apps(database).add("bank", int(ann.account), AppFields(name="Bank"), b"s" * 32)
    store(database, event(other.id, "1"))
    count(database)
    assert (points(ann.get("/app/shop/history")), points(ann.get("/app/bank/history"))) == ({}, {THIS_HOUR: 1})


def test_counts_stay_when_events_are_removed(database: Database, shop: App, ann: Desk) -> None:
    store(database, event(shop.id, "1"))
    count(database)
    EventRemoval(database).clear(shop.id)
    assert points(ann.get("/app/shop/history")) == {THIS_HOUR: 1}


def test_counted_until_tells_how_old_the_counts_are(database: Database, dsn: str, shop: App, ann: Desk) -> None:
    def told() -> object:
        return ann.get("/app/shop/history")["counted_until"]

    # While nothing waits, all that was stored by now is counted.
    assert told() is not None
    store(database, event(shop.id, "1"))
    assert told() is None
    count(database)
    query(dsn, "UPDATE event_rollup SET counted_until = '2025-06-15T15:00:00Z' RETURNING 1")
    assert str(told()) > "2026"
    store(database, event(shop.id, "2"))
    assert told() == "2025-06-15T15:00:00.000Z"


@pytest.mark.parametrize(
    ("asked", "detail"),
    [
        ("step=week", 'step must be one of "day", "hour", got "week"'),
        ("from=x", "from must be a time such as 2026-01-31T12:00:00Z, got 'x'"),
        ("to=x", "to must be a time such as 2026-01-31T12:00:00Z, got 'x'"),
        (
            "from=2025-06-15T15:00:00Z&to=2025-06-15T15:00:00Z",
            "from must be before to, which is 2025-06-15T15:00:00.000Z, got 2025-06-15T15:00:00Z",
        ),
        (
            "from=2025-06-01T00:00:00Z&to=2025-07-02T01:00:00Z",
            "from and to must be at most 744 steps of one hour apart, got 745",
        ),
        ("step=day&from=2024-01-01&to=2025-01-02", "from and to must be at most 366 steps of one day apart, got 367"),
        ("to=9999-12-31T23:59:59Z", "from and to must be times of the years 2 to 9998"),
        ("to=0001-01-01", "from and to must be times of the years 2 to 9998"),
        ("event_names=a\0", "event_names must not have the character U+0000"),
        (f"event_names={','.join(map(str, range(201)))}", "event_names must have at most 200 items, got 201"),
        ("is_user=maybe", 'is_user must be true or false, got "maybe"'),
        ("by_event=maybe", 'by_event must be true or false, got "maybe"'),
    ],
)
def test_history_that_cannot_be_told_is_refused(shop: App, ann: Desk, asked: str, detail: str) -> None:
    answer = ann.call("GET", f"/app/shop/history?{asked}")
    assert (answer.status, " ".join(details(answer)[0]).strip()) == (400, detail)


@pytest.mark.parametrize("asked", ["from=2025-05-15T16:00:00Z", "step=day&from=2024-06-15&to=2025-06-16"])
def test_longest_history_is_told(shop: App, ann: Desk, asked: str) -> None:
    assert len(ann.get(f"/app/shop/history?{asked}")["points"]) == (366 if "day" in asked else 744)


def test_history_is_as_published(database: Database, shop: App, ann: Desk) -> None:
    store(database, event(shop.id, "1"))
    count(database)
    history = ann.get("/app/shop/history?by_event=true")
    assert (len(history["events"]), broken(published(ann.api), "EventHistory", history)) == (1, [])
