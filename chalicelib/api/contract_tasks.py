"""Questions about contracts in the background, with the paths, fields and answers that the portal's clients know.

Public tasks are whoever holds the id's; a task of an account is the account's. The same question is one job however
many ask it, and an answer that is there already is given at once (`cached`). Errors are never cached.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from chalicelib.api.auth import require
from chalicelib.api.body import read_body
from chalicelib.api.contract_bodies import (
    ActiveTasks,
    CachedAnswer,
    CancelledTask,
    CancelRequest,
    ChartTask,
    ExportTask,
    QueuedExport,
    QueuedTask,
    ResultAnswer,
    SearchTask,
    TableTask,
    TaskState,
)
from chalicelib.api.http import Answer, Call
from chalicelib.api.route import BODY, CALLER, Access, Doc, Param, Reply
from chalicelib.api.tasks import POLL_S, find, progress_of
from chalicelib.errors import FieldError, Gone, InvalidRequest, NotFound, Unavailable
from chalicelib.jobs import sharing
from chalicelib.jobs.kind import AnyKind
from chalicelib.jobs.state import State
from chalicelib.jobs.store import Found, Job
from chalicelib.jobs.submit import Asker, submit
from chalicelib.kinds import contract_analytics, contract_export, contract_search, contract_table

_NO_STORE = {"Cache-Control": "no-store"}
_KINDS = {
    kind.name: kind
    for kind in cast(
        "tuple[AnyKind, ...]",
        (contract_search.KIND, contract_analytics.KIND, contract_table.KIND, contract_export.KIND),
    )
}
# Tasks of an account that are looked through for those that have not ended.
_LOOKED_AT = 200

_Task = SearchTask | ChartTask | TableTask | ExportTask
_BODIES: dict[str, type[_Task]] = {
    "contract_search": SearchTask,
    "contract_analytics": ChartTask,
    "contract_table": TableTask,
    "contract_export": ExportTask,
}


def search(call: Call) -> Answer:
    """POST search/: a page of awards."""
    return _submit(call, "contract_search")


def analytics(call: Call) -> Answer:
    """POST analytics/: what charts show."""
    return _submit(call, "contract_analytics")


def aggregates(call: Call) -> Answer:
    """POST aggregates/: the same by its older path."""
    return _submit(call, "contract_analytics")


def table(call: Call) -> Answer:
    """POST analytics-paginated/: a page of groups."""
    return _submit(call, "contract_table")


def export(call: Call) -> Answer:
    """POST export/: a file, which is downloaded by the task's id; each request is a task of its own."""
    job, warnings = _start(call, "contract_export")
    queued = QueuedExport(status="queued", task_id=job.id, export_id=job.id, message=_queued(job), warnings=warnings)
    return Answer(status=202, body=queued, headers=_task_headers(job))


def _submit(call: Call, name: str) -> Answer:
    job, warnings = _start(call, name)
    if job.state is State.SUCCESS:
        found = sharing.look(call.runtime.engine, job.id)
        if found is not None and found.result is not None:
            return _cached(found)
    queued = QueuedTask(
        status="queued", task_id=job.id, cache_key=job.cache_key, message=_queued(job), warnings=warnings
    )
    return Answer(status=202, body=queued, headers=_task_headers(job))


def _start(call: Call, name: str) -> tuple[Job, tuple[str, ...]]:
    """The job that answers the call's question, and what was ignored of it."""
    caller = require(call, public=call.runtime.settings.public_search)
    kind = _KINDS[name]
    body, warnings = read_body(call, _BODIES[name], lenient=True)
    question = body.question()
    errors = [_in_body(error, type(body)) for error in kind.check(question)]
    if errors:
        raise InvalidRequest(errors)
    return submit(call.runtime.engine, kind, question, Asker(owner=caller.user_id, warnings=warnings)).job, warnings


def _in_body(error: FieldError, body: type[_Task]) -> FieldError:
    """Where the client wrote what is wrong: filters stand below, other fields may stand beside them."""
    own = error.pointer.removeprefix("/").partition("/")[0] in body.__struct_fields__
    return error if own else FieldError(f"/filters{error.pointer}", error.detail)


def _queued(job: Job) -> str:
    return f"{_KINDS[job.kind].summary}: queued"


def _task_headers(job: Job) -> dict[str, str]:
    return {"Location": f"/api/tasks/{job.id}", "Retry-After": str(POLL_S)}


def status(call: Call) -> Answer:
    """GET status/?task_id=: how far a task has come; 404 for one that there is not."""
    found = _find(call, _parameter(call, "task_id"))
    job, seen = found.job, progress_of(found.job)
    error = job.problem.detail if job.problem else None
    meta: dict[str, Any] = {"progress": job.progress, "status": job.stage, "cache_key": job.cache_key or None}
    body = TaskState(
        task_id=job.id,
        state=job.state,
        ready=seen["ready"],
        successful=seen["successful"],
        status=seen["status"],
        progress=job.progress,
        cache_key=job.cache_key or None,
        error=error,
        meta=meta if error is None else meta | {"error": error},
        result=_outcome(found) if job.state is State.SUCCESS else None,
    )
    headers = _NO_STORE if seen["ready"] else {**_NO_STORE, "Retry-After": str(POLL_S)}
    return Answer(body=body, headers=headers)


def result(call: Call) -> Answer:
    """GET result/?cache_key=: the answer, 202 while it is worked on, 404 for a key that stands for none.

    Whoever may ask the question may read its answer: the key says nothing but the question.
    """
    require(call, public=call.runtime.settings.public_search)
    key = _parameter(call, "cache_key")
    engine = call.runtime.engine
    found = sharing.standing(engine, key) if key.partition(":")[0] in _KINDS else None
    if found is None:
        raise NotFound(f"there is no answer under {key[:100]}: ask again")
    if found.job.state is State.SUCCESS:
        if found.result is None:
            # Not by way of the task, which may be another account's.
            link = engine.store.result_link(found.job.id, f"{found.job.kind}-{found.job.id}.json")
            assert link is not None  # what is not in an answer is a file
            return Answer(status=303, headers={"Location": link, **_NO_STORE})
        answer = ResultAnswer(status="success", data=msgspec.Raw(found.result), message="Result retrieved")
        return Answer(body=answer, headers=_NO_STORE)
    if found.job.state.is_final:
        error = found.job.problem.detail if found.job.problem else "the task was cancelled"
        failed = ResultAnswer(status="error", message="There is no result", error=error)
        return Answer(status=500, body=failed, headers=_NO_STORE)
    waiting = ResultAnswer(status="not_ready", message="The task has not ended yet")
    return Answer(status=202, body=waiting, headers={**_NO_STORE, "Retry-After": str(POLL_S)})


def active(call: Call) -> Answer:
    """GET active/: the caller's own tasks that have not ended; tasks without an account are nobody's to list."""
    caller = require(call, public=call.runtime.settings.public_search)
    engine, now = call.runtime.engine, call.runtime.clock.now()
    jobs = [] if caller.is_anonymous else sharing.views(engine, engine.store.page(caller.user_id, _LOOKED_AT, "").jobs)
    unended = [job for job in jobs if job.kind in _KINDS and not job.state.is_final and job.expires_s > now]
    running = [progress_of(job) for job in unended if job.state.is_running]
    again = [progress_of(job) for job in unended if job.state is State.RETRY]
    waiting = [progress_of(job) for job in unended if job.state is State.PENDING]
    body = ActiveTasks(
        active=_by_worker(running),
        scheduled=_by_worker(again),
        reserved=_by_worker(waiting),
        total_active=len(running),
        total_scheduled=len(again),
        total_reserved=len(waiting),
    )
    return Answer(body=body, headers=_NO_STORE)


def _by_worker(tasks: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Tasks as they were listed by worker, of which there is one here, however many functions run."""
    return {"sluice": tasks} if tasks else {}


def cancel(call: Call) -> Answer:
    """POST cancel/: cancels the caller's task; the work goes on for others who asked the same."""
    request, _ = read_body(call, CancelRequest, lenient=True)
    found = _find(call, request.task_id)
    job = sharing.cancel(call.runtime.engine, found.job)
    message = "Task cancelled" if job.state.is_final else "Task asked to stop"
    if job.state in (State.SUCCESS, State.FAILURE):
        message = f"The task had ended as {job.state} already"
    return Answer(body=CancelledTask(status="cancelled", task_id=job.id, message=message), headers=_NO_STORE)


def _parameter(call: Call, name: str) -> str:
    value = call.query.get(name, "").strip()
    if not value:
        raise InvalidRequest([FieldError("", f"{name} is required, as in ?{name}=...")])
    return value


def _find(call: Call, task_id: str) -> Found:
    """The task of a question about contracts; raises as `find`, and NotFound for a task of another kind."""
    found = find(call, task_id)
    if found.job.kind not in _KINDS:
        raise NotFound(f"there is no task {task_id[:100]}")
    return found


def _cached(found: Found) -> Answer:
    job = found.job
    body = CachedAnswer(
        status="cached",
        data=msgspec.Raw(found.result or b"null"),
        task_id=job.id,
        cache_key=job.cache_key,
        message="Answered from the cache",
    )
    return Answer(body=body, headers=_NO_STORE)


def _outcome(found: Found) -> dict[str, Any]:
    """What came of a task in numbers, under the names that its clients read."""
    numbers: dict[str, Any] = {"status": "completed", "cache_key": found.job.cache_key or None}
    stored = msgspec.json.decode(found.result) if found.result else {}
    rows, pagination = stored.get("data"), stored.get("pagination", {})
    match found.job.kind:
        case "contract_search":
            return numbers | {"record_count": len(rows or ()), "total_count": pagination.get("total_count")}
        case "contract_table":
            pages = {"page": pagination.get("current_page"), "page_size": pagination.get("page_size")}
            return numbers | {"entity_count": len(rows or ()), **pages}
        case "contract_export":
            return numbers | stored
        case _:
            series = rows or {}
            return numbers | {
                "top_contractors_count": len(series.get("by_contractor", ())),
                "top_organizations_count": len(series.get("by_organization", ())),
            }


_GROUP = "Contracts in the background"
_TASK_ID = Param(name="task_id", where="query", summary="The id that the submit answered.")
_CACHE_KEY = Param(name="cache_key", where="query", summary="The key that the submit answered.")
_POLL = {"Retry-After": "Seconds after which to look again."}


def _submitting(view: str, name: str) -> Doc:
    kind, body = _KINDS[name], _BODIES[name]
    return Doc(
        name=f"queue_contract_{view}",
        group=_GROUP,
        summary=kind.summary,
        details="Answered at once where the same question was answered since the last import; otherwise look at "
        "`status/` until the state is SUCCESS or FAILURE, then read `result/`. Unknown fields are ignored with a "
        "warning. Needs an account unless the deployment is open to everybody.",
        access=Access.OPTIONAL,
        request=body,
        example=msgspec.convert({"filters": {"keywords": ["road && bridge"]}}, body),
        replies={
            200: Reply(summary="The answer, which was there", body=CachedAnswer),
            202: Reply(summary="Queued", body=QueuedTask, headers={"Location": "Path of the task.", **_POLL}),
        },
        refusals=(*BODY, *CALLER, Unavailable),
    )


DOCS = {
    "search": _submitting("search", "contract_search"),
    "analytics": _submitting("analytics", "contract_analytics"),
    "aggregates": _submitting("aggregates", "contract_analytics"),
    "table": _submitting("table", "contract_table"),
    "export": Doc(
        name="queue_contract_export",
        group=_GROUP,
        summary="A file of all awards that fit, or of their sums by name",
        details="Look at `status/` until the state is SUCCESS; then `GET /api/tasks/{task_id}/download` answers 303 "
        "to the file, for 24 hours. Of any size; awards in their default order. Unknown fields are ignored with a "
        "warning. Needs an account unless the deployment is open to everybody.",
        access=Access.OPTIONAL,
        request=ExportTask,
        example=msgspec.convert({"filters": {"keywords": ["road && bridge"]}, "format": "xlsx"}, ExportTask),
        replies={
            202: Reply(summary="Queued", body=QueuedExport, headers={"Location": "Path of the task.", **_POLL}),
        },
        refusals=(*BODY, *CALLER, Unavailable),
    ),
    "status": Doc(
        name="get_contract_task",
        group=_GROUP,
        summary="How far a task has come",
        access=Access.OPTIONAL,
        params=(_TASK_ID,),
        replies={200: Reply(summary="The task", body=TaskState, headers=_POLL)},
        refusals=(*CALLER, InvalidRequest, NotFound, Gone, Unavailable),
    ),
    "result": Doc(
        name="get_contract_result",
        group=_GROUP,
        summary="The answer by its cache key",
        access=Access.OPTIONAL,
        params=(_CACHE_KEY,),
        replies={
            200: Reply(summary="The answer", body=ResultAnswer),
            202: Reply(summary="It is worked on", body=ResultAnswer, headers=_POLL),
            303: Reply(summary="The answer is large, and at Location", headers={"Location": "A short-lived address."}),
            500: Reply(summary="The task failed or was cancelled", body=ResultAnswer),
        },
        refusals=(*CALLER, InvalidRequest, NotFound, Unavailable),
    ),
    "active": Doc(
        name="list_active_contract_tasks",
        group=_GROUP,
        summary="The caller's own tasks that have not ended",
        access=Access.OPTIONAL,
        replies={200: Reply(summary="The tasks", body=ActiveTasks)},
        refusals=(*CALLER, Unavailable),
    ),
    "cancel": Doc(
        name="cancel_contract_task",
        group=_GROUP,
        summary="Cancel a task",
        details="Others who asked the same still get their answer.",
        access=Access.OPTIONAL,
        request=CancelRequest,
        example=CancelRequest(task_id="2f1c5a0e-8f0e-4a53-9c53-0c6f2a1b7d11"),
        replies={200: Reply(summary="Cancelled, or asked to stop", body=CancelledTask)},
        refusals=(*BODY, *CALLER, NotFound, Gone, Unavailable),
    ),
}
