"""Submitting with an Idempotency-Key and with patience; listing and restarting what was submitted."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from chalicelib.errors import JobFailed, Unavailable
from chalicelib.jobs.kind import AnyKind, Progress
from chalicelib.jobs.memory import MemoryQueues
from chalicelib.jobs.queue import Delivery, Message
from chalicelib.jobs.worker import Worker
from tests.api.calls import Api, details, document
from tests.api.test_tasks import bearer
from tests.doubles import EchoRequest, EchoResult, echo_kind, registry

PATH = "/api/async/echo"


def work(api: Api, kind: AnyKind | None = None) -> None:
    """Settles every message that was sent."""
    sent = api.parts.queues.sent["simulations"]
    while sent:
        delivery = Delivery(message_id="m", body=msgspec.json.encode(sent.popleft()).decode(), receipt="r")
        Worker(api.parts.engine, registry(kind or echo_kind()), "simulations").settle([delivery])


def test_same_request_under_one_key_is_one_task_sent_once() -> None:
    api = Api()
    first = api.call("POST", PATH, {"text": "a"}, idempotency_key="k-1", authorization=bearer("7"))
    again = api.call("POST", PATH, {"text": "a"}, idempotency_key="k-1", authorization=bearer("7"))
    assert (first.status, again.status) == (202, 202)
    assert document(again)["task_id"] == document(first)["task_id"]
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert len(api.parts.queues.sent["simulations"]) == 1


def test_replayed_task_shows_the_state_that_it_has_by_then() -> None:
    api = Api()
    api.call("POST", PATH, {"text": "a"}, idempotency_key="k-1")
    work(api)
    assert document(api.call("POST", PATH, {"text": "a"}, idempotency_key="k-1"))["status"] == "SUCCESS"


def test_another_request_under_one_key_is_422() -> None:
    api = Api()
    api.call("POST", PATH, {"text": "a"}, idempotency_key="k-1")
    assert api.call("POST", PATH, {"text": "b"}, idempotency_key="k-1").status == 422


def test_key_of_one_owner_is_not_anothers() -> None:
    api = Api()
    mine = api.call("POST", PATH, {"text": "a"}, idempotency_key="k-1", authorization=bearer("7"))
    theirs = api.call("POST", PATH, {"text": "b"}, idempotency_key="k-1", authorization=bearer("8"))
    assert theirs.status == 202
    assert document(mine)["task_id"] != document(theirs)["task_id"]


def test_key_of_a_submit_that_failed_may_be_used_again() -> None:
    class AwayQueues(MemoryQueues):
        def send(self, queue: str, message: Message, *, delay_s: int = 0) -> None:
            raise Unavailable("the job queue cannot be reached", retry_after_s=5)

    api = Api()
    engine = api.runtime.engine
    api.runtime.__dict__["engine"] = replace(engine, queues=AwayQueues())
    failed = api.call("POST", PATH, {"text": "a"}, idempotency_key="k-1")
    assert (failed.status, failed.headers["Retry-After"]) == (503, "5")
    api.runtime.__dict__["engine"] = engine
    retried = api.call("POST", PATH, {"text": "b"}, idempotency_key="k-1")
    assert (retried.status, "Idempotency-Replayed" in retried.headers) == (202, False)


def test_key_of_an_expired_task_is_410() -> None:
    api = Api()
    api.call("POST", PATH, {"text": "a"}, idempotency_key="k-1")
    work(api)
    api.parts.clock.advance(3600)
    assert api.call("POST", PATH, {"text": "a"}, idempotency_key="k-1").status == 410


def test_key_that_is_too_long_is_refused() -> None:
    answer = Api().call("POST", PATH, {"text": "a"}, idempotency_key="k" * 256)
    assert details(answer) == [("", "the Idempotency-Key header must have at most 255 characters, got 256")]


def test_patient_client_gets_the_task_when_it_ends_in_time() -> None:
    api = Api()
    sleep = api.parts.clock.sleep

    def work_meanwhile(seconds: float) -> None:
        sleep(seconds)
        work(api)

    api.parts.clock.sleep = work_meanwhile  # type: ignore[method-assign]
    answer = api.call("POST", PATH, {"text": "a"}, prefer="respond-async, wait=10")
    assert (answer.status, answer.headers["Preference-Applied"]) == (200, "wait=10")
    assert (document(answer)["state"], document(answer)["result"]["text"]) == ("SUCCESS", "a")


@pytest.mark.parametrize(("prefer", "waited"), [("wait=3", 3), ("wait=600", 20), ("return=minimal", 0)])
def test_patience_ends_in_202_after_the_time_and_never_after_more_than_20_s(prefer: str, waited: int) -> None:
    api = Api()
    began = api.parts.clock.now()
    answer = api.call("POST", PATH, {"text": "a"}, prefer=prefer)
    assert answer.status == 202
    assert waited <= api.parts.clock.now() - began < waited + 0.5


def listed(api: Api, query: str = "", user: str = "7") -> list[str]:
    answer = api.call("GET", f"/api/tasks{query}", authorization=bearer(user))
    assert answer.status == 200, document(answer)
    return [task["task_id"][-2:] for task in document(answer)["tasks"]]


@pytest.fixture
def api() -> Api:
    """Three tasks of user 7, a second apart; the first has succeeded and the second was cancelled."""
    api = Api()
    ids = []
    for text in ("a", "b", "c"):
        ids.append(document(api.call("POST", PATH, {"text": text}, authorization=bearer("7")))["task_id"])
        if text == "a":
            work(api)
        api.parts.clock.advance(1)
    api.call("DELETE", f"/api/tasks/{ids[1]}", authorization=bearer("7"))
    return api


def test_own_tasks_are_listed_newest_first_and_nobody_elses(api: Api) -> None:
    assert listed(api) == ["03", "02", "01"]
    assert listed(api, user="8") == []
    assert api.call("GET", "/api/tasks").status == 401


def test_listed_tasks_are_filtered_by_state_kind_and_time(api: Api) -> None:
    assert listed(api, "?state=success") == ["01"]
    assert listed(api, "?state=PENDING,REVOKED") == ["03", "02"]
    assert listed(api, "?kind=echo") == ["03", "02", "01"]
    assert listed(api, "?kind=other") == []
    assert listed(api, "?since=2025-06-15T15:06:41Z") == ["03", "02"]


def test_pages_are_walked_by_cursor(api: Api) -> None:
    seen, cursor = [], ""
    while True:
        answer = api.call("GET", f"/api/tasks?limit=2&cursor={cursor}", authorization=bearer("7"))
        seen.append(len(document(answer)["tasks"]))
        cursor = document(answer)["next_cursor"]
        if cursor is None:
            break
    assert seen == [2, 1]


@pytest.mark.parametrize(
    "query", ["?limit=0", "?limit=201", "?limit=x", "?state=DONE", "?since=yesterday", "?cursor=nonsense"]
)
def test_bad_parameter_of_a_list_is_refused_by_name(api: Api, query: str) -> None:
    answer = api.call("GET", f"/api/tasks{query}", authorization=bearer("7"))
    assert answer.status == 400
    assert document(answer)["detail"].removeprefix("/: ").startswith(query[1:].partition("=")[0])


def test_expired_tasks_are_not_listed(api: Api) -> None:
    api.parts.clock.advance(3600)
    assert listed(api) == ["03"]


def test_failed_task_is_started_again_under_its_own_id() -> None:
    outcomes = iter([JobFailed("broken"), None])

    def fail_once(request: EchoRequest, progress: Progress) -> EchoResult:
        outcome = next(outcomes)
        if outcome is not None:
            raise outcome
        return EchoResult(request.text)

    kind = echo_kind(fail_once)
    api = Api(kind)
    task = document(api.call("POST", PATH, {"text": "a"}))["poll_url"]
    assert api.call("POST", f"{task}/retry").status == 409
    work(api, kind)
    assert document(api.call("GET", task))["state"] == "FAILURE"
    again = api.call("POST", f"{task}/retry")
    assert (again.status, document(again)["poll_url"], document(again)["status"]) == (202, task, "PENDING")
    work(api, kind)
    assert document(api.call("GET", task))["state"] == "SUCCESS"
