"""Filters of stored events as clients send them, in a query or a body, and what they come down to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from chalicelib.db.events.watch_filters import Filters
from chalicelib.db.events.watch_marks import Cursor, Mark, read_cursor, read_mark
from chalicelib.errors import FieldError, InvalidRequest

MOST_ITEMS = 200
PAGE, MAX_PAGE = 50, 500
_LISTS = ("event_names", "field_names", "validation_statuses", "expected_types", "received_types")

Status = Literal["valid", "invalid", "no_rules"]
_Text = Annotated[str, Meta(max_length=1_000)]
_Many = Annotated[tuple[_Text, ...], Meta(max_length=MOST_ITEMS)]
# A list in a query.
Written = Annotated[str, Meta(max_length=10_000)]
_Page = Annotated[int, Meta(ge=1)]
_Status = Annotated[Status | None, Meta(description="What the event was judged to be.")]
_IsUser = Annotated[
    bool | None, Meta(description="Events of users (eventId 0 or none, and rules) or, with false, all others.")
]
From = Annotated[_Text | None, Meta(description="Only events accepted at this RFC 3339 time or later.")]
To = Annotated[_Text | None, Meta(description="Only events accepted before this RFC 3339 time.")]
_LatestOnly = Annotated[bool, Meta(description="Of each name only the newest event.")]
_Search = Annotated[_Text | None, Meta(description="Text that stands anywhere in the value, in any case.")]
NAMES = "Names of events, in any case"
KEYS = "Paths of fields as in the results, or as in the rules: items[].price"


class EventFilters(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Filters of different kinds must all hold, of the items of one kind any."""

    event_names: Annotated[_Many | None, Meta(description=f"{NAMES}.")] = None
    field_names: Annotated[_Many | None, Meta(description=f"{KEYS}.")] = None
    validation_statuses: Annotated[_Many | None, Meta(description="What was found about the field.")] = None
    expected_types: Annotated[_Many | None, Meta(description="Types in the rules.")] = None
    received_types: Annotated[_Many | None, Meta(description="Types as they came.")] = None
    value_search: _Search = None
    status: _Status = None
    is_user: _IsUser = None
    from_: From = None
    to: To = None
    latest_only: _LatestOnly = False


class LogsQuery(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Which events are wanted; lists are names with commas between them, or a JSON array of names."""

    limit: Annotated[
        int, Meta(ge=1, le=MAX_PAGE, description=f"Events of a page, at most {MAX_PAGE}; {PAGE} when missing.")
    ] = PAGE
    cursor: Annotated[_Text | None, Meta(description="`next_cursor` of the page before.")] = None
    since: Annotated[Written | None, Meta(description="`newest` of an answer: only what was stored after it.")] = None
    page: Annotated[
        _Page | None, Meta(description="Page, from 1, for older clients; a cursor has no gaps and no doubles.")
    ] = None
    event_names: Annotated[Written | None, Meta(description=f"{NAMES}; commas between them.")] = None
    field_names: Annotated[Written | None, Meta(description=f"{KEYS}; commas between them.")] = None
    validation_statuses: Annotated[
        Written | None,
        Meta(description="What was found about a field; commas between them, or a JSON array where one has commas."),
    ] = None
    expected_types: Annotated[Written | None, Meta(description="Types in the rules; commas between them.")] = None
    received_types: Annotated[Written | None, Meta(description="Types as they came; commas between them.")] = None
    value_search: _Search = None
    status: _Status = None
    is_user: _IsUser = None
    from_: From = None
    to: To = None
    latest_only: _LatestOnly = False


def filters_of(said: EventFilters, at: str = "") -> Filters:
    """The filters of a body, in which they stand at a pointer; raises InvalidRequest with every rule they break."""
    errors = list(_faults(said, at))
    if errors:
        raise InvalidRequest(errors)
    return Filters(
        event_names=said.event_names or (),
        field_names=said.field_names or (),
        validation_statuses=said.validation_statuses or (),
        expected_types=said.expected_types or (),
        received_types=said.received_types or (),
        value_search=said.value_search or "",
        status=said.status,
        is_user=said.is_user,
        accepted_from=read_moment(said.from_),
        accepted_before=read_moment(said.to),
        latest_only=said.latest_only,
    )


def filters_of_query(said: LogsQuery) -> Filters:
    """The same of a query."""
    items = {name: split_items(name, getattr(said, name)) for name in _LISTS}
    return filters_of(
        EventFilters(
            event_names=items["event_names"],
            field_names=items["field_names"],
            validation_statuses=items["validation_statuses"],
            expected_types=items["expected_types"],
            received_types=items["received_types"],
            value_search=said.value_search,
            status=said.status,
            is_user=said.is_user,
            from_=said.from_,
            to=said.to,
            latest_only=said.latest_only,
        )
    )


def cursor_of(text: str | None) -> Cursor | None:
    """The cursor of a query; raises InvalidRequest for one that is none of ours."""
    cursor = read_cursor(text) if text else None
    if text and cursor is None:
        raise InvalidRequest([FieldError("", f"cursor must be one of an answer, got {text[:40]!r}")])
    return cursor


def mark_of(text: str | None) -> Mark | None:
    """The mark of a query; raises InvalidRequest for one that is none of ours."""
    mark = read_mark(text) if text else None
    if text and mark is None:
        raise InvalidRequest([FieldError("", f"since must be `newest` of an answer, got {text[:40]!r}")])
    return mark


def split_items(name: str, text: str | None) -> tuple[str, ...] | None:
    """The items of a list in a query; None for none. Raises InvalidRequest naming the parameter."""
    if not text:
        return None
    try:
        items = (
            msgspec.json.decode(text, type=tuple[str, ...])
            if text.lstrip().startswith("[")
            else tuple(item.strip() for item in text.split(",") if item.strip())
        )
    except msgspec.MsgspecError as error:
        raise InvalidRequest([FieldError("", f"{name} must be names or a JSON array of them: {error}")]) from None
    if len(items) > MOST_ITEMS:
        raise InvalidRequest([FieldError("", f"{name} must have at most {MOST_ITEMS} items, got {len(items)}")])
    return items


def _faults(said: EventFilters, at: str) -> Iterator[FieldError]:
    for name in _LISTS:
        # Postgres has no such character, so that nothing that is stored has it.
        if any("\0" in item for item in getattr(said, name) or ()):
            yield FieldError(f"{at}/{name}", "must not have the character U+0000")
    if "\0" in (said.value_search or ""):
        yield FieldError(f"{at}/value_search", "must not have the character U+0000")
    for name, text in (("from", said.from_), ("to", said.to)):
        if text and read_moment(text) is None:
            yield FieldError(f"{at}/{name}", f"must be a time such as 2026-01-31T12:00:00Z, got {text[:40]!r}")


def read_moment(value: object) -> datetime | None:
    """The time that a text says, in UTC where it names no zone; None if it is none."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
