"""Operations over HTTP: admins only, and the answers as published."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.accounts.tokens import issue_token
from chalicelib.api.http import Answer
from chalicelib.jobs.queue import Message
from chalicelib.jobs.state import State
from chalicelib.jobs.store import Problem
from chalicelib.model import Caller
from chalicelib.settings import QUEUES
from tests.api.calls import Api, details, document
from tests.api.published import broken, published
from tests.doubles import FIRST_ID, SECRET

NOW = 1_750_000_000
QUEUE = "/api/admin/queues/simulations"
ROUTES = [
    ("GET", "/api/admin/active"),
    ("GET", "/api/admin/kinds"),
    ("GET", "/api/admin/queues"),
    ("GET", f"{QUEUE}/dead"),
    ("POST", f"{QUEUE}/pause"),
    ("POST", f"{QUEUE}/resume"),
    ("POST", f"{QUEUE}/purge"),
    ("POST", f"{QUEUE}/redrive"),
    ("POST", f"/api/admin/tasks/{FIRST_ID}/redrive"),
    ("PUT", "/api/admin/maintenance"),
]


def bearer(role: str) -> str:
    return f"Bearer {issue_token(Caller('7', role), secret=SECRET, now_s=NOW, ttl_s=60)}"


def call(api: Api, method: str, path: str) -> Answer:
    return api.call(method, path, authorization=bearer("admin"))


@pytest.fixture
def api() -> Api:
    """One public job, waiting."""
    api = Api()
    assert api.call("POST", "/api/async/echo", {"text": "hello"}).status == 202
    return api


def fail(api: Api) -> None:
    """Its job was given up."""
    lifecycle = api.parts.engine.lifecycle
    api.parts.queues.sent["simulations"].clear()
    lifecycle.fail(lifecycle.claim(FIRST_ID), Problem("attempts-spent", "gave up"))
    api.parts.queues.bury("simulations", msgspec.json.encode(Message(FIRST_ID, "echo")).decode(), "gave up")


def read(api: Api, answer: Answer, name: str) -> Any:  # a JSON object
    """The body of a good answer, which must be as published under the name."""
    body = document(answer)
    assert (answer.status, broken(published(api), name, body)) == (200, []), body
    return body


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(("role", "status"), [("student", 403), ("instructor", 403), ("", 401)])
def test_others_than_admins_are_refused(api: Api, method: str, path: str, role: str, status: int) -> None:
    headers = {"authorization": bearer(role)} if role else {}
    assert api.call(method, path, **headers).status == status
    assert (api.parts.queues.paused, len(api.parts.queues.sent["simulations"])) == (set(), 1)


def test_routes_of_this_test_are_all_routes_of_operators(api: Api) -> None:
    paths = published(api)["paths"]
    described = {(method.upper(), path) for path in paths if "/admin/" in path for method in paths[path]}
    named = {(m, p.replace("simulations", "{queue}").replace(FIRST_ID, "{task_id}")) for m, p in ROUTES}
    assert named == described


def test_active_jobs_are_listed(api: Api) -> None:
    (job,) = read(api, call(api, "GET", "/api/admin/active"), "ActiveJobs")["jobs"]
    assert (job["task_id"], job["state"], job["owner"], job["queue"]) == (FIRST_ID, "PENDING", "", "simulations")


@pytest.mark.parametrize("limit", ["0", "501", "many"])
def test_limit_outside_its_bounds_is_refused(api: Api, limit: str) -> None:
    answer = call(api, "GET", f"/api/admin/active?limit={limit}")
    assert (answer.status, details(answer)) == (
        400,
        [("", f"limit must be a whole number from 1 to 500, got '{limit}'")],
    )


def test_kinds_are_listed(api: Api) -> None:
    (kind,) = read(api, call(api, "GET", "/api/admin/kinds"), "KindStates")["kinds"]
    assert (kind["name"], kind["waiting"], kind["running"]) == ("echo", 1, 0)


def test_queues_are_listed(api: Api) -> None:
    queues = read(api, call(api, "GET", "/api/admin/queues"), "QueueStates")["queues"]
    assert queues[0] == {"queue": "simulations", "waiting": 1, "in_flight": 0, "dead": 0, "is_paused": False}


def test_dead_letters_are_listed_with_why_they_were_given_up(api: Api) -> None:
    fail(api)
    (letter,) = read(api, call(api, "GET", f"{QUEUE}/dead"), "DeadLetters")["letters"]
    assert (letter["task_id"], letter["state"], letter["reason"]) == (FIRST_ID, "FAILURE", "gave up")
    assert call(api, "GET", "/api/admin/queues/nowhere/dead").status == 404


def test_queue_is_paused_and_resumed(api: Api) -> None:
    assert read(api, call(api, "POST", f"{QUEUE}/pause"), "QueueState")["is_paused"] is True
    assert read(api, call(api, "POST", f"{QUEUE}/resume"), "QueueState")["is_paused"] is False


def maintain(api: Api, *, on: bool) -> Any:  # a JSON object
    answer = api.call("PUT", "/api/admin/maintenance", {"is_on": on}, authorization=bearer("admin"))
    return read(api, answer, "Maintenance")


def test_maintenance_pauses_all_queues_while_jobs_are_accepted_and_wait(api: Api) -> None:
    for _ in range(2):
        begun = maintain(api, on=True)
        assert (begun["is_on"], [queue["is_paused"] for queue in begun["queues"]]) == (True, [True] * len(QUEUES))
    accepted = api.call("POST", "/api/async/echo", {"text": "hello"})
    assert (accepted.status, len(api.parts.queues.sent["simulations"])) == (202, 2)
    assert document(api.call("GET", accepted.headers["Location"]))["state"] == "PENDING"
    for _ in range(2):
        ended = maintain(api, on=False)
        assert (ended["is_on"], [queue["is_paused"] for queue in ended["queues"]]) == (False, [False] * len(QUEUES))


def test_maintenance_has_to_say_whether_it_is_on(api: Api) -> None:
    answer = api.call("PUT", "/api/admin/maintenance", {}, authorization=bearer("admin"))
    assert (answer.status, details(answer)) == (400, [("/is_on", "is required")])
    assert api.parts.queues.paused == set()


def test_purge_cancels_what_waits(api: Api) -> None:
    assert read(api, call(api, "POST", f"{QUEUE}/purge"), "Purged") == {"revoked": 1, "is_empty": True}
    assert document(api.call("GET", f"/api/tasks/{FIRST_ID}"))["state"] == "REVOKED"


def test_redrive_queues_what_has_failed_and_leaves_or_drops_the_rest(api: Api) -> None:
    fail(api)
    api.parts.queues.bury("simulations", "broken", "not a job message")
    path = f"{QUEUE}/redrive"
    assert read(api, call(api, "POST", path), "Redriven") == {"redriven": 1, "dropped": 0, "left": 1}
    assert read(api, call(api, "POST", f"{path}?drop=1"), "Redriven") == {"redriven": 0, "dropped": 1, "left": 0}
    assert document(api.call("GET", f"/api/tasks/{FIRST_ID}"))["state"] == "PENDING"


def test_one_failed_task_is_queued_again(api: Api) -> None:
    fail(api)
    answer = call(api, "POST", f"/api/admin/tasks/{FIRST_ID}/redrive")
    assert (answer.status, answer.headers["Location"]) == (202, f"/api/tasks/{FIRST_ID}")
    assert broken(published(api), "Accepted", document(answer)) == []
    found = api.parts.store.find(FIRST_ID)
    assert found is not None
    assert found.job.state is State.PENDING
    assert call(api, "POST", f"/api/admin/tasks/{FIRST_ID}/redrive").status == 409


def test_queue_that_does_not_exist_is_not_found(api: Api) -> None:
    assert call(api, "POST", "/api/admin/queues/nowhere/purge").status == 404


def test_fields_are_refused(api: Api) -> None:
    answer = api.call("POST", f"{QUEUE}/purge", {"queue": "events"}, authorization=bearer("admin"))
    assert (answer.status, details(answer)) == (400, [("/queue", "is not known")])
