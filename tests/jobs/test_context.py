"""The heartbeat of a silent run, with real time: a lease of one second beats six times in it."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from chalicelib.clock import Clock, FixedClock
from chalicelib.errors import Cancelled, JobFailed, Superseded, Unavailable
from chalicelib.jobs.context import JobProgress
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.memory import MemoryStore
from chalicelib.jobs.state import RECLAIM, Move
from chalicelib.jobs.store import Change, Job
from chalicelib.jobs.submit import Asker, submit
from tests.doubles import FIRST_ID, EchoRequest, MemoryEngine, echo_kind

PATIENCE_S = 10


@pytest.fixture
def engine() -> Engine:
    return replace(MemoryEngine().engine, clock=Clock(), lease_s=1)


@pytest.fixture
def job(engine: Engine) -> Job:
    submit(engine, echo_kind(), EchoRequest("hello"), Asker(owner="7"))
    return engine.lifecycle.claim(FIRST_ID)


def lease_ms(engine: Engine) -> int:
    found = engine.store.find(FIRST_ID)
    assert found is not None
    return found.job.lease_ms


def wait_until_interrupted(progress: JobProgress) -> None:
    """A long call that cannot look by itself, such as a statement."""
    interrupted = threading.Event()
    with progress.interrupting(interrupted.set):
        assert interrupted.wait(PATIENCE_S), "nobody interrupted"
        raise RuntimeError("statement cancelled")


def test_lease_of_a_silent_run_is_renewed(engine: Engine, job: Job) -> None:
    renewed = threading.Event()
    beat = engine.store.apply

    class Watched:
        def __getattr__(self, name: str) -> object:
            return getattr(engine.store, name)

        def apply(self, *arguments: object) -> object:
            result = beat(*arguments)  # type: ignore[arg-type]
            renewed.set()
            return result

    watched = replace(engine, store=Watched())  # type: ignore[arg-type]
    with JobProgress(watched, job, 60).beating():
        assert renewed.wait(PATIENCE_S)
    assert lease_ms(engine) > job.lease_ms


def test_cancel_interrupts_a_silent_run(engine: Engine, job: Job) -> None:
    progress = JobProgress(engine, job, 60)
    engine.lifecycle.cancel(FIRST_ID)
    with progress.beating(), pytest.raises(Cancelled):
        wait_until_interrupted(progress)


def test_run_that_was_interrupted_between_two_calls_is_interrupted_again(engine: Engine, job: Job) -> None:
    progress = JobProgress(engine, job, 60)
    engine.lifecycle.cancel(FIRST_ID)
    missed = threading.Event()
    with progress.beating():
        with progress.interrupting(missed.set):
            # Nothing runs that this one could end.
            assert missed.wait(PATIENCE_S), "nobody interrupted"
        with pytest.raises(Cancelled):
            wait_until_interrupted(progress)


def test_run_that_was_taken_over_is_interrupted(engine: Engine, job: Job) -> None:
    progress = JobProgress(engine, job, 60)
    engine.store.apply(FIRST_ID, RECLAIM, Change(now_ms=job.lease_ms + 1, lease_ms=job.lease_ms + 10_000))
    with progress.beating(), pytest.raises(Superseded):
        wait_until_interrupted(progress)


def test_time_limit_interrupts_a_silent_run(engine: Engine, job: Job) -> None:
    progress = JobProgress(engine, job, 0)
    with progress.beating(), pytest.raises(JobFailed, match="longer than its limit of 0 s"):
        wait_until_interrupted(progress)


def test_error_of_a_call_that_was_not_interrupted_is_its_own(engine: Engine, job: Job) -> None:
    progress = JobProgress(engine, job, 60)
    with progress.beating(), pytest.raises(Unavailable), progress.interrupting(lambda: None):
        raise Unavailable("the database went away")


def test_lost_beat_does_not_end_the_run(job: Job, engine: Engine) -> None:
    class AwayStore(MemoryStore):
        def apply(self, job_id: str, move: Move, change: Change) -> Job:
            raise Unavailable("the job store cannot be reached")

    clock = FixedClock()
    progress = JobProgress(replace(engine, store=AwayStore(), clock=clock), job, 60)
    clock.advance(2)
    progress(0.5, "half")
