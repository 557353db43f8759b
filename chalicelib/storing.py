"""Storing events: what the queue delivers, in one write; what cannot be stored is given up by name."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from chalicelib.errors import Unavailable, Unstorable
from chalicelib.events.taken import VERSION, EventMessage, TakenEvent
from chalicelib.jobs.queue import Delivery
from chalicelib.jobs.worker import ComeAgain, Worker
from chalicelib.telemetry import Metric, log

if TYPE_CHECKING:
    from chalicelib.db.events.writer import NewEvent
    from chalicelib.jobs.kind import Registry
    from chalicelib.runtime import Runtime

QUEUE = "events"
# Of an event that was given up: as long as its dead letter is kept.
_KNOWN_S = 14 * 24 * 3600


class Stored(msgspec.Struct, frozen=True):
    """What became of one event; `reason` is for one that was given up, `id` of a row that is new."""

    outcome: str
    reason: str = ""
    id: int | None = None


class EventWorker:
    """Settles deliveries of the queue of events: events, and jobs, of which batches are some."""

    def __init__(self, runtime: Runtime, registry: Registry) -> None:
        self._runtime = runtime
        self._worker = Worker(runtime.background, registry, QUEUE)

    def settle(self, deliveries: list[Delivery]) -> None:
        """Settles all; where some must come again, acknowledges the others by hand and raises ComeAgain."""
        read = [(delivery, read_message(delivery.body)) for delivery in deliveries]
        events = [(delivery, given) for delivery, given in read if given is not None and given[0].v == VERSION]
        newer = [delivery for delivery, given in read if given is not None and given[0].v != VERSION]
        others = [delivery for delivery, given in read if given is None]
        done, problems = list[Delivery](), list[str]()
        if newer:
            # During a deploy this worker may be the older one.
            problems.append(f"{len(newer)} messages are of a version that this worker does not know")
            self._worker.hurry(newer)
        try:
            self._store([given for _, given in events])
            done += [delivery for delivery, _ in events]
        except Unavailable as away:
            self._worker.hurry([delivery for delivery, _ in events])
            problems.append(away.detail)
        try:
            self._worker.settle(others)
            done += others
        except ComeAgain as again:
            # It has acknowledged those of its own that are settled.
            problems.append(again.detail)
        if problems:
            log.warning("events not stored", deliveries=len(deliveries) - len(done), reason="; ".join(problems))
            self._worker.acknowledge(done)
            raise ComeAgain(f"some of {len(deliveries)} deliveries must come again: {'; '.join(problems)}")

    def _store(self, given: Sequence[tuple[EventMessage, list[NewEvent]]]) -> None:
        outcomes = store(self._runtime, [row for _, rows in given for row in rows])
        events = [(message, event) for message, _ in given for event in message.events]
        for (message, event), stored in zip(events, outcomes, strict=True):
            if stored.reason:
                alone = msgspec.structs.replace(message, events=(event,))
                told = {"app": message.app, "event_id": event.message_id, "request_id": message.request_id or None}
                log.error("event buried", extra=told)
                self._runtime.background.queues.bury(QUEUE, msgspec.json.encode(alone).decode(), stored.reason)


def store(runtime: Runtime, rows: Sequence[NewEvent]) -> list[Stored]:
    """Stores events and answers what became of each, in their order; raises Unavailable, and then may be done again.

    Where Postgres refuses what is in one of them, they are halved until that one is alone and is given up.
    """
    outcomes = _halved(runtime, rows)
    counts = Counter(stored.outcome for stored in outcomes)
    now_ms = int(runtime.clock.now() * 1000)
    if counts:
        lag_ms = max(now_ms - row.accepted_ms for row in rows)
        runtime.meter.record(
            {
                Metric.EVENTS_STORED: counts["stored"],
                Metric.EVENTS_REPEATED: counts["duplicate"] + counts["conflict"],
                Metric.EVENTS_GIVEN_UP: counts["given_up"],
                Metric.EVENT_LAG: max(0, lag_ms),
            }
        )
        log.info("events stored", extra=dict(counts))
    runtime.live.offer([(stored.id, row) for row, stored in zip(rows, outcomes, strict=True) if stored.id is not None])
    return outcomes


def _halved(runtime: Runtime, rows: Sequence[NewEvent]) -> list[Stored]:
    try:
        written = runtime.event_writer.write(rows)
        return [Stored(outcome.value, id=written.ids.get(place)) for place, outcome in enumerate(written.outcomes)]
    except Unstorable as error:
        if len(rows) > 1:
            middle = len(rows) // 2
            return [*_halved(runtime, rows[:middle]), *_halved(runtime, rows[middle:])]
        (row,) = rows
        log.error("event given up", app=row.app, event_id=row.message_id, reason=error.detail)
        until_s = int(runtime.clock.now()) + _KNOWN_S
        runtime.event_records.give_up(row.app, row.message_id, error.detail, until_s=until_s)
        return [Stored("given_up", error.detail)]


def row_of(app: int, accepted_ms: int, event: TakenEvent) -> NewEvent:
    """The event as it is stored."""
    from chalicelib.db.events.writer import NewEvent

    return NewEvent(
        app=app,
        message_id=event.message_id,
        accepted_ms=accepted_ms,
        name=event.name,
        status=event.status,
        is_user=event.is_user,
        rules_version=event.rules_version,
        body_hash=_body_hash(event),
        body=bytes(event.body).decode(),
        results=bytes(event.results).decode(),
        is_body_kept=event.is_body_kept,
    )


def read_message(body: str) -> tuple[EventMessage, list[NewEvent]] | None:
    """A message and its events as they are stored; None where it is another one, or holds what is no event."""
    try:
        message = msgspec.json.decode(body, type=EventMessage)
        return message, [row_of(message.app, message.accepted_ms, event) for event in message.events]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _body_hash(event: TakenEvent) -> bytes:
    """What tells two events with one message id apart: their names and bodies, whatever the order of the keys."""
    said = msgspec.json.encode([event.name, msgspec.json.decode(event.body)], order="sorted")
    return hashlib.blake2b(said, digest_size=16).digest()
