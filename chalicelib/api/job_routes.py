"""The routes of jobs: those of every kind, and those of the tasks that come of them."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.api import answers, submission, tasks
from chalicelib.api.http import JSON
from chalicelib.api.route import BODY, CALLER, KNOWN_TAG, SWITCH, TAG, UNCHANGED, Access, Doc, Param, Reply, Route
from chalicelib.errors import Conflict, Gone, InvalidRequest, KeyReused, NotFound, Unavailable
from chalicelib.jobs.kind import AnyKind, Registry

_TASK_ID = Param(name="task_id", where="path", summary="The id that the submit answered.")
_STRICT = Param(
    name="strict",
    where="query",
    summary="1 refuses unknown fields, which are ignored with a warning otherwise.",
    values=SWITCH,
)
_SAVE = Param(
    name="save",
    where="query",
    summary="true keeps the result in the caller's account, once however often its task runs; the task's result then "
    "says `forecast_id`, or `save_error` if that could not be done. Needs an account. Goes before `save` in the body.",
    values=("true", "1", "false", "0"),
)
IDEMPOTENCY_KEY = Param(
    name="Idempotency-Key",
    where="header",
    summary=f"At most {submission.MAX_KEY_LENGTH} characters of your own. The same request under the same key is the "
    "same task however often it is sent; another request under it is refused with 422.",
)
PREFER = Param(
    name="Prefer",
    where="header",
    summary=f"`wait=N` waits up to N seconds, at most {submission.LONGEST_WAIT_S}, and answers 200 with the task if it "
    "has ended by then.",
)
_LIST = (
    Param(name="limit", where="query", summary=f"Tasks of a page, at most {tasks.MAX_PAGE}; {tasks.PAGE} by default."),
    Param(name="cursor", where="query", summary="`next_cursor` of the page before."),
    Param(name="state", where="query", summary="Only these states, separated by commas."),
    Param(name="kind", where="query", summary="Only this kind."),
    Param(name="since", where="query", summary="Only tasks submitted at this RFC 3339 time or later."),
)
_QUEUED = {"Location": "Path of the task.", "Retry-After": "Seconds after which to look at it."}
SUBMITTED = _QUEUED | {
    "Idempotency-Replayed": "true where the Idempotency-Key stood for this task already.",
    "Preference-Applied": "The `wait` that was kept to.",
}


def kind_routes(kind: AnyKind) -> Iterator[Route]:
    """Submit and the in-line twin, each where the kind has it."""
    if kind.path:
        yield Route(kind.path, "POST", submission.submitting(kind), lambda: _submitting(kind))
    if kind.sync_path:
        yield Route(kind.sync_path, "POST", submission.running(kind), lambda: _running(kind))


def _submitting(kind: AnyKind) -> Doc:
    return Doc(
        name=f"submit_{kind.name}",
        group="Jobs",
        summary=kind.summary,
        details=f"Runs in the background, at most {kind.time_limit_s} s; its result can be read for "
        f"{kind.keep_s // 60} minutes. {_about_callers(kind)}{_about_tables(kind)}{_about_unknown_fields(kind)}",
        access=_access(kind),
        params=(*_strict(kind), *_save(kind), IDEMPOTENCY_KEY, PREFER),
        request=kind.request,
        example=kind.example,
        result=kind.result,
        replies={
            200: Reply(
                summary="Ended within the time that `Prefer` gave it, well or not",
                body=answers.Task,
                headers=SUBMITTED | {"Content-Location": "The same as Location."},
            ),
            202: Reply(summary="Queued", body=answers.Accepted, headers=SUBMITTED),
        },
        refusals=(*BODY, *CALLER, Gone, KeyReused, Unavailable),
    )


def _running(kind: AnyKind) -> Doc:
    return Doc(
        name=f"run_{kind.name}",
        group="Jobs",
        summary=f"{kind.summary}, answered in line",
        details=f"For work that is done at once; what is too long for one request is refused with 413 and belongs to "
        f"`{kind.path}`. {_about_callers(kind)}{_about_tables(kind)}{_about_saving(kind)}{_about_unknown_fields(kind)}",
        access=_access(kind),
        params=_strict(kind),
        request=kind.request,
        example=kind.example,
        replies={200: Reply(summary="The result", body=kind.result, headers=_cached(kind))},
        refusals=(*BODY, *CALLER, Unavailable),
    )


def _cached(kind: AnyKind) -> dict[str, str]:
    if kind.cache is None:
        return {}
    return {"X-Cache-Status": "HIT where a task had the same question and its result is still there, else MISS."}


def _strict(kind: AnyKind) -> tuple[Param, ...]:
    return (_STRICT,) if kind.lenient else ()


def _save(kind: AnyKind) -> tuple[Param, ...]:
    return (_SAVE,) if submission.saves(kind) else ()


def _access(kind: AnyKind) -> Access:
    return Access.OPTIONAL if kind.opened_by else Access.ACCOUNT


def _about_callers(kind: AnyKind) -> str:
    return "Needs an account unless the deployment is open to everybody. " if kind.opened_by else ""


def _about_saving(kind: AnyKind) -> str:
    return (
        f"A result that is to be saved belongs to `{kind.path}` and is refused here. " if submission.saves(kind) else ""
    )


def _about_tables(kind: AnyKind) -> str:
    if not kind.raw_field:
        return ""
    return f"A body of type text/csv is taken as `{kind.raw_field}`, and the other fields from the query. "


def _about_unknown_fields(kind: AnyKind) -> str:
    return f"Unknown fields are {'ignored with a warning' if kind.lenient else 'refused'}."


def task_routes(registry: Registry) -> Iterator[Route]:
    """The tasks, whatever their kind."""
    yield Route(
        "/api/tasks",
        "GET",
        tasks.listing(registry),
        lambda: Doc(
            name="list_tasks",
            group="Tasks",
            summary="The caller's own tasks, newest first",
            details="A filter leaves out tasks of a page, so a page can be short and still have a next one.",
            access=Access.ACCOUNT,
            params=_LIST,
            replies={200: Reply(summary="One page", body=answers.TaskPage)},
            refusals=(*CALLER, InvalidRequest, Unavailable),
        ),
    )
    yield Route(
        "/api/tasks/{task_id}/retry",
        "POST",
        tasks.restarting(registry),
        lambda: Doc(
            name="retry_task",
            group="Tasks",
            summary="Start a failed task again",
            details="Its id stays the same and its attempts are counted anew.",
            access=Access.OPTIONAL,
            params=(_TASK_ID,),
            replies={202: Reply(summary="Queued again", body=answers.Accepted, headers=_QUEUED)},
            refusals=(*CALLER, NotFound, Conflict, Gone, Unavailable),
        ),
    )
    yield Route(
        "/api/tasks/{task_id}",
        "GET",
        tasks.showing(registry),
        lambda: Doc(
            name="get_task",
            group="Tasks",
            summary="State, progress and result of a task",
            details="A task submitted with an account is its owner's; any other belongs to whoever holds its id. With "
            "the scope admin everybody's can be looked at, cancelled and started again, without their results.",
            access=Access.OPTIONAL,
            params=(_TASK_ID, KNOWN_TAG),
            replies={
                200: Reply(
                    summary="The task",
                    body=answers.Task,
                    headers=TAG | {"Retry-After": "Seconds after which to look again; not once the state is final."},
                ),
                304: UNCHANGED,
            },
            refusals=(*CALLER, NotFound, Gone, Unavailable),
        ),
    )
    yield Route(
        "/api/tasks/{task_id}/download",
        "GET",
        tasks.downloading(registry),
        lambda: Doc(
            name="download_result",
            group="Tasks",
            summary="The result of a task as a file",
            details="A file that the task has written, and a large result, are answered with 303 to a link that is "
            "good for a few minutes.",
            access=Access.OPTIONAL,
            params=(_TASK_ID,),
            replies={
                200: Reply(summary="The result", media=JSON, headers={"Content-Disposition": "A name for the file."}),
                303: Reply(summary="The result is at Location", headers={"Location": "A short-lived address."}),
            },
            refusals=(*CALLER, NotFound, Conflict, Gone, Unavailable),
        ),
    )
    yield Route(
        "/api/tasks/{task_id}",
        "DELETE",
        tasks.cancel,
        lambda: Doc(
            name="cancel_task",
            group="Tasks",
            summary="Cancel a task",
            details="A waiting task is REVOKED at once, a running one is asked to stop. May be repeated.",
            access=Access.OPTIONAL,
            params=(_TASK_ID,),
            replies={200: Reply(summary="Cancelled, or asked to stop", body=answers.CancelAnswer)},
            refusals=(*CALLER, NotFound, Conflict, Gone, Unavailable),
        ),
    )
