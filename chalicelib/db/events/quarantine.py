"""Invalid events by what is wrong with them: faults grouped by event, field and kind.

What makes an event invalid is what `makes_invalid` says, here handed to the database as the list that it goes by.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from chalicelib.db.connect import Database
from chalicelib.db.events.watch_filters import Filters
from chalicelib.db.events.watch_pieces import compose
from chalicelib.db.sql import statements
from chalicelib.errors import JobFailed, Unavailable
from chalicelib.events.paths import fold_event
from chalicelib.events.results import HARMLESS, FieldResult

# Invalid events that one answer looks at.
MOST_INVALID = 20_000


class Group(Struct, frozen=True, kw_only=True):
    """Faults of one kind of one field of one event; the sample is of the event that was stored last."""

    event_name: str
    # With [] for each element of an array.
    field_name: str
    validation_status: str
    # Faults, of which an event may have several.
    count: int
    events: int
    first_seen: datetime
    last_seen: datetime
    rules_versions: tuple[int, ...]
    id: int
    message_id: str
    sample: FieldResult


class Groups(Struct, frozen=True, kw_only=True):
    """A page of groups, and what they were made of."""

    groups: tuple[Group, ...]
    # Of all pages.
    total: int
    looked_at: int
    # Of the events that were looked at; None where there was none.
    oldest: datetime | None
    # Whether all invalid events were looked at.
    is_complete: bool


class Wanted(Struct, frozen=True, kw_only=True):
    """Which groups are wanted."""

    # Of them names, times, fields and kinds of faults count.
    filters: Filters = Filters()
    by_count: bool = False
    limit: int
    offset: int = 0


class EventQuarantine:
    """Reads the invalid events of an app, by its number; raises Unavailable."""

    def __init__(self, database: Database, *, most_looked_at: int = MOST_INVALID) -> None:
        self._database = database
        self._most_looked_at = most_looked_at
        self._groups = compose(statements("event_quarantine")["groups"])

    def groups(self, app: int, wanted: Wanted) -> Groups:
        """A page of groups, by when they were last seen or by how many faults they have."""
        rows = self._rows(app, wanted)
        first = rows[0]
        return Groups(
            groups=tuple(msgspec.convert(row, Group) for row in rows if row["event_name"] is not None),
            total=first["total"],
            looked_at=first["looked_at"],
            oldest=first["oldest"],
            is_complete=first["looked_at"] < self._most_looked_at,
        )

    def _rows(self, app: int, wanted: Wanted) -> list[dict[str, Any]]:
        names = sorted({fold_event(name) for name in wanted.filters.event_names})
        values = wanted.filters.values() | {
            "app": app,
            "names": names or None,
            "harmless": sorted(HARMLESS),
            "by_count": wanted.by_count,
            "most_looked_at": self._most_looked_at,
            "limit": wanted.limit,
            "offset": wanted.offset,
        }
        try:
            with self._database.transaction() as cursor:
                cursor.execute(self._groups, values)
                return list(map(dict, cursor.fetchall()))
        except JobFailed as error:
            raise Unavailable(f"{error.detail}; ask for less: from, to or event_names make it quicker") from error
