"""Stored events as they are watched: the newest of each name, pages of events and of their results, and their end.

What one answer looks at is bounded, so that no filter can have the database look at all that an app ever sent: a page
may be short, or empty, and still say where the next one goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from psycopg2.extras import RealDictCursor

from chalicelib.db.connect import Database, Row
from chalicelib.db.events.watch_filters import Filters, Latest, by_name
from chalicelib.db.events.watch_marks import Cursor, Mark, read_snapshot, seen_values
from chalicelib.db.events.watch_pieces import compose
from chalicelib.db.sql import statements
from chalicelib.errors import JobFailed, Unavailable
from chalicelib.events.paths import fold_event

# Names of an app that are known; of those that sent nothing for longest nothing is said.
MOST_NAMES = 10_000
# Events that one answer looks at: under a second where each has some ten results.
MOST_LOOKED_AT = 20_000
# Of an answer, as Lambda hands it on, up to 6 MB: a text in JSON, in which a character beyond ASCII takes 6 bytes.
MOST_BYTES = 4_000_000
_FETCHED = 50
# Around what a row holds.
_ENTRY_BYTES, _RESULT_BYTES = 500, 250


class Entry(Struct, frozen=True, kw_only=True):
    """A stored event; the texts of `body` and `results` are JSON."""

    id: int
    event_name: str
    message_id: str
    accepted_at: datetime
    status: str
    is_user: bool
    rules_version: int
    # False: the body was left out and is an empty object.
    is_body_kept: bool
    body: str
    results: str


class Found(Struct, frozen=True, kw_only=True):
    """A result of a stored event, of which `id` is the number."""

    id: int
    accepted_at: datetime
    # From 1.
    place: int
    event: str
    key: str
    value: str
    expected_type: str
    received_type: str
    validation_status: str
    comment: str


class Wanted(Struct, frozen=True, kw_only=True):
    """Which part of a list is wanted."""

    filters: Filters = Filters()
    limit: int
    # Rows that are left out at the beginning; they are among those that are looked at.
    offset: int = 0
    after: Cursor | None = None
    since: Mark | None = None
    # Whether to count all that fit.
    counts: bool = False
    # Where a page ends that would be larger.
    most_bytes: int = MOST_BYTES


class Entries(Struct, frozen=True, kw_only=True):
    """A page of events, newest first."""

    entries: tuple[Entry, ...]
    next: Cursor | None
    newest: Mark
    # None where they were not counted.
    total: int | None = None
    # Whether the total is of all events, not only of the newest MOST_LOOKED_AT.
    is_total_exact: bool = True


class Results(Struct, frozen=True, kw_only=True):
    """A page of results, those of the newest event first."""

    results: tuple[Found, ...]
    next: Cursor | None


class EventWatch:
    """Reads the events of an app, by its number; raises Unavailable."""

    def __init__(self, database: Database, *, most_looked_at: int = MOST_LOOKED_AT) -> None:
        self._database = database
        self._most_looked_at = most_looked_at
        self._sql = statements("event_watch")
        self._composed = {name: compose(self._sql[name]) for name in ("entries", "total", "reach", "results")}

    def latest(self, app: int) -> list[Latest]:
        """The newest event of each name, newest first."""
        with self._database.transaction() as cursor:
            return self._latest(cursor, app)

    def find(self, app: int, row_id: int) -> Entry | None:
        """One event."""
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["find"], {"app": app, "id": row_id})
            row = cursor.fetchone()
        return msgspec.convert(row, Entry) if row else None

    def entries(self, app: int, wanted: Wanted) -> Entries:
        """A page of events, which ends early where it would be too large for an answer."""
        with self._steady() as cursor:
            now, values = self._values(cursor, app, wanted)
            total = self._counted(cursor, "total", values) if wanted.counts else None
            kept, is_cut = _fitting(self._each(cursor, "entries", values), wanted, _entry_bytes)
            after = Cursor(kept[-1]["id"]) if is_cut else self._rest(cursor, values)
        return Entries(
            entries=tuple(msgspec.convert(row, Entry) for row in kept),
            next=after,
            newest=now,
            total=total["fitting"] if total else None,
            is_total_exact=total is None or total["looked_at"] < self._most_looked_at,
        )

    def results(self, app: int, wanted: Wanted) -> Results:
        """A page of results, which ends early where it would be too large for an answer."""
        with self._steady() as cursor:
            _, values = self._values(cursor, app, wanted)
            kept, is_cut = _fitting(self._each(cursor, "results", values), wanted, _result_bytes)
            after = Cursor(kept[-1]["id"], kept[-1]["place"]) if is_cut else self._rest(cursor, values)
        return Results(results=tuple(msgspec.convert(row, Found) for row in kept), next=after)

    @contextmanager
    def _steady(self) -> Iterator[RealDictCursor]:
        """A transaction in which all statements see the same rows."""
        try:
            with self._database.transaction() as cursor:
                cursor.execute(self._sql["steady"])
                yield cursor
        except JobFailed as error:
            raise Unavailable(f"{error.detail}; ask for less: from, to or event_names make it quicker") from error

    def _latest(self, cursor: RealDictCursor, app: int) -> list[Latest]:
        cursor.execute(self._sql["latest"], {"app": app, "most": MOST_NAMES})
        return [msgspec.convert(row, Latest) for row in cursor.fetchall()]

    def _values(self, cursor: RealDictCursor, app: int, wanted: Wanted) -> tuple[Mark, dict[str, Any]]:
        """What is seen now, and the parameters of the statements."""
        cursor.execute(self._sql["mark"])
        (mark,) = cursor.fetchall()
        now = read_snapshot(mark["snapshot"], mark["tip"])
        filters, after = wanted.filters, wanted.after
        known = self._latest(cursor, app) if filters.event_names or filters.latest_only else []
        folded = {fold_event(name) for name in filters.event_names}
        names = [row.event_name for row in known if fold_event(row.event_name) in folded]
        # Of an event that was shown in part the rest is still to come.
        before = after and (after.id if after.place is None else after.id + 1)
        return now, filters.values() | seen_values(wanted.since, now) | {
            "app": app,
            "names": names if filters.event_names else None,
            "ids": [row.id for row in by_name(known).values()] if filters.latest_only else None,
            "before": before,
            "after_id": after.id if after and after.place is not None else None,
            "after_place": after.place if after else None,
            "most_looked_at": self._most_looked_at,
            # One more tells whether there is a next page.
            "limit": wanted.limit + 1,
            "offset": wanted.offset,
        }

    def _counted(self, cursor: RealDictCursor, statement: str, values: Mapping[str, Any]) -> Row:
        cursor.execute(self._composed[statement], values)
        (row,) = cursor.fetchall()
        return row

    def _rest(self, cursor: RealDictCursor, values: Mapping[str, Any]) -> Cursor | None:
        """Where to go on behind a page that has all that fits of what was looked at; None where that was all."""
        reach = self._counted(cursor, "reach", values)
        return Cursor(reach["last_id"]) if reach["looked_at"] == self._most_looked_at else None

    def _each(self, cursor: RealDictCursor, statement: str, values: Mapping[str, Any]) -> Iterator[Row]:
        """The rows as they come: few of them may be more than an answer holds."""
        with cursor.connection.cursor(name="watch", cursor_factory=RealDictCursor) as found:
            found.execute(self._composed[statement], values)
            while rows := found.fetchmany(_FETCHED):
                yield from rows


def sent_bytes(text: str) -> int:
    """How many bytes a text is in an answer."""
    return len(json.dumps(text))


def _fitting(rows: Iterator[Row], wanted: Wanted, weigh: Callable[[Row], int]) -> tuple[list[Row], bool]:
    """Those of the rows that fit into an answer, at least one, and whether there are more."""
    kept: list[Row] = []
    room = wanted.most_bytes
    for row in rows:
        room -= weigh(row)
        if len(kept) == wanted.limit or (kept and room < 0):
            return kept, True
        kept.append(row)
    return kept, False


def _entry_bytes(row: Row) -> int:
    return sent_bytes(row["body"]) + sent_bytes(row["results"]) + _ENTRY_BYTES


def _result_bytes(row: Row) -> int:
    return sum(sent_bytes(value) for value in row.values() if isinstance(value, str)) + _RESULT_BYTES
