"""What is said over a WebSocket: one JSON object per message, its kind in `type`; what is absent is null."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib.api.tasks import progress_of
from chalicelib.jobs.state import State
from chalicelib.jobs.store import Job


class Connected(msgspec.Struct, frozen=True, tag_field="type", tag="connection"):
    """The first message of every connection."""

    message: str = "connected; subscribe to tasks, or join apps, by their id"


class Subscribed(msgspec.Struct, frozen=True, tag_field="type", tag="subscribed"):
    task_id: str
    message: str = "every change of this task is sent from now on"


class Unsubscribed(msgspec.Struct, frozen=True, tag_field="type", tag="unsubscribed"):
    task_id: str
    message: str = "nothing more is sent about this task"


class Joined(msgspec.Struct, frozen=True, tag_field="type", tag="joined"):
    app_id: str
    message: str = "rows of this app are sent as they are stored; what was stored before is in its logs"


class Left(msgspec.Struct, frozen=True, tag_field="type", tag="left"):
    """The rows of an app are not sent any more: as was asked for, or for the reason in `message`."""

    app_id: str
    message: str = "no more rows of this app are sent"


class Failed(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    """A message could not be carried out; `task_id` or `app_id` if it named one."""

    message: str
    task_id: str | msgspec.UnsetType = msgspec.UNSET
    app_id: str | msgspec.UnsetType = msgspec.UNSET


class TaskStatus(msgspec.Struct, frozen=True, tag_field="type", tag="task_status"):
    """The present state of a task, asked for."""

    task_id: str
    data: dict[str, Any]  # a JSON object: what polling answers, without the result
    progress: int
    cache_key: str | None


class TaskUpdate(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="task_update"):
    """A change of a task."""

    task_id: str
    state: State
    status: str
    progress: int
    # Always null: a result can be larger than a message may be. It is at `result_url`.
    result: None = None
    result_url: str | None
    error: str | None
    cache_key: str | None


class ValidationUpdate(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="validation_update"):
    """Rows of an app that were stored at a time, newest first."""

    app_id: str
    logs: tuple[msgspec.Struct, ...]  # as GET logs has them
    # How many were stored. Those that the message has no room for are left out of `logs`, and it is not complete.
    stored: int
    is_complete: bool


Notice = Connected | Subscribed | Unsubscribed | Joined | Left | Failed | TaskStatus | TaskUpdate | ValidationUpdate


def status_of(job: Job) -> TaskStatus:
    """The answer to who asks for a task."""
    data = progress_of(job) | {"error": _error_of(job), "result_url": _result_url_of(job)}
    return TaskStatus(job.id, data, job.progress, job.cache_key or None)


def update_of(job: Job) -> TaskUpdate:
    """The news for who watches a task."""
    return TaskUpdate(
        task_id=job.id,
        state=job.state,
        status=progress_of(job)["status"],
        progress=job.progress,
        result_url=_result_url_of(job),
        error=_error_of(job),
        cache_key=job.cache_key or None,
    )


def visible(job: Job) -> tuple[object, ...]:
    """What a client can see of a job; a lease that was renewed is no news."""
    return (job.state, job.progress, job.stage, job.cancel_requested)


def reached(job: Job) -> int:
    """How far a job is; of two states of one job, the one that reached less came first.

    Made of the attempt, which never goes back, and never of times: writers' clocks differ. Within an attempt a job
    starts, progresses and ends, as a whole or for now.
    """
    if job.state is State.STARTED:
        return job.attempt * 1000
    if job.state is State.PROGRESS:
        return job.attempt * 1000 + 1 + job.progress
    return job.attempt * 1000 + 200


def _result_url_of(job: Job) -> str | None:
    return f"/api/tasks/{job.id}" if job.state is State.SUCCESS else None


def _error_of(job: Job) -> str | None:
    return job.problem.detail if job.problem else None
