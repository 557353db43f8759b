"""The routes of operators; every one needs the scope admin."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.api import admin, answers
from chalicelib.api.http import View
from chalicelib.api.route import BODY, CALLER, SWITCH, Access, Doc, Param, Reply, Route
from chalicelib.errors import Conflict, InvalidRequest, NotFound, SluiceError, Unavailable
from chalicelib.jobs import operations
from chalicelib.jobs.kind import Registry
from chalicelib.settings import QUEUES

_QUEUED = {"Location": "Path of the task.", "Retry-After": "Seconds after which to look at it."}
_ADMINS = "Needs the scope admin."
_QUEUE = Param(name="queue", where="path", summary="Name of the queue.", values=QUEUES)
_TASK_ID = Param(name="task_id", where="path", summary="The task, whoever owns it.")
_LIMIT = Param(
    name="limit", where="query", summary=f"How many to look at, at most {admin.MAX_LIMIT}; {admin.LIMIT} by default."
)
_DROP = Param(
    name="drop", where="query", summary="1 deletes messages without a failed job, which are left otherwise.",
    values=SWITCH,
)  # fmt: skip
_LOOK: tuple[type[SluiceError], ...] = (*CALLER, Unavailable)
_CHANGE: tuple[type[SluiceError], ...] = (*BODY, *CALLER, NotFound, Conflict, Unavailable)


def admin_routes(registry: Registry) -> Iterator[Route]:
    """What operators look at, then what they change."""
    yield _looking("active", admin.listing_active(registry), "list_active", "The jobs of everybody that have not ended",
                   Reply(summary="The jobs", body=admin.ActiveJobs))  # fmt: skip
    yield _looking("kinds", admin.listing_kinds(registry), "list_kinds", "The job kinds and how many jobs they have",
                   Reply(summary="The kinds; counts are of the first `limit` jobs", body=admin.KindStates))  # fmt: skip
    yield _looking("queues", admin.list_queues, "list_queues", "How full the queues are, and which are paused",
                   Reply(summary="The queues", body=admin.QueueStates))  # fmt: skip
    yield from _queue_routes(registry)
    yield Route(
        "/api/admin/maintenance",
        "PUT",
        admin.maintain,
        lambda: Doc(
            name="set_maintenance",
            group="Operations",
            summary="Switch the workers of all queues off, or on again",
            details="Jobs, events and mails are still accepted and wait; runs that have begun go on. It takes up to a "
            f"minute and may be repeated. {_ADMINS}",
            access=Access.ACCOUNT,
            request=admin.MaintenanceSwitch,
            example=admin.MaintenanceSwitch(is_on=True),
            replies={200: Reply(summary="The queues as they are now", body=operations.Maintenance)},
            refusals=(*BODY, *CALLER, Conflict, Unavailable),
        ),
    )
    yield Route(
        "/api/admin/queues/{queue}/dead",
        "GET",
        admin.list_dead,
        lambda: Doc(
            name="list_dead_letters",
            group="Operations",
            summary="What is in a queue's dead-letter queue",
            details=f"Messages stay there; whoever looks or redrives in the same second waits for them. {_ADMINS}",
            access=Access.ACCOUNT,
            params=(_QUEUE, _LIMIT),
            replies={200: Reply(summary="The messages", body=admin.DeadLetters)},
            refusals=(*_LOOK, InvalidRequest, NotFound),
        ),
    )
    yield Route(
        "/api/admin/tasks/{task_id}/redrive",
        "POST",
        admin.redriving_one(registry),
        lambda: Doc(
            name="redrive_task",
            group="Operations",
            summary="Start anybody's failed task again",
            details=f"Its id stays the same and its attempts are counted anew. {_ADMINS}",
            access=Access.ACCOUNT,
            params=(_TASK_ID,),
            replies={202: Reply(summary="Queued again", body=answers.Accepted, headers=_QUEUED)},
            refusals=_CHANGE,
        ),
    )


def _queue_routes(registry: Registry) -> Iterator[Route]:
    yield _changing("pause", admin.switching(operations.pause), "Switch a queue's workers off",
                    "Jobs are still accepted and wait; runs that have begun go on. It takes up to a minute.",
                    Reply(summary="The queue as it is now", body=operations.QueueState))  # fmt: skip
    yield _changing("resume", admin.switching(operations.resume), "Switch a queue's workers on again",
                    "It takes up to a minute.",
                    Reply(summary="The queue as it is now", body=operations.QueueState))  # fmt: skip
    yield _changing("purge", admin.purging(registry), "Cancel the jobs that wait in a queue",
                    "They end as REVOKED and their messages are dropped; running jobs go on. Looks at "
                    f"{admin.MAX_LIMIT} jobs at a time.",
                    Reply(summary="What was cancelled", body=operations.Purged))  # fmt: skip
    yield _changing("redrive", admin.redriving(registry), "Start the failed jobs of a dead-letter queue again",
                    "A message without a failed job is left where it is, or deleted with `drop`.",
                    Reply(summary="What was started", body=operations.Redriven), _LIMIT, _DROP)  # fmt: skip


def _looking(path: str, view: View, name: str, summary: str, reply: Reply) -> Route:
    params, refusals = ((), _LOOK) if path == "queues" else ((_LIMIT,), (*_LOOK, InvalidRequest))
    doc = Doc(
        name=name, group="Operations", summary=summary, details=_ADMINS, access=Access.ACCOUNT, params=params,
        replies={200: reply}, refusals=refusals,
    )  # fmt: skip
    return Route(f"/api/admin/{path}", "GET", view, lambda: doc)


def _changing(verb: str, view: View, summary: str, details: str, reply: Reply, *params: Param) -> Route:
    doc = Doc(
        name=f"{verb}_queue", group="Operations", summary=summary, details=f"{details} {_ADMINS}",
        access=Access.ACCOUNT, params=(_QUEUE, *params), replies={200: reply}, refusals=_CHANGE,
    )  # fmt: skip
    return Route(f"/api/admin/queues/{{queue}}/{verb}", "POST", view, lambda: doc)
