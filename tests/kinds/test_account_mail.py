"""Mail to accounts on its way through the queue: sent once, tried again, given up by name, and nobody's to read."""

from __future__ import annotations

from typing import cast

import msgspec

from chalicelib.aws.mail import Mail
from chalicelib.jobs.kind import AnyKind
from chalicelib.jobs.queue import Delivery, Message
from chalicelib.jobs.state import State
from chalicelib.jobs.store import Job
from chalicelib.jobs.worker import ComeAgain, Worker
from chalicelib.kinds.account_mail import KIND, post
from tests.api.calls import Api
from tests.doubles import FIRST_ID, MemoryRuntime, registry

MAIL = Mail(to="ann@example.org", subject="Your code", text="142857\n", html="<p>142857</p>")


def office() -> MemoryRuntime:
    return MemoryRuntime(mail_from="alerts@sluice.test")


def deliver(runtime: MemoryRuntime, job_id: str = FIRST_ID) -> Job:
    """The job after one delivery of its message."""
    body = msgspec.json.encode(Message(job_id, KIND.name)).decode()
    worker = Worker(runtime.engine, registry(cast("AnyKind", KIND)), "emails")
    try:
        worker.settle([Delivery(message_id="message-1", body=body, receipt="receipt-1")])
    except ComeAgain:
        runtime.clock.sleep(900)
    found = runtime.engine.store.find(job_id)
    assert found is not None
    return found.job


def test_mail_is_sent_once_however_often_its_message_comes() -> None:
    runtime = office()
    post(runtime, MAIL)
    assert [deliver(runtime).state for _ in range(2)] == [State.SUCCESS] * 2
    assert runtime.outbox.sent == [MAIL]


def test_mail_under_one_key_is_queued_once_whatever_it_says() -> None:
    runtime = office()
    for text in ("Hello Ann.", "Hello Ann.", "Hello Anna."):
        post(runtime, msgspec.structs.replace(MAIL, text=text), "key")
    assert len(runtime.parts.queues.sent["emails"]) == 1


def test_mail_is_tried_again_while_the_service_is_away_and_then_dead_lettered_without_its_words() -> None:
    runtime = office()
    post(runtime, MAIL)
    runtime.outbox.is_away = True
    states = [deliver(runtime).state for _ in range(7)]
    assert states == [State.RETRY] * 6 + [State.FAILURE]
    ((queue, body, reason),) = runtime.parts.queues.buried
    assert (queue, reason) == ("emails", "gave up after 7 attempts: the mail service cannot be reached")
    assert "142857" not in body


def test_mail_is_sent_by_a_later_attempt() -> None:
    runtime = office()
    post(runtime, MAIL)
    runtime.outbox.is_away = True
    assert deliver(runtime).state is State.RETRY
    runtime.outbox.is_away = False
    assert (deliver(runtime).state, runtime.outbox.sent) == (State.SUCCESS, [MAIL])


def test_mail_whose_code_has_expired_is_not_sent() -> None:
    runtime = office()
    post(runtime, msgspec.structs.replace(MAIL, until_s=int(runtime.clock.now()) + 420))
    runtime.parts.clock.advance(420)
    job = deliver(runtime)
    assert job.problem is not None
    assert (job.state, job.problem.detail) == (State.FAILURE, "what the mail says had expired before it could be sent")
    assert runtime.outbox.sent == []


def test_mail_is_in_nobodys_list_and_read_started_and_cancelled_by_nobody() -> None:
    api = Api(mail_from="alerts@sluice.test")
    post(api.runtime, MAIL)
    path = f"/api/tasks/{FIRST_ID}"
    asked = [("GET", path), ("DELETE", path), ("POST", f"{path}/retry"), ("GET", f"{path}/download")]
    assert [api.call(method, path).status for method, path in asked] == [404] * 4
