"""Tenant against tenant on a real Postgres: what one account learns, or changes, of another's apps."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest

from chalicelib import kinds
from chalicelib.api.http import Answer
from chalicelib.api.route import Route
from chalicelib.api.routes import routes
from chalicelib.db.connect import Database
from tests.api.calls import document
from tests.db.desks import Desk, desk
from tests.db.events.conftest import insert_app
from tests.db.events.test_ingest import Phone
from tests.db.events.watched import event, result, store
from tests.db.test_database import query

RULES = {"rules": [{"event": "login", "path": "a", "type": "text"}]}
STATE = """
    SELECT (SELECT array_agg(a::text ORDER BY id) FROM apps a),
        (SELECT array_agg(r::text ORDER BY app, version) FROM rule_sheets r),
        (SELECT array_agg(l::text ORDER BY id) FROM log_entries l)
"""
INGEST = {"POST /api/logs/{app_id}", "POST /api/logs/{app_id}/batch"}
OF_APPS = [
    route
    for route in routes(kinds.registry("prod"))
    if "{app_id}" in route.path and f"{route.method} {route.path}" not in INGEST
]


@pytest.fixture
def ann(database: Database) -> Desk:
    """Ann has the app `shop` with rules and an event."""
    ann = desk(database, "Ann")
    ann.post("/api/apps", {"name": "Shop", "app_id": "shop"})
    ann.post("/api/apps/shop/rules", RULES)
    app = ann.api.runtime.records.app("shop")
    assert app is not None
    store(database, event(app.id, "1", result("a", "x"), body={"a": "x"}))
    return ann


def ask(who: Desk, route: Route, app_id: str, row_id: str) -> Answer:
    """The route called with its published example."""
    assert route.doc is not None
    example = route.doc().example
    body: object = example if example is not None else {} if route.method in ("POST", "PUT") else None
    path = route.path.replace("{app_id}", app_id).replace("{row_id}", row_id)
    return who.call(route.method, re.sub(r"\{\w+\}", "1", path), body)


def test_every_route_answers_for_an_app_of_another_as_for_none_and_changes_nothing(
    database: Database, dsn: str, ann: Desk
) -> None:
    bob = desk(database, "Bob")
    # What ingest and sockets know of apps is one for all.
    bob.api.runtime.__dict__["event_records"] = ann.api.runtime.event_records
    before = query(dsn, STATE)
    row_id = str(query(dsn, "SELECT id FROM log_entries")[0][0])
    answers = {}
    for route in OF_APPS:
        theirs, nothing = ask(bob, route, "shop", row_id), ask(bob, route, "none", row_id)
        said = msgspec.json.encode(nothing.body).replace(b"none", b"shop")
        answers[f"{route.method} {route.path}"] = (theirs.status, msgspec.json.encode(theirs.body) == said)
    assert answers == dict.fromkeys(answers, (404, True))
    assert len(answers) >= 40
    assert query(dsn, STATE) == before


@pytest.fixture
def phone(database: Database, dsn: str) -> Iterator[Phone]:
    phone = Phone(database, insert_app(dsn, "shop", desk(database, "Ann").account))
    yield phone
    phone.runtime.database.close()


def test_task_id_of_an_event_tells_its_verdict_and_no_value_and_changes_nothing(phone: Phone, dsn: str) -> None:
    sent = phone.send({"eventName": "user_login", "payload": {"userId": 4711, "note": "a secret"}})
    phone.work()
    task_id = document(sent)["task_id"]
    shown = phone.api.call("GET", f"/api/tasks/{task_id}")
    assert document(shown)["state"] == "SUCCESS"
    assert not re.search(rb"4711|a secret", msgspec.json.encode(shown.body))
    for method, path in (("GET", "/download"), ("DELETE", ""), ("POST", "/retry")):
        assert phone.api.call(method, f"/api/tasks/{task_id}{path}").status == 404
    assert query(dsn, "SELECT count(*) FROM log_entries") == [(1,)]


@pytest.mark.parametrize("app_id", ['a"b', "a\r\nSet-Cookie: x=y", "shop\n", "../shop", ";x", "é", "a" * 101])
def test_name_of_a_download_cannot_carry_a_header(database: Database, app_id: str) -> None:
    ann = desk(database, "Ann")
    assert ann.call("POST", "/api/apps", {"name": "Shop", "app_id": app_id}).status == 400
    ann.post("/api/apps", {"name": app_id, "app_id": "shop"})
    ann.post("/api/apps/shop/rules", RULES)
    answer = ann.call("GET", "/api/apps/shop/rules/csv")
    assert (answer.status, answer.headers["Content-Disposition"]) == (200, 'attachment; filename="shop-rules-1.csv"')
