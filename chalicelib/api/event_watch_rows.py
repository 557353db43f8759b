"""One stored event, and the removal of one or of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.api.event_apps import find_app
from chalicelib.api.event_routes import APP_ID
from chalicelib.api.event_watch import GROUP, OWN, READ
from chalicelib.api.event_watch_logs import LoggedEvent, show_entry
from chalicelib.api.http import Answer, Call
from chalicelib.api.paging import NO_STORE
from chalicelib.api.route import Access, Doc, Param, Reply
from chalicelib.db.events.watch_removal import MOST_REMOVED
from chalicelib.db.viewer import missing, read_id


class RemovedEvents(Struct, frozen=True, kw_only=True):
    """What was removed."""

    success: bool = True
    deleted: Annotated[int, Meta(description="How many events.")]
    is_complete: Annotated[
        bool, Meta(description=f"false: there were more than {MOST_REMOVED:,}; call again to remove the rest.")
    ] = True


def show(call: Call) -> Answer:
    """GET one event."""
    app, text = find_app(call), call.params["row_id"]
    row_id = read_id(text)
    entry = None if row_id is None else call.runtime.event_watch.find(app.id, row_id)
    if entry is None:
        raise missing("event", text)
    return Answer(body=show_entry(app.app_id, entry), headers=NO_STORE)


def remove(call: Call) -> Answer:
    """DELETE one event."""
    app, text = find_app(call), call.params["row_id"]
    row_id = read_id(text)
    if row_id is None or not call.runtime.event_removal.remove(app.id, row_id):
        raise missing("event", text)
    return Answer(body=RemovedEvents(deleted=1), headers=NO_STORE)


def remove_all(call: Call) -> Answer:
    """POST delete-logs: all events that are stored by now."""
    removed = call.runtime.event_removal.clear(find_app(call).id)
    return Answer(body=RemovedEvents(deleted=removed.count, is_complete=removed.is_all), headers=NO_STORE)


_ROW_ID = Param(name="row_id", where="path", summary="The stored event: `id` of logs.")
_KNOWN = (
    "Its newest event by then is the newest of its name from now on. What was removed does not come back: an event "
    "that its app sends again under the same messageId is known. "
)

DOCS: Mapping[str, Doc] = {
    "show": Doc(
        name="get_event_log",
        group=GROUP,
        summary="One stored event",
        details=OWN,
        access=Access.ACCOUNT,
        params=(APP_ID, _ROW_ID),
        replies={200: Reply(summary="The event", body=LoggedEvent)},
        refusals=READ,
    ),
    "remove": Doc(
        name="delete_event_log",
        group=GROUP,
        summary="Remove one stored event",
        details=f"{_KNOWN}{OWN}",
        access=Access.ACCOUNT,
        params=(APP_ID, _ROW_ID),
        replies={200: Reply(summary="Removed", body=RemovedEvents)},
        refusals=READ,
    ),
    "remove_all": Doc(
        name="delete_event_logs",
        group=GROUP,
        summary="Remove all stored events of an app",
        details="Those that are stored when it is called, oldest first; what is still in the queue comes later. "
        f"At most {MOST_REMOVED:,} in one call. The app and its rules stay. {_KNOWN}{OWN}",
        access=Access.ACCOUNT,
        params=(APP_ID,),
        replies={200: Reply(summary="Removed", body=RemovedEvents)},
        refusals=READ,
    ),
}
