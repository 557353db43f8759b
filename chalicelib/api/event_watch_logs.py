"""Stored events by page, newest first, and the results of their fields in one list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct

from chalicelib.api.body import read_body
from chalicelib.api.event_apps import find_app
from chalicelib.api.event_routes import APP_ID
from chalicelib.api.event_watch import GROUP, OWN, READ
from chalicelib.api.event_watch_filters import (
    EventFilters,
    LogsQuery,
    cursor_of,
    filters_of,
    filters_of_query,
    mark_of,
)
from chalicelib.api.http import Answer, Call
from chalicelib.api.paging import NO_STORE, list_reply
from chalicelib.api.query import query_params, read_query
from chalicelib.api.route import BODY, Access, Doc, Reply
from chalicelib.db.events.watch import MOST_LOOKED_AT, Entry, Found, Wanted
from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.events.results import WRONG, FieldResult

RESULTS, MAX_RESULTS = 1_000, 5_000


class LoggedEvent(Struct, frozen=True, kw_only=True):
    """A stored event with what was found about its fields."""

    id: Annotated[int, Meta(description="Greater than those of events that were stored before.")]
    app_id: str
    event_name: Annotated[str, Meta(description="As it was sent.")]
    message_id: str
    validation_status: Annotated[
        str, Meta(description="valid, invalid, or no_rules for an event that the rule sheet does not know.")
    ]
    is_user: Annotated[bool, Meta(description="Whether it is of the user: eventId 0 or none, and there are rules.")]
    rules_version: Annotated[int, Meta(description="Of the rule sheet that it was judged by; 0: there was none.")]
    created_at: Annotated[datetime, Meta(description="When it was accepted, RFC 3339 in UTC.")]
    payload: Annotated[
        msgspec.Raw, Meta(description="The body of the event as it is kept: a JSON object, or null where none is.")
    ]
    is_body_kept: Annotated[
        bool, Meta(description="false: the app keeps the bodies of some valid events only, and not of this one.")
    ] = True
    validation_results: Annotated[
        msgspec.Raw, Meta(description="What was found about each field: objects as filter-logs lists them.")
    ]


class LogPage(Struct, frozen=True, kw_only=True):
    """A page of stored events, newest first."""

    logs: tuple[LoggedEvent, ...]
    next_cursor: Annotated[
        str | None,
        Meta(
            description="Where the next page begins; null where there is none. A page may be short, or empty, and be "
            "followed by more."
        ),
    ]
    newest: Annotated[str, Meta(description="What had been stored by now, for `since`.")]
    total: Annotated[int | None, Meta(description="Events that fit; null where the query has a cursor or since.")] = (
        None
    )
    is_total_exact: Annotated[
        bool, Meta(description=f"false: only the newest {MOST_LOOKED_AT:,} events were counted through.")
    ] = True
    page: int | None = None
    limit: int


class FilteredResult(FieldResult, frozen=True, kw_only=True, rename="camel"):
    """What was found about one field of a stored event."""

    timestamp: Annotated[datetime, Meta(description="When the event was accepted, RFC 3339 in UTC.")]
    id: Annotated[int, Meta(description="Of the stored event.")]


class ResultsQuery(Struct, frozen=True, kw_only=True):
    """Which page of results is wanted."""

    limit: Annotated[
        int,
        Meta(ge=1, le=MAX_RESULTS, description=f"Results of a page, at most {MAX_RESULTS}; {RESULTS} when missing."),
    ] = RESULTS
    cursor: Annotated[
        Annotated[str, Meta(max_length=40)] | None, Meta(description="From the Link header of the page before.")
    ] = None


def list_logs(call: Call) -> Answer:
    """GET logs: a page of events."""
    app = find_app(call)
    query = read_query(call, LogsQuery, _check_pages)
    page = query.page or 1
    wanted = Wanted(
        filters=filters_of_query(query),
        limit=query.limit,
        offset=(page - 1) * query.limit,
        after=cursor_of(query.cursor),
        since=mark_of(query.since),
        counts=not (query.cursor or query.since),
    )
    found = call.runtime.event_watch.entries(app.id, wanted)
    body = LogPage(
        logs=tuple(show_entry(app.app_id, entry) for entry in found.entries),
        next_cursor=str(found.next) if found.next else None,
        newest=str(found.newest),
        total=found.total,
        is_total_exact=found.is_total_exact,
        page=None if query.cursor or query.since else page,
        limit=query.limit,
    )
    return Answer(body=body, headers=NO_STORE)


def filter_logs(call: Call) -> Answer:
    """POST filter-logs: a bare list of results, as older clients read it; the next page is the same body, sent on."""
    app = find_app(call, "jobs:read")
    query = read_query(call, ResultsQuery, lambda _: [])
    said = read_body(call, EventFilters)[0] if call.body.strip() else EventFilters()
    wanted = Wanted(filters=filters_of(said), limit=query.limit, after=cursor_of(query.cursor))
    found = call.runtime.event_watch.results(app.id, wanted)
    address = f"{call.path}?{urlencode({**call.query, 'cursor': str(found.next)})}"
    headers = {**NO_STORE, "Link": f'<{address}>; rel="next"'} if found.next else NO_STORE
    return Answer(body=[show_result(result) for result in found.results], headers=headers)


def show_entry(app_id: str, entry: Entry) -> LoggedEvent:
    """A stored event as clients see it."""
    return LoggedEvent(
        id=entry.id,
        app_id=app_id,
        event_name=entry.event_name,
        message_id=entry.message_id,
        validation_status=entry.status,
        is_user=entry.is_user,
        rules_version=entry.rules_version,
        created_at=entry.accepted_at.astimezone(UTC),
        payload=msgspec.Raw(entry.body.encode() if entry.is_body_kept else b"null"),
        is_body_kept=entry.is_body_kept,
        validation_results=msgspec.Raw(entry.results.encode()),
    )


def show_result(found: Found) -> FilteredResult:
    """A result as clients see it."""
    return FilteredResult(
        event_name=found.event,
        key=found.key,
        value=found.value,
        expected_type=found.expected_type,
        received_type=found.received_type,
        validation_status=found.validation_status,
        comment=found.comment,
        timestamp=found.accepted_at.astimezone(UTC),
        id=found.id,
    )


def _check_pages(query: LogsQuery) -> list[FieldError]:
    if query.page is None:
        return []
    if query.cursor or query.since:
        return [FieldError("/page", "must be left out beside cursor and since")]
    most = max(1, MOST_LOOKED_AT // query.limit)
    if query.page > most:
        detail = f"must be at most {most} for pages of {query.limit}, got {query.page}; next_cursor goes on from there"
        return [FieldError("/page", detail)]
    return []


_FILTERS = (
    "Filters of different kinds must all hold, of the items of one kind any; an event fits if one of its results has "
    "all that is asked of results. "
)
_BOUNDED = (
    f"One answer looks at {MOST_LOOKED_AT:,} events and holds some 4 MB at most: then it is short, and says where to "
    "go on. "
)
_POLLING = (
    "A client that polls sends `newest` of its last answer as `since` and gets what was stored after it, newest first, "
    "and none is missed, whichever was stored first; `next_cursor` goes on within the same `since`. "
)

DOCS: Mapping[str, Doc] = {
    "list_logs": Doc(
        name="list_event_logs",
        group=GROUP,
        summary="Stored events, newest first",
        details=f"In the order in which they were stored. {_FILTERS}{_BOUNDED}{_POLLING}{OWN}",
        access=Access.ACCOUNT,
        params=(APP_ID, *query_params(LogsQuery)),
        replies={200: Reply(summary="A page", body=LogPage)},
        refusals=(*READ, InvalidRequest),
    ),
    "filter_logs": Doc(
        name="filter_event_logs",
        group=GROUP,
        summary="Results of fields that fit, those of the newest event first",
        details=f"A result is listed if it and its event fit. {_FILTERS}{_BOUNDED}The body may be left out. {OWN}",
        access=Access.ACCOUNT,
        params=(APP_ID, *query_params(ResultsQuery)),
        request=EventFilters,
        example=EventFilters(event_names=("user_login",), validation_statuses=(WRONG,), value_search="50%"),
        replies={200: list_reply("A page; the next one is asked for by the same body", FilteredResult)},
        refusals=(*READ, *BODY),
    ),
}
