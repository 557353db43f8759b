"""Shared results: requests that come down to the same are answered by one job, and each caller has a task of its own.

Who asks first owns the job. Whoever asks for the same while it waits, runs or can still be read gets a task that
follows it: a record of its own that points to the job and shows its state. To cancel a task that follows is to leave;
to cancel a job that is followed is to be detached from it; the last one to go stops the work. A job that failed or was
revoked is followed by nobody new: errors are never shared.
"""

from __future__ import annotations

import hashlib
from typing import Any, cast

import msgspec

from chalicelib.jobs.engine import Engine
from chalicelib.jobs.kind import AnyKind
from chalicelib.jobs.state import SUBMIT, State
from chalicelib.jobs.store import Found, Job, Refused

# What of a task that follows is its own.
_KEPT = ("id", "owner", "created_ms", "fingerprint", "warnings", "request_id", "follows", "followers", "detached")


def folded(request: msgspec.Struct) -> object:
    """A request without what makes no difference to a search: letter case, outer blanks, order and repetition.

    For `Cache.canonical` of kinds whose lists are sets. Defaults that are spelled out are the same as omitted ones.
    """
    return _fold(msgspec.to_builtins(request))


def cache_key(engine: Engine, kind: AnyKind, request: msgspec.Struct, owner: str) -> str:
    """What the request comes down to; empty where it is not shared."""
    if kind.cache is None:
        return ""
    canonical = kind.cache.canonical(request)
    if canonical is None:
        return ""
    sharers = "" if kind.cache.across_accounts else owner
    parts = [kind.cache.version(engine.parts), sharers, canonical]
    return f"{kind.name}:{hashlib.sha256(msgspec.json.encode(parts, order='deterministic')).hexdigest()[:40]}"


def answered(engine: Engine, kind: AnyKind, request: msgspec.Struct, owner: str) -> bytes | None:
    """The encoded result of an identical request, where it is there and small enough for an answer."""
    found = standing(engine, cache_key(engine, kind, request, owner))
    return found.result if found is not None and found.job.state is State.SUCCESS else None


def standing(engine: Engine, shared: str) -> Found | None:
    """The job that stands for a cache key, as it is for all who follow it; None where it cannot be read any more."""
    holder = engine.store.holder(shared) if shared else ""
    found = engine.store.find(holder) if holder else None
    return found if found is not None and found.job.expires_s > engine.clock.now() else None


def join(engine: Engine, task: Job, job_id: str) -> Job | None:
    """Has the new task follow the job; answers what its owner sees, or None where the job cannot be followed.

    Raises Refused where the task's id is taken.
    """
    found = engine.store.find(job_id)
    if found is None or not _is_good_for(found.job, task):
        return None
    is_over = found.job.state.is_final
    follower = msgspec.structs.replace(
        task, follows=job_id, due_ms=0, expires_s=found.job.expires_s if is_over else task.expires_s
    )
    try:
        engine.lifecycle.follow(follower)
    except Refused as refused:
        if refused.move is SUBMIT:
            raise
        return None
    return _through(follower, found.job)


def look(engine: Engine, task_id: str) -> Found | None:
    """The task and its result as who asked for it sees them: one read, two for a task that follows."""
    found = engine.store.find(task_id)
    if found is None or not found.job.follows or found.job.state.is_final:
        return found if found is None or not found.job.detached else Found(_own(found.job), None)
    work = engine.store.find(found.job.follows)
    if work is None:
        return Found(_lost(engine, found.job), None)
    return Found(_through(found.job, work.job), work.result, work.result_size)


def views(engine: Engine, jobs: list[Job]) -> list[Job]:
    """Stored tasks as who asked for them sees them: one more read however many they are."""
    ids = [job.follows for job in jobs if job.follows]
    followed = engine.store.jobs(ids) if ids else {}
    return [_view(engine, job, followed) for job in jobs]


def shown(job: Job, task_id: str) -> Job:
    """What a task, the job itself or one that follows it, shows of the job's state and progress."""
    return _own(job) if task_id == job.id else msgspec.structs.replace(job, id=task_id, follows=job.id, detached=False)


def cancel(engine: Engine, task: Job) -> Job:
    """Cancels a task, for its owner alone; answers it as it is then."""
    if not task.follows:
        return _own(engine.lifecycle.cancel(task.id))
    if not task.state.is_final:
        try:
            engine.lifecycle.leave(task)
            _stop_if_unwanted(engine, task.follows)
        except Refused:
            # It has ended meanwhile, one way or the other.
            pass
    found = look(engine, task.id)
    return found.job if found is not None else task


def _stop_if_unwanted(engine: Engine, job_id: str) -> None:
    """Stops a job that its owner and the last follower have left. Who follows it in this moment keeps it going."""
    found = engine.store.find(job_id)
    if found is not None and found.job.detached and not found.job.followers:
        engine.lifecycle.cancel(job_id)


def _is_good_for(job: Job, task: Job) -> bool:
    if job.state in (State.FAILURE, State.REVOKED) or job.cancel_requested:
        return False
    # What is over must be readable for as long as a result of one's own; `submit` keeps shared ones twice as long.
    return not job.state.is_final or job.expires_s - task.created_ms // 1000 >= task.keep_s // 2


def _through(task: Job, job: Job) -> Job:
    """The task with the state of the job that it follows."""
    own: dict[str, Any] = {name: getattr(task, name) for name in _KEPT}
    return msgspec.structs.replace(job, updated_ms=max(job.updated_ms, task.created_ms), **own)


def _own(job: Job) -> Job:
    """The job as its owner sees it, for whom it has ended once he has left it."""
    if not job.detached:
        return job
    return msgspec.structs.replace(
        job, state=State.REVOKED, stage="cancelled", progress=0, cancel_requested=False, problem=None, ended_ms=None
    )


def _lost(engine: Engine, task: Job) -> Job:
    """A task whose job is gone: it has expired."""
    return msgspec.structs.replace(task, expires_s=min(task.expires_s, int(engine.clock.now())))


def _view(engine: Engine, job: Job, followed: dict[str, Job]) -> Job:
    if not job.follows or job.state.is_final:
        return _own(job)
    return _through(job, followed[job.follows]) if job.follows in followed else _lost(engine, job)


def _fold(value: object) -> object:
    match value:
        case str():
            return value.strip().casefold()
        case list() | tuple():
            folded_items = {msgspec.json.encode(item, order="deterministic"): item for item in map(_fold, value)}
            return [folded_items[encoded] for encoded in sorted(folded_items)]
        case dict():
            fields = cast("dict[str, object]", value)
            return {name: _fold(field) for name, field in fields.items()}
        case _:
            return value
