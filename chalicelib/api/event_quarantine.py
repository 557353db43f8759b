"""What is wrong with an app's events: faults grouped by event, field and kind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.api.event_apps import find_app
from chalicelib.api.event_routes import APP_ID
from chalicelib.api.event_watch import GROUP, OWN, READ
from chalicelib.api.event_watch_filters import KEYS, NAMES, EventFilters, From, To, Written, filters_of, split_items
from chalicelib.api.http import Answer, Call
from chalicelib.api.paging import NO_STORE
from chalicelib.api.query import query_params, read_query
from chalicelib.api.route import Access, Doc, Reply
from chalicelib.db.events.quarantine import MOST_INVALID, Group, Wanted
from chalicelib.errors import InvalidRequest

PAGE, MAX_PAGE = 50, 200
_MOST_PAGES = 10_000


class QuarantineQuery(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Which groups are wanted; lists are names with commas between them, or a JSON array of names."""

    sort: Annotated[
        Literal["last_seen", "count"], Meta(description="What comes first: what was seen last, or most often.")
    ] = "last_seen"
    limit: Annotated[
        int, Meta(ge=1, le=MAX_PAGE, description=f"Groups of a page, at most {MAX_PAGE}; {PAGE} when missing.")
    ] = PAGE
    page: Annotated[int, Meta(ge=1, le=_MOST_PAGES, description="Page, from 1.")] = 1
    event_names: Annotated[Written | None, Meta(description=f"{NAMES}; commas between them.")] = None
    field_names: Annotated[Written | None, Meta(description=f"{KEYS}; commas between them.")] = None
    validation_statuses: Annotated[
        Written | None, Meta(description="Kinds of faults; commas between them, or a JSON array where one has commas.")
    ] = None
    from_: From = None
    to: To = None


class FaultSample(Struct, frozen=True, kw_only=True):
    """One of the faults: of the event that was stored last."""

    id: Annotated[int, Meta(description="Of the stored event.")]
    message_id: str
    key: Annotated[str, Meta(description="Path of the field, with the numbers of array elements.")]
    value: Annotated[str, Meta(description="What came, as it is kept: [hidden] for personal data.")]
    expected_type: str
    received_type: str
    comment: Annotated[str, Meta(description="What would be valid.")]


class FaultGroup(Struct, frozen=True, kw_only=True):
    """Faults of one kind of one field of one event."""

    event_name: str
    field_name: Annotated[str, Meta(description="Path of the field, with [] for each element of an array.")]
    validation_status: Annotated[str, Meta(description="The kind of fault: what was found about the field.")]
    count: Annotated[int, Meta(description="Faults; an event may have several, in elements of an array.")]
    events: Annotated[int, Meta(description="Events that have at least one of them.")]
    first_seen: Annotated[datetime, Meta(description="When the first of these events was accepted.")]
    last_seen: Annotated[datetime, Meta(description="When the last of these events was accepted.")]
    rules_versions: Annotated[
        tuple[int, ...], Meta(description="Of the rule sheets that found them, in ascending order.")
    ]
    sample: FaultSample


class Quarantine(Struct, frozen=True, kw_only=True):
    """A page of groups."""

    groups: tuple[FaultGroup, ...]
    total: Annotated[int, Meta(description="Groups on all pages.")]
    events_looked_at: Annotated[int, Meta(description="Invalid events that the groups are made of.")]
    oldest: Annotated[datetime | None, Meta(description="When the oldest of these was accepted; null without any.")]
    is_complete: Annotated[
        bool,
        Meta(
            description=f"false: only the newest {MOST_INVALID:,} invalid events of these names and times were looked "
            "at; there may be more behind them."
        ),
    ]
    page: int
    limit: int


def show(call: Call) -> Answer:
    """GET quarantine: a page of groups."""
    app = find_app(call)
    query = read_query(call, QuarantineQuery, lambda _: [])
    filters = filters_of(
        EventFilters(
            event_names=split_items("event_names", query.event_names),
            field_names=split_items("field_names", query.field_names),
            validation_statuses=split_items("validation_statuses", query.validation_statuses),
            from_=query.from_,
            to=query.to,
        )
    )
    wanted = Wanted(
        filters=filters, by_count=query.sort == "count", limit=query.limit, offset=(query.page - 1) * query.limit
    )
    found = call.runtime.event_quarantine.groups(app.id, wanted)
    body = Quarantine(
        groups=tuple(map(_show, found.groups)),
        total=found.total,
        events_looked_at=found.looked_at,
        oldest=found.oldest and found.oldest.astimezone(UTC),
        is_complete=found.is_complete,
        page=query.page,
        limit=query.limit,
    )
    return Answer(body=body, headers=NO_STORE)


def _show(group: Group) -> FaultGroup:
    sample = group.sample
    return FaultGroup(
        event_name=group.event_name,
        field_name=group.field_name,
        validation_status=group.validation_status,
        count=group.count,
        events=group.events,
        first_seen=group.first_seen.astimezone(UTC),
        last_seen=group.last_seen.astimezone(UTC),
        rules_versions=group.rules_versions,
        sample=FaultSample(
            id=group.id,
            message_id=group.message_id,
            key=sample.key,
            value=sample.value,
            expected_type=sample.expected_type,
            received_type=sample.received_type,
            comment=sample.comment,
        ),
    )


DOCS: Mapping[str, Doc] = {
    "show": Doc(
        name="list_event_faults",
        group=GROUP,
        summary="What is wrong with events: faults by event, field and kind",
        details="Of events whose status is invalid, those results that make them so; elements of an array count as one "
        f"field. Looks at the newest {MOST_INVALID:,} invalid events of the names and times that are asked for and "
        f"says whether these were all. Events that a replay has turned valid are gone from it. {OWN}",
        access=Access.ACCOUNT,
        params=(APP_ID, *query_params(QuarantineQuery)),
        replies={200: Reply(summary="A page", body=Quarantine)},
        refusals=(*READ, InvalidRequest),
    ),
}
