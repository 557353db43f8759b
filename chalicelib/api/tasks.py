"""Tasks: submit a job of a kind, look at it, cancel it; and the in-line twin of a kind."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from chalicelib.api.auth import require, who
from chalicelib.api.body import read_body
from chalicelib.api.http import Answer, Call, View
from chalicelib.clock import rfc3339
from chalicelib.errors import Conflict, Gone, InvalidRequest, NotFound
from chalicelib.jobs.kind import AnyKind
from chalicelib.jobs.state import State
from chalicelib.jobs.store import Found, Job
from chalicelib.jobs.submit import submit

# Seconds after which a client should look again.
POLL_S = 1

_SAYS = {
    State.PENDING: "Waiting in the queue",
    State.STARTED: "Started",
    State.PROGRESS: "Running",
    State.SUCCESS: "Finished",
    State.FAILURE: "Failed",
    State.REVOKED: "Cancelled",
}


def submitting(kind: AnyKind) -> View:
    """The view of POST `kind.path`: 202 with the task's id."""

    def submit_job(call: Call) -> Answer:
        caller = require(call, public=_is_public(call, kind))
        request, warnings = _read(call, kind, in_line=False)
        job = submit(call.runtime.engine, kind, request, owner=caller.user_id, warnings=warnings)
        poll_url = f"/api/tasks/{job.id}"
        body: dict[str, object] = {
            "task_id": job.id,
            "status": job.state,
            "message": f"{kind.summary}: queued",
            "poll_url": poll_url,
        }
        if warnings:
            body["warnings"] = warnings
        return Answer(status=202, body=body, headers={"Location": poll_url, "Retry-After": str(POLL_S)})

    return submit_job


def running(kind: AnyKind) -> View:
    """The view of POST `kind.sync_path`: 200 with the result."""

    def run_in_line(call: Call) -> Answer:
        require(call, public=_is_public(call, kind))
        request, warnings = _read(call, kind, in_line=True)
        result = kind.run(request, _unwatched)
        if warnings and "warnings" in result.__struct_fields__:
            own: list[str] = getattr(result, "warnings", [])
            result = msgspec.structs.replace(result, warnings=[*warnings, *own])
        return Answer(body=result)

    return run_in_line


def status(call: Call) -> Answer:
    """GET /api/tasks/{task_id}: state, progress and, at the end, the result or the error."""
    found = _find(call)
    body = _describe(found)
    tag = f'"{hashlib.sha256(msgspec.json.encode(body)).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if not found.job.state.is_final:
        headers["Retry-After"] = str(POLL_S)
    if tag in (part.strip() for part in call.headers.get("if-none-match", "").split(",")):
        return Answer(status=304, headers=headers)
    return Answer(body=body, headers=headers)


def cancel(call: Call) -> Answer:
    """DELETE /api/tasks/{task_id}: revokes a waiting job, asks a running one to stop, 409 if it ended otherwise."""
    _find(call)
    job = call.runtime.engine.lifecycle.cancel(call.params["task_id"])
    if job.state in (State.SUCCESS, State.FAILURE):
        raise Conflict(f"task {job.id} has already ended as {job.state}")
    message = "The task was cancelled" if job.state.is_final else "The task was asked to stop"
    return Answer(body={"message": message, "task_id": job.id, "state": job.state})


def progress_of(job: Job) -> dict[str, Any]:  # a JSON object
    """The part of a task that is the same however it is asked for."""
    return {
        "task_id": job.id,
        "kind": job.kind,
        "state": job.state,
        "status": "Cancelling" if job.cancel_requested and not job.state.is_final else _SAYS[job.state],
        "progress": job.progress,
        "current": job.progress,
        "total": 100,
        "stage": job.stage,
        "ready": job.state.is_final,
        "successful": job.state is State.SUCCESS if job.state.is_final else None,
    }


def _describe(found: Found) -> dict[str, Any]:  # a JSON object
    job = found.job
    body = progress_of(job)
    body |= {"attempt": job.attempt, "created_at": rfc3339(job.created_ms / 1000)}
    body |= {"updated_at": rfc3339(job.updated_ms / 1000), "expires_at": rfc3339(job.expires_s)}
    if found.result is not None:
        # Old clients look for these two inside the result.
        extra = {"task_id": job.id, "completed_at": body["updated_at"]}
        body["result"] = msgspec.json.decode(found.result) | extra
    if job.problem is not None:
        body |= {"error": job.problem.detail, "error_type": job.problem.slug}
    if job.warnings:
        body["warnings"] = job.warnings
    return body


def _find(call: Call) -> Found:
    """The task of the path; NotFound if it is not there or somebody else's, Gone if it has expired."""
    task_id = call.params["task_id"]
    found = call.runtime.engine.store.find(task_id)
    now = call.runtime.clock.now()
    # DynamoDB removes items up to days after their time; what is past it counts as removed.
    if found is None or found.job.forgotten_s <= now:
        raise NotFound(f"there is no task {task_id[:100]}")
    if found.job.owner and found.job.owner != who(call).user_id:
        raise NotFound(f"there is no task {task_id[:100]}")
    if found.job.expires_s <= now:
        raise Gone(f"task {task_id} expired at {rfc3339(found.job.expires_s)}")
    return found


def _read(call: Call, kind: AnyKind, *, in_line: bool) -> tuple[msgspec.Struct, tuple[str, ...]]:
    request, warnings = read_body(call, kind.request, lenient=kind.lenient)
    errors = kind.check(request)
    if errors:
        raise InvalidRequest(errors)
    if kind.weigh is not None:
        kind.weigh(request, in_line)
    return request, warnings


def _is_public(call: Call, kind: AnyKind) -> bool:
    return bool(kind.opened_by) and bool(getattr(call.runtime.settings, kind.opened_by))


def _unwatched(fraction: float, stage: str) -> None:
    """The progress of a run in line: nobody can see it."""
