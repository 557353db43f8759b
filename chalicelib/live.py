"""Live rows on their way to who watches: what the worker of events has stored is offered to the queue of pushes.

The worker stands in the VPC and reaches no socket, so what it offers is sent by a function outside. All of it is a
hint: rows that are not offered are read by `since`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from chalicelib.settings import LIVE_QUEUE
from chalicelib.telemetry import log

if TYPE_CHECKING:
    from chalicelib.aws.subscriptions import Subscriptions
    from chalicelib.clock import Clock
    from chalicelib.db.events.writer import NewEvent
    from chalicelib.jobs.queue import Queues

# How late a worker learns that an app is watched.
REMEMBERED_S = 2.0
# After a failure nothing is offered for so long: to try takes seconds, which the next events would wait for.
SILENT_S = 60.0
# Of the rows of one message to a client; API Gateway takes 128 KB.
MOST_BYTES = 120_000
# Of a row beyond what it says: the names of its fields, the app's id and its time.
ROW_BYTES = 500


class LiveRow(msgspec.Struct, frozen=True, array_like=True):
    """A row as it was stored."""

    id: int
    message_id: str
    name: str
    status: str
    is_user: bool
    rules_version: int
    accepted_ms: int
    # null where it is not kept.
    body: msgspec.Raw
    is_body_kept: bool
    results: msgspec.Raw


class LiveRows(msgspec.Struct, frozen=True, kw_only=True, tag="live_rows"):
    """Rows of one app that were stored at a time, newest first."""

    # The app's number.
    app: int
    rows: tuple[LiveRow, ...]
    # How many there were, with those that had no room.
    stored: int


class RoomEnd(msgspec.Struct, frozen=True, kw_only=True, tag="room_end"):
    """The app is not there any more."""

    app: int


LiveMessage = LiveRows | RoomEnd


class Live:
    """Offers rows to the queue of pushes; never raises."""

    def __init__(self, subscriptions: Subscriptions, queues: Queues, clock: Clock) -> None:
        self._subscriptions = subscriptions
        self._queues = queues
        self._clock = clock
        # The apps that are watched, when that was read, and until when nothing is offered.
        self._watched: frozenset[int] = frozenset()
        self._read_s = self._silent_until_s = float("-inf")

    def offer(self, rows: Sequence[tuple[int, NewEvent]]) -> None:
        """Has rows, with their ids, sent to who watches their apps: one message for each app that is watched.

        Where nobody watches anything this costs one query in REMEMBERED_S, however many apps and rows there are.
        """
        if not rows or self._clock.now() < self._silent_until_s:
            return
        try:
            watched = self._apps()
            for app in sorted({event.app for _, event in rows} & watched):
                self._post(_fitting(app, ((row_id, event) for row_id, event in rows if event.app == app)))
        except Exception as error:  # noqa: BLE001 - the rows are stored: no fault of a hint may have them come again
            self._silent_until_s = self._clock.now() + SILENT_S
            log.warning("rows not offered", rows=len(rows), error=f"{type(error).__name__}: {error}")

    def end(self, app: int) -> None:
        """Has who watches an app told that it is not there any more."""
        try:
            self._post(RoomEnd(app=app))
        except Exception as error:  # noqa: BLE001 - the app is removed, whether or not anybody is told
            log.warning("end not offered", app=app, error=f"{type(error).__name__}: {error}")

    def _apps(self) -> frozenset[int]:
        now_s = self._clock.now()
        if now_s - self._read_s >= REMEMBERED_S:
            # Also of those whose credential has ended: they are told so with the next rows.
            self._watched = frozenset(one.app for one in self._subscriptions.members())
            self._read_s = now_s
        return self._watched

    def _post(self, message: LiveMessage) -> None:
        self._queues.post(LIVE_QUEUE, msgspec.json.encode(message).decode())


def _fitting(app: int, rows: Iterable[tuple[int, NewEvent]]) -> LiveRows:
    """As many of the rows, newest first, as one message to a client has room for."""
    newest_first = sorted(rows, key=lambda row: row[0], reverse=True)
    kept, room = [], MOST_BYTES
    for row_id, event in newest_first:
        row = _row(row_id, event)
        size = len(msgspec.json.encode(row)) + ROW_BYTES
        if size <= room:
            kept.append(row)
            room -= size
    return LiveRows(app=app, rows=tuple(kept), stored=len(newest_first))


def _row(row_id: int, event: NewEvent) -> LiveRow:
    return LiveRow(
        id=row_id,
        message_id=event.message_id,
        name=event.name,
        status=event.status,
        is_user=event.is_user,
        rules_version=event.rules_version,
        accepted_ms=event.accepted_ms,
        body=msgspec.Raw(event.body.encode() if event.is_body_kept else b"null"),
        is_body_kept=event.is_body_kept,
        results=msgspec.Raw(event.results.encode()),
    )
