"""Events into Postgres: many in one statement, each message once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec
import psycopg2
from psycopg2.extras import RealDictCursor

from chalicelib.db.connect import Database
from chalicelib.db.sql import statements
from chalicelib.errors import JobFailed, Unavailable, Unstorable

# What stands where a body is left out.
_NO_BODY = "{}"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NewEvent(msgspec.Struct, frozen=True, gc=False):
    """An event as it is stored; the texts of `body` and `results` are JSON."""

    # The number of the app.
    app: int
    message_id: str
    accepted_ms: int
    name: str
    status: str
    is_user: bool
    # Of the rule sheet that it was judged by; 0: there was none.
    rules_version: int
    # What tells two events with one message id apart.
    body_hash: bytes
    body: str
    results: str
    # False: the body is not stored.
    is_body_kept: bool = True


class Outcome(StrEnum):
    """What became of an event: it has a row; there was a row of its message id already, of the same or another body."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    # The app was deleted since the event was taken.
    NO_APP = "no_app"


class Written(msgspec.Struct, frozen=True):
    """What became of each event, and the ids of the rows that are new, by the places of their events."""

    outcomes: list[Outcome]
    ids: dict[int, int]


class EventWriter:
    """Stores events; raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("event_writes")

    def store(self, events: Sequence[NewEvent]) -> list[Outcome]:
        """Stores all that is new, or nothing at all; answers what became of each."""
        return self.write(events).outcomes

    def write(self, events: Sequence[NewEvent]) -> Written:
        """Does the same and answers the ids of new rows as well.

        An event whose row stands since an earlier delivery of the same message counts as stored. Raises Unstorable
        where Postgres refuses what is in one of them. Cost: one statement, and a second one if not all are new.
        """
        if not events:
            return Written([], {})
        try:
            with self._database.transaction() as cursor:
                cursor.execute(self._sql["store"], _values(events))
                new = {row["place"]: row["id"] for row in cursor.fetchall()}
                old = [event for place, event in enumerate(events) if place not in new]
                known = self._known(cursor, old) if old else {}
        except (psycopg2.DataError, psycopg2.IntegrityError) as error:
            raise Unstorable(f"the database refuses the event: {error.diag.message_primary}") from error
        except OverflowError as error:
            raise Unstorable("the database refuses the event: it has no such time") from error
        except JobFailed as error:
            # It took too long: it may be quicker later, and the events are no worse for that.
            raise Unavailable(error.detail) from error
        seen: set[tuple[int, str]] = set()
        outcomes = []
        for place, event in enumerate(events):
            key = (event.app, event.message_id)
            outcomes.append(
                Outcome.STORED if place in new else _outcome(event, known.get(key), came_before=key in seen)
            )
            seen.add(key)
        return Written(outcomes, new)

    def _known(
        self, cursor: RealDictCursor, events: Sequence[NewEvent]
    ) -> dict[tuple[int, str], tuple[bytes, datetime]]:
        values = {"apps": [event.app for event in events], "message_ids": [event.message_id for event in events]}
        cursor.execute(self._sql["known"], values)
        return {
            (row["app"], row["message_id"]): (bytes(row["body_hash"]), row["accepted_at"]) for row in cursor.fetchall()
        }


def moment(ms: int) -> datetime:
    """A time in milliseconds since 1970, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=ms)


def _values(events: Sequence[NewEvent]) -> dict[str, object]:
    return {
        "apps": [event.app for event in events],
        "message_ids": [event.message_id for event in events],
        "hashes": [event.body_hash for event in events],
        "accepted": [moment(event.accepted_ms) for event in events],
        "names": [event.name for event in events],
        "statuses": [event.status for event in events],
        "are_users": [event.is_user for event in events],
        "versions": [event.rules_version for event in events],
        "bodies": [event.body if event.is_body_kept else _NO_BODY for event in events],
        "are_bodies_kept": [event.is_body_kept for event in events],
        "results": [event.results for event in events],
    }


def _outcome(event: NewEvent, known: tuple[bytes, datetime] | None, *, came_before: bool) -> Outcome:
    """What became of an event that was not new; of those of one call only the first can be an earlier delivery."""
    if known is None:
        return Outcome.NO_APP
    body_hash, accepted_at = known
    if body_hash != event.body_hash:
        return Outcome.CONFLICT
    is_same = not came_before and accepted_at == moment(event.accepted_ms)
    return Outcome.STORED if is_same else Outcome.DUPLICATE
