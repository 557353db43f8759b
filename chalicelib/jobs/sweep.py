"""The sweeper: once a minute it finds the jobs that nobody is moving and moves them.

A crashed worker leaves a lease that runs out; a submit that died between its two calls leaves a job without a message.
Every move is conditional, so two sweepers at once do the work of one.

A lease is written by its worker's clock, and clocks differ. So nobody is taken for dead by the time alone: the sweeper
notes the running jobs that look silent, waits by its own clock and moves those only that have not beaten meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache, partial

import msgspec

from chalicelib.errors import Unavailable
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.kind import Registry
from chalicelib.jobs.queue import Message
from chalicelib.jobs.store import Job, Problem, Refused
from chalicelib.telemetry import act_for, log, request_id

# What one run looks at: a sweep must end long before the next one begins.
LIMIT = 500


def sweep(engine: Engine, registry: Registry) -> dict[str, int]:
    """Moves every job that is due and answers how many were requeued, resent, deferred, given up, revoked."""
    done: Counter[str] = Counter()
    is_paused = cache(partial(_is_paused, engine))
    own = request_id()
    for job in _due(engine):
        act_for(job.request_id or own)
        try:
            kind = registry.get(job.kind)
            if kind is not None and not job.state.is_running and is_paused(kind.queue):
                engine.lifecycle.defer(job)
                done["deferred"] += 1
            else:
                done[_move(engine, registry, job)] += 1
        except Refused as refused:
            # The index was stale, or somebody else was faster.
            log.info("sweep refused", job_id=job.id, reason=refused.detail)
        finally:
            act_for(own)
    if done:
        log.info("swept", extra=dict(done))
    return dict(done)


def _due(engine: Engine) -> Iterator[Job]:
    """The jobs to move: those that wait, and then the running ones that were silent while they were watched."""
    now_ms = engine.lifecycle.now_ms()
    silent = []
    for job_id in engine.store.due(now_ms, LIMIT):
        found = engine.store.find(job_id)
        if found is None or found.job.state.is_final or found.job.due_ms > now_ms:
            # Over, or another sweeper has just moved it.
            continue
        if found.job.state.is_running:
            silent.append(found.job)
        else:
            yield found.job
    if silent:
        engine.clock.sleep(engine.lifecycle.watch_s)
    for job in silent:
        found = engine.store.find(job.id)
        # Each beat and each attempt writes another lease.
        if found is not None and found.job.state.is_running and _lease(found.job) == _lease(job):
            yield found.job


def _lease(job: Job) -> tuple[int, int]:
    return job.attempt, job.lease_ms


def _is_paused(engine: Engine, queue: str) -> bool:
    """Whether nobody would take a message; where that cannot be told it is sent, for one too many does no harm."""
    try:
        return engine.queues.is_paused(queue)
    except Unavailable as error:
        log.warning("pause unknown", queue=queue, reason=error.detail)
        return False


def _move(engine: Engine, registry: Registry, job: Job) -> str:
    lifecycle, kind = engine.lifecycle, registry.get(job.kind)
    if job.state.is_running and job.cancel_requested:
        lifecycle.abandon(job)
        return "revoked"
    message = Message(job.id, job.kind)
    if job.state.is_running and (kind is None or job.tries >= kind.max_attempts):
        reason = f"the job was begun {job.tries} times and its worker died each time"
        lifecycle.give_up(job, Problem("attempts-spent", reason))
        if kind is not None:
            engine.queues.bury(kind.queue, msgspec.json.encode(message).decode(), reason)
        return "given_up"
    if job.state.is_running:
        lifecycle.requeue(job)
    else:
        lifecycle.resend(job)
    if kind is not None:
        engine.queues.send(kind.queue, message)
    return "requeued" if job.state.is_running else "resent"
