"""Batches of events: what their job is asked for, and what it answers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct

from chalicelib.events.taken import TakenEvent
from chalicelib.storing import row_of, store

if TYPE_CHECKING:
    from chalicelib.runtime import Runtime


class BatchRequest(Struct, frozen=True, kw_only=True):
    """Events of one app that were taken at a time."""

    app: int
    accepted_ms: int
    events: tuple[TakenEvent, ...]


class BatchItem(Struct, frozen=True, kw_only=True):
    """What became of one event."""

    message_id: str
    outcome: Annotated[
        str,
        Meta(
            description="stored; duplicate: the same event was stored before; conflict: another event was stored under "
            "this messageId; no_app: the app was deleted; given_up: it cannot be stored, for the reason beside it."
        ),
    ]
    reason: str | None = None


class BatchResult(Struct, frozen=True, kw_only=True):
    """What became of the events, in their order."""

    stored: int
    duplicates: int
    conflicts: int
    given_up: Annotated[int, Meta(description="Those of an app that was deleted meanwhile included.")]
    items: tuple[BatchItem, ...]


EXAMPLE = BatchRequest(
    app=1,
    accepted_ms=1_800_000_000_000,
    events=(
        TakenEvent(
            message_id="m-1",
            name="user_login",
            status="valid",
            is_user=True,
            rules_version=1,
            body=msgspec.Raw(b'{"eventName":"user_login","userId":123}'),
            results=msgspec.Raw(b"[]"),
        ),
    ),
)


def store_batch(request: BatchRequest, runtime: Runtime) -> BatchResult:
    """Stores a batch; may be done again, and then says the same."""
    outcomes = store(runtime, [row_of(request.app, request.accepted_ms, event) for event in request.events])
    counts = Counter(stored.outcome for stored in outcomes)
    return BatchResult(
        stored=counts["stored"],
        duplicates=counts["duplicate"],
        conflicts=counts["conflict"],
        given_up=counts["given_up"] + counts["no_app"],
        items=tuple(
            BatchItem(message_id=event.message_id, outcome=stored.outcome, reason=stored.reason or None)
            for event, stored in zip(request.events, outcomes, strict=True)
        ),
    )
