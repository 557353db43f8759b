"""Tasks: look at one, cancel it, start it again, list one's own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from chalicelib.api.auth import require, who
from chalicelib.api.event_tasks import event_status
from chalicelib.api.http import Answer, Call, View
from chalicelib.api.tags import is_known, tag_of
from chalicelib.clock import rfc3339
from chalicelib.errors import Conflict, FieldError, Gone, InvalidRequest, NotFound
from chalicelib.events.ids import is_event
from chalicelib.jobs import operations, sharing
from chalicelib.jobs.kind import AnyKind, Registry
from chalicelib.jobs.state import State
from chalicelib.jobs.store import Found, Job

# Seconds after which a client should look again.
POLL_S = 1
# Tasks of one page; a filter leaves out some of them, so a page can be short and still have a next one.
PAGE, MAX_PAGE = 50, 200

_SAYS = {
    State.PENDING: "Waiting in the queue",
    State.STARTED: "Started",
    State.PROGRESS: "Running",
    State.RETRY: "Waiting to try again",
    State.SUCCESS: "Finished",
    State.FAILURE: "Failed",
    State.REVOKED: "Cancelled",
}


def showing(registry: Registry) -> View:
    """The view of GET /api/tasks/{task_id}: state, progress and, at the end, the result or the error."""

    def show(call: Call) -> Answer:
        task_id = call.params["task_id"]
        if is_event(task_id):
            return event_status(call, task_id)
        found = find(call, task_id, for_admins=True)
        body = describe(found, registry.get(found.job.kind))
        tag = tag_of(msgspec.json.encode(body))
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if not found.job.state.is_final:
            headers["Retry-After"] = str(POLL_S)
        if is_known(call, tag):
            return Answer(status=304, headers=headers)
        return Answer(body=body, headers=headers)

    return show


def downloading(registry: Registry) -> View:
    """The view of GET /api/tasks/{task_id}/download: the file that the job has left, or its result as one."""

    def download(call: Call) -> Answer:
        found = find(call, call.params["task_id"])
        if found.job.state is not State.SUCCESS:
            raise Conflict(f"task {found.job.id} has no result: it is {found.job.state}")
        kind = registry.get(found.job.kind)
        file = kind.file(msgspec.json.decode(found.result or b"", type=kind.result)) if kind and kind.file else None
        if file is None:
            return _download_result(call, found)
        return _redirect(call.runtime.job_files.link(found.job.id, file))

    return download


def _download_result(call: Call, found: Found) -> Answer:
    job = found.job
    file_name = f"{job.kind}-{job.id}.json"
    link = call.runtime.engine.store.result_link(job.follows or job.id, file_name)
    if link is not None:
        return _redirect(link)
    disposition = f'attachment; filename="{file_name}"'
    return Answer(body=found.result, headers={"Content-Disposition": disposition, "Cache-Control": "no-store"})


def _redirect(link: str) -> Answer:
    return Answer(status=303, headers={"Location": link, "Cache-Control": "no-store"})


def cancel(call: Call) -> Answer:
    """DELETE /api/tasks/{task_id}: revokes a waiting job, asks a running one to stop, 409 if it ended otherwise."""
    job = sharing.cancel(call.runtime.engine, find(call, call.params["task_id"], for_admins=True).job)
    if job.state in (State.SUCCESS, State.FAILURE):
        raise Conflict(f"task {job.id} has already ended as {job.state}")
    message = "The task was cancelled" if job.state.is_final else "The task was asked to stop"
    return Answer(body={"message": message, "task_id": job.id, "state": job.state})


def restarting(registry: Registry) -> View:
    """The view of POST /api/tasks/{task_id}/retry: a failed job waits for a new start."""

    def restart(call: Call) -> Answer:
        job = find(call, call.params["task_id"], for_admins=True).job
        if job.state is not State.FAILURE:
            raise Conflict(f"only a failed task can be started again, and task {job.id} is {job.state}")
        work = msgspec.structs.replace(job, id=job.follows or job.id)
        state = operations.restart(call.runtime.engine, registry, work).state
        location = f"/api/tasks/{job.id}"
        body = {"task_id": job.id, "status": state, "message": "The task was queued again", "poll_url": location}
        return Answer(status=202, body=body, headers={"Location": location, "Retry-After": str(POLL_S)})

    return restart


def listing(registry: Registry) -> View:
    """The view of GET /api/tasks: the caller's, newest first, by page; `state`, `kind` and `since` leave others out."""

    def list_own(call: Call) -> Answer:
        caller = require(call, public=False)
        wanted = _filter(call)
        engine, now = call.runtime.engine, call.runtime.clock.now()
        page = engine.store.page(caller.user_id, _limit(call), call.query.get("cursor", ""))
        shown = [job for job in sharing.views(engine, page.jobs) if job.expires_s > now and wanted(job)]
        tasks = [_summarise(job, registry.get(job.kind)) for job in shown]
        return Answer(body={"tasks": tasks, "next_cursor": page.cursor or None}, headers={"Cache-Control": "no-store"})

    return list_own


def _limit(call: Call) -> int:
    text = call.query.get("limit", str(PAGE))
    if not text.isdecimal() or not 1 <= int(text) <= MAX_PAGE:
        raise InvalidRequest([FieldError("", f"limit must be a whole number from 1 to {MAX_PAGE}, got {text[:40]!r}")])
    return int(text)


def _filter(call: Call) -> Callable[[Job], bool]:
    """Whether a job is wanted; raises InvalidRequest naming the parameter that is wrong."""
    states = [state for state in call.query.get("state", "").upper().split(",") if state]
    unknown = [state for state in states if state not in State.__members__]
    if unknown:
        raise InvalidRequest([FieldError("", f"state must be of {', '.join(State)}, got {unknown[0][:40]!r}")])
    kind, since = call.query.get("kind", ""), call.query.get("since", "")
    try:
        since_ms = datetime.fromisoformat(since).timestamp() * 1000 if since else 0
    except ValueError:
        raise InvalidRequest([FieldError("", f"since must be an RFC 3339 time, got {since[:40]!r}")]) from None
    return lambda job: (
        (not states or job.state in states) and (not kind or job.kind == kind) and job.created_ms >= since_ms
    )


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
        "cache_key": job.cache_key or None,
        "ready": job.state.is_final,
        "successful": job.state is State.SUCCESS if job.state.is_final else None,
    }


def describe(found: Found, kind: AnyKind | None) -> dict[str, Any]:  # a JSON object
    """A task of the kind, None for one that is not offered any more."""
    job = found.job
    body = _summarise(job, kind)
    body |= {"updated_at": rfc3339(job.updated_ms / 1000), "expires_at": rfc3339(job.expires_s)}
    if found.result is not None:
        # Old clients look for these two inside the result.
        extra = {"task_id": job.id, "completed_at": body["updated_at"]}
        body["result"] = msgspec.json.decode(found.result) | extra
    if found.result_size:
        body |= {"result_url": f"/api/tasks/{job.id}/download", "result_bytes": found.result_size}
    if job.problem is not None:
        body |= {"error": job.problem.detail, "error_type": job.problem.slug}
    if job.warnings:
        body["warnings"] = job.warnings
    return body


def find(call: Call, task_id: str, *, for_admins: bool = False) -> Found:
    """The caller's task; NotFound if it is not there or somebody else's, Gone if it has expired.

    With `for_admins` the scope admin finds everybody's, but never somebody else's result.
    """
    found = sharing.look(call.runtime.engine, task_id)
    now = call.runtime.clock.now()
    # DynamoDB removes items up to days after their time; what is past it counts as removed.
    if found is None or found.job.forgotten_s <= now:
        raise NotFound(f"there is no task {task_id[:100]}")
    if found.job.owner:
        caller = who(call)
        if found.job.owner != caller.user_id:
            if not for_admins or "admin" not in caller.scopes:
                raise NotFound(f"there is no task {task_id[:100]}")
            found = Found(found.job, None)
    if found.job.expires_s <= now:
        raise Gone(f"task {task_id} expired at {rfc3339(found.job.expires_s)}")
    return found


def _summarise(job: Job, kind: AnyKind | None) -> dict[str, Any]:  # a JSON object
    return {
        **progress_of(job),
        "queue": kind.queue if kind else None,
        "attempt": job.attempt,
        "created_at": rfc3339(job.created_ms / 1000),
        "started_at": _time(job.first_start_ms),
        "last_started_at": _time(job.last_start_ms),
        "ended_at": _time(job.ended_ms),
    }


def _time(ms: int | None) -> str | None:
    return None if ms is None else rfc3339(ms / 1000)
