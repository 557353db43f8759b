"""How many events were stored, by the hour and the quarter of an hour: counted once each, and read as series.

Each write of events leaves its numbers in `event_news`, in its own transaction. Counting takes them away and adds them
up in one transaction: an event counts once, when its row can be seen, however late that is and however often a run is
begun. What is counted stays when rows are removed.

A mark of transactions, as pollers have it, would not do: rows are written anew when they are moved to their day or
judged again, and what is removed before a run would never count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from psycopg2.extras import RealDictCursor

from chalicelib.db.connect import Row
from chalicelib.db.contracts.versions import Transactions
from chalicelib.db.sql import statements
from chalicelib.errors import JobFailed, Unavailable
from chalicelib.events.paths import fold_event

# Rows of `event_news` that one transaction takes.
_AT_ONCE = 20_000


class Counted(Struct, frozen=True):
    """How many events a transaction counted, and whether more wait."""

    events: int
    is_all: bool


class Span(Struct, frozen=True, kw_only=True):
    """Which events of an app are wanted; both times are whole steps."""

    first: datetime
    beyond: datetime
    step: timedelta
    # Folded names; none: all.
    event_names: tuple[str, ...] = ()
    is_user: bool | None = None


class Point(Struct, frozen=True):
    """So many events of a status in a step that begins at a time; the name is empty where it is of all that fit."""

    at: datetime
    event_name: str
    status: str
    count: int


class Series(Struct, frozen=True, kw_only=True):
    """What was counted; steps without events have no points."""

    # What was stored before it is counted; None: nothing was counted yet.
    counted_until: datetime | None
    points: tuple[Point, ...]
    # The names with most events, those first, and their points.
    names: tuple[str, ...] = ()
    points_of_names: tuple[Point, ...] = ()
    # How many names there are.
    name_count: int = 0


class _Slot(NamedTuple):
    app: int
    slot: datetime
    name: str
    status: str
    is_user: bool


class EventCounts:
    """Counts events and reads counts; raises what its database raises."""

    def __init__(self, database: Transactions, *, at_once: int = _AT_ONCE) -> None:
        self._database = database
        self._at_once = at_once
        self._sql = statements("event_counts")

    def count(self) -> Counted:
        """Counts some of what is not counted yet, in one transaction; what is of apps that are gone is forgotten."""
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["lock_rollup"])
            cursor.execute(self._sql["take_news"], {"limit": self._at_once})
            rows = cursor.fetchall()
            counts = _folded(rows, self._apps(cursor, rows))
            if counts:
                values = _values(counts)
                cursor.execute(self._sql["add_quarters"], values)
                cursor.execute(self._sql["add_hours"], values)
            is_all = sum(row["taken"] for row in rows) < self._at_once
            if is_all:
                cursor.execute(self._sql["mark_counted"])
        return Counted(counts.total(), is_all)

    def tidy(self, *, quarters_before: datetime, hours_before: datetime) -> None:
        """Removes what is outdated."""
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["lock_rollup"])
            cursor.execute(self._sql["remove_quarters"], {"before": quarters_before})
            for statement in ("remove_hours", "remove_spikes"):
                cursor.execute(self._sql[statement], {"before": hours_before})

    def series(self, app: int, span: Span, *, most_names: int) -> Series:
        """The counts of an app by steps, and by so many of its names; raises Unavailable where they take too long."""
        values: dict[str, Any] = msgspec.structs.asdict(span) | {  # the parameters of the statements
            "app": app,
            "names": list(span.event_names) or None,
            "limit": most_names,
        }
        try:
            with self._database.transaction() as cursor:
                cursor.execute(self._sql["steady_counts"])
                cursor.execute(self._sql["counted_until"])
                (mark,) = cursor.fetchall()
                points = tuple(self._points(cursor, "series", values))
                cursor.execute(self._sql["most_frequent"], values)
                found = cursor.fetchall() if most_names else []
                names = tuple(row["event_name"] for row in found)
                of_names = self._points(cursor, "series_of_names", values | {"names": list(names)}) if names else ()
                return Series(
                    counted_until=mark["counted_until"],
                    points=points,
                    names=names,
                    points_of_names=tuple(of_names),
                    name_count=found[0]["names"] if found else 0,
                )
        except JobFailed as error:
            raise Unavailable(f"{error.detail}; ask for less: from, to or event_names make it quicker") from error

    def _apps(self, cursor: RealDictCursor, rows: Sequence[Row]) -> set[int]:
        """Those of the rows' apps that are there; none of them can be removed until the end of the transaction."""
        cursor.execute(self._sql["lock_apps"], {"apps": sorted({row["app"] for row in rows})})
        return {row["id"] for row in cursor.fetchall()}

    def _points(self, cursor: RealDictCursor, statement: str, values: dict[str, Any]) -> Iterator[Point]:
        cursor.execute(self._sql[statement], values)
        for row in cursor.fetchall():
            yield msgspec.convert(row, Point)


def _folded(rows: Sequence[Row], apps: set[int]) -> Counter[_Slot]:
    counts: Counter[_Slot] = Counter()
    for row in rows:
        if row["app"] in apps:
            key = _Slot(row["app"], row["slot"], fold_event(row["event_name"]), row["status"], row["is_user"])
            counts[key] += row["count"]
    return counts


def _values(counts: Counter[_Slot]) -> dict[str, object]:
    return {
        "apps": [key.app for key in counts],
        "slots": [key.slot for key in counts],
        "names": [key.name for key in counts],
        "statuses": [key.status for key in counts],
        "are_users": [key.is_user for key in counts],
        "counts": list(counts.values()),
    }
