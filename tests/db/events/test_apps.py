"""Apps over HTTP: made, changed and removed by their owners, and known to ingest at once."""

from __future__ import annotations

import pytest

from chalicelib.db.connect import Database
from tests.api.calls import details, document
from tests.db.desks import Desk, desk, expect
from tests.db.test_database import query

LOGIN = {"eventName": "user_login", "userId": 123}


@pytest.fixture
def ann(database: Database) -> Desk:
    return desk(database, "Ann")


@pytest.fixture
def bob(database: Database) -> Desk:
    return desk(database, "Bob")


def send(who: Desk, app_id: str, **headers: str) -> int:
    who.api.parts.clock.sleep(10)
    return who.api.call("POST", f"/api/logs/{app_id}", LOGIN, **headers).status


def test_app_that_was_made_takes_events(ann: Desk) -> None:
    assert send(ann, "shop") == 444
    app = ann.post("/api/apps", {"name": "Shop", "app_id": "shop"})
    assert app == {
        "app_id": "shop",
        "name": "Shop",
        "description": "",
        "platform": "android",
        "sdk_type": "ce",
        "policy": "record",
        "optional_absent_is_invalid": False,
        "integer_for_float": False,
        "keep_bodies_per_minute": None,
        "spike_alerts": False,
        "spike_factor": 3.0,
        "spike_floor": 20,
        "spike_pause_minutes": 60,
        "has_ingest_key": False,
        "rules_version": 0,
        "endpoint": "/api/logs/shop",
        "created_at": app["created_at"],
        "updated_at": app["created_at"],
    }
    assert send(ann, "shop") == 202
    assert ann.get("/api/apps") == {"apps": [app]}
    assert ann.get("/api/apps/shop") == app


def test_app_without_an_id_is_given_one(ann: Desk) -> None:
    made = [ann.post("/api/apps", {"name": "Shop"})["app_id"] for _ in range(3)]
    assert len(set(made)) == 3
    assert all(len(app_id) == 12 and app_id.isalnum() for app_id in made)


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("/name", "is required")]),
        ({"name": " "}, [("/name", "must not be blank")]),
        (
            {"name": "x", "app_id": "a b"},
            [
                (
                    "/app_id",
                    "must have 1 to 100 letters, digits, dots, dashes and underscores and begin with a letter or "
                    "digit, got 'a b'",
                )
            ],
        ),
    ],
)
def test_app_that_cannot_be_is_refused(ann: Desk, body: object, errors: list[tuple[str, str]]) -> None:
    answer = ann.call("POST", "/api/apps", body)
    assert (answer.status, details(answer)) == (400, errors)


def test_id_that_is_taken_is_refused_whoever_has_it(ann: Desk, bob: Desk) -> None:
    ann.post("/api/apps", {"name": "Shop", "app_id": "shop"})
    answer = bob.call("POST", "/api/apps", {"name": "Other", "app_id": "shop"})
    assert (answer.status, document(answer)["detail"]) == (
        409,
        "there is an app shop already; choose another app_id",
    )


def test_change_sets_what_it_names_and_reaches_ingest(ann: Desk) -> None:
    made = ann.post("/api/apps", {"name": "Shop", "app_id": "shop", "description": "ours"})
    changed = ann.put("/api/apps/shop", {"policy": "drop", "integer_for_float": True})
    assert changed == made | {"policy": "drop", "integer_for_float": True, "updated_at": changed["updated_at"]}
    published = ann.api.runtime.records.app("shop")
    assert published is not None
    assert (published.policy, published.integer_for_float) == ("drop", True)


def test_bodies_that_are_kept_are_set_and_reach_ingest(ann: Desk) -> None:
    ann.post("/api/apps", {"name": "Shop", "app_id": "shop", "keep_bodies_per_minute": 0})
    published = []
    for said in ({}, {"keep_bodies_per_minute": 1_000_000}, {"name": "x"}, {"keep_bodies_per_minute": None}):
        shown = ann.put("/api/apps/shop", said)["keep_bodies_per_minute"]
        app = ann.api.runtime.records.app("shop")
        assert app is not None
        assert app.keep_bodies_per_minute == shown
        published.append(shown)
    assert published == [0, 1_000_000, 1_000_000, None]


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (-1, "must be at least 0, got -1"),
        (1_000_001, "must be at most 1000000, got 1000001"),
        (1.5, "must be a whole number, got 1.5"),
        ("all", 'must be a whole number, got "all"'),
    ],
)
def test_bodies_that_cannot_be_kept_are_refused(ann: Desk, value: object, detail: str) -> None:
    ann.post("/api/apps", {"name": "Shop", "app_id": "shop"})
    for method, path in (("PUT", "/api/apps/shop"), ("POST", "/api/apps")):
        answer = ann.call(method, path, {"name": "x", "keep_bodies_per_minute": value})
        assert (answer.status, details(answer)) == (400, [("/keep_bodies_per_minute", detail)])


def test_alerts_of_spikes_are_set_and_changed(ann: Desk) -> None:
    spikes: dict[str, object] = {"spike_factor": 1, "spike_floor": 1_000_000, "spike_pause_minutes": 15}
    made = ann.post("/api/apps", {"name": "Shop", "app_id": "shop", "spike_alerts": True} | spikes)
    changed = ann.put("/api/apps/shop", {"spike_factor": 2.5, "spike_pause_minutes": 10_080})
    others = {"spike_alerts": True, "spike_floor": 1_000_000}
    assert {name: made[name] for name in (*spikes, "spike_alerts")} == spikes | {"spike_alerts": True}
    assert {name: changed[name] for name in (*spikes, "spike_alerts")} == others | {
        "spike_factor": 2.5,
        "spike_pause_minutes": 10_080,
    }


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("spike_alerts", "on", 'must be true or false, got "on"'),
        ("spike_alerts", None, "must be true or false, got null"),
        ("spike_factor", 0.99, "must be at least 1, got 0.99"),
        ("spike_factor", 1000.5, "must be at most 1000, got 1000.5"),
        ("spike_floor", 0, "must be at least 1, got 0"),
        ("spike_floor", 1_000_001, "must be at most 1000000, got 1000001"),
        ("spike_floor", 2.5, "must be a whole number, got 2.5"),
        ("spike_pause_minutes", 14, "must be at least 15, got 14"),
        ("spike_pause_minutes", 10_081, "must be at most 10080, got 10081"),
    ],
)
def test_alerts_that_cannot_be_are_refused(ann: Desk, field: str, value: object, detail: str) -> None:
    ann.post("/api/apps", {"name": "Shop", "app_id": "shop"})
    for answer in (
        ann.call("PUT", "/api/apps/shop", {field: value}),
        ann.call("POST", "/api/apps", {"name": "x", field: value}),
    ):
        assert (answer.status, details(answer)) == (400, [(f"/{field}", detail)])


def test_app_of_somebody_else_is_not_there(ann: Desk, bob: Desk, database: Database) -> None:
    ann.post("/api/apps", {"name": "Shop", "app_id": "shop"})
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/ingest-key"), ("DELETE", "/ingest-key")):
        answer = bob.call(method, f"/api/apps/shop{path}", {"name": "x"} if method == "PUT" else None)
        assert (answer.status, document(answer)["detail"]) == (404, "there is no app shop")
    assert bob.call("DELETE", "/app/shop").status == 404
    assert bob.get("/api/apps") == {"apps": []}
    assert desk(database, "Eve", "admin").get("/api/apps/shop")["name"] == "Shop"
    assert ann.api.call("GET", "/api/apps/shop").status == 401


def test_ingest_key_is_shown_once_and_needed_until_it_is_removed(ann: Desk) -> None:
    ann.post("/api/apps", {"name": "Shop", "app_id": "shop"})
    key = ann.post("/api/apps/shop/ingest-key", None)["ingest_key"]
    assert ann.get("/api/apps/shop")["has_ingest_key"] is True
    assert (send(ann, "shop"), send(ann, "shop", x_ingest_key=key)) == (401, 202)
    newer = ann.post("/api/apps/shop/ingest-key", None)["ingest_key"]
    assert (send(ann, "shop", x_ingest_key=key), send(ann, "shop", x_ingest_key=newer)) == (401, 202)
    expect(ann.call("DELETE", "/api/apps/shop/ingest-key"), 200)
    assert send(ann, "shop") == 202


def test_id_that_no_app_can_have_is_not_there(ann: Desk) -> None:
    assert ann.call("GET", "/api/apps/a\0b").status == 404


@pytest.mark.parametrize("path", ["/api/apps/shop", "/app/shop"])
def test_app_that_is_removed_leaves_nothing(ann: Desk, dsn: str, path: str) -> None:
    ann.post("/api/apps", {"name": "Shop", "app_id": "shop"})
    assert expect(ann.call("DELETE", path), 200) == {"success": True}
    assert send(ann, "shop") == 444
    assert query(dsn, "SELECT 1 FROM apps") == []
    again = ann.post("/api/apps", {"name": "Shop again", "app_id": "shop"})
    assert (again["name"], send(ann, "shop")) == ("Shop again", 202)


def test_change_that_was_not_published_is_told_and_published_when_it_is_sent_again(ann: Desk) -> None:
    ann.post("/api/apps", {"name": "Shop", "app_id": "shop"})
    ann.api.runtime.records.is_away = True
    answer = ann.call("PUT", "/api/apps/shop", {"policy": "accept"})
    assert answer.status == 503
    assert "was changed, but events are not taken by it yet" in document(answer)["detail"]
    ann.api.runtime.records.is_away = False
    ann.put("/api/apps/shop", {"policy": "accept"})
    published = ann.api.runtime.records.app("shop")
    assert published is not None
    assert published.policy == "accept"
