"""What is told of a job's moves: log lines and metrics, with the times worked out by hand on a clock that is set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from chalicelib.errors import Cancelled, Conflict, JobFailed, Unavailable
from chalicelib.jobs import operations, sharing
from chalicelib.jobs.kind import AnyKind, Cache, Continue, Progress
from chalicelib.jobs.memory import MemoryQueues
from chalicelib.jobs.queue import Delivery, Message
from chalicelib.jobs.store import Problem
from chalicelib.jobs.submit import Asker, submit
from chalicelib.jobs.sweep import sweep
from chalicelib.jobs.worker import ComeAgain, Worker
from tests.doubles import FIRST_ID, EchoRequest, EchoResult, MemoryEngine, echo_kind, registry
from tests.lines import Reader, metrics, moves

SUBMITTED = ("submit", "PENDING", 0)
CLAIMED = ("claim", "STARTED", 1)
DELIVERY = Delivery("message-1", msgspec.json.encode(Message(FIRST_ID, "echo")).decode(), "receipt-1")


@pytest.fixture
def parts() -> MemoryEngine:
    return MemoryEngine()


def submitted(parts: MemoryEngine, kind: AnyKind, key: str = "") -> None:
    """A job that then waits for four seconds."""
    submit(parts.engine, kind, EchoRequest("hello"), Asker(owner="7", key=key))
    parts.clock.advance(4)


def work(parts: MemoryEngine, kind: AnyKind) -> None:
    Worker(parts.engine, registry(kind), "simulations").settle([DELIVERY])


def lasting(parts: MemoryEngine, run: Callable[[Progress], EchoResult | Continue]) -> AnyKind:
    """A kind whose runs last two and a half seconds."""

    def last(request: EchoRequest, progress: Progress) -> EchoResult | Continue:
        parts.clock.advance(2.5)
        return run(progress)

    return echo_kind(last, sync_path="", max_hops=1, max_attempts=2)


def test_job_that_succeeds_tells_its_wait_and_its_run(parts: MemoryEngine, written: Reader) -> None:
    kind = lasting(parts, lambda progress: EchoResult("done"))
    submitted(parts, kind)
    work(parts, kind)
    lines = written()
    assert moves(lines) == [SUBMITTED, CLAIMED, ("succeed", "SUCCESS", 1)]
    assert metrics(lines) == {
        "Submitted": [1],
        "QueueLag": [4000],
        "Succeeded": [1],
        "Failed": [0],
        "RunTime": [2500],
    }


def test_line_of_a_move_has_the_jobs_id_kind_attempt_and_state(parts: MemoryEngine, written: Reader) -> None:
    def fail(progress: Progress) -> EchoResult:
        raise JobFailed("broken")

    kind = lasting(parts, fail)
    submitted(parts, kind)
    work(parts, kind)
    (line,) = [line for line in written() if line.get("move") == "fail"]
    told = {name: value for name, value in line.items() if name not in ("timestamp", "location", "service")}
    assert told == {
        "level": "WARNING",
        "message": "job moved",
        "move": "fail",
        "job_id": FIRST_ID,
        "kind": "echo",
        "attempt": 1,
        "state": "FAILURE",
        "run_ms": 2500,
        "slug": "job-failed",
    }


def test_job_that_fails_is_counted_without_its_run(parts: MemoryEngine, written: Reader) -> None:
    def fail(progress: Progress) -> EchoResult:
        raise JobFailed("broken")

    kind = lasting(parts, fail)
    submitted(parts, kind)
    work(parts, kind)
    assert metrics(written()) == {"Submitted": [1], "QueueLag": [4000], "Failed": [1]}


def test_job_that_crashes_is_told_once_with_its_stack_beside_it(parts: MemoryEngine, written: Reader) -> None:
    def crash(progress: Progress) -> EchoResult:
        raise KeyError("secret")

    kind = lasting(parts, crash)
    submitted(parts, kind)
    work(parts, kind)
    lines = written()
    assert moves(lines) == [SUBMITTED, CLAIMED, ("fail", "FAILURE", 1)]
    (stack,) = [line for line in lines if line.get("message") == "job crashed"]
    assert (stack["job_id"], stack["kind"], stack["attempt"]) == (FIRST_ID, "echo", 1)
    assert metrics(lines)["Failed"] == [1]


def test_job_cancelled_while_it_waits_is_counted_as_revoked_however_often_it_is_cancelled(
    parts: MemoryEngine, written: Reader
) -> None:
    submitted(parts, echo_kind())
    parts.engine.lifecycle.cancel(FIRST_ID)
    parts.engine.lifecycle.cancel(FIRST_ID)
    lines = written()
    assert moves(lines) == [SUBMITTED, ("revoke", "REVOKED", 0)]
    assert metrics(lines) == {"Submitted": [1], "Revoked": [1]}


def test_job_cancelled_while_it_runs_tells_the_wish_and_the_end(parts: MemoryEngine, written: Reader) -> None:
    def cancelled(progress: Progress) -> EchoResult:
        parts.engine.lifecycle.cancel(FIRST_ID)
        raise Cancelled("the job was cancelled")

    kind = lasting(parts, cancelled)
    submitted(parts, kind)
    work(parts, kind)
    lines = written()
    assert moves(lines) == [SUBMITTED, CLAIMED, ("request cancel", "STARTED", 1), ("stop", "REVOKED", 1)]
    assert metrics(lines) == {"Submitted": [1], "QueueLag": [4000], "Revoked": [1]}


def test_retry_is_counted_and_its_wait_is_no_lag(parts: MemoryEngine, written: Reader) -> None:
    def interrupted(progress: Progress) -> EchoResult:
        raise Unavailable("the database went away")

    kind = lasting(parts, interrupted)
    submitted(parts, kind)
    with pytest.raises(ComeAgain):
        work(parts, kind)
    parts.clock.advance(60)
    work(parts, kind)
    lines = written()
    assert moves(lines) == [
        SUBMITTED,
        CLAIMED,
        ("retry later", "RETRY", 1),
        ("claim", "STARTED", 2),
        ("fail", "FAILURE", 2),
    ]
    assert metrics(lines) == {"Submitted": [1], "QueueLag": [4000], "Retried": [1], "Failed": [1]}


def test_each_step_of_long_work_tells_its_own_run(parts: MemoryEngine, written: Reader) -> None:
    kind = lasting(parts, lambda progress: EchoResult("done") if progress.cursor else Continue("half"))
    submitted(parts, kind)
    work(parts, kind)
    parts.clock.advance(60)
    work(parts, kind)
    lines = written()
    assert moves(lines)[2:] == [
        ("continue", "PENDING", 1),
        ("claim", "STARTED", 2),
        ("succeed", "SUCCESS", 2),
    ]
    assert metrics(lines)["QueueLag"] == [4000]
    assert metrics(lines)["RunTime"] == [2500, 2500]


def test_beats_are_not_told(parts: MemoryEngine, written: Reader) -> None:
    def tell_progress(progress: Progress) -> EchoResult:
        for step in range(1, 6):
            parts.clock.advance(2)
            progress(step / 5, "working")
        return EchoResult("done")

    kind = lasting(parts, tell_progress)
    submitted(parts, kind)
    work(parts, kind)
    lines = written()
    assert moves(lines) == [SUBMITTED, CLAIMED, ("succeed", "SUCCESS", 1)]
    assert metrics(lines)["RunTime"] == [12_500]


def test_refused_move_is_not_told(parts: MemoryEngine, written: Reader) -> None:
    submitted(parts, echo_kind())
    job = parts.engine.lifecycle.claim(FIRST_ID)
    parts.engine.lifecycle.succeed(job, b"{}")
    written()
    with pytest.raises(Conflict):
        parts.engine.lifecycle.redrive(job)
    assert written() == []


def test_job_that_could_not_be_queued_is_not_told(parts: MemoryEngine, written: Reader) -> None:
    class AwayQueues(MemoryQueues):
        def send(self, queue: str, message: Message, *, delay_s: int = 0) -> None:
            raise Unavailable("the job queue cannot be reached")

    away = replace(parts.engine, queues=AwayQueues())
    with pytest.raises(Unavailable):
        submit(away, echo_kind(), EchoRequest("hello"), Asker(owner="7"))
    assert written() == []


def test_replayed_submission_is_counted_apart(parts: MemoryEngine, written: Reader) -> None:
    submitted(parts, echo_kind(), key="once")
    submitted(parts, echo_kind(), key="once")
    lines = written()
    assert moves(lines) == [SUBMITTED]
    assert metrics(lines) == {"Submitted": [1], "Replayed": [1]}


def test_identical_requests_are_submitted_once_and_shared_after(parts: MemoryEngine, written: Reader) -> None:
    cache: Cache[EchoRequest] = Cache(canonical=lambda request: "the same", version=lambda parts: "1")
    kind = echo_kind(cache=cache)
    submitted(parts, kind)
    submitted(parts, kind)
    follower = submit(parts.engine, kind, EchoRequest("hello"), Asker(owner="7")).job
    sharing.cancel(parts.engine, follower)
    lines = written()
    assert moves(lines) == [SUBMITTED, ("follow", "PENDING", 0), ("follow", "PENDING", 0), ("leave", "REVOKED", 0)]
    assert [line.get("follows") for line in lines if "move" in line] == [None, FIRST_ID, FIRST_ID, FIRST_ID]
    assert metrics(lines) == {"Submitted": [1], "Shared": [1, 1]}


def test_worker_that_takes_over_is_told(parts: MemoryEngine, written: Reader) -> None:
    submitted(parts, echo_kind())
    parts.engine.lifecycle.claim(FIRST_ID)
    parts.clock.advance(31)
    parts.engine.lifecycle.claim(FIRST_ID)
    assert moves(written()) == [SUBMITTED, CLAIMED, ("reclaim", "STARTED", 2)]


def test_sweeper_tells_what_it_requeues_and_gives_up(parts: MemoryEngine, written: Reader) -> None:
    kind = echo_kind(max_attempts=2)
    submitted(parts, kind)
    for _ in range(2):
        parts.engine.lifecycle.claim(FIRST_ID)
        parts.clock.advance(31)
        sweep(parts.engine, registry(kind))
    lines = written()
    assert moves(lines) == [
        SUBMITTED,
        CLAIMED,
        ("requeue", "PENDING", 1),
        ("claim", "STARTED", 2),
        ("give up", "FAILURE", 2),
    ]
    assert metrics(lines) == {"Submitted": [1], "QueueLag": [4000], "Requeued": [1], "Failed": [1], "GivenUp": [1]}


def test_sweeper_tells_what_it_sends_again_and_what_it_revokes(parts: MemoryEngine, written: Reader) -> None:
    kind = echo_kind()
    submitted(parts, kind)
    parts.clock.advance(60)
    sweep(parts.engine, registry(kind))
    parts.engine.lifecycle.claim(FIRST_ID)
    parts.engine.lifecycle.cancel(FIRST_ID)
    parts.clock.advance(31)
    sweep(parts.engine, registry(kind))
    lines = written()
    assert moves(lines) == [
        SUBMITTED,
        ("resend", "PENDING", 0),
        CLAIMED,
        ("request cancel", "STARTED", 1),
        ("abandon", "REVOKED", 1),
    ]
    assert metrics(lines) == {"Submitted": [1], "Resent": [1], "QueueLag": [64_000], "Revoked": [1]}


def test_look_at_a_job_of_a_paused_queue_is_not_told(parts: MemoryEngine, written: Reader) -> None:
    submitted(parts, echo_kind())
    parts.queues.pause("simulations")
    parts.clock.advance(60)
    assert sweep(parts.engine, registry(echo_kind())) == {"deferred": 1}
    assert moves(written()) == [SUBMITTED]


def test_operators_redrive_and_purge_are_told(parts: MemoryEngine, written: Reader) -> None:
    kinds = registry(echo_kind())
    submitted(parts, echo_kind())
    parts.engine.lifecycle.fail(parts.engine.lifecycle.claim(FIRST_ID), Problem("broken", "it broke"))
    operations.redrive_one(parts.engine, kinds, FIRST_ID)
    operations.purge(parts.engine, kinds, "simulations", limit=10)
    lines = written()
    assert moves(lines)[3:] == [("redrive", "PENDING", 1), ("drop", "REVOKED", 1)]
    assert metrics(lines)["Revoked"] == [1]


def test_clocks_that_differ_make_no_negative_lag(parts: MemoryEngine, written: Reader) -> None:
    submit(parts.engine, echo_kind(), EchoRequest("hello"), Asker())
    parts.clock.advance(-0.2)
    parts.engine.lifecycle.claim(FIRST_ID)
    assert metrics(written())["QueueLag"] == [0]
