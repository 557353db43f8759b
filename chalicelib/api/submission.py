"""Submitting a job over HTTP: in the background with 202, or in line with 200."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from chalicelib.api.auth import require
from chalicelib.api.body import MAX_ERRORS, escape, parse, read_body
from chalicelib.api.http import Answer, Call, View
from chalicelib.api.tasks import POLL_S, describe
from chalicelib.errors import FieldError, InvalidRequest, Unauthenticated
from chalicelib.jobs.context import Unwatched
from chalicelib.jobs.kind import AnyKind
from chalicelib.jobs.sharing import answered, look
from chalicelib.jobs.state import State
from chalicelib.jobs.store import Found
from chalicelib.jobs.submit import Asker, submit

T = TypeVar("T")

# Of `Prefer: wait=N` (RFC 7240); API Gateway gives up after 29 s.
LONGEST_WAIT_S = 20
MAX_KEY_LENGTH = 255
_SAYS = {State.PENDING: "queued", State.SUCCESS: "there is a result already"}
_FIRST_LOOK_S, _LATER_LOOK_S = 0.05, 0.5
_CACHE = "X-Cache-Status"
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def submitting(kind: AnyKind) -> View:
    """The view of POST `kind.path`: 202 with the task's id."""

    def submit_job(call: Call) -> Answer:
        caller = require(call, public=_is_public(call, kind), scope=kind.scope)
        request, warnings = _read(call, kind, in_line=False)
        if caller.is_anonymous and getattr(request, "save", False):
            raise Unauthenticated("saving needs an account: log in at POST /api/auth/login, or leave out save")
        asker = Asker(owner=caller.user_id, key=idempotency_key(call), warnings=warnings)
        return hand_in(call, kind, request, asker)

    return submit_job


def hand_in(call: Call, kind: AnyKind, request: msgspec.Struct, asker: Asker) -> Answer:
    """Submits a checked request: 202 with the task's id, or 200 with the task if it ends while the call may wait."""
    job, is_replay = submit(call.runtime.engine, kind, request, asker)
    headers = {"Location": f"/api/tasks/{job.id}", "Retry-After": str(POLL_S)}
    if is_replay:
        headers["Idempotency-Replayed"] = "true"
    wait_s = patience_s(call)
    if wait_s:
        headers["Preference-Applied"] = f"wait={wait_s}"
        ended = wait_for(call, wait_s, lambda: _ended(call, job.id))
        if ended is not None:
            return Answer(body=describe(ended, kind), headers={**headers, "Content-Location": headers["Location"]})
    body: dict[str, object] = {
        "task_id": job.id,
        "status": job.state,
        "message": f"{kind.summary}: {_SAYS.get(job.state, 'running already')}",
        "poll_url": headers["Location"],
    }
    if asker.warnings:
        body["warnings"] = asker.warnings
    return Answer(status=202, body=body, headers=headers)


def idempotency_key(call: Call) -> str:
    """The Idempotency-Key of a call; empty for none. Raises InvalidRequest where it is too long."""
    key = call.headers.get("idempotency-key", "").strip()
    if len(key) > MAX_KEY_LENGTH:
        detail = f"the Idempotency-Key header must have at most {MAX_KEY_LENGTH} characters, got {len(key)}"
        raise InvalidRequest([FieldError("", detail)])
    return key


def saves(kind: AnyKind) -> bool:
    """Whether the kind keeps results on demand: its request has a field `save`, which `?save=` sets."""
    return "save" in kind.request.__struct_fields__


def running(kind: AnyKind) -> View:
    """The view of POST `kind.sync_path`: 200 with the result."""

    def run_in_line(call: Call) -> Answer:
        caller = require(call, public=_is_public(call, kind), scope=kind.scope)
        request, warnings = _read(call, kind, in_line=True)
        headers = {}
        if kind.cache is not None:
            stored = answered(call.runtime.engine, kind, request, caller.user_id)
            if stored is not None:
                return Answer(body=stored, headers={_CACHE: "HIT"})
            headers[_CACHE] = "MISS"
        result = kind.run(request, Unwatched(call.runtime, caller.user_id))
        if warnings and "warnings" in result.__struct_fields__:
            own: list[str] = getattr(result, "warnings", [])
            result = msgspec.structs.replace(result, warnings=[*warnings, *own])
        return Answer(body=result, headers=headers)

    return run_in_line


def wait_for(call: Call, seconds: int, find: Callable[[], T | None]) -> T | None:
    """What `find` finds, which is asked again and again; None if there is nothing in time."""
    clock = call.runtime.clock
    deadline, pause_s = clock.now() + seconds, _FIRST_LOOK_S
    while clock.now() < deadline:
        found = find()
        if found is not None:
            return found
        clock.sleep(pause_s)
        pause_s = min(2 * pause_s, _LATER_LOOK_S)
    return None


def _ended(call: Call, job_id: str) -> Found | None:
    found = look(call.runtime.engine, job_id)
    return found if found is not None and found.job.state.is_final else None


def patience_s(call: Call) -> int:
    """N of `Prefer: wait=N`, at most LONGEST_WAIT_S; other preferences are ignored, as RFC 7240 has it."""
    match = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})", call.headers.get("prefer", ""))
    return min(int(match[1]), LONGEST_WAIT_S) if match else 0


def _read(call: Call, kind: AnyKind, *, in_line: bool) -> tuple[msgspec.Struct, tuple[str, ...]]:
    try:
        request, warnings = read_body(call, kind.request, lenient=kind.lenient, raw_field=kind.raw_field)
    except InvalidRequest as refused:
        raise InvalidRequest([*refused.errors, *_rules_of_the_rest(call, kind, refused)][:MAX_ERRORS]) from None
    request = _ask_to_save(call, kind, request, in_line=in_line)
    errors = kind.check(request)
    if errors:
        raise InvalidRequest(errors)
    if kind.weigh is not None:
        kind.weigh(request, in_line)
    return request, warnings


def _rules_of_the_rest(call: Call, kind: AnyKind, refused: InvalidRequest) -> list[FieldError]:
    """Rules beyond the schema that the sound fields of a refused body break, so that one answer tells everything.

    A refused field counts as not given; a required one is taken from the example, which breaks no rule.
    """
    broken = {_field(error) for error in refused.errors} - {""}
    raw = parse(call, kind.raw_field) if broken else None
    if not isinstance(raw, dict):
        return []
    sound = {name: value for name, value in raw.items() if escape(name) not in broken}
    required = {field.encode_name for field in msgspec.structs.fields(kind.request) if field.required}
    filled = {name: value for name, value in msgspec.to_builtins(kind.example).items() if name in required - set(sound)}
    try:
        request = msgspec.convert(sound | filled, kind.request)
    except msgspec.ValidationError:
        return []
    return [error for error in kind.check(request) if _field(error) not in broken | set(filled)]


def _field(error: FieldError) -> str:
    """The field of the body that the error is in, as a token of its pointer; empty for the body as a whole."""
    return error.pointer.partition("/")[2].partition("/")[0]


def _ask_to_save(call: Call, kind: AnyKind, request: msgspec.Struct, *, in_line: bool) -> msgspec.Struct:
    """The request with `?save=` in it; raises InvalidRequest where that is no answer, or nothing can be saved."""
    text = call.query.get("save", "")
    if text.lower() not in (*_FLAGS, ""):
        raise InvalidRequest([FieldError("", f"save must be true or false, got {text[:40]!r}")])
    asked = _FLAGS[text.lower()] if text else getattr(request, "save", False)
    if asked and not saves(kind):
        raise InvalidRequest([FieldError("", f"save is not for the kind {kind.name}, whose results are not kept")])
    if asked and in_line:
        raise InvalidRequest([FieldError("", f"save is for the background only: send the request to {kind.path}")])
    return msgspec.structs.replace(request, save=asked) if saves(kind) else request


def _is_public(call: Call, kind: AnyKind) -> bool:
    return bool(kind.opened_by) and bool(getattr(call.runtime.settings, kind.opened_by))
