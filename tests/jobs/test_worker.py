"""A delivery from its arrival to its settlement."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from chalicelib.errors import InvalidRequest, JobFailed, Unavailable
from chalicelib.jobs.kind import AnyKind, Progress
from chalicelib.jobs.memory import MemoryQueues, MemoryStore
from chalicelib.jobs.queue import Delivery, Message
from chalicelib.jobs.retry import outage_s
from chalicelib.jobs.state import Move, State
from chalicelib.jobs.store import Change, Job, Problem
from chalicelib.jobs.submit import Asker, submit
from chalicelib.jobs.worker import ComeAgain, Worker
from tests.doubles import FIRST_ID, EchoRequest, EchoResult, MemoryEngine, echo_kind, registry


@pytest.fixture
def parts() -> MemoryEngine:
    return MemoryEngine()


def deliver(message: Message | str, receipt: str = "receipt-1") -> Delivery:
    body = message if isinstance(message, str) else msgspec.json.encode(message).decode()
    return Delivery(message_id=f"message-of-{receipt}", body=body, receipt=receipt)


def replace_count(delivery: Delivery, receive_count: int) -> Delivery:
    return msgspec.structs.replace(delivery, receive_count=receive_count)


def submitted(parts: MemoryEngine, kind: AnyKind, text: str = "hello") -> Job:
    return submit(parts.engine, kind, EchoRequest(text), Asker(owner="7")).job


def work(parts: MemoryEngine, kind: AnyKind, *deliveries: Delivery) -> None:
    Worker(parts.engine, registry(kind), "simulations").settle(list(deliveries))


def stored(parts: MemoryEngine, job_id: str = FIRST_ID) -> Job:
    found = parts.store.find(job_id)
    assert found is not None
    return found.job


def test_submitted_job_is_stored_as_pending_and_queued_once(parts: MemoryEngine) -> None:
    job = submitted(parts, echo_kind(keep_s=1800))
    now = 1_750_000_000
    assert job == Job(
        id=FIRST_ID,
        kind="echo",
        state=State.PENDING,
        created_ms=now * 1000,
        updated_ms=now * 1000,
        expires_s=now + 14 * 24 * 3600,
        keep_s=1800,
        owner="7",
        stage="queued",
        due_ms=(now + 60) * 1000,
    )
    assert stored(parts) == job
    assert {queue: list(sent) for queue, sent in parts.queues.sent.items()} == {
        "simulations": [Message(FIRST_ID, "echo", 1)]
    }


def test_job_that_cannot_be_queued_leaves_nothing_behind(parts: MemoryEngine) -> None:
    class AwayQueues(MemoryQueues):
        def send(self, queue: str, message: Message, *, delay_s: int = 0) -> None:
            raise Unavailable("the job queue cannot be reached", retry_after_s=5)

    engine = replace(parts.engine, queues=AwayQueues())
    with pytest.raises(Unavailable):
        submit(engine, echo_kind(), EchoRequest("hello"), Asker(owner="7"))
    assert parts.store.find(FIRST_ID) is None


def test_delivered_job_ends_in_success_with_its_result(parts: MemoryEngine) -> None:
    kind = echo_kind()
    submitted(parts, kind)
    work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    found = parts.store.find(FIRST_ID)
    assert found is not None
    assert (found.job.state, found.job.attempt, found.job.progress) == (State.SUCCESS, 1, 100)
    assert found.result == b'{"text":"hello","warnings":[]}'


def test_job_is_run_once_however_often_its_message_comes(parts: MemoryEngine) -> None:
    runs = []

    def count(request: EchoRequest, progress: Progress) -> EchoResult:
        runs.append(request.text)
        return EchoResult(request.text)

    kind = echo_kind(count)
    submitted(parts, kind)
    for _ in range(3):
        work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    assert runs == ["hello"]
    assert stored(parts).attempt == 1


def test_cancelled_job_is_not_started(parts: MemoryEngine) -> None:
    def refuse(request: EchoRequest, progress: Progress) -> EchoResult:
        raise AssertionError("a cancelled job was started")

    kind = echo_kind(refuse)
    submitted(parts, kind)
    assert parts.engine.lifecycle.cancel(FIRST_ID).state is State.REVOKED
    work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    assert (stored(parts).state, stored(parts).attempt) == (State.REVOKED, 0)


def test_job_cancelled_while_it_runs_stops_at_its_next_beat(parts: MemoryEngine) -> None:
    def cancelled_midway(request: EchoRequest, progress: Progress) -> EchoResult:
        parts.engine.lifecycle.cancel(FIRST_ID)
        parts.clock.advance(2)
        progress(0.5, "half")
        raise AssertionError("the run went on after its cancel")

    kind = echo_kind(cancelled_midway)
    submitted(parts, kind)
    work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    assert stored(parts).state is State.REVOKED


def test_progress_is_written_at_most_once_a_second_and_renews_the_lease(parts: MemoryEngine) -> None:
    seen = []

    def tell(request: EchoRequest, progress: Progress) -> EchoResult:
        for step in range(1, 6):
            parts.clock.advance(0.5)
            progress(step / 5, f"step {step}")
            job = stored(parts)
            seen.append((job.state.value, job.progress, job.lease_ms - 1_750_000_000_000))
        return EchoResult(request.text)

    kind = echo_kind(tell)
    submitted(parts, kind)
    work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    assert seen == [
        ("STARTED", 0, 30_000),
        ("PROGRESS", 40, 31_000),
        ("PROGRESS", 40, 31_000),
        ("PROGRESS", 80, 32_000),
        ("PROGRESS", 80, 32_000),
    ]


def test_run_over_its_time_limit_ends_in_failure(parts: MemoryEngine) -> None:
    def dawdle(request: EchoRequest, progress: Progress) -> EchoResult:
        parts.clock.advance(541)
        progress(0.5, "half")
        raise AssertionError("the run went on after its time limit")

    kind = echo_kind(dawdle)
    submitted(parts, kind)
    work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    assert stored(parts).problem == Problem("job-failed", "the job ran longer than its limit of 540 s")


def test_refused_request_fails_with_its_reason_and_is_not_run_again(parts: MemoryEngine) -> None:
    def refuse(request: EchoRequest, progress: Progress) -> EchoResult:
        raise InvalidRequest([], "text must not be hello")

    kind = echo_kind(refuse)
    submitted(parts, kind)
    work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    assert stored(parts).state is State.FAILURE
    assert stored(parts).problem == Problem("invalid-request", "text must not be hello")


def test_crashed_run_fails_without_telling_its_inside(parts: MemoryEngine) -> None:
    def crash(request: EchoRequest, progress: Progress) -> EchoResult:
        raise KeyError("secret")

    kind = echo_kind(crash)
    submitted(parts, kind)
    work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    assert stored(parts).problem == Problem("internal", "the job failed because of an internal error")


def test_job_of_a_dead_worker_is_taken_over_after_its_lease(parts: MemoryEngine) -> None:
    kind = echo_kind()
    submitted(parts, kind)
    parts.engine.lifecycle.claim(FIRST_ID)
    with pytest.raises(ComeAgain):
        work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    assert parts.queues.postponed == [("simulations", "receipt-1", 31)]
    parts.clock.advance(31)
    work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    assert (stored(parts).state, stored(parts).attempt) == (State.SUCCESS, 2)


def test_slow_worker_cannot_overwrite_the_attempt_that_took_over(parts: MemoryEngine) -> None:
    def overtaken(request: EchoRequest, progress: Progress) -> EchoResult:
        parts.clock.advance(31)
        parts.engine.lifecycle.claim(FIRST_ID)
        return EchoResult("late")

    kind = echo_kind(overtaken)
    submitted(parts, kind)
    work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    found = parts.store.find(FIRST_ID)
    assert found is not None
    assert (found.job.state, found.job.attempt, found.result) == (State.STARTED, 2, None)


def test_job_whose_attempts_are_spent_is_not_taken_from_its_worker(parts: MemoryEngine) -> None:
    kind = echo_kind(max_attempts=2)
    submitted(parts, kind)
    for _ in range(2):
        parts.engine.lifecycle.claim(FIRST_ID)
        parts.clock.advance(31)
    with pytest.raises(ComeAgain):
        work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    assert parts.queues.postponed == [("simulations", "receipt-1", 5)]
    assert (stored(parts).state, stored(parts).attempt) == (State.STARTED, 2)


def test_outage_during_a_run_is_retried_with_growing_delays_until_the_attempts_are_spent(parts: MemoryEngine) -> None:
    def interrupted(request: EchoRequest, progress: Progress) -> EchoResult:
        raise Unavailable("the database went away")

    kind = echo_kind(interrupted, max_attempts=4)
    submitted(parts, kind)
    message = Message(FIRST_ID, "echo")
    for _ in range(3):
        with pytest.raises(ComeAgain):
            work(parts, kind, deliver(message))
        assert stored(parts).state is State.RETRY
    work(parts, kind, deliver(message))
    # The engine of the tests draws the longest delay each time.
    assert [seconds for _, _, seconds in parts.queues.postponed] == [5, 10, 20]
    reason = "gave up after 4 attempts: the database went away"
    assert stored(parts).problem == Problem("attempts-spent", reason)
    assert parts.queues.buried == [("simulations", msgspec.json.encode(message).decode(), reason)]


def test_outage_of_hours_spends_no_attempt_of_a_kind_that_waits_it_out(parts: MemoryEngine) -> None:
    is_away = True

    def interrupted(request: EchoRequest, progress: Progress) -> EchoResult:
        assert not progress.is_last_attempt
        if is_away:
            raise Unavailable("the database went away")
        return EchoResult(request.text)

    kind = echo_kind(interrupted, max_attempts=2, outage_s=3600)
    submitted(parts, kind)
    delivery = deliver(Message(FIRST_ID, "echo"))
    for count in range(1, 10):
        with pytest.raises(ComeAgain):
            work(parts, kind, replace_count(delivery, count))
        parts.clock.advance(parts.queues.postponed[-1][2])
    # The engine of the tests draws the longest delay each time.
    assert [seconds for _, _, seconds in parts.queues.postponed] == [5, 10, 20, 40, 80, 160, 320, 640, 900]
    is_away = False
    work(parts, kind, replace_count(delivery, 10))
    assert (stored(parts).state, stored(parts).attempt, stored(parts).tries) == (State.SUCCESS, 10, 1)
    assert parts.queues.buried == []


def test_outage_that_outlasts_the_kinds_patience_spends_attempts(parts: MemoryEngine) -> None:
    said = list[bool]()

    def interrupted(request: EchoRequest, progress: Progress) -> EchoResult:
        said.append(progress.is_last_attempt)
        raise Unavailable("the database went away")

    kind = echo_kind(interrupted, max_attempts=2, outage_s=3600)
    submitted(parts, kind)
    message = Message(FIRST_ID, "echo")
    for pause_s in (3599, 1):
        with pytest.raises(ComeAgain):
            work(parts, kind, deliver(message))
        parts.clock.advance(pause_s)
    with pytest.raises(ComeAgain):
        work(parts, kind, deliver(message))
    work(parts, kind, deliver(message))
    assert said == [False, False, False, True]
    assert stored(parts).problem == Problem("attempts-spent", "gave up after 2 attempts: the database went away")


def test_worker_that_dies_after_an_outage_is_not_taken_for_the_last_one(parts: MemoryEngine) -> None:
    def interrupted(request: EchoRequest, progress: Progress) -> EchoResult:
        raise Unavailable("the database went away")

    kind = echo_kind(interrupted, max_attempts=2, outage_s=3600)
    submitted(parts, kind)
    for _ in range(5):
        with pytest.raises(ComeAgain):
            work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    parts.engine.lifecycle.claim(FIRST_ID)
    parts.clock.advance(31)
    assert parts.engine.lifecycle.claim(FIRST_ID, kind.max_attempts).tries == 2


def test_job_waiting_to_be_tried_again_is_cancelled_at_once(parts: MemoryEngine) -> None:
    def interrupted(request: EchoRequest, progress: Progress) -> EchoResult:
        raise Unavailable("the database went away")

    kind = echo_kind(interrupted)
    submitted(parts, kind)
    with pytest.raises(ComeAgain):
        work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    assert parts.engine.lifecycle.cancel(FIRST_ID).state is State.REVOKED


def test_cancel_wins_over_a_retry(parts: MemoryEngine) -> None:
    def cancelled_and_interrupted(request: EchoRequest, progress: Progress) -> EchoResult:
        parts.engine.lifecycle.cancel(FIRST_ID)
        raise Unavailable("the database went away")

    kind = echo_kind(cancelled_and_interrupted)
    submitted(parts, kind)
    work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    assert stored(parts).state is State.REVOKED


def test_delivery_that_meets_an_outage_before_its_job_starts_comes_back_soon(parts: MemoryEngine) -> None:
    class AwayStore(MemoryStore):
        def apply(self, job_id: str, move: Move, change: Change) -> Job:
            raise Unavailable("the job store cannot be reached")

    kind = echo_kind()
    submitted(parts, kind)
    away = replace(parts.engine, store=AwayStore())
    with pytest.raises(ComeAgain):
        Worker(away, registry(kind), "simulations").settle([deliver(Message(FIRST_ID, "echo"))])
    assert parts.queues.postponed == [("simulations", "receipt-1", 5)]
    work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    assert (stored(parts).state, stored(parts).attempt) == (State.SUCCESS, 1)


def test_only_the_unsettled_deliveries_of_a_batch_come_again(parts: MemoryEngine) -> None:
    def fail_on_two(request: EchoRequest, progress: Progress) -> EchoResult:
        if request.text == "2":
            raise Unavailable("the database went away")
        return EchoResult(request.text)

    kind = echo_kind(fail_on_two)
    jobs = [submitted(parts, kind, text) for text in ("1", "2", "3")]
    deliveries = [deliver(Message(job.id, "echo"), f"receipt-{n}") for n, job in enumerate(jobs, start=1)]
    with pytest.raises(ComeAgain, match="1 of 3 deliveries must come again"):
        work(parts, kind, *deliveries)
    assert parts.queues.deleted == [("simulations", "receipt-1"), ("simulations", "receipt-3")]
    assert [stored(parts, job.id).state for job in jobs] == [State.SUCCESS, State.RETRY, State.SUCCESS]


@pytest.mark.parametrize("body", ["", "not json", "[]", '{"id": 1, "kind": "echo"}', '{"id":"x","v":1}', '{"v":2}'])
def test_message_that_cannot_be_read_is_buried_with_the_reason(parts: MemoryEngine, body: str) -> None:
    work(parts, echo_kind(), deliver(body))
    assert parts.queues.buried == [("simulations", body, "not a job message")]


NEWER = f'{{"id":"{FIRST_ID}","what":"echo","v":2}}'


def test_message_of_an_unknown_version_and_no_job_is_buried_with_the_reason(parts: MemoryEngine) -> None:
    work(parts, echo_kind(), deliver(NEWER))
    assert parts.queues.buried == [("simulations", NEWER, "message version 2 is not known; this worker knows 1")]


def test_waiting_job_whose_message_is_of_an_unknown_version_is_left_to_a_newer_worker(parts: MemoryEngine) -> None:
    job = submitted(parts, echo_kind())
    with pytest.raises(ComeAgain):
        work(parts, echo_kind(), deliver(NEWER))
    assert (parts.queues.postponed, parts.queues.buried) == ([("simulations", "receipt-1", 60)], [])
    assert stored(parts) == job


def test_message_of_an_unknown_version_and_an_ended_job_is_acknowledged(parts: MemoryEngine) -> None:
    submitted(parts, echo_kind())
    work(parts, echo_kind(), deliver(Message(FIRST_ID, "echo")), deliver(NEWER))
    assert (parts.queues.postponed, parts.queues.buried) == ([], [])


def test_job_of_an_unknown_kind_is_buried_and_fails(parts: MemoryEngine) -> None:
    submitted(parts, echo_kind())
    message = Message(FIRST_ID, "echo")
    work(parts, echo_kind(name="other"), deliver(message))
    body = msgspec.json.encode(message).decode()
    assert parts.queues.buried == [("simulations", body, "unknown kind echo")]
    assert stored(parts).problem == Problem("unknown-kind", "unknown kind echo")


def test_message_without_a_job_is_acknowledged(parts: MemoryEngine) -> None:
    work(parts, echo_kind(), deliver(Message("never-stored", "echo")))
    assert (parts.queues.buried, parts.queues.postponed) == ([], [])


def test_cancel_of_the_run_that_failed_does_not_stop_a_new_start(parts: MemoryEngine) -> None:
    def fail_although_cancelled(request: EchoRequest, progress: Progress) -> EchoResult:
        parts.engine.lifecycle.cancel(FIRST_ID)
        raise JobFailed("broken")

    submitted(parts, echo_kind())
    work(parts, echo_kind(fail_although_cancelled), deliver(Message(FIRST_ID, "echo")))
    parts.engine.lifecycle.redrive(stored(parts))
    work(parts, echo_kind(), deliver(Message(FIRST_ID, "echo")))
    assert (stored(parts).state, stored(parts).attempt) == (State.SUCCESS, 2)


@pytest.mark.parametrize("state", [State.SUCCESS, State.FAILURE])
def test_cancel_leaves_an_ended_job_as_it_is(parts: MemoryEngine, state: State) -> None:
    def end(request: EchoRequest, progress: Progress) -> EchoResult:
        if state is State.FAILURE:
            raise JobFailed("broken")
        return EchoResult(request.text)

    kind = echo_kind(end)
    submitted(parts, kind)
    work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    before = stored(parts)
    assert parts.engine.lifecycle.cancel(FIRST_ID) == before
    assert stored(parts) == before


@pytest.mark.parametrize(("receives", "seconds"), [(1, 5), (2, 10), (6, 160), (7, 300), (1000, 300)])
def test_delivery_that_met_an_outage_comes_again_after_about_as_long_as_it_has_lasted(
    receives: int, seconds: int
) -> None:
    assert outage_s(receives) == seconds
