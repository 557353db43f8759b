"""The routes of events: where apps send them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from chalicelib.api import event_apps, event_logs
from chalicelib.api.route import BODY, CALLER, Access, Doc, Param, Reply, Route
from chalicelib.api.submission import LONGEST_WAIT_S
from chalicelib.errors import Conflict, NotFound, TooManyRequests, Unauthenticated, Unavailable, UnknownApp
from chalicelib.events.bodies import MAX_BATCH_BYTES, MAX_EVENTS, RESERVED
from chalicelib.jobs.kind import Registry

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
_REFUSALS = (*BODY, Unauthenticated, UnknownApp, TooManyRequests, Unavailable)


class EventBody(Struct, frozen=True, kw_only=True, rename="camel"):
    """One event; any other keys may stand beside these."""

    event_name: str
    message_id: str | None = None
    user_id: int | None = None
    payload: dict[str, Any] | None = None


_EXAMPLE = EventBody(event_name="user_login", message_id="7d1c-1", payload={"userId": 123})


def event_routes(registry: Registry) -> Iterator[Route]:
    """Ingest, and the apps that it is for."""
    yield from _ingest(registry)
    yield from _apps()
    yield from _keys()


def _ingest(registry: Registry) -> Iterator[Route]:
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
                202: Reply(summary="Queued", body=event_logs.EventAnswer, headers=_QUEUED),
                422: Reply(summary="The event breaks rules", body=event_logs.EventAnswer),
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
            params=(APP_ID, _KEY),
            request=EventBody,
            example=_EXAMPLE,
            replies={
                202: Reply(summary="Queued", body=event_logs.EventsAnswer, headers=_QUEUED),
                422: Reply(summary="None is kept, for each breaks rules", body=event_logs.EventsAnswer),
            },
            refusals=_REFUSALS,
        ),
    )


def _apps() -> Iterator[Route]:
    yield Route(
        "/api/apps",
        "POST",
        event_apps.create,
        lambda: Doc(
            name="create_app",
            group="Events",
            summary="Make an app that sends events",
            details=f"An account has at most {event_apps.MAX_APPS}. Events are taken within seconds.",
            access=Access.ACCOUNT,
            request=event_apps.NewApp,
            example=event_apps.NewApp(name="Shop", app_id="shop-android", policy="record"),
            replies={201: Reply(summary="The app", body=event_apps.AppView, headers={"Location": "Path of the app."})},
            refusals=(*BODY, *CALLER, Conflict, Unavailable),
        ),
    )
    yield Route(
        "/api/apps",
        "GET",
        event_apps.list_own,
        lambda: Doc(
            name="list_apps",
            group="Events",
            summary="The account's apps",
            access=Access.ACCOUNT,
            replies={200: Reply(summary="The apps, newest first", body=event_apps.AppList)},
            refusals=(*CALLER, Unavailable),
        ),
    )
    yield Route(
        "/api/apps/{app_id}",
        "GET",
        event_apps.show,
        lambda: Doc(
            name="get_app",
            group="Events",
            summary="An app",
            access=Access.ACCOUNT,
            params=(APP_ID,),
            replies={200: Reply(summary="The app", body=event_apps.AppView)},
            refusals=(*CALLER, NotFound, Unavailable),
        ),
    )
    yield Route(
        "/api/apps/{app_id}",
        "PUT",
        event_apps.change,
        lambda: Doc(
            name="change_app",
            group="Events",
            summary="Change an app",
            details="What the body leaves out stays as it is. Events are taken by it within seconds.",
            access=Access.ACCOUNT,
            params=(APP_ID,),
            request=event_apps.AppChange,
            example=event_apps.AppChange(policy="accept"),
            replies={200: Reply(summary="The app", body=event_apps.AppView)},
            refusals=(*BODY, *CALLER, NotFound, Unavailable),
        ),
    )
    for path, name in (("/api/apps/{app_id}", "delete_app"), ("/app/{app_id}", "delete_app_as_before")):
        yield Route(path, "DELETE", event_apps.remove, _removing(name))


def _removing(name: str) -> Callable[[], Doc]:
    return lambda: Doc(
        name=name,
        group="Events",
        summary="Remove an app with its rules and events",
        access=Access.ACCOUNT,
        params=(APP_ID,),
        replies={200: Reply(summary="Removed", body=event_apps.Removed)},
        refusals=(*CALLER, NotFound, Unavailable),
    )


def _keys() -> Iterator[Route]:
    yield Route(
        "/api/apps/{app_id}/ingest-key",
        "POST",
        event_apps.make_key,
        lambda: Doc(
            name="make_ingest_key",
            group="Events",
            summary="Have events need a key",
            details="The key is in this answer and never shown again; one that there was before is void.",
            access=Access.ACCOUNT,
            params=(APP_ID,),
            replies={201: Reply(summary="The key, shown once", body=event_apps.IngestKey)},
            refusals=(*CALLER, NotFound, Unavailable),
        ),
    )
    yield Route(
        "/api/apps/{app_id}/ingest-key",
        "DELETE",
        event_apps.remove_key,
        lambda: Doc(
            name="remove_ingest_key",
            group="Events",
            summary="Have events need no key",
            access=Access.ACCOUNT,
            params=(APP_ID,),
            replies={200: Reply(summary="The app", body=event_apps.AppView)},
            refusals=(*CALLER, NotFound, Unavailable),
        ),
    )
