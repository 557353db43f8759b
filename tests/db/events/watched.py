"""Events to be watched: short to write, and stored as the worker stores them."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib.db.connect import Database
from chalicelib.db.events.writer import EventWriter, NewEvent, Outcome
from tests.db.desks import NOW

NOW_MS = NOW * 1000


def result(key: str = "a", value: str = "1", status: str = "Valid", **said: str) -> dict[str, str]:
    """A field's result as it is stored."""
    return {
        "eventName": "login",
        "key": key,
        "value": value,
        "expectedType": "text",
        "receivedType": "text",
        "validationStatus": status,
        "comment": "",
    } | said


def event(app: int, message_id: str, *results: dict[str, str], **said: Any) -> NewEvent:
    """An event of a user, valid and just now unless something else is said; `body` is any JSON value."""
    values: dict[str, Any] = {
        "app": app,
        "message_id": message_id,
        "accepted_ms": NOW_MS,
        "name": "login",
        "status": "valid",
        "is_user": True,
        "rules_version": 1,
        "body_hash": b"a",
        "results": msgspec.json.encode(results).decode(),
    }
    body = msgspec.json.encode(said.pop("body", {"eventName": "login"})).decode()
    return NewEvent(**values | {"body": body} | said)


def store(database: Database, *events: NewEvent) -> None:
    """Stores the events in their order."""
    assert set(EventWriter(database).store(events)) <= {Outcome.STORED}
