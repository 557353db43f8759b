"""Tasks over HTTP: submit, look, cancel, and the in-line twin."""

from __future__ import annotations

import msgspec
import pytest

from chalicelib.accounts.tokens import issue_token
from chalicelib.jobs.kind import Progress
from chalicelib.jobs.queue import Delivery, Message
from chalicelib.jobs.worker import Worker
from chalicelib.model import Caller
from tests.api.calls import Api, details, document
from tests.doubles import FIRST_ID, SECRET, EchoRequest, EchoResult, echo_kind, registry

TASK = f"/api/tasks/{FIRST_ID}"
NOW = 1_750_000_000


def bearer(user_id: str, role: str = "student") -> str:
    token = issue_token(Caller(user_id, role), secret=SECRET, now_s=NOW, ttl_s=86_400)
    return f"Bearer {token}"


def work(api: Api, kind: object = None) -> None:
    body = msgspec.json.encode(Message(FIRST_ID, "echo")).decode()
    Worker(api.parts.engine, registry(kind or echo_kind()), "simulations").settle(  # type: ignore[arg-type]
        [Delivery(message_id="message-1", body=body, receipt="receipt-1")]
    )


def test_submit_answers_202_with_the_address_of_the_task() -> None:
    answer = Api().call("POST", "/api/async/echo", {"text": "hello"})
    assert answer.status == 202
    assert document(answer) == {
        "task_id": FIRST_ID,
        "status": "PENDING",
        "message": "Echo: queued",
        "poll_url": TASK,
    }
    assert (answer.headers["Location"], answer.headers["Retry-After"]) == (TASK, "1")


def test_waiting_task_shows_its_state_and_when_to_look_again() -> None:
    api = Api()
    api.call("POST", "/api/async/echo", {"text": "hello"})
    answer = api.call("GET", TASK)
    assert document(answer) == {
        "task_id": FIRST_ID,
        "kind": "echo",
        "state": "PENDING",
        "status": "Waiting in the queue",
        "progress": 0,
        "current": 0,
        "total": 100,
        "stage": "queued",
        "cache_key": None,
        "ready": False,
        "successful": None,
        "queue": "simulations",
        "attempt": 0,
        "created_at": "2025-06-15T15:06:40.000Z",
        "started_at": None,
        "last_started_at": None,
        "ended_at": None,
        "updated_at": "2025-06-15T15:06:40.000Z",
        "expires_at": "2025-06-29T15:06:40.000Z",
    }
    assert answer.headers["Retry-After"] == "1"


def test_finished_task_has_its_result_with_the_id_and_time_that_old_clients_read() -> None:
    api = Api()
    api.call("POST", "/api/async/echo", {"text": "hello"})
    work(api)
    answer = api.call("GET", TASK)
    body = document(answer)
    assert (body["state"], body["progress"], body["ready"], body["successful"]) == ("SUCCESS", 100, True, True)
    assert body["result"] == {
        "text": "hello",
        "warnings": [],
        "task_id": FIRST_ID,
        "completed_at": "2025-06-15T15:06:40.000Z",
    }
    assert "Retry-After" not in answer.headers


def test_task_tells_how_long_it_waited_and_ran() -> None:
    api = Api()
    api.call("POST", "/api/async/echo", {"text": "hello"}, authorization=bearer("7"))
    api.parts.clock.advance(2)
    api.parts.engine.lifecycle.claim(FIRST_ID)
    api.parts.clock.advance(31)
    job = api.parts.engine.lifecycle.claim(FIRST_ID)
    api.parts.clock.advance(4)
    api.parts.engine.lifecycle.succeed(job, b'{"text":"hello"}')
    (listed,) = document(api.call("GET", "/api/tasks", authorization=bearer("7")))["tasks"]
    shown = document(api.call("GET", TASK, authorization=bearer("7")))
    for task in (listed, shown):
        assert (task["queue"], task["attempt"], task["created_at"]) == ("simulations", 2, "2025-06-15T15:06:40.000Z")
        assert (task["started_at"], task["last_started_at"], task["ended_at"]) == (
            "2025-06-15T15:06:42.000Z",
            "2025-06-15T15:07:13.000Z",
            "2025-06-15T15:07:17.000Z",
        )


def test_failed_task_has_its_error() -> None:
    def crash(request: EchoRequest, progress: Progress) -> EchoResult:
        raise KeyError("secret")

    kind = echo_kind(crash)
    api = Api(kind)
    api.call("POST", "/api/async/echo", {"text": "hello"})
    work(api, kind)
    body = document(api.call("GET", TASK))
    assert (body["state"], body["successful"], body["error_type"]) == ("FAILURE", False, "internal")
    assert body["error"] == "the job failed because of an internal error"


def test_task_that_has_not_changed_is_answered_304() -> None:
    api = Api()
    api.call("POST", "/api/async/echo", {"text": "hello"})
    tag = api.call("GET", TASK).headers["ETag"]
    unchanged = api.call("GET", TASK, if_none_match=tag)
    assert (unchanged.status, unchanged.body, unchanged.headers["ETag"]) == (304, None, tag)
    # As a proxy that compresses answers hands it on.
    assert api.call("GET", TASK, if_none_match=f"W/{tag}").status == 304
    work(api)
    assert api.call("GET", TASK, if_none_match=tag).status == 200


def test_unknown_task_is_404_as_a_problem_document() -> None:
    answer = Api().call("GET", "/api/tasks/nowhere")
    assert answer.content_type == "application/problem+json"
    assert document(answer) == {
        "type": "urn:sluice:problem:not-found",
        "title": "Not found",
        "status": 404,
        "detail": "there is no task nowhere",
        "error": "there is no task nowhere",
        "request_id": "request-1",
    }


def test_expired_task_is_410_for_a_week_and_then_404() -> None:
    api = Api()
    api.call("POST", "/api/async/echo", {"text": "hello"})
    work(api)
    api.parts.clock.advance(3599)
    assert api.call("GET", TASK).status == 200
    api.parts.clock.advance(1)
    assert api.call("GET", TASK).status == 410
    api.parts.clock.advance(7 * 24 * 3600)
    assert api.call("GET", TASK).status == 404


def test_task_of_an_account_is_seen_and_cancelled_by_its_owner_only() -> None:
    api = Api()
    api.call("POST", "/api/async/echo", {"text": "hello"}, authorization=bearer("7"))
    assert api.call("GET", TASK).status == 404
    assert api.call("DELETE", TASK, authorization=bearer("8")).status == 404
    assert api.call("GET", TASK, authorization=bearer("7")).status == 200
    assert api.call("DELETE", TASK, authorization=bearer("7")).status == 200


def test_admin_sees_cancels_and_restarts_tasks_of_others_without_their_results() -> None:
    api = Api()
    api.call("POST", "/api/async/echo", {"text": "hello"}, authorization=bearer("7"))
    work(api)
    shown = document(api.call("GET", TASK, authorization=bearer("1", "admin")))
    assert (shown["state"], "result" in shown, "result_url" in shown) == ("SUCCESS", False, False)
    assert api.call("GET", f"{TASK}/download", authorization=bearer("1", "admin")).status == 404
    # Both were refused for the task's state, which nobody is told who may not see it.
    assert api.call("DELETE", TASK, authorization=bearer("1", "admin")).status == 409
    assert api.call("POST", f"{TASK}/retry", authorization=bearer("1", "admin")).status == 409
    assert api.call("DELETE", TASK, authorization=bearer("8", "instructor")).status == 404


def test_waiting_task_is_cancelled_at_once_and_again_without_harm() -> None:
    api = Api()
    api.call("POST", "/api/async/echo", {"text": "hello"})
    for _ in range(2):
        answer = api.call("DELETE", TASK)
        assert answer.status == 200
        assert document(answer) == {"message": "The task was cancelled", "task_id": FIRST_ID, "state": "REVOKED"}
    assert document(api.call("GET", TASK))["status"] == "Cancelled"


def test_running_task_is_asked_to_stop_and_says_so() -> None:
    api = Api()
    api.call("POST", "/api/async/echo", {"text": "hello"})
    api.parts.engine.lifecycle.claim(FIRST_ID)
    answer = api.call("DELETE", TASK)
    assert document(answer) == {"message": "The task was asked to stop", "task_id": FIRST_ID, "state": "STARTED"}
    assert document(api.call("GET", TASK))["status"] == "Cancelling"


def test_cancel_of_a_finished_task_is_409() -> None:
    api = Api()
    api.call("POST", "/api/async/echo", {"text": "hello"})
    work(api)
    answer = api.call("DELETE", TASK)
    assert (answer.status, document(answer)["detail"]) == (409, f"task {FIRST_ID} has already ended as SUCCESS")


def test_cancel_of_an_unknown_task_is_404() -> None:
    assert Api().call("DELETE", "/api/tasks/nowhere").status == 404


def test_in_line_route_answers_the_result() -> None:
    answer = Api().call("POST", "/api/echo", {"text": "hello"})
    assert (answer.status, document(answer)) == (200, {"text": "hello", "warnings": []})


def test_unknown_field_of_an_old_route_is_ignored_with_a_warning() -> None:
    api = Api()
    warning = '/texts is not known and was ignored; did you mean "text"?'
    assert document(api.call("POST", "/api/async/echo", {"text": "hello", "texts": 1}))["warnings"] == [warning]
    assert document(api.call("GET", TASK))["warnings"] == [warning]
    assert document(api.call("POST", "/api/echo", {"text": "hello", "texts": 1}))["warnings"] == [warning]


@pytest.mark.parametrize(("lenient", "query"), [(True, "?strict=1"), (False, "")])
def test_unknown_field_is_refused_when_strict_and_on_new_routes(lenient: bool, query: str) -> None:
    answer = Api(echo_kind(lenient=lenient)).call("POST", f"/api/async/echo{query}", {"text": "hello", "x/y": 1})
    assert answer.status == 400
    assert details(answer) == [("/x~1y", "is not known")]


def test_route_that_is_not_public_needs_a_token() -> None:
    api = Api(public_forecasts=False)
    for path in ("/api/async/echo", "/api/echo"):
        answer = api.call("POST", path, {"text": "hello"})
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="sluice"')
        assert api.call("POST", path, {"text": "hello"}, authorization=bearer("7")).status in (200, 202)


def test_result_is_downloaded_as_a_file_of_its_own_name() -> None:
    api = Api()
    api.call("POST", "/api/async/echo", {"text": "hello"})
    early = api.call("GET", f"{TASK}/download")
    assert (early.status, document(early)["detail"]) == (409, f"task {FIRST_ID} has no result: it is PENDING")
    work(api)
    answer = api.call("GET", f"{TASK}/download")
    assert (answer.status, answer.body) == (200, b'{"text":"hello","warnings":[]}')
    assert answer.headers["Content-Disposition"] == f'attachment; filename="echo-{FIRST_ID}.json"'


def test_large_result_is_downloaded_from_a_link() -> None:
    api = Api()
    api.call("POST", "/api/async/echo", {"text": "x" * 40_000})
    work(api)
    answer = api.call("GET", f"{TASK}/download")
    assert (answer.status, answer.headers["Location"]) == (303, f"memory:{FIRST_ID}/echo-{FIRST_ID}.json")
    task = document(api.call("GET", TASK))
    assert (task["result_url"], task["result_bytes"]) == (f"{TASK}/download", 40_000 + 25)
    assert task["result"]["text"] == "x" * 40_000
