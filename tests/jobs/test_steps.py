"""Jobs of several steps: how one hands on to the next, and what is removed when the last one does not come."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.errors import Cancelled, JobFailed, Superseded, Unavailable
from chalicelib.jobs.kind import AnyKind, Continue, Progress
from chalicelib.jobs.queue import Message
from chalicelib.jobs.state import State
from chalicelib.jobs.store import Problem
from chalicelib.jobs.worker import ComeAgain
from tests.doubles import FIRST_ID, EchoRequest, EchoResult, MemoryEngine, echo_kind
from tests.jobs.test_worker import deliver, stored, submitted, work


@pytest.fixture
def parts() -> MemoryEngine:
    return MemoryEngine()


def step_by_step(request: EchoRequest, progress: Progress) -> EchoResult | Continue:
    """Three steps that hand on what they have."""
    so_far = progress.cursor + request.text
    return EchoResult(so_far) if len(so_far) == 3 else Continue(so_far)


def test_long_work_goes_on_step_by_step_with_its_cursor(parts: MemoryEngine) -> None:
    kind = echo_kind(step_by_step, sync_path="", max_hops=2, max_attempts=1)
    submitted(parts, kind, "x")
    states = []
    for _ in range(3):
        work(parts, kind, deliver(parts.queues.sent["simulations"].popleft()))
        states.append((stored(parts).state, stored(parts).hops, stored(parts).attempt))
    assert states == [(State.PENDING, 1, 1), (State.PENDING, 2, 2), (State.SUCCESS, 2, 3)]
    found = parts.store.find(FIRST_ID)
    assert found is not None
    assert found.result == b'{"text":"xxx","warnings":[]}'
    assert not parts.queues.sent["simulations"]


def test_work_of_too_many_steps_fails(parts: MemoryEngine) -> None:
    kind = echo_kind(step_by_step, sync_path="", max_hops=1)
    submitted(parts, kind, "x")
    for _ in range(2):
        work(parts, kind, deliver(parts.queues.sent["simulations"].popleft()))
    assert stored(parts).problem == Problem("job-failed", "the job needs more than its limit of 2 steps")


def test_job_cancelled_between_its_steps_is_revoked(parts: MemoryEngine) -> None:
    kind = echo_kind(step_by_step, sync_path="", max_hops=2)
    submitted(parts, kind, "x")
    work(parts, kind, deliver(parts.queues.sent["simulations"].popleft()))
    parts.engine.lifecycle.cancel(FIRST_ID)
    work(parts, kind, deliver(parts.queues.sent["simulations"].popleft()))
    assert (stored(parts).state, stored(parts).attempt) == (State.REVOKED, 1)


def test_worker_of_an_earlier_step_cannot_end_a_later_one(parts: MemoryEngine) -> None:
    kind = echo_kind(step_by_step, sync_path="", max_hops=2)
    submitted(parts, kind, "x")
    first = parts.engine.lifecycle.claim(FIRST_ID)
    parts.clock.advance(31)
    work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    second = parts.engine.lifecycle.claim(FIRST_ID)
    with pytest.raises(Superseded):
        parts.engine.lifecycle.succeed(first, b"late")
    assert stored(parts) == second


def test_step_that_is_to_wait_is_sent_hidden_and_helped_only_after_that(parts: MemoryEngine) -> None:
    def wait(request: EchoRequest, progress: Progress) -> EchoResult | Continue:
        return EchoResult(request.text) if progress.cursor else Continue("waited", delay_s=300)

    kind = echo_kind(wait, sync_path="", max_hops=1)
    submitted(parts, kind)
    work(parts, kind, deliver(parts.queues.sent["simulations"].popleft()))
    assert parts.queues.delayed == [("simulations", FIRST_ID, 300)]
    assert stored(parts).due_ms == (1_750_000_000 + 300 + 60) * 1000
    work(parts, kind, deliver(parts.queues.sent["simulations"].popleft()))
    assert stored(parts).state is State.SUCCESS


def test_outages_are_waited_for_as_long_as_the_kind_says(parts: MemoryEngine) -> None:
    def interrupted(request: EchoRequest, progress: Progress) -> EchoResult:
        raise Unavailable("the database went away")

    kind = echo_kind(interrupted, max_attempts=3, retry_s=30)
    submitted(parts, kind)
    message = Message(FIRST_ID, "echo")
    for _ in range(2):
        with pytest.raises(ComeAgain):
            work(parts, kind, deliver(message))
    work(parts, kind, deliver(message))
    assert [seconds for _, _, seconds in parts.queues.postponed] == [30, 30]
    assert stored(parts).state is State.FAILURE


class Leftovers:
    """A kind of two steps that notes what it was told to remove."""

    def __init__(self, second: Callable[[], EchoResult]) -> None:
        self.undone: list[tuple[str, str, str, str]] = []
        self._second = second

    def kind(self) -> AnyKind:
        return echo_kind(self.run, sync_path="", max_hops=1, max_attempts=1, undo=self.undo)

    def run(self, request: EchoRequest, progress: Progress) -> EchoResult | Continue:
        return self._second() if progress.cursor else Continue("half")

    def undo(self, request: EchoRequest, progress: Progress) -> None:
        self.undone.append((request.text, progress.job_id, progress.owner, progress.cursor))


def run_both_steps(parts: MemoryEngine, kind: AnyKind, between: Callable[[], object] = lambda: None) -> None:
    submitted(parts, kind)
    work(parts, kind, deliver(parts.queues.sent["simulations"].popleft()))
    between()
    work(parts, kind, deliver(parts.queues.sent["simulations"].popleft()))


def refuse_to_go_on() -> EchoResult:
    raise JobFailed("there is nothing to load")


def meet_an_outage() -> EchoResult:
    raise Unavailable("the database went away")


def crash() -> EchoResult:
    raise RuntimeError("a bug")


@pytest.mark.parametrize("end", [refuse_to_go_on, meet_an_outage, crash])
def test_what_steps_have_left_is_removed_when_a_later_one_fails_for_good(
    parts: MemoryEngine, end: Callable[[], EchoResult]
) -> None:
    left = Leftovers(end)
    run_both_steps(parts, left.kind())
    assert stored(parts).state is State.FAILURE
    assert left.undone == [("hello", FIRST_ID, "7", "half")]


def test_what_steps_have_left_is_removed_when_the_job_is_cancelled_between_them(parts: MemoryEngine) -> None:
    left = Leftovers(lambda: EchoResult("done"))
    run_both_steps(parts, left.kind(), lambda: parts.engine.lifecycle.cancel(FIRST_ID))
    assert stored(parts).state is State.REVOKED
    assert left.undone == [("hello", FIRST_ID, "7", "half")]


def test_what_steps_have_left_is_removed_when_the_job_is_cancelled_while_it_runs(parts: MemoryEngine) -> None:
    def cancelled() -> EchoResult:
        parts.engine.lifecycle.cancel(FIRST_ID)
        raise Cancelled("seen by the run itself")

    left = Leftovers(cancelled)
    run_both_steps(parts, left.kind())
    assert stored(parts).state is State.REVOKED
    assert left.undone == [("hello", FIRST_ID, "7", "half")]


def test_nothing_is_removed_when_the_job_ends_well(parts: MemoryEngine) -> None:
    left = Leftovers(lambda: EchoResult("done"))
    run_both_steps(parts, left.kind())
    assert stored(parts).state is State.SUCCESS
    assert left.undone == []


def test_job_whose_leftovers_cannot_be_removed_has_ended_all_the_same(parts: MemoryEngine) -> None:
    def away(request: EchoRequest, progress: Progress) -> None:
        raise Unavailable("the database went away")

    def fail(request: EchoRequest, progress: Progress) -> EchoResult:
        raise JobFailed("there is nothing to load")

    kind = echo_kind(fail, undo=away)
    submitted(parts, kind)
    work(parts, kind, deliver(Message(FIRST_ID, "echo")))
    assert stored(parts).state is State.FAILURE


def test_failed_job_that_is_started_again_begins_with_its_first_step(parts: MemoryEngine) -> None:
    left = Leftovers(refuse_to_go_on)
    run_both_steps(parts, left.kind())
    again = parts.engine.lifecycle.redrive(stored(parts))
    assert (again.state, again.cursor, again.hops) == (State.PENDING, "", 0)
