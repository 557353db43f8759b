"""The routes of events: where apps send them, and a table of those of apps and rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from chalicelib.api import event_logs
from chalicelib.api.resources import resource_routes
from chalicelib.api.route import BODY, Access, Doc, Param, Reply, Route
from chalicelib.api.submission import LONGEST_WAIT_S
from chalicelib.errors import TooManyRequests, Unauthenticated, Unavailable, UnknownApp
from chalicelib.events.bodies import MAX_BATCH_BYTES, MAX_EVENTS, RESERVED
from chalicelib.jobs.kind import Registry

_APPS = (
    ("POST", "/api/apps", "event_apps", "create"),
    ("GET", "/api/apps", "event_apps", "list_own"),
    ("GET", "/api/apps/{app_id}", "event_apps", "show"),
    ("PUT", "/api/apps/{app_id}", "event_apps", "change"),
    ("DELETE", "/api/apps/{app_id}", "event_apps", "remove"),
    ("DELETE", "/app/{app_id}", "event_apps", "old_remove"),
    ("POST", "/api/apps/{app_id}/ingest-key", "event_apps", "make_key"),
    ("DELETE", "/api/apps/{app_id}/ingest-key", "event_apps", "remove_key"),
    ("POST", "/api/apps/{app_id}/rules", "event_rules", "upload"),
    ("GET", "/api/apps/{app_id}/rules", "event_rules", "show"),
    ("GET", "/api/apps/{app_id}/rules/csv", "event_rules", "download"),
    ("GET", "/api/apps/{app_id}/rules/schema", "event_rules", "show_schema"),
    ("GET", "/api/apps/{app_id}/rules/versions", "event_rules", "versions"),
    ("POST", "/api/apps/{app_id}/rules/rollback", "event_rules", "roll_back"),
    ("GET", "/app/{app_id}/validation-rules", "event_rule_rows", "list_rows"),
    ("POST", "/app/{app_id}/validation-rules", "event_rule_rows", "add"),
    ("PUT", "/app/{app_id}/validation-rules/{rule_id}", "event_rule_rows", "change"),
    ("DELETE", "/app/{app_id}/validation-rules/{rule_id}", "event_rule_rows", "remove"),
    ("DELETE", "/app/{app_id}/validation-rules/event/{event}", "event_rule_rows", "remove_event"),
    ("POST", "/app/{app_id}/upload-rules", "event_rule_rows", "upload_form"),
)
APP_ID = Param(name="app_id", where="path", summary="The id of the app.")
_KEY = Param(name="X-Ingest-Key", where="header", summary="The app's ingest key, where it has one.")
_PREFER = Param(
    name="Prefer",
    where="header",
    summary=f"`wait=N` waits up to N seconds, at most {LONGEST_WAIT_S}, and answers 200 with the task once "
    "the event has its row.",
)
_QUEUED = {"Location": "Path of the task.", "Retry-After": "Seconds after which to look at it."}
_FORMS = (
    "An event is a JSON object with `eventName` (or `event_name`, `event`). Its `payload` object is held against the "
    "app's rules; without one all other keys are, less "
    f"{', '.join(sorted(RESERVED))}, which count only where a rule names them. `messageId` names the event for good: "
    "it is stored once however often it is sent. Arrays, JSON Lines and text with lines `Event Payload: {...}` are "
    f"several events, at most {MAX_EVENTS} and {MAX_BATCH_BYTES // 1024} KB."
)
_POLICIES = (
    "An event that breaks rules is answered 422 and stored as invalid (policy `record`), 202 and stored as invalid "
    "(`accept`), or 422 and not stored (`drop`). "
)
# Of one event, or of several; the two routes take both.
_EITHER = (event_logs.EventAnswer, event_logs.EventsAnswer)
_REFUSALS = (*BODY, Unauthenticated, UnknownApp, TooManyRequests, Unavailable)


class EventBody(Struct, frozen=True, kw_only=True, rename="camel"):
    """One event; any other keys may stand beside these."""

    event_name: str
    message_id: str | None = None
    user_id: int | None = None
    payload: dict[str, Any] | None = None


_EXAMPLE = EventBody(event_name="user_login", message_id="7d1c-1", payload={"userId": 123})


def app_routes() -> Iterator[Route]:
    """The apps that events are of, with their rules."""
    return resource_routes(_APPS)


def ingest_routes(registry: Registry) -> Iterator[Route]:
    """Where events come in, which every start pays for; how many of an app are taken is counted there."""
    ingest = event_logs.ingesting(registry)
    yield Route(
        "/api/logs/{app_id}",
        "POST",
        ingest,
        lambda: Doc(
            name="send_event",
            group="Events",
            summary="Send an event",
            details=f"{_POLICIES}{_FORMS} The answer to several is that of the batch route.",
            access=Access.OPEN,
            params=(APP_ID, _KEY, _PREFER),
            request=EventBody,
            example=_EXAMPLE,
            replies={
                200: Reply(summary="Stored, within the time that `Prefer` gave it", body=event_logs.EventAnswer),
                202: Reply(summary="Queued", body=_EITHER, headers=_QUEUED),
                422: Reply(summary="The event breaks rules, or each of several", body=_EITHER),
            },
            refusals=_REFUSALS,
        ),
    )
    yield Route(
        "/api/logs/{app_id}/batch",
        "POST",
        ingest,
        lambda: Doc(
            name="send_events",
            group="Events",
            summary="Send many events",
            details=f"Each is judged by itself. {_POLICIES}{_FORMS} 202 where at least one is queued.",
            access=Access.OPEN,
            params=(APP_ID, _KEY, _PREFER),
            request=EventBody,
            example=_EXAMPLE,
            replies={
                200: Reply(summary="One event was sent, and is stored", body=event_logs.EventAnswer),
                202: Reply(summary="Queued", body=_EITHER, headers=_QUEUED),
                422: Reply(summary="None is kept, for each breaks rules", body=_EITHER),
            },
            refusals=_REFUSALS,
        ),
    )
