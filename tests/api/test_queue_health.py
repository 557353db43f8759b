"""GET /api/health/celery: one real job per window, and what its fate says about the workers."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from chalicelib.api.http import Answer
from chalicelib.api.queue_health import PING
from chalicelib.errors import JobFailed, Unavailable
from chalicelib.jobs.kind import AnyKind, Progress
from chalicelib.jobs.memory import MemoryQueues
from chalicelib.jobs.queue import Delivery, Depth, Message
from chalicelib.jobs.worker import Worker
from chalicelib.kinds import ping
from tests.api.calls import Api, document
from tests.api.published import broken, published
from tests.doubles import registry

HEALTH = "/api/health/celery"


def with_worker(api: Api, kind: AnyKind = PING) -> Api:
    """Has a worker settle what stands in the queue whenever somebody waits."""
    worker, sleep = Worker(api.parts.engine, registry(kind), "simulations"), api.parts.clock.sleep

    def work_meanwhile(seconds: float) -> None:
        sleep(seconds)
        sent = api.parts.queues.sent["simulations"]
        while sent:
            body = msgspec.json.encode(sent.popleft()).decode()
            worker.settle([Delivery(message_id="message-1", body=body, receipt="receipt-1")])

    api.parts.clock.sleep = work_meanwhile  # type: ignore[method-assign]
    return api


def ask(api: Api) -> Answer:
    answer = api.call("GET", HEALTH)
    assert broken(published(api), "QueueHealth", document(answer)) == []
    return answer


def waiting(api: Api) -> int:
    return len(api.parts.queues.sent["simulations"])


def test_job_that_comes_through_is_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "sluice-test-work_simulations")
    answer = ask(with_worker(Api()))
    body = document(answer)
    task_id = body["test_result"].pop("task_id")
    assert (answer.status, len(task_id), answer.headers["Cache-Control"]) == (200, 36, "no-store")
    assert body == {
        "status": "healthy",
        "workers": "available",
        "test_result": {
            "status": "SUCCESS",
            "timestamp": "2025-06-15T15:06:40.100Z",
            "worker": "sluice-test-work_simulations",
        },
    }


def test_nobody_can_read_or_cancel_the_job() -> None:
    api = with_worker(Api())
    path = f"/api/tasks/{document(ask(api))['test_result']['task_id']}"
    assert [api.call("GET", path).status, api.call("DELETE", path).status] == [404, 404]


def test_queue_without_workers_and_without_other_jobs_is_unhealthy_after_5_s() -> None:
    api = Api()
    began = api.parts.clock.now()
    answer = ask(api)
    assert 5 <= api.parts.clock.now() - began < 5.2
    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
    assert document(answer) == {
        "status": "unhealthy",
        "workers": "unavailable",
        "error": "no worker took a job within 5 s, and no other jobs stand before it",
    }


def test_queue_with_other_jobs_in_it_is_busy() -> None:
    api = Api()
    api.call("POST", "/api/async/echo", {"text": "a"})
    answer = ask(api)
    assert (answer.status, document(answer)) == (200, {"status": "busy", "workers": "busy", "backlog": 1})


def test_job_of_another_that_is_being_worked_on_is_a_backlog() -> None:
    class WorkingQueues(MemoryQueues):
        def depth(self, queue: str) -> Depth:
            # The ping waits behind one that is worked on.
            return Depth(waiting=1, in_flight=1, dead=0)

    api = Api()
    api.runtime.__dict__["engine"] = replace(api.runtime.engine, queues=WorkingQueues())
    assert document(ask(api))["status"] == "busy"


def test_own_jobs_that_pile_up_are_no_backlog() -> None:
    api = Api()
    statuses = []
    for _ in range(3):
        statuses.append(document(ask(api))["status"])
        api.parts.clock.advance(10)
    assert (statuses, waiting(api)) == (["unhealthy"] * 3, 3)


def test_answer_is_shared_for_10_s() -> None:
    api = with_worker(Api())
    first = document(ask(api))
    # The tests' time begins with a window.
    api.parts.clock.advance(9.8)
    assert document(ask(api)) == first
    api.parts.clock.advance(0.2)
    assert document(ask(api))["test_result"]["task_id"] != first["test_result"]["task_id"]


def test_processes_that_ask_at_once_send_one_job() -> None:
    api, other = Api(), Api()
    other.runtime.__dict__["engine"] = replace(api.runtime.engine, queues=api.parts.queues)
    ask(api)
    api.parts.clock.advance(-5)
    ask(other)
    assert waiting(api) == 1


def test_job_that_fails_is_unhealthy() -> None:
    def fail(request: ping.PingRequest, progress: Progress) -> ping.PingResult:
        raise JobFailed("out of order")

    answer = ask(with_worker(Api(), msgspec.structs.replace(PING, run=fail)))
    assert (answer.status, document(answer)["error"]) == (
        503,
        "the job through the queue ended as FAILURE: out of order",
    )


@pytest.mark.parametrize("backlog", [0, 3])
def test_queue_whose_workers_are_switched_off_is_paused_however_much_waits(backlog: int) -> None:
    api = Api(PING)
    api.parts.queues.pause("simulations")
    for number in range(backlog):
        api.parts.queues.send("simulations", Message(str(number), "echo"))
    answer = ask(api)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
    assert document(answer) == {
        "status": "paused",
        "workers": "paused",
        "error": "the workers of the queue are switched off by an operator; jobs are accepted and wait",
    }


def test_queue_that_cannot_be_reached_is_unhealthy_at_once() -> None:
    class AwayQueues(MemoryQueues):
        def send(self, queue: str, message: Message, *, delay_s: int = 0) -> None:
            raise Unavailable("the job queue cannot be reached", retry_after_s=5)

    api = Api()
    api.runtime.__dict__["engine"] = replace(api.runtime.engine, queues=AwayQueues())
    began = api.parts.clock.now()
    answer = ask(api)
    assert (answer.status, api.parts.clock.now() - began) == (503, 0)
    assert document(answer)["error"] == "the job queue cannot be reached"
