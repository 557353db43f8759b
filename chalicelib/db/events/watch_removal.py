"""Removing stored events, so that what is known of the newest of each name stays true.

The ids of their messages stay: an event that its app sends again, late, is known and does not come back.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from psycopg2.extras import RealDictCursor

from chalicelib.db.connect import Database
from chalicelib.db.sql import statements

# Writers of the app wait for a transaction of so many.
_AT_ONCE = 10_000
_MOST_TIMES = 10
# Of one call, which has an answer's time.
MOST_REMOVED = _AT_ONCE * _MOST_TIMES


class Removed(Struct, frozen=True):
    """How many events were removed, and whether these were all that had been stored by then."""

    count: int
    is_all: bool


class EventRemoval:
    """Removes the events of an app, by its number; raises Unavailable."""

    def __init__(self, database: Database, *, at_once: int = _AT_ONCE) -> None:
        self._database = database
        self._at_once = at_once
        self._sql = statements("event_watch")

    def remove(self, app: int, row_id: int) -> bool:
        """Removes one event; answers whether it was there."""
        values = {"app": app, "id": row_id}
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["name_of"], values)
            row = cursor.fetchone()
            if row is None:
                return False
            names = [row["event_name"]]
            self._lock(cursor, app, names)
            cursor.execute(self._sql["remove"], values)
            is_removed = cursor.fetchone() is not None
            self._mend(cursor, app, names)
        return is_removed

    def clear(self, app: int) -> Removed:
        """Removes all events that are stored by now, oldest first, at most MOST_REMOVED of them."""
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["tip"])
            (row,) = cursor.fetchall()
        count = 0
        for _ in range(_MOST_TIMES):
            removed = self._remove_oldest(app, row["tip"])
            count += removed
            if removed < self._at_once:
                return Removed(count, is_all=True)
        return Removed(count, is_all=False)

    def _remove_oldest(self, app: int, tip: int) -> int:
        with self._database.transaction() as cursor:
            self._lock(cursor, app, None)
            cursor.execute(self._sql["remove_oldest"], {"app": app, "tip": tip, "limit": self._at_once})
            removed = {row["event_name"]: row["removed"] for row in cursor.fetchall()}
            count: int = sum(removed.values())
            # In the end also the names whose events were outdated before.
            self._mend(cursor, app, list(removed) if count == self._at_once else None)
        return count

    def _lock(self, cursor: RealDictCursor, app: int, names: Sequence[str] | None) -> None:
        cursor.execute(self._sql["lock_latest"], {"app": app, "names": names})

    def _mend(self, cursor: RealDictCursor, app: int, names: Sequence[str] | None) -> None:
        for statement in ("mend_latest", "forget_latest"):
            cursor.execute(self._sql[statement], {"app": app, "names": names})
