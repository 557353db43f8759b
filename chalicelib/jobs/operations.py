"""What operators do to jobs and queues: look, start again, drop, pause. Commands and HTTP routes only show it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chalicelib.clock import rfc3339
from chalicelib.errors import Conflict, NotFound
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.kind import AnyKind, Registry
from chalicelib.jobs.queue import HIDDEN_S, LOOK_S, Delivery, Message, Posted
from chalicelib.jobs.state import WAITING, State
from chalicelib.jobs.store import Job, Refused
from chalicelib.settings import QUEUES
from chalicelib.telemetry import log

# Later than any job is due.
_EVER_MS = 2**53


class ActiveJob(Struct, frozen=True, kw_only=True):
    """A job that has not ended."""

    task_id: str
    kind: str
    state: State
    attempt: Annotated[int, Meta(description="Runs begun so far.")]
    progress: Annotated[int, Meta(description="Share that is done, in %.")]
    stage: str
    queue: Annotated[str, Meta(description="The queue that it goes through; empty for a kind that is not offered.")]
    owner: Annotated[str, Meta(description="Id of the account; empty for a public task.")]
    age_s: Annotated[int, Meta(description="Seconds since it was submitted.")]
    beaten_s: Annotated[int, Meta(description="Seconds since it was last written.")]
    lag_ms: Annotated[int | None, Meta(description="How long it waited for its first start; null before that.")]
    run_ms: Annotated[int | None, Meta(description="How long its present run has lasted; null while it waits.")]


class KindState(Struct, frozen=True, kw_only=True):
    """A job kind of this stage, and how many of its jobs have not ended."""

    name: str
    summary: str
    path: str
    queue: str
    time_limit_s: int
    max_attempts: int
    waiting: int
    running: int
    unstarted_s: Annotated[
        int | None,
        Meta(description="How long the oldest job has waited for its first start; null if none waits for it."),
    ]


class QueueState(Struct, frozen=True, kw_only=True):
    """A queue as SQS counts it, which is about right, and whether its workers are switched off."""

    queue: str
    waiting: Annotated[int, Meta(description="Messages to be delivered.")]
    in_flight: Annotated[
        int, Meta(description="Messages delivered and not settled, those that wait to be retried too.")
    ]
    dead: Annotated[int, Meta(description="Messages in the dead-letter queue.")]
    is_paused: bool


class Maintenance(Struct, frozen=True, kw_only=True):
    """The queues while nothing is to run, or may run again."""

    is_on: Annotated[bool, Meta(description="Whether all are paused: jobs are accepted and wait.")]
    queues: list[QueueState]


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A message that was given up, and the job that it is of."""

    message_id: str
    reason: Annotated[str, Meta(description="Why a worker gave it up; empty where SQS did, after too many deliveries.")]
    sent_at: Annotated[str, Meta(description="When it was put where it is, RFC 3339 in UTC.")]
    kind: Annotated[str, Meta(description="The job's kind, or what else it is; empty if it cannot be read.")]
    task_id: Annotated[str | None, Meta(description="Id of its job; null for a message that is no job's.")]
    state: Annotated[State | None, Meta(description="The job's state now; null where there is no job.")]


class Redriven(Struct, frozen=True, kw_only=True):
    """What became of the messages of a dead-letter queue."""

    redriven: Annotated[int, Meta(description="Failed jobs that were queued again, and events that were put back.")]
    dropped: Annotated[int, Meta(description="Messages without a failed job that were deleted, as asked for.")]
    left: Annotated[int, Meta(description="Messages without a failed job that were left where they are.")]


class Purged(Struct, frozen=True, kw_only=True):
    """What became of the jobs that waited in a queue."""

    revoked: Annotated[int, Meta(description="Waiting jobs that were cancelled.")]
    is_empty: Annotated[
        bool, Meta(description="Whether the messages were dropped; false if there may be more jobs: ask again.")
    ]


def active(engine: Engine, registry: Registry, limit: int) -> list[ActiveJob]:
    """At most `limit` jobs that have not ended, the next ones to expire or to be sent again first."""
    now_ms = engine.lifecycle.now_ms()
    return [
        ActiveJob(
            task_id=job.id,
            kind=job.kind,
            state=job.state,
            attempt=job.attempt,
            progress=job.progress,
            stage=job.stage,
            queue=_queue_of(registry, job),
            owner=job.owner,
            age_s=(now_ms - job.created_ms) // 1000,
            beaten_s=(now_ms - job.updated_ms) // 1000,
            lag_ms=None if job.first_start_ms is None else max(0, job.first_start_ms - job.created_ms),
            run_ms=now_ms - job.last_start_ms if job.state.is_running and job.last_start_ms is not None else None,
        )
        for job in _unended(engine, limit)
    ]


def kinds(engine: Engine, registry: Registry, limit: int) -> list[KindState]:
    """The kinds of the stage, with their jobs among the first `limit` that have not ended."""
    now_ms, jobs = engine.lifecycle.now_ms(), dict[str, list[Job]]()
    for job in _unended(engine, limit):
        jobs.setdefault(job.kind, []).append(job)
    return [_kind_state(kind, jobs.get(kind.name, []), now_ms) for kind in registry]


def queues(engine: Engine) -> list[QueueState]:
    """All queues of the stage."""
    return [queue_state(engine, queue) for queue in QUEUES]


def queue_state(engine: Engine, queue: str) -> QueueState:
    """How full a queue is and whether it is paused; raises NotFound."""
    _check(queue)
    depth = engine.queues.depth(queue)
    return QueueState(
        queue=queue,
        waiting=depth.waiting,
        in_flight=depth.in_flight,
        dead=depth.dead,
        is_paused=engine.queues.is_paused(queue),
    )


def pause(engine: Engine, queue: str) -> QueueState:
    """Switches the queue's workers off; runs that have begun go on. Raises NotFound, Conflict."""
    _check(queue)
    engine.queues.pause(queue)
    log.warning("queue paused", queue=queue)
    return queue_state(engine, queue)


def resume(engine: Engine, queue: str) -> QueueState:
    """Switches the queue's workers on again; raises NotFound, Conflict."""
    _check(queue)
    engine.queues.resume(queue)
    log.warning("queue resumed", queue=queue)
    return queue_state(engine, queue)


def maintenance(engine: Engine) -> Maintenance:
    """Whether the workers of all queues are switched off."""
    states = queues(engine)
    return Maintenance(is_on=all(state.is_paused for state in states), queues=states)


def maintain(engine: Engine, *, on: bool) -> Maintenance:
    """Switches the workers of all queues off, or on again; may be repeated.

    Raises Conflict where some cannot be switched at this moment, when all others are.
    """
    left = []
    for queue in QUEUES:
        try:
            (engine.queues.pause if on else engine.queues.resume)(queue)
        except Conflict as conflict:
            left.append(f"{queue}: {conflict.detail}")
    log.warning("maintenance begun" if on else "maintenance ended", left=left)
    if left:
        raise Conflict(f"not switched: {'; '.join(left)}; all others are, and it may be said again")
    return maintenance(engine)


def dead_letters(engine: Engine, queue: str, limit: int) -> list[DeadLetter]:
    """At most `limit` messages of the dead-letter queue, which stay there; raises NotFound."""
    _check(queue)
    deliveries = _dead(engine, queue, limit, hidden_s=LOOK_S)
    read = [(delivery, _message_of(delivery.body)) for delivery in deliveries]
    jobs = engine.store.jobs([message.id for _, message in read if message])
    return [
        DeadLetter(
            message_id=delivery.message_id,
            reason=delivery.reason,
            sent_at=rfc3339(delivery.sent_ms / 1000),
            kind=message.kind if message else _posted_type(delivery.body),
            task_id=message.id if message else None,
            state=jobs[message.id].state if message and message.id in jobs else None,
        )
        for delivery, message in read
    ]


def redrive(engine: Engine, registry: Registry, queue: str, *, limit: int, drop: bool) -> Redriven:
    """Starts the failed jobs of a dead-letter queue again, and takes their messages out of it.

    What was posted by itself, as events are, is posted again.

    A message without a failed job - unreadable, of an unknown kind, of a job that has ended otherwise or is gone - is
    left, or deleted if `drop`. A message leaves only after its job was sent, so that a crash loses nothing.
    """
    _check(queue)
    redriven = dropped = left = 0
    for delivery in _dead(engine, queue, limit, hidden_s=HIDDEN_S):
        if _restart(engine, registry, queue, delivery):
            redriven += 1
        elif drop:
            dropped += 1
        else:
            left += 1
            continue
        engine.queues.delete_dead(queue, delivery.receipt)
    log.warning("queue redriven", queue=queue, redriven=redriven, dropped=dropped, left=left)
    return Redriven(redriven=redriven, dropped=dropped, left=left)


def _dead(engine: Engine, queue: str, limit: int, *, hidden_s: int) -> list[Delivery]:
    """The dead letters, those too at which somebody has just looked, which hides them for a moment."""
    found: dict[str, Delivery] = {}
    for is_last in (False, False, True):
        # One that is shown again replaces itself: its last receipt is the one that holds.
        found |= {each.message_id: each for each in engine.queues.dead(queue, limit, hidden_s=hidden_s)}
        if is_last or len(found) >= min(limit, engine.queues.depth(queue).dead):
            break
        engine.clock.sleep(LOOK_S)
    return list(found.values())[:limit]


def redrive_one(engine: Engine, registry: Registry, job_id: str) -> Job:
    """Starts one failed job again, whoever owns it; raises NotFound, Conflict."""
    found = engine.store.find(job_id)
    if found is None:
        raise NotFound(f"there is no task {job_id[:100]}")
    return restart(engine, registry, found.job)


def restart(engine: Engine, registry: Registry, job: Job) -> Job:
    """Starts a failed job again; raises Conflict.

    Where its message cannot be sent the sweeper sends it within two minutes: the job waits already.
    """
    kind = registry.get(job.kind)
    if kind is None:
        raise Conflict(f"task {job.id} is of kind {job.kind}, which is not offered any more")
    waiting = engine.lifecycle.redrive(job)
    engine.queues.send(kind.queue, Message(waiting.id, kind.name))
    return waiting


def purge(engine: Engine, registry: Registry, queue: str, *, limit: int) -> Purged:
    """Revokes the jobs that wait in a queue, among the first `limit` that have not ended, and then drops its messages.

    In this order, for a message of a revoked job does no harm and a job without its message would be sent again. Where
    there may be more jobs than `limit`, the messages stay. Running jobs go on. Raises NotFound, Conflict.
    """
    _check(queue)
    ids = engine.store.due(_EVER_MS, limit)
    revoked = sum(_revoke(engine, job) for job in _read(engine, ids) if _is_waiting_in(registry, job, queue))
    is_empty = len(ids) < limit
    if is_empty:
        engine.queues.purge(queue)
    log.warning("queue purged", queue=queue, revoked=revoked, is_empty=is_empty)
    return Purged(revoked=revoked, is_empty=is_empty)


def _check(queue: str) -> None:
    if queue not in QUEUES:
        raise NotFound(f"queue must be one of {', '.join(QUEUES)}, got {queue[:40]!r}")


def _unended(engine: Engine, limit: int) -> list[Job]:
    return _read(engine, engine.store.due(_EVER_MS, limit))


def _read(engine: Engine, ids: list[str]) -> list[Job]:
    """Those that have not ended: the index may be a little late."""
    found = engine.store.jobs(ids)
    return [found[job_id] for job_id in ids if job_id in found and not found[job_id].state.is_final]


def _kind_state(kind: AnyKind, jobs: list[Job], now_ms: int) -> KindState:
    """The kind with its unended jobs."""
    running = sum(job.state.is_running for job in jobs)
    unstarted_ms = [job.created_ms for job in jobs if job.state in WAITING and job.first_start_ms is None]
    return KindState(
        name=kind.name,
        summary=kind.summary,
        path=kind.path,
        queue=kind.queue,
        time_limit_s=kind.time_limit_s,
        max_attempts=kind.max_attempts,
        waiting=len(jobs) - running,
        running=running,
        unstarted_s=(now_ms - min(unstarted_ms)) // 1000 if unstarted_ms else None,
    )


def _restart(engine: Engine, registry: Registry, queue: str, delivery: Delivery) -> bool:
    """Whether the message was of a failed job, which then waits again, or is back in its queue by itself."""
    if _posted_type(delivery.body):
        engine.queues.post(queue, delivery.body)
        return True
    message = _message_of(delivery.body)
    if message is None:
        return False
    try:
        redrive_one(engine, registry, message.id)
    except (NotFound, Conflict):
        return False
    return True


def _message_of(body: str) -> Message | None:
    try:
        return msgspec.json.decode(body, type=Message)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _posted_type(body: str) -> str:
    """What a message is that was posted by itself; empty for any other."""
    try:
        return msgspec.json.decode(body, type=Posted).type
    except (msgspec.MsgspecError, RecursionError):
        return ""


def _is_waiting_in(registry: Registry, job: Job, queue: str) -> bool:
    return _queue_of(registry, job) == queue and job.state in WAITING


def _queue_of(registry: Registry, job: Job) -> str:
    kind = registry.get(job.kind)
    return kind.queue if kind is not None else ""


def _revoke(engine: Engine, job: Job) -> bool:
    """Whether the job still waited, and is revoked now; one that has begun meanwhile goes on."""
    try:
        engine.lifecycle.drop(job)
    except Refused:
        return False
    return True
