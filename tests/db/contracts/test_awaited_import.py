"""Imports of files that are still to be sent: one call for the link and the task, which waits for the file."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.api.http import Answer
from tests.api.calls import details, document
from tests.api.test_tasks import bearer
from tests.db.contracts.desk import ADMIN, IMPORTS, THREE, Desk
from tests.db.test_database import query

BODY = THREE.encode()
VERSIONS = "SELECT state, rows_loaded FROM contract_versions"


@pytest.fixture
def desk(dsn: str) -> Desk:
    return Desk(dsn)


def ask(desk: Desk, body: object, **headers: str) -> Answer:
    return desk.api.call("POST", IMPORTS, body, **({"authorization": ADMIN} | headers))


def task(desk: Desk, accepted: Any) -> Any:  # a task
    return document(desk.api.call("GET", accepted["poll_url"], authorization=ADMIN))


def test_one_call_answers_the_task_and_the_link_for_its_file(desk: Desk, dsn: str) -> None:
    answer = ask(desk, {"size": len(BODY), "source": "a portal"})
    accepted = document(answer)
    assert (answer.status, answer.headers["Cache-Control"]) == (202, "no-store")
    assert answer.headers["Location"] == accepted["poll_url"] == f"/api/tasks/{accepted['task_id']}"
    assert accepted["status"] == "PENDING"
    upload = accepted["upload"]
    assert (upload["method"], upload["headers"]) == ("PUT", {"Content-Length": str(len(BODY))})
    # A quarter of an hour on the clock of the tests.
    assert upload["expires_at"] == "2025-06-15T15:21:40.000Z"
    desk.send(upload, BODY)
    desk.work("batch")
    assert task(desk, accepted)["state"] == "SUCCESS"
    assert query(dsn, VERSIONS) == [("current", 3)]
    assert query(dsn, "SELECT source FROM contract_versions") == [("a portal",)]


def test_task_waits_for_the_file_and_makes_nothing_before(desk: Desk, dsn: str) -> None:
    accepted = document(ask(desk, {"size": len(BODY)}))
    for _ in range(3):
        desk.work("batch", steps=1)
        assert task(desk, accepted)["state"] == "PENDING"
    assert query(dsn, VERSIONS) == []
    assert [delay_s for _, _, delay_s in desk.api.parts.queues.delayed] == [5, 5, 5]
    desk.send(accepted["upload"], BODY)
    desk.work("batch")
    assert task(desk, accepted)["state"] == "SUCCESS"


def wait(desk: Desk, accepted: Any) -> list[int]:
    """The pauses that a task makes until it ends, or until there are too many."""
    parts = desk.api.parts
    while not task(desk, accepted)["ready"]:
        assert len(parts.queues.delayed) < 1000
        desk.work("batch", steps=1)
        if len(parts.queues.delayed):
            parts.clock.advance(parts.queues.delayed[-1][2])
    return [delay_s for _, _, delay_s in parts.queues.delayed]


def test_task_whose_file_never_comes_fails_when_the_link_has_ended(desk: Desk, dsn: str) -> None:
    accepted = document(ask(desk, {"size": len(BODY)}))
    pauses = wait(desk, accepted)
    found = task(desk, accepted)
    assert (found["state"], found["error"]) == (
        "FAILURE",
        "no file has come within 900 s: ask for a new link and send it there",
    )
    assert 900 <= sum(pauses) < 960
    assert query(dsn, VERSIONS) == []


def test_wait_for_the_largest_file_leaves_the_load_a_day_of_steps(desk: Desk) -> None:
    accepted = document(ask(desk, {"size": 5 * 2**30}))
    pauses = wait(desk, accepted)
    # At 1 MB a second, behind the time of the link.
    assert task(desk, accepted)["error"][:34] == "no file has come within 6020 s: as"
    assert len(pauses) <= 150
    assert (pauses[0], max(pauses)) == (5, 60)


def test_waiting_import_can_be_cancelled(desk: Desk, dsn: str) -> None:
    accepted = document(ask(desk, {"size": len(BODY)}))
    desk.work("batch", steps=1)
    desk.api.call("DELETE", accepted["poll_url"], authorization=ADMIN)
    desk.send(accepted["upload"], BODY)
    desk.work("batch")
    assert task(desk, accepted)["state"] == "REVOKED"
    assert query(dsn, VERSIONS) == []


def test_same_key_is_the_same_task_and_the_same_file(desk: Desk) -> None:
    first, again = (ask(desk, {"size": 9}, idempotency_key="k") for _ in range(2))
    assert again.headers["Idempotency-Replayed"] == "true"
    names = [(document(answer)["task_id"], document(answer)["upload"]["upload_id"]) for answer in (first, again)]
    assert names[0] == names[1]
    assert ask(desk, {"size": 10}, idempotency_key="k").status == 422
    other = document(ask(desk, {"size": 9}, idempotency_key="l"))
    assert (other["task_id"], other["upload"]["upload_id"]) != names[0]


def test_file_that_was_sent_before_needs_no_link(desk: Desk) -> None:
    assert "upload" not in document(ask(desk, {"upload_id": desk.upload(BODY)}))


@pytest.mark.parametrize("body", [{}, {"upload_id": "a", "size": 1}, {"source": "a portal"}])
def test_either_the_file_or_its_size_is_named(desk: Desk, body: object) -> None:
    answer = ask(desk, body)
    detail = "must have either upload_id, of a file that was sent, or size, of one to send"
    assert (answer.status, details(answer)) == (400, [("", detail)])


@pytest.mark.parametrize("size", [0, 5 * 2**30 + 1, "9"])
def test_size_is_one_that_can_be_sent(desk: Desk, size: object) -> None:
    answer = ask(desk, {"size": size})
    assert (answer.status, [pointer for pointer, _ in details(answer)]) == (400, ["/size"])


def test_link_is_for_admins(desk: Desk) -> None:
    assert ask(desk, {"size": 9}, authorization=bearer("7")).status == 403
    assert "batch" not in desk.api.parts.queues.sent
