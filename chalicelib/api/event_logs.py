"""Ingest: events in by HTTP, judged at once, and taken when the queue has them."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct

from chalicelib.api.body import media_of
from chalicelib.api.http import Answer, Call, View
from chalicelib.api.submission import patience_s, wait_for
from chalicelib.api.tasks import POLL_S
from chalicelib.batches import BatchRequest
from chalicelib.errors import (
    FieldError,
    InvalidRequest,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnknownApp,
)
from chalicelib.events.bodies import Reading, Unusable, read_events
from chalicelib.events.ids import Receipt, sign
from chalicelib.events.results import FieldResult, makes_invalid
from chalicelib.events.taken import EventMessage, TakenEvent
from chalicelib.jobs.kind import Registry
from chalicelib.jobs.submit import Asker, submit
from chalicelib.storing import QUEUE
from chalicelib.telemetry import Metric

if TYPE_CHECKING:
    from chalicelib.aws.event_records import PublishedApp
    from chalicelib.events.results import Judgement

KEY_HEADER = "x-ingest-key"
# SQS takes messages of 1 MiB; the rest is for what is around the events.
_MOST_MESSAGE_BYTES = 1_000_000
_SAYS = {
    "valid": "The event is valid and was queued",
    "no_rules": "The event was queued; there are no rules for it",
    "invalid": "The event breaks rules",
}


class EventAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was found about one event."""

    event_name: str
    status: Annotated[str, Meta(description="valid, also where there are no rules for the event, or invalid.")]
    task_id: Annotated[str | None, Meta(description="Of GET /api/tasks/{task_id}; null where it is not stored.")]
    message_id: Annotated[str, Meta(description="The app's messageId, or one that was made for the event.")]
    message: str
    results: Annotated[
        tuple[FieldResult, ...], Meta(description="What is wrong, field by field; of an invalid event.")
    ] = ()
    error: Annotated[str | None, Meta(description="The same in one line; of an event that is refused.")] = None


class ItemAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was found about one of several events; or why there is none, with how what was sent begins."""

    code: Annotated[int, Meta(description="What the event alone would be answered: 202, 422 or 400.")]
    event_name: str | None = None
    status: str | None = None
    message_id: str | None = None
    message: str | None = None
    results: tuple[FieldResult, ...] = ()
    error: str | None = None
    data: str | None = None


class EventsAnswer(Struct, frozen=True, kw_only=True):
    """What was found about several events, in their order."""

    task_id: Annotated[str | None, Meta(description="Its result says of each what became of it; null where none is.")]
    processed: int
    accepted: Annotated[int, Meta(description="Those that the queue has, invalid ones that are kept included.")]
    results: tuple[ItemAnswer, ...]
    poll_url: str | None = None


def ingesting(registry: Registry) -> View:
    """The view of POST /api/logs/{app_id} and of its batch route."""

    def ingest(call: Call) -> Answer:
        app = _app(call)
        reading = read_events(call.body, media_of(call))
        _pace(call, app, len(reading.items))
        return _take_one(call, app, reading) if reading.is_single else _take_many(call, registry, app, reading)

    return ingest


def _app(call: Call) -> PublishedApp:
    app = call.runtime.intake.app(call.params["app_id"])
    if app is None:
        raise UnknownApp("App not found")
    if app.ingest_key_digest is not None:
        digest = hashlib.sha256(call.headers.get(KEY_HEADER, "").encode()).hexdigest()
        if not hmac.compare_digest(digest, app.ingest_key_digest):
            raise Unauthenticated("the app's events need its ingest key in the header X-Ingest-Key")
    return app


def _pace(call: Call, app: PublishedApp, count: int) -> None:
    wait_s = call.runtime.intake.wait_s(app, count)
    if wait_s:
        raise TooManyRequests(
            "the app sends more events than are taken in this time", retry_after_s=max(1, round(wait_s + 0.5))
        )


def _take_one(call: Call, app: PublishedApp, reading: Reading) -> Answer:
    (event,) = reading.items
    if isinstance(event, Unusable):
        raise InvalidRequest([FieldError("", event.reason)])
    taken, judgement = call.runtime.intake.take(app, event)
    said = EventAnswer(
        event_name=event.name,
        status=_status(taken),
        task_id=_post(call, app, taken) if _is_kept(app, taken) else None,
        message_id=taken.message_id,
        message=_message(app, taken),
        results=_wrong(judgement),
        error=_error(app, taken),
    )
    _count(call, app, [taken])
    code = _code(app, taken)
    wait_s = patience_s(call) if code == 202 else 0
    if wait_s and _is_stored(call, app, taken, wait_s):
        stored = msgspec.structs.replace(said, message="The event is stored")
        return Answer(body=stored, headers={"Preference-Applied": f"wait={wait_s}"})
    return Answer(status=code, body=said, headers=_whereabouts(said.task_id))


def _take_many(call: Call, registry: Registry, app: PublishedApp, reading: Reading) -> Answer:
    items: list[ItemAnswer] = []
    judged: list[TakenEvent] = []
    for event in reading.items:
        if isinstance(event, Unusable):
            items.append(ItemAnswer(code=400, error=event.reason, data=event.shown))
            continue
        taken, judgement = call.runtime.intake.take(app, event)
        judged.append(taken)
        items.append(
            ItemAnswer(
                code=_code(app, taken),
                event_name=event.name,
                status=_status(taken),
                message_id=taken.message_id,
                message=_message(app, taken),
                results=_wrong(judgement),
                error=_error(app, taken),
            )
        )
    kept = tuple(taken for taken in judged if _is_kept(app, taken))
    task_id = _submit(call, registry, app, kept) if kept else None
    _count(call, app, judged)
    said = EventsAnswer(
        task_id=task_id,
        processed=len(items),
        accepted=len(kept),
        results=tuple(items),
        poll_url=f"/api/tasks/{task_id}" if task_id else None,
    )
    return Answer(status=_code_of_all(items, is_any_kept=bool(kept)), body=said, headers=_whereabouts(task_id))


def _submit(call: Call, registry: Registry, app: PublishedApp, events: Sequence[TakenEvent]) -> str:
    kind = registry.get("event_batch")
    assert kind is not None
    request = BatchRequest(app=app.id, accepted_ms=int(call.runtime.clock.now() * 1000), events=tuple(events))
    return submit(call.runtime.engine, kind, request, Asker()).job.id


def _post(call: Call, app: PublishedApp, taken: TakenEvent) -> str:
    """Has the queue take the event; answers its task."""
    accepted_ms = int(call.runtime.clock.now() * 1000)
    body = msgspec.json.encode(EventMessage(app.id, accepted_ms, (taken,), request_id=call.request_id))
    if len(body) > _MOST_MESSAGE_BYTES:
        raise TooLarge(f"the event and what was found about it must have at most {_MOST_MESSAGE_BYTES} bytes")
    call.runtime.engine.queues.post(QUEUE, body.decode())
    return sign(Receipt(app.id, taken.message_id, accepted_ms), call.runtime.token_secret.encode())


def _is_stored(call: Call, app: PublishedApp, taken: TakenEvent, seconds: int) -> bool:
    """Whether the event has its row in time; the one place of ingest that looks into Postgres, for who asks for it."""
    try:
        row = wait_for(call, seconds, lambda: call.runtime.event_log.find(app.id, taken.message_id))
    except Unavailable:
        return False
    return row is not None


def _whereabouts(task_id: str | None) -> dict[str, str]:
    return {"Location": f"/api/tasks/{task_id}", "Retry-After": str(POLL_S)} if task_id else {}


def _count(call: Call, app: PublishedApp, judged: Sequence[TakenEvent]) -> None:
    counts = Counter(taken.status for taken in judged)
    dropped = sum(not _is_kept(app, taken) for taken in judged)
    call.runtime.meter.record(
        {
            Metric.EVENTS_TAKEN: len(judged) - dropped,
            Metric.EVENTS_INVALID: counts["invalid"],
            Metric.EVENTS_DROPPED: dropped,
        }
    )


def _is_kept(app: PublishedApp, taken: TakenEvent) -> bool:
    return taken.status != "invalid" or app.policy != "drop"


def _is_refused(app: PublishedApp, taken: TakenEvent) -> bool:
    return taken.status == "invalid" and app.policy != "accept"


def _status(taken: TakenEvent) -> str:
    return "invalid" if taken.status == "invalid" else "valid"


def _code(app: PublishedApp, taken: TakenEvent) -> int:
    return 422 if _is_refused(app, taken) else 202


def _code_of_all(items: Sequence[ItemAnswer], *, is_any_kept: bool) -> int:
    """202 where anything is kept, else why nothing is."""
    if is_any_kept:
        return 202
    return 422 if any(item.code == 422 for item in items) else 400


def _message(app: PublishedApp, taken: TakenEvent) -> str:
    said = _SAYS[taken.status]
    if taken.status != "invalid":
        return said
    return f"{said}; it is not kept" if app.policy == "drop" else f"{said}; it is kept as invalid"


def _error(app: PublishedApp, taken: TakenEvent) -> str | None:
    return "Validation failed" if _is_refused(app, taken) else None


def _wrong(judgement: Judgement) -> tuple[FieldResult, ...]:
    """The results that make an event invalid."""
    return tuple(filter(makes_invalid, judgement.results))
