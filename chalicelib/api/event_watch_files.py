"""CSV files of stored events: all results, and a summary of the last day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chalicelib.api.body import read_body
from chalicelib.api.event_apps import find_app
from chalicelib.api.event_routes import APP_ID
from chalicelib.api.event_watch import GROUP, OWN, READ
from chalicelib.api.event_watch_csv import RESULT_COLUMNS, CsvFile, too_large
from chalicelib.api.event_watch_filters import EventFilters, filters_of
from chalicelib.api.http import Answer, Call
from chalicelib.api.route import BODY, Access, Doc, Reply
from chalicelib.db.events.watch import MOST_BYTES, MOST_LOOKED_AT, MOST_NAMES, Entry, Wanted
from chalicelib.db.events.watch_filters import Filters
from chalicelib.errors import NotFound
from chalicelib.events.results import FieldResult

# More than fits the file: each row is longer as it is read.
_READ_BYTES = 5 * MOST_BYTES
_MOST_ROWS = 200_000
_SUMMARY_COLUMNS = (
    "Event Name", "Latest Timestamp", "Field Name", "Value", "Expected Type", "Received Type", "Validation Status",
    "Latest Log Payload",
)  # fmt: skip
_BOM = Meta(description="Whether the file begins with the mark by which Excel knows UTF-8.")


class AllResultsRequest(Struct, frozen=True, kw_only=True):
    """Which results are wanted in a file."""

    filters: Annotated[EventFilters, Meta(description="As for filter-logs; all results without them.")] = EventFilters()
    all_events: Annotated[
        bool, Meta(description="true: of every stored event, not only of the newest of each name.")
    ] = False
    bom: Annotated[bool, _BOM] = False


class SummaryRequest(Struct, frozen=True, kw_only=True):
    """How the summary is wanted."""

    bom: Annotated[bool, _BOM] = False


def download_all(call: Call) -> Answer:
    """POST download-all-results: a row for each result that fits."""
    app = find_app(call, "jobs:read")
    said = read_body(call, AllResultsRequest)[0] if call.body.strip() else AllResultsRequest()
    filters = filters_of(said.filters, "/filters")
    filters = msgspec.structs.replace(filters, latest_only=filters.latest_only or not said.all_events)
    found = call.runtime.event_watch.results(app.id, Wanted(filters=filters, limit=_MOST_ROWS, most_bytes=_READ_BYTES))
    if found.next:
        raise too_large()
    if not found.results:
        raise NotFound("no results fit the filters")
    file = CsvFile(RESULT_COLUMNS, has_bom=said.bom)
    for row in found.results:
        file.add(
            (row.event, row.key, row.value, row.expected_type, row.received_type, row.validation_status, row.comment)
        )
    return file.answer(f"validation_results_all_{app.app_id}.csv")


def download_valid(call: Call) -> Answer:
    """POST download-valid-events: the newest event of each name of a user, with its results below each other."""
    app = find_app(call, "jobs:read")
    said = read_body(call, SummaryRequest)[0] if call.body.strip() else SummaryRequest()
    since = call.runtime.clock.utcnow() - timedelta(hours=24)
    filters = Filters(latest_only=True, is_user=True, accepted_from=since)
    found = call.runtime.event_watch.entries(app.id, Wanted(filters=filters, limit=MOST_NAMES, most_bytes=_READ_BYTES))
    if found.next:
        raise too_large()
    if not found.entries:
        raise NotFound("no event of a user was stored in the last 24 hours")
    file = CsvFile(_SUMMARY_COLUMNS, has_bom=said.bom)
    for entry in sorted(found.entries, key=lambda entry: entry.event_name.lower()):
        _add_event(file, entry)
    return file.answer(f"validation_summary_{app.app_id}.csv")


def _add_event(file: CsvFile, entry: Entry) -> None:
    """Name, time and body stand in the event's first row alone."""
    at = f"{entry.accepted_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    results = msgspec.json.decode(entry.results, type=tuple[FieldResult, ...])
    body = entry.body if entry.is_body_kept else ""
    if not results:
        file.add((entry.event_name, at, "", "", "", "", entry.status, body))
    for place, result in enumerate(results):
        name, time, body = ("", "", "") if place else (entry.event_name, at, body)
        cells = (result.key, result.value, result.expected_type, result.received_type, result.validation_status)
        file.add((name, time, *cells, body))


_CSV = Reply(summary="The file", media="text/csv", headers={"Content-Disposition": "A name for the file."})
_SAFE = (
    "A cell that a spreadsheet would compute has an apostrophe before it. A file of more than "
    f"{MOST_BYTES // 1_000_000} MB is refused (413). "
)

DOCS: Mapping[str, Doc] = {
    "download_all": Doc(
        name="download_event_results",
        group=GROUP,
        summary="A CSV file of results",
        details=f"Of the newest event of each name, or with `all_events` of every stored one, at most "
        f"{MOST_LOOKED_AT:,}. 404 where nothing fits. {_SAFE}The body may be left out. {OWN}",
        access=Access.ACCOUNT,
        params=(APP_ID,),
        request=AllResultsRequest,
        example=AllResultsRequest(filters=EventFilters(event_names=("user_login",)), bom=True),
        replies={200: _CSV},
        refusals=(*READ, *BODY),
    ),
    "download_valid": Doc(
        name="download_event_summary",
        group=GROUP,
        summary="A CSV file of the last 24 hours: the newest event of each name",
        details="Names whose newest event is one of a user, valid or not; in the order of their names. Name, time and "
        f"body stand in an event's first row alone. 404 where there is none. {_SAFE}The body may be left out. {OWN}",
        access=Access.ACCOUNT,
        params=(APP_ID,),
        request=SummaryRequest,
        example=SummaryRequest(bom=True),
        replies={200: _CSV},
        refusals=(*READ, *BODY),
    ),
}
