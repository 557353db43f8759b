"""Replays over HTTP: asked for by an app's owner, run by a worker, told by a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec
import pytest

from chalicelib.api.http import Answer
from chalicelib.db.connect import Database
from chalicelib.jobs.kind import AnyKind
from chalicelib.jobs.queue import Delivery
from chalicelib.jobs.worker import Worker
from chalicelib.kinds.event_replay import KIND
from tests.api.calls import details, document
from tests.api.published import broken, published
from tests.db.desks import Desk, desk, expect
from tests.db.events.watched import event, result, store
from tests.db.test_database import query
from tests.doubles import registry

WRONG = "Invalid/Wrong datatype/value"
TEXT = {"rules": [{"event": "login", "path": "a", "type": "text"}]}
NUMBER = {"rules": [{"event": "login", "path": "a", "type": "integer"}]}
PREFIXES = ("/api/apps/shop", "/app/shop")


@pytest.fixture
def ann(database: Database, dsn: str) -> Desk:
    """Ann has an app whose second rules turn one of its two events invalid, and the other one valid."""
    ann = desk(database, "Ann")
    runtime = ann.api.runtime
    runtime.__dict__["settings"] = msgspec.structs.replace(runtime.settings, database_url=dsn)
    ann.post("/api/apps", {"name": "Shop", "app_id": "shop"})
    for rules in (TEXT, NUMBER):
        expect(ann.call("POST", "/api/apps/shop/rules", rules), 201)
    app = runtime.records.app("shop")
    assert app is not None
    wrong = result("a", "1", WRONG, expectedType="text", receivedType="integer")
    store(
        database,
        event(app.id, "text", result("a", "x"), body={"a": "x"}),
        event(app.id, "number", wrong, body={"a": 1}, status="invalid"),
    )
    return ann


def work(who: Desk) -> None:
    """Settles what stands in the queue."""
    worker = Worker(who.api.parts.serving(who.api.runtime), registry(cast("AnyKind", KIND)), "batch")
    sent = who.api.parts.queues.sent["batch"]
    while sent:
        body = msgspec.json.encode(sent.popleft()).decode()
        worker.settle([Delivery(message_id="message-1", body=body, receipt="receipt-1")])


def ask(who: Desk, prefix: str, body: object, **headers: str) -> Answer:
    return who.api.call("POST", f"{prefix}/replay", body, authorization=f"Bearer {who.token}", **headers)


def statuses(dsn: str) -> list[tuple[object, ...]]:
    return query(dsn, "SELECT message_id, status, rules_version FROM log_entries ORDER BY id")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_replay_is_queued_and_its_task_tells_what_turned(ann: Desk, dsn: str, prefix: str) -> None:
    answer = ask(ann, prefix, {"apply": True})
    task_id = expect(answer, 202)["task_id"]
    assert answer.headers["Location"] == f"/api/tasks/{task_id}"
    work(ann)
    task = ann.get(f"/api/tasks/{task_id}")
    assert broken(published(ann.api), "Task", task) == []
    said = task["result"]
    ids = {change["change"]: change["sample_id"] for change in said["changes"]}
    change = {"event_name": "login", "field_name": "a", "validation_status": WRONG, "events": 1}
    assert said == {
        "task_id": task_id,
        "completed_at": said["completed_at"],
        "rules_version": 2,
        "is_applied": True,
        "events": 2,
        "before": {"valid": 1, "invalid": 1, "no_rules": 0},
        "after": {"valid": 1, "invalid": 1, "no_rules": 0},
        "turned_invalid": 1,
        "turned_valid": 1,
        "changes": [
            change | {"change": "turned_invalid", "sample_id": ids["turned_invalid"]},
            change | {"change": "turned_valid", "sample_id": ids["turned_valid"]},
        ],
        "are_changes_complete": True,
        "stored": 2,
        "not_judged": 0,
        "partly_judged": 0,
        "without_body": 0,
        "too_long": 0,
        "removed": 0,
        "is_complete": True,
    }
    assert ann.get(f"/api/logs/shop/{ids['turned_invalid']}")["message_id"] == "text"
    assert statuses(dsn) == [("text", "invalid", 2), ("number", "valid", 2)]
    (group,) = ann.get(f"{prefix}/quarantine")["groups"]
    assert (group["sample"]["message_id"], group["rules_versions"]) == ("text", [2])


def test_replay_without_a_body_tells_and_changes_nothing(ann: Desk, dsn: str) -> None:
    before = statuses(dsn)
    task_id = expect(ask(ann, "/app/shop", None), 202)["task_id"]
    work(ann)
    said = ann.get(f"/api/tasks/{task_id}")["result"]
    assert (said["is_applied"], said["turned_invalid"], said["stored"], statuses(dsn)) == (False, 1, 0, before)


def test_same_key_is_the_same_replay_also_when_rules_have_changed(ann: Desk) -> None:
    first = ask(ann, "/app/shop", {"apply": True}, idempotency_key="k")
    expect(ann.call("POST", "/api/apps/shop/rules", {"rules": []}), 201)
    again = ask(ann, "/app/shop", {"apply": True}, idempotency_key="k")
    assert (document(again)["task_id"], again.headers["Idempotency-Replayed"]) == (document(first)["task_id"], "true")
    assert ask(ann, "/app/shop", {"apply": False}, idempotency_key="k").status == 422


def test_replay_that_is_cancelled_before_it_begins_changes_nothing(ann: Desk, dsn: str) -> None:
    before = statuses(dsn)
    task_id = expect(ask(ann, "/app/shop", {"apply": True}), 202)["task_id"]
    expect(ann.call("DELETE", f"/api/tasks/{task_id}"), 200)
    work(ann)
    assert (ann.get(f"/api/tasks/{task_id}")["state"], statuses(dsn)) == ("REVOKED", before)


def test_task_is_of_who_asked(ann: Desk, database: Database) -> None:
    task_id = expect(ask(ann, "/app/shop", {}), 202)["task_id"]
    bob = desk(database, "Bob")
    bob.api.runtime.__dict__["engine"] = ann.api.runtime.engine
    assert bob.call("GET", f"/api/tasks/{task_id}").status == 404
    assert ask(bob, "/app/shop", {}).status == 404


def test_app_that_is_removed_before_the_replay_fails_it(ann: Desk) -> None:
    task_id = expect(ask(ann, "/app/shop", {"apply": True}), 202)["task_id"]
    expect(ann.call("DELETE", "/api/apps/shop"), 200)
    work(ann)
    task = ann.get(f"/api/tasks/{task_id}")
    assert (task["state"], task["error"]) == ("FAILURE", "there is no app shop")


def test_app_that_took_the_id_of_the_removed_one_is_left_alone(ann: Desk) -> None:
    task_id = expect(ask(ann, "/app/shop", {"apply": True}), 202)["task_id"]
    expect(ann.call("DELETE", "/api/apps/shop"), 200)
    ann.post("/api/apps", {"name": "Other", "app_id": "shop"})
    work(ann)
    task = ann.get(f"/api/tasks/{task_id}")
    assert (task["state"], task["error"]) == ("FAILURE", "app shop was removed; another one has its id")


def test_version_that_is_not_there_is_404(ann: Desk) -> None:
    answer = ask(ann, "/app/shop", {"rules_version": 3})
    assert (answer.status, document(answer)["detail"]) == (404, "app shop has no rules of version 3")


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({"ids": []}, "/ids", "must have at least 1 items, got 0"),
        ({"ids": [1] * 1_001}, "/ids", "must have at most 1000 items, got 1001"),
        ({"ids": [0]}, "/ids/0", "must be at least 1, got 0"),
        ({"rules_version": 0}, "/rules_version", "must be at least 1, got 0"),
        ({"rules_version": 2**31}, "/rules_version", "must be at most 2147483647, got 2147483648"),
        ({"apply": "yes"}, "/apply", 'must be true or false, got "yes"'),
        ({"filter": {}}, "/filter", 'is not known; did you mean "filters"?'),
        ({"filters": {"event": "a"}}, "/filters/event", "is not known"),
        ({"filters": {"from": "x"}}, "/filters/from", "must be a time such as 2026-01-31T12:00:00Z, got 'x'"),
    ],
)
def test_replay_that_cannot_be_is_refused(ann: Desk, body: Mapping[str, Any], pointer: str, detail: str) -> None:
    answer = ask(ann, "/app/shop", body)
    (found,) = details(answer)
    assert (answer.status, found[0], found[1][: len(detail)]) == (400, pointer, detail)
    assert not ann.api.parts.queues.sent
