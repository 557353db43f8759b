"""Results that the client sends back: filtered and sorted, or as a CSV file; nothing stored is read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from chalicelib.api.body import read_body
from chalicelib.api.event_apps import find_app
from chalicelib.api.event_routes import APP_ID
from chalicelib.api.event_watch import GROUP, OWN, READ
from chalicelib.api.event_watch_csv import RESULT_COLUMNS, CsvFile, plain_text
from chalicelib.api.event_watch_filters import read_moment
from chalicelib.api.http import Answer, Call
from chalicelib.api.paging import NO_STORE
from chalicelib.api.route import BODY, Access, Doc, Reply
from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.events.results import FieldResult

# A result as the client has it.
Sent = dict[str, Any]
# Older clients name the search among the filters, of which it is none.
_SEARCH = "search_term"


class DateRange(Struct, frozen=True, kw_only=True):
    """Times between which a value must lie, both included; in UTC where no zone is said."""

    start: str | None = None
    end: str | None = None


class FilterRequest(Struct, frozen=True, kw_only=True):
    """Results, and which of them are wanted in which order."""

    results: Annotated[tuple[Sent, ...], Meta(description="As they were listed; other fields are kept.")] = ()
    filters: Annotated[
        dict[str, Any] | None,
        Meta(description="A field, and the values that it may have, in any case; all fields must fit."),
    ] = None
    search_term: Annotated[
        str | None, Meta(description="Text that stands anywhere in one of the fields, in any case.")
    ] = None
    date_range: Annotated[DateRange | None, Meta(description="Only results whose value is a time within it.")] = None
    sort_by: Annotated[str | None, Meta(description="Field to sort by, as text in any case.")] = None
    sort_order: Literal["asc", "desc"] = "asc"


class ReportRequest(Struct, frozen=True, kw_only=True):
    """Results that become a file."""

    results: Annotated[tuple[Sent, ...], Meta(description="As they were listed; other fields are left out.")] = ()
    bom: Annotated[bool, Meta(description="Whether the file begins with the mark by which Excel knows UTF-8.")] = False


def filter_posted(call: Call) -> Answer:
    """POST filter: those of the results that fit."""
    find_app(call, "jobs:read")
    request, _ = read_body(call, FilterRequest)
    return Answer(body=select_results(request), headers=NO_STORE)


def download_report(call: Call) -> Answer:
    """POST download-report: the results as a file."""
    app = find_app(call, "jobs:read")
    request, _ = read_body(call, ReportRequest)
    file = CsvFile(RESULT_COLUMNS, has_bom=request.bom)
    for row in request.results:
        file.add([plain_text(row.get(column)) for column in RESULT_COLUMNS])
    return file.answer(f"validation_results_{app.app_id}.csv")


def select_results(request: FilterRequest) -> list[Sent]:
    """The results that fit, in the order that is wanted; raises InvalidRequest for a range that is none."""
    wanted = {field: _folded(values) for field, values in (request.filters or {}).items() if values}
    wanted.pop(_SEARCH, None)
    term = (request.search_term or "").lower()
    kept = [
        row
        for row in request.results
        if all(_fold(row.get(field)) in values for field, values in wanted.items())
        and (not term or any(term in _fold(value) for value in row.values()))
    ]
    if request.date_range is not None:
        start, end = _bound(request.date_range.start, "start"), _bound(request.date_range.end, "end")
        if start or end:
            kept = [row for row in kept if _is_between(read_moment(row.get("value")), start, end)]
    if request.sort_by:
        field = request.sort_by
        kept.sort(key=lambda row: _fold(row.get(field)), reverse=request.sort_order == "desc")
    return kept


def _folded(values: Any) -> set[str]:  # any JSON value
    return {_fold(value) for value in (values if isinstance(values, list) else [values])}


def _fold(value: object) -> str:
    return plain_text(value).lower()


def _bound(text: str | None, name: str) -> datetime | None:
    moment = read_moment(text)
    if text and moment is None:
        detail = f"must be a time such as 2026-01-31T12:00:00Z, got {text[:40]!r}"
        raise InvalidRequest([FieldError(f"/date_range/{name}", detail)])
    return moment


def _is_between(moment: datetime | None, start: datetime | None, end: datetime | None) -> bool:
    return moment is not None and (start is None or start <= moment) and (end is None or moment <= end)


_EXAMPLE: Sent = {"eventName": "user_login", "key": "userId", "value": "x", "validationStatus": "Valid"}
_NOTHING_STORED = "Nothing that is stored is read. "

DOCS: Mapping[str, Doc] = {
    "filter_posted": Doc(
        name="filter_sent_results",
        group=GROUP,
        summary="Filter and sort results that are sent along",
        details=f"{_NOTHING_STORED}{OWN}",
        access=Access.ACCOUNT,
        params=(APP_ID,),
        request=FilterRequest,
        example=FilterRequest(results=(_EXAMPLE,), filters={"validationStatus": ["Valid"]}, sort_by="key"),
        replies={200: Reply(summary="Those that fit", body=list[FieldResult])},
        refusals=(*READ, *BODY),
    ),
    "download_report": Doc(
        name="download_sent_results",
        group=GROUP,
        summary="A CSV file of results that are sent along",
        details=f"{_NOTHING_STORED}A cell that a spreadsheet would compute has an apostrophe before it. {OWN}",
        access=Access.ACCOUNT,
        params=(APP_ID,),
        request=ReportRequest,
        example=ReportRequest(results=(_EXAMPLE,)),
        replies={
            200: Reply(summary="The file", media="text/csv", headers={"Content-Disposition": "A name for the file."})
        },
        refusals=(*READ, *BODY),
    ),
}
