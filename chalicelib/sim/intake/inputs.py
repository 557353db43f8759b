"""What a request to import a file of work items may say, and the rules that its schema cannot state.

No numpy here: the API reads requests with this module and its import must stay cheap.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from chalicelib.errors import FieldError
from chalicelib.sim.dates import ACCEPTED, read_date

# Years outside are typing errors; within them no sum of days leaves the calendar.
EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 31)

FileFormat = Literal["closed_dates", "jira", "actionable_agile"]
FormatWish = Literal["auto", "closed_dates", "jira", "actionable_agile"]
OrderWish = Literal["auto", "dmy", "mdy"]

_Name = Annotated[str, Meta(max_length=200)]
_Day = Annotated[str, Meta(max_length=40)]


class ImportRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    """A file of work items, to be turned into throughput, cycle times and ageing. The file alone is enough."""

    content: Annotated[
        str | None,
        Meta(
            description="Text of the file: values separated by commas, semicolons or tabs, one work item in each row. "
            "As large as a body may be; larger files are sent by `POST /api/uploads`. Either this or upload_id."
        ),
    ] = None
    upload_id: Annotated[
        _Name | None, Meta(description="Name of a file that was sent before. Either this or content.")
    ] = field(default=None, name="upload_id")
    format: Annotated[
        FormatWish,
        Meta(
            description="closed_dates: any table with a column of closing dates. jira: Jira's CSV export. "
            "actionable_agile: id, link, title, then one column of dates for each stage of the workflow. auto: told "
            "from the names of the columns."
        ),
    ] = "auto"
    start_column: Annotated[
        _Name | None,
        Meta(
            description="Name of the column that says when work on an item began, instead of a guess. In the "
            "actionable_agile format the first stage that counts as work."
        ),
    ] = None
    end_column: Annotated[
        _Name | None, Meta(description="Name of the column that says when an item was closed, instead of a guess.")
    ] = None
    date_order: Annotated[
        OrderWish,
        Meta(
            description="How 03/04/2026 is read: dmy 3 April, mdy 4 March. auto: decided by the values of each column; "
            "dmy, with a warning, if none of them decides."
        ),
    ] = "auto"
    cadence_days: Annotated[int, Meta(ge=1, le=366, description="Days in one bucket of throughput; 7 for weeks.")] = (
        field(default=7, name="throughputCadenceDays")
    )
    from_date: Annotated[
        _Day | None,
        Meta(
            description=f"First closing date that counts: {ACCEPTED}. Also the day from which the file is known to be "
            "complete: buckets begin here even if nothing was closed yet."
        ),
    ] = None
    to_date: Annotated[
        _Day | None,
        Meta(
            description="Last closing date that counts. Buckets are counted back from here, so it also chooses on "
            "which day of the week they end."
        ),
    ] = None
    as_of: Annotated[
        _Day | None,
        Meta(
            description="The file is read as it stood at the end of this day: ages of open items are counted to here, "
            "an item closed later was still open, a bucket that ends later is not whole. The latest date in the file "
            "when missing, at most today."
        ),
    ] = None
    item_types: Annotated[
        tuple[_Name, ...],
        Meta(max_length=100, description="Only items of these types, in any case; all types when empty."),
    ] = ()

    @property
    def source(self) -> str:
        """JSON pointer to the field that names the file."""
        return "/content" if self.upload_id is None else "/upload_id"


def check(request: ImportRequest) -> list[FieldError]:
    """Every rule of the request that its schema cannot state, all broken ones at once; empty when it is sound.

    The schema's own bounds are not checked again: the request must come from a msgspec decoder.
    """
    return [
        FieldError(pointer, detail)
        for rules in (_file, _columns, _dates, _window)
        for pointer, detail in rules(request)
    ]


def day_of(text: str | None) -> date | None:
    """The day that a date field of the request names; None when it is missing, empty or unreadable."""
    return read_date(text) if text else None


_Broken = Iterator[tuple[str, str]]


def _file(request: ImportRequest) -> _Broken:
    if (request.content is None) == (request.upload_id is None):
        found = "none" if request.content is None else "both"
        yield "/content", f"exactly one of content and upload_id must be given, got {found}"


def _columns(request: ImportRequest) -> _Broken:
    if request.start_column is not None and request.start_column == request.end_column:
        yield "/startColumn", f"must be another column than endColumn, got {request.start_column!r} for both"


def _dates(request: ImportRequest) -> _Broken:
    for pointer, text in (
        ("/fromDate", request.from_date),
        ("/toDate", request.to_date),
        ("/asOf", request.as_of),
    ):
        day = day_of(text)
        if text and day is None:
            yield pointer, f"must be a date like {ACCEPTED}, got {text!r}"
        elif day and not EARLIEST <= day <= LATEST:
            yield pointer, f"must be from {EARLIEST} to {LATEST}, got {day}"


def _window(request: ImportRequest) -> _Broken:
    first = day_of(request.from_date)
    for name, text in (("toDate", request.to_date), ("asOf", request.as_of)):
        last = day_of(text)
        if first and last and first > last:
            yield "/fromDate", f"must be at most {name} ({last}), got {first}"
