"""Events as apps send them: one JSON object, an array, JSON Lines, or log lines `Event Payload: {...}`.

What can be read is read, and what cannot is refused by its place, so that one bad line loses no good one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from chalicelib.errors import FieldError, InvalidRequest, TooLarge, UnsupportedMedia
from chalicelib.nesting import MAX_DEPTH, is_too_deep

# Of one request, as Segment's batch endpoint has them.
MAX_EVENTS = 2_500
MAX_BATCH_BYTES = 500 * 1024
# Of one event: what its row holds.
MAX_EVENT_BYTES = 64 * 1024
MAX_NAME = 200
MAX_MESSAGE_ID = 100
NAME_KEYS = ("eventName", "event_name", "event")
ID_KEYS = ("messageId", "message_id")
# What describes the event itself: no payload of a flat body, unless the app's rules name it.
RESERVED = frozenset({*NAME_KEYS, *ID_KEYS, "eventId", "event_id", "eventTime", "event_time", "sentAt", "sent_at"})
_LOG_LINE = re.compile(rb"^\s*Event Payload:\s*", re.IGNORECASE)
_LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")

Body = Mapping[str, Any]  # a JSON object


class Event(msgspec.Struct, frozen=True):
    """One event that has a name; `message_id` is empty where the app gave none."""

    name: str
    message_id: str
    body: Body

    @property
    def is_system(self) -> bool:
        """Whether the app says that it is none of its user's: an eventId other than 0."""
        said = self.body.get("eventId", self.body.get("event_id"))
        return said is not None and said is not False and str(said) != "0"

    def payload(self, ruled: frozenset[str]) -> Body:
        """What the rules are about: the object `payload`, or else all but RESERVED, of which `ruled` is kept."""
        inner = self.body.get("payload")
        if isinstance(inner, dict):
            return inner
        return {key: value for key, value in self.body.items() if key not in RESERVED or key in ruled}


class Unusable(msgspec.Struct, frozen=True):
    """What is there instead of an event, and why it is none; `shown` is how it begins."""

    reason: str
    shown: str


class Reading(msgspec.Struct, frozen=True):
    """All that a request holds, in its order."""

    items: tuple[Event | Unusable, ...]
    # Whether it was said as a single event, which is answered as one.
    is_single: bool


def read_events(content: bytes, media: str) -> Reading:
    """The events of a body.

    Raises InvalidRequest where there is nothing to read, TooLarge, or UnsupportedMedia. Cost: linear.
    """
    if len(content) > MAX_BATCH_BYTES:
        raise TooLarge(f"the events must have at most {MAX_BATCH_BYTES} bytes together, got {len(content)}")
    content = content.removeprefix(b"\xef\xbb\xbf")
    if media in _LINES:
        return _many(list(_lines(content)))
    if media not in ("application/json", "text/plain") and not media.endswith("+json"):
        raise UnsupportedMedia(f"events must be application/json, application/x-ndjson or text/plain, got {media}")
    if not content.strip():
        raise _refused("the body is empty; an event is a JSON object with eventName")
    if media == "text/plain" and any(_LOG_LINE.match(line) for line in content.splitlines()):
        found = list(_log_lines(content))
        return Reading((found[0],), is_single=True) if len(found) == 1 else _many(found)
    return _json(content)


def _json(content: bytes) -> Reading:
    try:
        said = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        # JSON Lines are sent as application/json too; each of them is an object by itself.
        lines = [line for line in content.splitlines() if line.strip()]
        if len(lines) > 1 and all(line.lstrip().startswith(b"{") for line in lines):
            return _many(list(_lines(content)))
        raise _refused(f"the body must be JSON: {_why(error)}") from None
    if isinstance(said, list):
        return _many([_event(each, msgspec.json.encode(each)) for each in said])
    if isinstance(said, dict):
        if not said:
            raise _refused("the event must not be empty; it needs eventName")
        return Reading((_event(said, content),), is_single=True)
    raise _refused("the body must be a JSON object or an array of them")


def _many(items: list[Event | Unusable]) -> Reading:
    if not items:
        raise _refused("there is no event in the body")
    if len(items) > MAX_EVENTS:
        raise TooLarge(f"a request must have at most {MAX_EVENTS} events, got {len(items)}")
    return Reading(tuple(items), is_single=False)


def _lines(content: bytes) -> Iterator[Event | Unusable]:
    for line in content.splitlines():
        if line.strip():
            yield _line(line)


def _log_lines(content: bytes) -> Iterator[Event | Unusable]:
    """Of the lines of a log those with an event, wherever they come from."""
    for line in content.splitlines():
        if prefix := _LOG_LINE.match(line):
            yield _line(line[prefix.end() :])


def _line(line: bytes) -> Event | Unusable:
    try:
        return _event(msgspec.json.decode(line), line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return _unusable(f"must be JSON: {_why(error)}", line)


def _event(said: object, content: bytes) -> Event | Unusable:
    if not isinstance(said, dict):
        return _unusable("must be a JSON object", content)
    if len(content) > MAX_EVENT_BYTES:
        return _unusable(f"an event must have at most {MAX_EVENT_BYTES} bytes, got {len(content)}", content)
    if is_too_deep(said):
        return _unusable(f"an event must not be nested deeper than {MAX_DEPTH} levels", content)
    name = next((said[key] for key in NAME_KEYS if key in said), None)
    if not isinstance(name, str) or not name.strip():
        return _unusable("eventName is missing; it must be a text that is not blank", content)
    if len(name.strip()) > MAX_NAME:
        return _unusable(f"eventName must have at most {MAX_NAME} characters, got {len(name.strip())}", content)
    message_id = next((said[key] for key in ID_KEYS if said.get(key) is not None), "")
    if not isinstance(message_id, str | int) or isinstance(message_id, bool):
        return _unusable("messageId must be a text", content)
    if len(str(message_id)) > MAX_MESSAGE_ID:
        return _unusable(
            f"messageId must have at most {MAX_MESSAGE_ID} characters, got {len(str(message_id))}", content
        )
    return Event(_stored(name.strip()), _stored(str(message_id)), _stored(said))


def _stored(value: Any) -> Any:  # any JSON value, as one of the same kind
    """The value as Postgres can hold it: it has no U+0000."""
    match value:
        case str():
            return value.replace("\0", "\ufffd") if "\0" in value else value
        case dict():
            return {_stored(key): _stored(each) for key, each in value.items()}
        case list():
            return [_stored(each) for each in value]
        case _:
            return value


def _unusable(reason: str, content: bytes) -> Unusable:
    return Unusable(reason, content[:200].decode(errors="replace"))


def _refused(detail: str) -> InvalidRequest:
    return InvalidRequest([FieldError("", detail)])


def _why(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
