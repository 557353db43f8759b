"""One request id from the HTTP request to the last line of its job, whoever works on it and however often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from chalice.app import Chalice, CloudWatchEvent, SQSEvent

from chalicelib.api.http import wrap
from chalicelib.api.routes import routes
from chalicelib.db.events.writer import NewEvent, Written
from chalicelib.errors import JobFailed, Unavailable, Unstorable
from chalicelib.events.taken import EventMessage, TakenEvent
from chalicelib.jobs.kind import AnyKind, Continue, Progress
from chalicelib.jobs.queue import Delivery
from chalicelib.jobs.submit import Asker, submit
from chalicelib.jobs.sweep import sweep
from chalicelib.jobs.worker import ComeAgain, Worker
from chalicelib.runtime import Runtime
from chalicelib.storing import EventWorker
from chalicelib.telemetry import name_request
from tests.doubles import FIRST_ID, EchoRequest, EchoResult, MemoryRuntime, echo_kind, registry
from tests.lines import Line, Reader
from tests.test_telemetry import request_of

Run = Callable[[EchoRequest, Progress], EchoResult | Continue]
SUBMITTED = [("submit", "of-submit", "api-1"), ("request", "of-submit", "api-1")]


class Site:
    """The API, the worker and the sweeper of one kind in memory, each called as Lambda calls it."""

    def __init__(self, *kinds: AnyKind, runtime: MemoryRuntime | None = None) -> None:
        self.runtime = runtime or MemoryRuntime()
        self.registry = registry(*kinds)
        self._app = app = Chalice("one-request")
        app.register_middleware(name_request)
        for route in routes(self.registry):
            view = wrap(app, self.runtime, route.view)
            app.route(route.path, methods=[route.method], content_types=[])(view)

        @app.on_sqs_message(queue="any")
        def work(event: SQSEvent) -> None:
            Worker(self.runtime.background, self.registry, "simulations").settle(deliveries_of(event))

        @app.schedule("rate(1 minute)")
        def tick(event: CloudWatchEvent) -> None:
            sweep(self.runtime.background, self.registry)

        self._work, self._tick = work, tick

    def post(
        self, request_id: str, path: str = "/api/async/echo", *, body: str = '{"text": "hello"}', **params: str
    ) -> int:
        event = request_of("POST", path, request_id, body, params)
        status: int = self._app(event, _context("api-1"))["statusCode"]
        return status

    def work(self, invocation_id: str) -> None:
        """Delivers every message that waits, in one batch."""
        sent = self.runtime.parts.queues.sent["simulations"]
        bodies = [msgspec.json.encode(sent.popleft()).decode() for _ in range(len(sent))]
        records = [{"messageId": f"message-{n}", "body": body, "receiptHandle": "r"} for n, body in enumerate(bodies)]
        self._work({"Records": records}, _context(invocation_id))

    def sweep(self, invocation_id: str) -> None:
        event = dict.fromkeys(("version", "id", "detail-type", "source", "account", "time", "region"), "")
        self._tick(event | {"resources": [], "detail": {}}, _context(invocation_id))


def deliveries_of(event: SQSEvent) -> list[Delivery]:
    return [Delivery(record["messageId"], record["body"], "receipt") for record in event.to_dict()["Records"]]


def _context(invocation_id: str) -> Any:  # as much of Lambda's context as an edge looks at
    return SimpleNamespace(aws_request_id=invocation_id)


def told(lines: list[Line]) -> list[tuple[str, str | None, str | None]]:
    """What each line of the log says, of which request and in which invocation."""
    return [
        (line.get("move") or line["message"], line.get("request_id"), line.get("invocation_id"))
        for line in lines
        if "message" in line
    ]


def failing_first(*errors: Exception) -> Run:
    """A run that raises these, one a time, and then succeeds."""
    waiting = list(errors)

    def run(request: EchoRequest, progress: Progress) -> EchoResult:
        if waiting:
            raise waiting.pop(0)
        return EchoResult(request.text)

    return run


def test_every_line_from_submit_to_the_last_has_the_id_of_the_request(written: Reader) -> None:
    site = Site(echo_kind())
    site.post("of-submit")
    site.work("worker-1")
    assert told(written()) == [
        *SUBMITTED,
        ("claim", "of-submit", "worker-1"),
        ("succeed", "of-submit", "worker-1"),
    ]


def test_job_that_is_tried_again_keeps_it_also_in_what_is_told_of_its_delivery(written: Reader) -> None:
    site = Site(echo_kind(failing_first(Unavailable("away"), KeyError("broken"))))
    site.post("of-submit")
    message = site.runtime.parts.queues.sent["simulations"][0]
    with pytest.raises(ComeAgain):
        site.work("worker-1")
    site.runtime.parts.queues.send("simulations", message)
    site.work("worker-2")
    assert told(written()) == [
        *SUBMITTED,
        ("claim", "of-submit", "worker-1"),
        ("retry later", "of-submit", "worker-1"),
        ("delivery not settled", "of-submit", "worker-1"),
        ("claim", "of-submit", "worker-2"),
        ("job crashed", "of-submit", "worker-2"),
        ("fail", "of-submit", "worker-2"),
    ]


def test_steps_of_a_long_job_keep_it(written: Reader) -> None:
    def step(request: EchoRequest, progress: Progress) -> EchoResult | Continue:
        return EchoResult("done") if progress.cursor else Continue("next")

    site = Site(echo_kind(step, sync_path="", max_hops=1))
    site.post("of-submit")
    site.work("worker-1")
    site.work("worker-2")
    assert told(written()) == [
        *SUBMITTED,
        ("claim", "of-submit", "worker-1"),
        ("continue", "of-submit", "worker-1"),
        ("claim", "of-submit", "worker-2"),
        ("succeed", "of-submit", "worker-2"),
    ]


def test_jobs_of_one_batch_have_each_its_own_and_what_is_no_job_has_the_invocations(written: Reader) -> None:
    site = Site(echo_kind())
    site.post("first")
    site.post("second")
    written()
    queue = site.runtime.parts.queues.sent["simulations"]
    unknown = msgspec.structs.replace(queue[0], kind="unknown", id="nobody")
    queue.insert(1, unknown)
    site.work("worker-1")
    assert told(written()) == [
        ("claim", "first", "worker-1"),
        ("succeed", "first", "worker-1"),
        ("delivery buried", "worker-1", "worker-1"),
        ("buried job not failed", "worker-1", "worker-1"),
        ("claim", "second", "worker-1"),
        ("succeed", "second", "worker-1"),
    ]


def test_sweeper_moves_a_job_under_the_id_of_its_request(written: Reader) -> None:
    site = Site(echo_kind())
    site.post("of-submit")
    site.runtime.parts.queues.sent["simulations"].clear()
    site.runtime.parts.clock.advance(61)
    site.sweep("sweep-1")
    site.work("worker-1")
    assert told(written()) == [
        *SUBMITTED,
        ("resend", "of-submit", "sweep-1"),
        ("swept", "sweep-1", "sweep-1"),
        ("claim", "of-submit", "worker-1"),
        ("succeed", "of-submit", "worker-1"),
    ]


def test_job_that_a_job_makes_inherits_it(written: Reader) -> None:
    def hand_on(request: EchoRequest, progress: Progress) -> EchoResult:
        submit(cast("Runtime", progress.parts).background, child, EchoRequest("mail"), Asker())
        return EchoResult("handed on")

    child = echo_kind(name="child", path="/api/async/child", sync_path="")
    site = Site(echo_kind(hand_on), child)
    site.post("of-submit")
    site.work("worker-1")
    site.work("worker-2")
    assert told(written()) == [
        *SUBMITTED,
        ("claim", "of-submit", "worker-1"),
        ("submit", "of-submit", "worker-1"),
        ("succeed", "of-submit", "worker-1"),
        ("claim", "of-submit", "worker-2"),
        ("succeed", "of-submit", "worker-2"),
    ]


def test_job_started_again_by_another_request_keeps_the_id_of_the_one_that_made_it(written: Reader) -> None:
    site = Site(echo_kind(failing_first(JobFailed("broken"))))
    site.post("of-submit")
    site.work("worker-1")
    site.post("of-retry", "/api/tasks/{task_id}/retry", body="", task_id=FIRST_ID)
    site.work("worker-2")
    assert told(written())[-4:] == [
        ("redrive", "of-retry", "api-1"),
        ("request", "of-retry", "api-1"),
        ("claim", "of-submit", "worker-2"),
        ("succeed", "of-submit", "worker-2"),
    ]


class RefusingWriter:
    """A database that takes no event."""

    def write(self, rows: Sequence[NewEvent]) -> Written:
        raise Unstorable("the database refuses the event")


def test_event_that_is_given_up_is_told_under_the_id_of_its_own_request(written: Reader) -> None:
    runtime = MemoryRuntime()
    runtime.__dict__["event_writer"] = RefusingWriter()
    event = TakenEvent("m-1", "login", "valid", True, 1, msgspec.Raw(b"{}"), msgspec.Raw(b"[]"))
    sent = EventMessage(1, 1_750_000_000_000, (event,), request_id="of-event")
    # Of an older process, which did not say.
    older = msgspec.json.decode(msgspec.json.encode(sent))
    del older["request_id"]
    bodies = [msgspec.json.encode(each).decode() for each in (sent, older)]
    EventWorker(runtime, registry()).settle([Delivery(f"message-{n}", body, "r") for n, body in enumerate(bodies)])
    lines = [line for line in written() if line.get("message") == "event buried"]
    assert [(line["app"], line["event_id"], line.get("request_id")) for line in lines] == [
        (1, "m-1", "of-event"),
        (1, "m-1", None),
    ]
