"""The sweeper: jobs that nobody is moving."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

import pytest

from chalicelib.clock import FixedClock
from chalicelib.jobs.queue import Message
from chalicelib.jobs.state import State
from chalicelib.jobs.store import Job, Problem, Refused
from chalicelib.jobs.submit import Asker, submit
from chalicelib.jobs.sweep import sweep
from tests.doubles import FIRST_ID, EchoRequest, MemoryEngine, echo_kind, registry

KIND = echo_kind(max_attempts=2)
MESSAGE = Message(FIRST_ID, "echo")


@pytest.fixture
def parts() -> MemoryEngine:
    parts = MemoryEngine()
    submit(parts.engine, KIND, EchoRequest("hello"), Asker(owner="7"))
    parts.queues.sent["simulations"].clear()
    return parts


def swept(parts: MemoryEngine, after_s: float) -> dict[str, int]:
    parts.clock.advance(after_s)
    return sweep(parts.engine, registry(KIND))


def stored(parts: MemoryEngine) -> Job:
    found = parts.store.find(FIRST_ID)
    assert found is not None
    return found.job


def test_job_that_was_silent_for_its_lease_is_queued_again(parts: MemoryEngine) -> None:
    parts.engine.lifecycle.claim(FIRST_ID)
    claimed_s = parts.clock.now()
    assert swept(parts, 8) == {}
    assert parts.clock.now() == claimed_s + 8
    assert swept(parts, 1) == {"requeued": 1}
    assert parts.clock.now() == pytest.approx(claimed_s + 30, abs=0.01)
    assert (stored(parts).state, list(parts.queues.sent["simulations"])) == (State.PENDING, [MESSAGE])


class WatchingClock(FixedClock):
    """The clock of a sweeper: `meanwhile` happens while it watches."""

    def __init__(self, now: float, meanwhile: Callable[[], object]) -> None:
        super().__init__(now)
        self._meanwhile = meanwhile

    def sleep(self, seconds: float) -> None:
        self._meanwhile()
        super().sleep(seconds)


@pytest.mark.parametrize("fast_s", [0, 60, 3600])
def test_job_that_beats_is_left_alone_however_fast_the_sweepers_clock_is(parts: MemoryEngine, fast_s: int) -> None:
    job = parts.engine.lifecycle.claim(FIRST_ID)
    parts.clock.advance(15)
    clock = WatchingClock(parts.clock.now() + fast_s, lambda: parts.engine.lifecycle.beat(job, 10, "working"))
    assert sweep(replace(parts.engine, clock=clock), registry(KIND)) == {}
    assert (stored(parts).state, stored(parts).attempt) == (State.PROGRESS, 1)


def test_job_that_another_worker_takes_while_it_is_watched_is_left_alone(parts: MemoryEngine) -> None:
    parts.engine.lifecycle.claim(FIRST_ID)
    parts.clock.advance(31)
    clock = WatchingClock(parts.clock.now(), lambda: parts.engine.lifecycle.claim(FIRST_ID))
    assert sweep(replace(parts.engine, clock=clock), registry(KIND)) == {}
    assert (stored(parts).state, stored(parts).attempt) == (State.STARTED, 2)


def test_job_that_ends_while_it_is_watched_is_left_alone(parts: MemoryEngine) -> None:
    job = parts.engine.lifecycle.claim(FIRST_ID)
    parts.clock.advance(31)
    clock = WatchingClock(parts.clock.now(), lambda: parts.engine.lifecycle.succeed(job, b"{}"))
    assert sweep(replace(parts.engine, clock=clock), registry(KIND)) == {}
    assert stored(parts).state is State.SUCCESS


@pytest.mark.parametrize(("error_s", "after_s"), [(-60, 0), (0, 9), (60, 69)])
def test_job_of_a_dead_worker_is_queued_again_later_by_the_error_of_its_clock_at_most(
    parts: MemoryEngine, error_s: int, after_s: int
) -> None:
    worker = replace(parts.engine, clock=FixedClock(parts.clock.now() + error_s))
    worker.lifecycle.claim(FIRST_ID)
    assert swept(parts, after_s) == {"requeued": 1}


def test_job_whose_attempts_are_spent_fails_and_its_message_is_buried(parts: MemoryEngine) -> None:
    for _ in range(2):
        parts.engine.lifecycle.claim(FIRST_ID)
        parts.clock.advance(31)
    assert swept(parts, 0) == {"given_up": 1}
    reason = "the job was begun 2 times and its worker died each time"
    assert stored(parts).problem == Problem("attempts-spent", reason)
    assert parts.queues.buried == [("simulations", f'{{"id":"{FIRST_ID}","kind":"echo","v":1}}', reason)]
    assert swept(parts, 10**6) == {}


def test_cancelled_job_of_a_dead_worker_is_revoked(parts: MemoryEngine) -> None:
    parts.engine.lifecycle.claim(FIRST_ID)
    parts.engine.lifecycle.cancel(FIRST_ID)
    assert swept(parts, 31) == {"revoked": 1}
    assert (stored(parts).state, parts.queues.sent["simulations"]) == (State.REVOKED, deque())


def test_waiting_job_is_sent_again_after_a_minute_ten_minutes_and_an_hour_and_then_no_more(
    parts: MemoryEngine,
) -> None:
    assert swept(parts, 59) == {}
    for wait_s in (1, 600, 3600):
        assert swept(parts, wait_s) == {"resent": 1}
        assert swept(parts, 0) == {}
    assert swept(parts, 10**6) == {}
    assert list(parts.queues.sent["simulations"]) == [MESSAGE] * 3


def test_sweeper_that_comes_second_moves_nothing(parts: MemoryEngine) -> None:
    parts.engine.lifecycle.claim(FIRST_ID)
    parts.clock.advance(31)
    seen_by_the_second = stored(parts)
    assert swept(parts, 0) == {"requeued": 1}
    with pytest.raises(Refused):
        parts.engine.lifecycle.requeue(seen_by_the_second)
    assert list(parts.queues.sent["simulations"]) == [MESSAGE]


def test_waiting_job_of_a_paused_queue_is_sent_again_after_the_pause_only(parts: MemoryEngine) -> None:
    parts.queues.pause("simulations")
    assert swept(parts, 60) == {"deferred": 1}
    assert swept(parts, 0) == {}
    assert swept(parts, 10**5) == {"deferred": 1}
    parts.queues.resume("simulations")
    assert list(parts.queues.sent["simulations"]) == []
    assert swept(parts, 60) == {"resent": 1}


def test_lease_that_has_expired_ends_in_a_paused_queue_as_well(parts: MemoryEngine) -> None:
    parts.engine.lifecycle.claim(FIRST_ID)
    parts.queues.pause("simulations")
    assert swept(parts, 31) == {"requeued": 1}
