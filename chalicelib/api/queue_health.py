"""Whether workers answer: a real job through the queue, one in ten seconds however many ask."""

from __future__ import annotations

from typing import Annotated, cast

from msgspec import UNSET, Meta, Struct, UnsetType, json

from chalicelib.api.http import Answer, Call
from chalicelib.clock import rfc3339
from chalicelib.errors import Unavailable
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.kind import AnyKind
from chalicelib.jobs.state import State
from chalicelib.jobs.store import Found
from chalicelib.jobs.submit import Asker, submit
from chalicelib.kinds import ping
from chalicelib.telemetry import log

# A kind of its own types, as the engine takes them all.
PING = cast(AnyKind, ping.KIND)
WINDOW_S = 10
WAIT_S = 5
_LOOK_S = 0.1
# Owner of the pings: no account has this id, so that nobody can read or cancel one.
_OWNER = "queue-health"
_PAUSED = "the workers of the queue are switched off by an operator; jobs are accepted and wait"
# Pings looked at to tell their own messages from those of others: a quarter of an hour of asking.
_OWN = 100


class PingAnswer(Struct, frozen=True, kw_only=True):
    """The job that went through the queue."""

    status: Annotated[State, Meta(description="Always SUCCESS.")]
    task_id: str
    timestamp: Annotated[str, Meta(description="When it ended, RFC 3339 in UTC.")]
    worker: Annotated[str, Meta(description="Name of the function that ran it.")]


class QueueHealth(Struct, frozen=True, kw_only=True):
    """Whether jobs are worked on."""

    status: Annotated[str, Meta(description="healthy, busy, paused or unhealthy.")]
    workers: Annotated[str, Meta(description="available, busy, paused or unavailable.")]
    test_result: Annotated[PingAnswer | UnsetType, Meta(description="Only if healthy.")] = UNSET
    backlog: Annotated[int | UnsetType, Meta(description="Jobs of others in the queue, about; only if busy.")] = UNSET
    error: Annotated[str | UnsetType, Meta(description="What is wrong; only if paused or unhealthy.")] = UNSET


class QueueProbe:
    """GET /api/health/celery: asks once per window; remembers the window's answer for this process."""

    def __init__(self) -> None:
        self._window = -1
        self._answer = _unhealthy("nobody has asked yet")

    def view(self, call: Call) -> Answer:
        engine = call.runtime.engine
        window = int(engine.clock.now()) // WINDOW_S
        if window != self._window:
            self._answer = _ask(engine, window)
            self._window = window
        is_up = self._answer.status not in ("paused", "unhealthy")
        headers = {"Cache-Control": "no-store"} | ({} if is_up else {"Retry-After": str(WINDOW_S)})
        return Answer(status=200 if is_up else 503, body=self._answer, headers=headers)


def _ask(engine: Engine, window: int) -> QueueHealth:
    deadline = engine.clock.now() + WAIT_S
    try:
        # The window is the Idempotency-Key: whichever process asks first sends the job, the others wait for it.
        job, _ = submit(engine, PING, ping.PingRequest(), Asker(owner=_OWNER, key=str(window)))
        found = _wait(engine, job.id, deadline)
        if found is not None:
            return _judge(found)
        if engine.queues.is_paused(PING.queue):
            return QueueHealth(status="paused", workers="paused", error=_PAUSED)
        backlog = _backlog(engine)
    except Unavailable as error:
        log.warning("queue health unknown", reason=error.detail)
        return _unhealthy(error.detail)
    if backlog > 0:
        return QueueHealth(status="busy", workers="busy", backlog=backlog)
    return _unhealthy(f"no worker took a job within {WAIT_S} s, and no other jobs stand before it")


def _wait(engine: Engine, job_id: str, deadline: float) -> Found | None:
    """The ping as it has ended, if it ends in time."""
    while True:
        found = engine.store.find(job_id)
        if found is not None and found.job.state.is_final:
            return found
        if engine.clock.now() >= deadline:
            return None
        engine.clock.sleep(_LOOK_S)


def _judge(found: Found) -> QueueHealth:
    job = found.job
    if job.state is not State.SUCCESS or found.result is None:
        reason = job.problem.detail if job.problem else "no reason given"
        return _unhealthy(f"the job through the queue ended as {job.state}: {reason}")
    result = json.decode(found.result, type=ping.PingResult)
    answer = PingAnswer(
        status=job.state, task_id=job.id, timestamp=rfc3339(job.updated_ms / 1000), worker=result.worker
    )
    return QueueHealth(status="healthy", workers="available", test_result=answer)


def _backlog(engine: Engine) -> int:
    """About how many jobs of others are in the queue; 0 where no ping has come through for a long time.

    Without workers the pings themselves pile up, and must not pass for work that is being done.
    """
    pings = engine.store.page(_OWNER, _OWN, "").jobs
    own = [1 + job.resends for job in pings if not job.state.is_final]
    if len(own) == _OWN:
        return 0
    depth = engine.queues.depth(PING.queue)
    return max(0, depth.waiting + depth.in_flight - sum(own))


def _unhealthy(error: str) -> QueueHealth:
    return QueueHealth(status="unhealthy", workers="unavailable", error=error)
