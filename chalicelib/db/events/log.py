"""Stored events, as they are read."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chalicelib.db.connect import Database
from chalicelib.db.sql import statements


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A row in short; None is for one that was stored and removed since."""

    accepted_at: datetime
    id: int | None
    event_name: str | None
    status: str | None
    rules_version: int | None


class JudgedBody(msgspec.Struct, frozen=True):
    """An event as it is stored, with its verdict; the texts of `body` and `results` are JSON."""

    event_name: str
    status: str
    is_body_kept: bool
    body: str
    results: str


class EventLog:
    """Reads events; raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("event_log")

    def find(self, app: int, message_id: str) -> StoredEvent | None:
        """The row of a message; None while it has none."""
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["find"], {"app": app, "message_id": message_id})
            row = cursor.fetchone()
        return msgspec.convert(row, StoredEvent) if row else None

    def newest(self, app: int, limit: int) -> list[JudgedBody]:
        """The newest events of an app."""
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["newest"], {"app": app, "limit": limit})
            return [msgspec.convert(row, JudgedBody) for row in cursor.fetchall()]
