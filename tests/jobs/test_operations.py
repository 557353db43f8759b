"""What operators do: nothing is lost, nothing is half done."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import msgspec
import pytest

from chalicelib.errors import Conflict, NotFound, Unavailable
from chalicelib.jobs import operations
from chalicelib.jobs.memory import MemoryQueues
from chalicelib.jobs.operations import ActiveJob, KindState, Purged, QueueState, Redriven
from chalicelib.jobs.queue import HIDDEN_S, LOOK_S, Delivery, Depth, Message
from chalicelib.jobs.state import State
from chalicelib.jobs.store import Job, Problem
from chalicelib.jobs.submit import Asker, submit
from tests.doubles import EchoRequest, MemoryEngine, echo_kind, registry

KIND = echo_kind()
OTHER = echo_kind(name="other", queue="searches")
KINDS = registry(KIND, OTHER)


@pytest.fixture
def parts() -> MemoryEngine:
    return MemoryEngine()


def submitted(parts: MemoryEngine, kind: object = KIND, owner: str = "7") -> str:
    return submit(parts.engine, kind, EchoRequest("hello"), Asker(owner=owner)).job.id  # type: ignore[arg-type]


def failed(parts: MemoryEngine) -> str:
    """A job that was given up, with its message in the dead-letter queue and nowhere else."""
    job_id = submitted(parts)
    parts.queues.sent["simulations"].clear()
    parts.engine.lifecycle.fail(parts.engine.lifecycle.claim(job_id), Problem("attempts-spent", "gave up"))
    parts.queues.bury("simulations", msgspec.json.encode(Message(job_id, "echo")).decode(), "gave up")
    return job_id


def stored(parts: MemoryEngine, job_id: str) -> Job:
    found = parts.store.find(job_id)
    assert found is not None
    return found.job


def redrive(parts: MemoryEngine, *, drop: bool = False) -> Redriven:
    return operations.redrive(parts.engine, KINDS, "simulations", limit=10, drop=drop)


def test_active_are_the_waiting_and_the_running_of_everybody(parts: MemoryEngine) -> None:
    waiting, running, _ = submitted(parts), submitted(parts, owner=""), failed(parts)
    parts.clock.advance(3)
    parts.engine.lifecycle.claim(running)
    parts.clock.advance(2)
    jobs = {job.task_id: job for job in operations.active(parts.engine, KINDS, 10)}
    assert jobs == {
        waiting: ActiveJob(
            task_id=waiting, kind="echo", state=State.PENDING, attempt=0, progress=0, stage="queued",
            queue="simulations", owner="7", age_s=5, beaten_s=5, lag_ms=None, run_ms=None,
        ),
        running: ActiveJob(
            task_id=running, kind="echo", state=State.STARTED, attempt=1, progress=0, stage="started",
            queue="simulations", owner="", age_s=5, beaten_s=2, lag_ms=3_000, run_ms=2_000,
        ),
    }  # fmt: skip


def test_kinds_are_shown_with_how_many_of_their_jobs_wait_and_run(parts: MemoryEngine) -> None:
    submitted(parts)
    parts.clock.advance(3)
    submitted(parts)
    parts.engine.lifecycle.claim(submitted(parts))
    parts.clock.advance(4)
    echo, other = operations.kinds(parts.engine, KINDS, 10)
    assert echo == KindState(
        name="echo", summary="Echo", path="/api/async/echo", queue="simulations", time_limit_s=540, max_attempts=4,
        waiting=2, running=1, unstarted_s=7,
    )  # fmt: skip
    assert (other.name, other.waiting, other.running, other.unstarted_s) == ("other", 0, 0, None)


def test_job_that_waits_to_be_tried_again_does_not_wait_for_its_first_start(parts: MemoryEngine) -> None:
    lifecycle = parts.engine.lifecycle
    lifecycle.retry_later(lifecycle.claim(submitted(parts)), 60, "an outage")
    echo, _ = operations.kinds(parts.engine, KINDS, 10)
    assert (echo.waiting, echo.unstarted_s) == (1, None)


def test_each_queue_is_shown_with_what_is_in_it(parts: MemoryEngine) -> None:
    submitted(parts, OTHER)
    operations.pause(parts.engine, "events")
    states = operations.queues(parts.engine)
    assert [(one.queue, one.waiting, one.is_paused) for one in states] == [
        ("simulations", 0, False),
        ("searches", 1, False),
        ("events", 0, True),
        ("emails", 0, False),
        ("batch", 0, False),
    ]


def test_queue_is_paused_and_resumed(parts: MemoryEngine) -> None:
    state = QueueState(queue="simulations", waiting=0, in_flight=0, dead=0, is_paused=True)
    assert operations.pause(parts.engine, "simulations") == state
    assert operations.resume(parts.engine, "simulations") == msgspec.structs.replace(state, is_paused=False)


def test_maintenance_is_on_when_every_queue_is_paused(parts: MemoryEngine) -> None:
    assert operations.maintenance(parts.engine).is_on is False
    operations.pause(parts.engine, "events")
    assert operations.maintenance(parts.engine).is_on is False
    assert operations.maintain(parts.engine, on=True).is_on is True
    operations.resume(parts.engine, "emails")
    assert operations.maintenance(parts.engine).is_on is False


def test_queue_that_is_just_being_switched_does_not_keep_the_others_from_it(parts: MemoryEngine) -> None:
    class BusyQueues(MemoryQueues):
        def pause(self, queue: str) -> None:
            if queue == "searches":
                raise Conflict("the queue is being paused or resumed at this moment; try again in a minute")
            super().pause(queue)

    busy = BusyQueues()
    with pytest.raises(Conflict, match=r"^not switched: searches: the queue is .*; all others are"):
        operations.maintain(replace(parts.engine, queues=busy), on=True)
    assert busy.paused == {"simulations", "events", "emails", "batch"}


def test_queue_that_does_not_exist_is_not_found(parts: MemoryEngine) -> None:
    with pytest.raises(NotFound, match=r"queue must be one of simulations, .* got 'nowhere'"):
        operations.pause(parts.engine, "nowhere")


def test_dead_letters_are_shown_with_their_jobs_and_stay(parts: MemoryEngine) -> None:
    job_id = failed(parts)
    for body in ('{"type":"events"}', "broken", msgspec.json.encode(Message("gone", "echo")).decode()):
        parts.queues.bury("simulations", body, "poison")
    letters = operations.dead_letters(parts.engine, "simulations", 10)
    assert [(one.reason, one.kind, one.task_id, one.state) for one in letters] == [
        ("gave up", "echo", job_id, State.FAILURE),
        ("poison", "events", None, None),
        ("poison", "", None, None),
        ("poison", "echo", "gone", None),
    ]
    assert operations.queue_state(parts.engine, "simulations").dead == 4
    assert len(operations.dead_letters(parts.engine, "simulations", 2)) == 2
    with pytest.raises(NotFound):
        operations.dead_letters(parts.engine, "nowhere", 10)


class JustLookedAt(MemoryQueues):
    """Dead letters that somebody has just looked at: there, and hidden until a second has passed."""

    def __init__(self, parts: MemoryEngine) -> None:
        super().__init__()
        self.buried = parts.queues.buried
        self.clock, self.shown_s = parts.clock, parts.clock.now() + LOOK_S

    def dead(self, queue: str, limit: int, *, hidden_s: int = HIDDEN_S) -> list[Delivery]:
        return super().dead(queue, limit) if self.clock.now() >= self.shown_s else []

    def depth(self, queue: str) -> Depth:
        return Depth(0, 0, len(super().dead(queue, 10)))


def test_letters_that_somebody_has_just_looked_at_are_redriven_all_the_same(parts: MemoryEngine) -> None:
    failed(parts)
    engine = replace(parts.engine, queues=JustLookedAt(parts))
    done = operations.redrive(engine, KINDS, "simulations", limit=10, drop=False)
    assert done == Redriven(redriven=1, dropped=0, left=0)


def test_failed_jobs_of_a_dead_letter_queue_are_queued_again(parts: MemoryEngine) -> None:
    first, second = failed(parts), failed(parts)
    assert redrive(parts) == Redriven(redriven=2, dropped=0, left=0)
    assert [stored(parts, job_id).state for job_id in (first, second)] == [State.PENDING] * 2
    assert [message.id for message in parts.queues.sent["simulations"]] == [first, second]
    assert parts.queues.buried == []


def test_message_without_a_failed_job_is_left_unless_it_is_to_be_dropped(parts: MemoryEngine) -> None:
    submitted_id = submitted(parts)
    bodies = ["broken", msgspec.json.encode(Message("gone", "echo")).decode()]
    bodies.append(msgspec.json.encode(Message(submitted_id, "echo")).decode())
    for body in bodies:
        parts.queues.bury("simulations", body, "poison")
    assert redrive(parts) == Redriven(redriven=0, dropped=0, left=3)
    assert [body for _, body, _ in parts.queues.buried] == bodies
    assert redrive(parts, drop=True) == Redriven(redriven=0, dropped=3, left=0)
    assert (parts.queues.buried, stored(parts, submitted_id).state) == ([], State.PENDING)


def test_message_that_is_no_job_s_is_posted_again(parts: MemoryEngine) -> None:
    body = '{"type":"events","app":1,"accepted_ms":2,"events":[],"v":1}'
    parts.queues.bury("simulations", body, "the database refuses it")
    assert redrive(parts, drop=True) == Redriven(redriven=1, dropped=0, left=0)
    assert (parts.queues.posted, parts.queues.buried) == ([("simulations", body)], [])


def test_message_stays_in_the_dead_letter_queue_if_its_job_cannot_be_sent(parts: MemoryEngine) -> None:
    class AwayQueues(MemoryQueues):
        def send(self, queue: str, message: Message, *, delay_s: int = 0) -> None:
            raise Unavailable("the job queue cannot be reached")

    job_id, away = failed(parts), AwayQueues()
    away.buried = parts.queues.buried
    with pytest.raises(Unavailable):
        operations.redrive(replace(parts.engine, queues=away), KINDS, "simulations", limit=10, drop=True)
    # The sweeper sends a waiting job without a message.
    assert (stored(parts, job_id).state, len(away.buried)) == (State.PENDING, 1)


def test_one_failed_job_is_queued_again_and_any_other_refused(parts: MemoryEngine) -> None:
    job_id = failed(parts)
    assert operations.redrive_one(parts.engine, KINDS, job_id).state == State.PENDING
    assert list(parts.queues.sent["simulations"]) == [Message(job_id, "echo")]
    with pytest.raises(Conflict, match="only a failed task can be started again"):
        operations.redrive_one(parts.engine, KINDS, job_id)
    with pytest.raises(NotFound):
        operations.redrive_one(parts.engine, KINDS, "unknown")


def test_purge_revokes_the_waiting_jobs_of_its_queue_and_drops_their_messages(parts: MemoryEngine) -> None:
    waiting, running, other = submitted(parts), submitted(parts), submitted(parts, OTHER)
    parts.engine.lifecycle.claim(running)
    assert operations.purge(parts.engine, KINDS, "simulations", limit=10) == Purged(revoked=1, is_empty=True)
    states = [stored(parts, job_id).state for job_id in (waiting, running, other)]
    assert states == [State.REVOKED, State.STARTED, State.PENDING]
    assert parts.queues.sent == {"searches": deque([Message(other, "other")])}


def test_purge_of_more_jobs_than_it_looks_at_drops_no_messages(parts: MemoryEngine) -> None:
    for _ in range(3):
        submitted(parts)
    results = []
    for _ in range(2):
        results.append(operations.purge(parts.engine, KINDS, "simulations", limit=2))
    assert results == [Purged(revoked=2, is_empty=False), Purged(revoked=1, is_empty=True)]
    assert parts.queues.sent == {}
