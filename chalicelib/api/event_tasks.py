"""Tasks of single events: nothing is stored for them, so their state is whether there is a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.api.http import Answer, Call
from chalicelib.clock import rfc3339
from chalicelib.errors import NotFound, Unavailable
from chalicelib.events.ids import Receipt, read
from chalicelib.jobs.state import State

if TYPE_CHECKING:
    from chalicelib.db.events.log import StoredEvent

_POLL_S = 1
_SAYS = {State.PENDING: "Waiting in the queue", State.SUCCESS: "Stored", State.FAILURE: "Given up"}
_AWAY = "Accepted; whether it is stored cannot be told while the database is away"


def event_status(call: Call, task_id: str) -> Answer:
    """What became of an event: SUCCESS when it has a row, FAILURE when it was given up; who holds the id may ask.

    While Postgres is away it is PENDING and says so: the event was accepted, and those who poll need not stop.
    """
    receipt = read(task_id, call.runtime.token_secret.encode())
    if receipt is None:
        raise NotFound(f"there is no task {task_id[:100]}")
    says = ""
    try:
        stored = call.runtime.event_log.find(receipt.app, receipt.message_id)
    except Unavailable:
        stored, says = None, _AWAY
    reason = None if stored else call.runtime.event_records.given_up(receipt.app, receipt.message_id)
    state = State.SUCCESS if stored else State.FAILURE if reason else State.PENDING
    headers = {"Cache-Control": "no-cache"} | ({} if state.is_final else {"Retry-After": str(_POLL_S)})
    body = describe_event(task_id, receipt, state, (stored, reason))
    if says and not state.is_final:
        body |= {"status": says, "stage": says.lower()}
    return Answer(body=body, headers=headers)


def describe_event(
    task_id: str, receipt: Receipt, state: State, found: tuple[StoredEvent | None, str | None]
) -> dict[str, Any]:  # a JSON object
    """The task as other tasks are told."""
    stored, reason = found
    body: dict[str, Any] = {
        "task_id": task_id,
        "kind": "event",
        "state": state,
        "status": _SAYS[state],
        "progress": 100 if state.is_final else 0,
        "current": 100 if state.is_final else 0,
        "total": 100,
        "stage": _SAYS[state].lower(),
        "cache_key": None,
        "ready": state.is_final,
        "successful": state is State.SUCCESS if state.is_final else None,
        "attempt": None,
        "created_at": rfc3339(receipt.accepted_ms / 1000),
        "message_id": receipt.message_id,
    }
    if stored is not None:
        body["result"] = {
            "id": stored.id,
            "event_name": stored.event_name,
            "validation_status": stored.status,
            "rules_version": stored.rules_version,
            "accepted_at": rfc3339(stored.accepted_at.timestamp()),
            "is_removed": stored.id is None,
        }
    if reason is not None:
        body |= {"error": reason, "error_type": "unstorable"}
    return body
