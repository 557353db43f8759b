"""Events between the request that brought them and their rows."""

from __future__ import annotations

import msgspec

VERSION = 1


class TakenEvent(msgspec.Struct, frozen=True, array_like=True):
    """An event that was judged; personal values are gone."""

    message_id: str
    name: str
    status: str
    is_user: bool
    # Of the sheet that it was judged by; 0: there was none.
    rules_version: int
    body: msgspec.Raw
    results: msgspec.Raw
    # Whether its row has the body, which in any case tells it from another event of the same id.
    is_body_kept: bool = True


class EventMessage(msgspec.Struct, frozen=True, tag="events"):
    """What the queue carries: events of one app that were taken at a time."""

    app: int
    accepted_ms: int
    events: tuple[TakenEvent, ...]
    v: int = VERSION
    # Of the request that brought them, for the log of what became of them.
    request_id: str = ""
