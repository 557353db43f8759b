"""The bodies of answers as clients read them; those of the kinds stand in the kinds."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, field

from chalicelib.errors import FieldError
from chalicelib.jobs.state import State


class Index(Struct, frozen=True, kw_only=True):
    """What answers here, and where to go."""

    service: Annotated[str, Meta(description="Always sluice.")]
    version: str
    links: Annotated[dict[str, str], Meta(description="Paths of a few routes by what they are for.")]


class Health(Struct, frozen=True, kw_only=True):
    """That the API answers."""

    status: Annotated[str, Meta(description="Always ok.")]
    version: str
    stage: Annotated[str, Meta(description="The deployment that answered.")]
    time: Annotated[str, Meta(description="The server's time, RFC 3339 in UTC.")]


_TaskId = Annotated[str, Meta(description="Names the task; for a task without an owner it is also the key to it.")]
_Warnings = Annotated[list[str] | UnsetType, Meta(description="Fields that were not known and have been ignored.")]


class Accepted(Struct, frozen=True, kw_only=True):
    """A task was stored and queued."""

    task_id: _TaskId
    status: State
    message: str
    poll_url: Annotated[str, Meta(description="Path of the task, the same as the Location header.")]
    warnings: _Warnings = UNSET


class TaskSummary(Struct, frozen=True, kw_only=True):
    """A task as in a list: its state and how far it has come."""

    task_id: _TaskId
    kind: str
    state: State
    status: Annotated[str, Meta(description="The state in words.")]
    progress: Annotated[int, Meta(description="Share that is done, in %.", ge=0, le=100)]
    current: Annotated[int, Meta(description="The same as progress.")]
    total: Annotated[int, Meta(description="Always 100.")]
    stage: Annotated[str, Meta(description="What is being done, in a few words.")]
    cache_key: Annotated[
        str | None, Meta(description="What the request comes down to: tasks with the same one share a result; or null.")
    ]
    ready: Annotated[bool, Meta(description="Whether the state is final.")]
    successful: Annotated[bool | None, Meta(description="Whether it ended as SUCCESS; null before the end.")]
    queue: Annotated[str | None, Meta(description="The queue that it goes through; null for a kind no longer offered.")]
    attempt: Annotated[int, Meta(description="Runs begun so far; more than 1 after a crash.", ge=0)]
    created_at: Annotated[str, Meta(description="RFC 3339 in UTC, like all times.")]
    started_at: Annotated[
        str | None,
        Meta(description="When its first run began, before `created_at` if it shares a job; null if none has begun."),
    ]
    last_started_at: Annotated[str | None, Meta(description="When its latest run began; null if none has begun.")]
    ended_at: Annotated[str | None, Meta(description="When it was over; null before that.")]


class TaskPage(Struct, frozen=True, kw_only=True):
    """One page of the caller's tasks."""

    tasks: Annotated[
        list[TaskSummary], Meta(description="Newest first; filters can leave a page short or empty with more to come.")
    ]
    next_cursor: Annotated[str | None, Meta(description="`cursor` of the next page; null on the last one.")]


class Task(TaskSummary, frozen=True, kw_only=True):
    """A task: its state, how far it has come and, at the end, its result or its error."""

    updated_at: str
    expires_at: Annotated[str, Meta(description="When the task can no longer be read.")]
    # The description puts the results of all kinds here.
    result: Annotated[
        Any, Meta(description="The kind's result with `task_id` and `completed_at` added; only in SUCCESS.")
    ] = UNSET
    result_url: Annotated[
        str | UnsetType, Meta(description="Path of the result as a file; the only way to one of more than 4 MB.")
    ] = UNSET
    result_bytes: Annotated[int | UnsetType, Meta(description="Length of the result as a file.")] = UNSET
    error: Annotated[str | UnsetType, Meta(description="Why it failed; only in FAILURE.")] = UNSET
    error_type: Annotated[str | UnsetType, Meta(description="The error's short name; only in FAILURE.")] = UNSET
    warnings: _Warnings = UNSET


class CancelAnswer(Struct, frozen=True, kw_only=True):
    """A task was cancelled, or asked to stop."""

    message: str
    task_id: _TaskId
    state: Annotated[State, Meta(description="REVOKED, or the present state of a task that was asked to stop.")]


class Problem(Struct, frozen=True, kw_only=True):
    """A refusal or a failure (RFC 9457)."""

    type: Annotated[str, Meta(description="The sort of problem: `urn:sluice:problem:` and its short name.")]
    title: Annotated[str, Meta(description="The sort of problem in words, always the same for one type.")]
    status: Annotated[int, Meta(description="The HTTP status.")]
    detail: Annotated[str, Meta(description="What was wrong this time, with the value and the bound.")]
    error: Annotated[str, Meta(description="The same as detail, for clients that read only this.")]
    request_id: Annotated[str, Meta(description="Names the request in the service's log.")]
    errors: Annotated[
        list[FieldError] | UnsetType, Meta(description="Every broken rule of the request, at most 50; status 400 only.")
    ] = UNSET
    violated_policies: Annotated[
        list[str] | UnsetType, Meta(description="Names of the limits that were reached; status 429 only.")
    ] = field(default=UNSET, name="violated-policies")
