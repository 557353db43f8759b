"""Operations over HTTP: what `make ops` does, for credentials with the scope admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.api.auth import NoFields, require
from chalicelib.api.body import is_on, read_body
from chalicelib.api.http import Answer, Call, View
from chalicelib.api.tasks import POLL_S
from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.jobs import operations
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.kind import Registry

# Each job is perhaps a write, and API Gateway gives up after 29 s.
LIMIT, MAX_LIMIT = 100, 500


class ActiveJobs(Struct, frozen=True, kw_only=True):
    """Jobs that have not ended."""

    jobs: Annotated[list[operations.ActiveJob], Meta(description="The next ones to be looked at by the sweeper first.")]


class KindStates(Struct, frozen=True, kw_only=True):
    """The job kinds of this stage."""

    kinds: list[operations.KindState]


class DeadLetters(Struct, frozen=True, kw_only=True):
    """Messages of a dead-letter queue."""

    letters: list[operations.DeadLetter]


class QueueStates(Struct, frozen=True, kw_only=True):
    """The queues of this stage."""

    queues: list[operations.QueueState]


class MaintenanceSwitch(Struct, frozen=True, kw_only=True):
    """Whether nothing is to run."""

    is_on: Annotated[bool, Meta(description="true: jobs are accepted and wait. false: they run again.")]


def listing_active(registry: Registry) -> View:
    """The view of GET /api/admin/active: the jobs of everybody that have not ended."""

    def list_active(call: Call) -> Answer:
        require(call, scope="admin")
        return _fresh(ActiveJobs(jobs=operations.active(call.runtime.engine, registry, _limit(call))))

    return list_active


def listing_kinds(registry: Registry) -> View:
    """The view of GET /api/admin/kinds."""

    def list_kinds(call: Call) -> Answer:
        require(call, scope="admin")
        return _fresh(KindStates(kinds=operations.kinds(call.runtime.engine, registry, _limit(call))))

    return list_kinds


def list_queues(call: Call) -> Answer:
    """GET /api/admin/queues: how full each queue is."""
    require(call, scope="admin")
    return _fresh(QueueStates(queues=operations.queues(call.runtime.engine)))


def list_dead(call: Call) -> Answer:
    """GET /api/admin/queues/{queue}/dead: what is in its dead-letter queue."""
    require(call, scope="admin")
    letters = operations.dead_letters(call.runtime.engine, call.params["queue"], _limit(call))
    return _fresh(DeadLetters(letters=letters))


def switching(switch: Callable[[Engine, str], operations.QueueState]) -> View:
    """The view of POST /api/admin/queues/{queue}/pause or resume."""

    def switch_queue(call: Call) -> Answer:
        _begin(call)
        return _fresh(switch(call.runtime.engine, call.params["queue"]))

    return switch_queue


def maintain(call: Call) -> Answer:
    """PUT /api/admin/maintenance."""
    require(call, scope="admin")
    wanted, _ = read_body(call, MaintenanceSwitch)
    return _fresh(operations.maintain(call.runtime.engine, on=wanted.is_on))


def purging(registry: Registry) -> View:
    """The view of POST /api/admin/queues/{queue}/purge."""

    def purge(call: Call) -> Answer:
        _begin(call)
        return _fresh(operations.purge(call.runtime.engine, registry, call.params["queue"], limit=MAX_LIMIT))

    return purge


def redriving(registry: Registry) -> View:
    """The view of POST /api/admin/queues/{queue}/redrive."""

    def redrive(call: Call) -> Answer:
        _begin(call)
        drop = is_on(call, "drop")
        engine, queue = call.runtime.engine, call.params["queue"]
        return _fresh(operations.redrive(engine, registry, queue, limit=_limit(call), drop=drop))

    return redrive


def redriving_one(registry: Registry) -> View:
    """The view of POST /api/admin/tasks/{task_id}/redrive."""

    def redrive_task(call: Call) -> Answer:
        _begin(call)
        job = operations.redrive_one(call.runtime.engine, registry, call.params["task_id"])
        location = f"/api/tasks/{job.id}"
        body = {"task_id": job.id, "status": job.state, "message": "The task was queued again", "poll_url": location}
        return Answer(status=202, body=body, headers={"Location": location, "Retry-After": str(POLL_S)})

    return redrive_task


def _begin(call: Call) -> None:
    require(call, scope="admin")
    if call.body.strip():
        read_body(call, NoFields)


def _limit(call: Call) -> int:
    text = call.query.get("limit", str(LIMIT))
    if not text.isdecimal() or not 1 <= int(text) <= MAX_LIMIT:
        detail = f"limit must be a whole number from 1 to {MAX_LIMIT}, got {text[:40]!r}"
        raise InvalidRequest([FieldError("", detail)])
    return int(text)


def _fresh(body: Struct) -> Answer:
    return Answer(body=body, headers={"Cache-Control": "no-store"})
