"""Submitting a job over HTTP: in the background with 202, or in line with 200."""

from __future__ import annotations

import re

import msgspec

from chalicelib.api.auth import require
from chalicelib.api.body import read_body
from chalicelib.api.http import Answer, Call, View
from chalicelib.api.tasks import POLL_S, describe
from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.jobs.context import Unwatched
from chalicelib.jobs.kind import AnyKind
from chalicelib.jobs.store import Found
from chalicelib.jobs.submit import Asker, submit

# Of `Prefer: wait=N` (RFC 7240); API Gateway gives up after 29 s.
LONGEST_WAIT_S = 20
MAX_KEY_LENGTH = 255
_FIRST_LOOK_S, _LATER_LOOK_S = 0.05, 0.5


def submitting(kind: AnyKind) -> View:
    """The view of POST `kind.path`: 202 with the task's id."""

    def submit_job(call: Call) -> Answer:
        caller = require(call, public=_is_public(call, kind))
        request, warnings = _read(call, kind, in_line=False)
        asker = Asker(owner=caller.user_id, key=_idempotency_key(call), warnings=warnings)
        job, is_replay = submit(call.runtime.engine, kind, request, asker)
        headers = {"Location": f"/api/tasks/{job.id}", "Retry-After": str(POLL_S)}
        if is_replay:
            headers["Idempotency-Replayed"] = "true"
        wait_s = _patience_s(call)
        if wait_s:
            headers["Preference-Applied"] = f"wait={wait_s}"
            ended = _wait(call, job.id, wait_s)
            if ended is not None:
                return Answer(body=describe(ended), headers={**headers, "Content-Location": headers["Location"]})
        body: dict[str, object] = {
            "task_id": job.id,
            "status": job.state,
            "message": f"{kind.summary}: queued",
            "poll_url": headers["Location"],
        }
        if warnings:
            body["warnings"] = warnings
        return Answer(status=202, body=body, headers=headers)

    return submit_job


def running(kind: AnyKind) -> View:
    """The view of POST `kind.sync_path`: 200 with the result."""

    def run_in_line(call: Call) -> Answer:
        caller = require(call, public=_is_public(call, kind))
        request, warnings = _read(call, kind, in_line=True)
        result = kind.run(request, Unwatched(call.runtime, caller.user_id))
        if warnings and "warnings" in result.__struct_fields__:
            own: list[str] = getattr(result, "warnings", [])
            result = msgspec.structs.replace(result, warnings=[*warnings, *own])
        return Answer(body=result)

    return run_in_line


def _wait(call: Call, job_id: str, seconds: int) -> Found | None:
    """The job as it has ended, if it ends in time."""
    runtime = call.runtime
    deadline, pause_s = runtime.clock.now() + seconds, _FIRST_LOOK_S
    while runtime.clock.now() < deadline:
        found = runtime.engine.store.find(job_id)
        if found is not None and found.job.state.is_final:
            return found
        runtime.clock.sleep(pause_s)
        pause_s = min(2 * pause_s, _LATER_LOOK_S)
    return None


def _patience_s(call: Call) -> int:
    """N of `Prefer: wait=N`, at most LONGEST_WAIT_S; other preferences are ignored, as RFC 7240 has it."""
    match = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})", call.headers.get("prefer", ""))
    return min(int(match[1]), LONGEST_WAIT_S) if match else 0


def _idempotency_key(call: Call) -> str:
    key = call.headers.get("idempotency-key", "").strip()
    if len(key) > MAX_KEY_LENGTH:
        detail = f"the Idempotency-Key header must have at most {MAX_KEY_LENGTH} characters, got {len(key)}"
        raise InvalidRequest([FieldError("", detail)])
    return key


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
