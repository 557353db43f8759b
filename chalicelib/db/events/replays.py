"""Replays of stored events: what they read, and what they change in the transaction that says how far they have come.

A replay locks what is known of the newest events before the events themselves, as their removal does; so neither waits
for the other for ever, and a newest event that is removed meanwhile gives way to one that says what its row says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from psycopg2 import errors
from psycopg2.extras import RealDictCursor

from chalicelib.db.contracts.session import Session
from chalicelib.db.events.watch import MOST_NAMES
from chalicelib.db.events.watch_filters import Filters, Latest, by_name
from chalicelib.db.events.watch_pieces import compose
from chalicelib.db.sql import statements
from chalicelib.errors import JobFailed, Unavailable
from chalicelib.events.paths import fold_event

_UNSEEN = {"seen_floor": None, "seen_next": None, "seen_running": None, "next": 0}


class Selection(Struct, frozen=True, kw_only=True):
    """Which events a replay is about, settled when it began."""

    filters: Filters
    # Their numbers, if only some are wanted.
    ids: tuple[int, ...] | None
    # The last number that had been given.
    tip: int


class StoredJudgement(Struct, frozen=True, kw_only=True):
    """An event as it is stored; of one that is not wanted body and results are empty. Texts are JSON."""

    id: int
    accepted_at: datetime
    event_name: str
    status: str
    is_user: bool
    rules_version: int
    is_body_kept: bool
    is_wanted: bool
    body: str
    results: str


class NewJudgement(Struct, frozen=True, kw_only=True):
    """What an event was judged to be; `results` is JSON."""

    event: StoredJudgement
    status: str
    is_user: bool
    results: str


class Turn:
    """A transaction of a replay."""

    def __init__(self, cursor: RealDictCursor, job_id: str, app: int, stand: str) -> None:
        # How far the replay has come, as it was saved.
        self.stand = stand
        self._cursor = cursor
        self._job_id = job_id
        self._app = app
        self._sql = statements("event_replay")

    def read(self, selection: Selection, before: int, limit: int) -> list[StoredJudgement]:
        """The next events with a number below one, newest first."""
        values = _values(self._app, selection, limit) | {"before": before}
        self._cursor.execute(compose(self._sql["read"]), values)
        return [msgspec.convert(row, StoredJudgement) for row in self._cursor.fetchall()]

    def store(self, judgements: Sequence[NewJudgement], rules_version: int) -> frozenset[int]:
        """Stores judgements by a version of the rules; answers the numbers of the events that are still there."""
        if not judgements:
            return frozenset()
        moments = [each.event.accepted_at for each in judgements]
        values = {
            "app": self._app,
            "rules_version": rules_version,
            "ids": [each.event.id for each in judgements],
            "accepted": moments,
            "names": [each.event.event_name for each in judgements],
            "statuses": [each.status for each in judgements],
            "are_users": [each.is_user for each in judgements],
            "results": [each.results for each in judgements],
            "first": min(moments),
            "last": max(moments),
        }
        self._cursor.execute(statements("event_watch")["lock_latest"], values)
        self._cursor.execute(self._sql["judge"], values)
        found = frozenset(row["id"] for row in self._cursor.fetchall())
        self._cursor.execute(self._sql["judge_latest"], values)
        return found

    def save(self, stand: str) -> None:
        """Remembers how far the replay has come."""
        self._cursor.execute(self._sql["save"], {"job_id": self._job_id, "stand": stand})


class EventReplays:
    """The replays of apps, by their jobs; raises what a Session raises."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sql = statements("event_replay")

    def plan(self, job_id: str) -> str | None:
        """What was settled when the replay began; None where it has not."""
        with self._session.transaction() as cursor:
            cursor.execute(self._sql["plan"], {"job_id": job_id})
            row = cursor.fetchone()
        return None if row is None else str(row["plan"])

    def begin(self, job_id: str, app: int, *, plan: str, stand: str) -> None:
        """Begins a replay, unless it has begun."""
        with self._session.transaction() as cursor:
            cursor.execute(self._sql["forget_old"])
            values = {"job_id": job_id, "app": app, "plan": plan, "stand": stand}
            cursor.execute(self._sql["begin"], values)

    def select(self, app: int, filters: Filters, ids: Sequence[int] | None) -> Selection:
        """The events that are stored by now and fit."""
        wanted = None if ids is None else set(ids)
        with self._session.transaction() as cursor:
            cursor.execute(statements("event_watch")["tip"])
            (row,) = cursor.fetchall()
            if filters.latest_only:
                cursor.execute(statements("event_watch")["latest"], {"app": app, "most": MOST_NAMES})
                latest = by_name(msgspec.convert(each, Latest) for each in cursor.fetchall())
                newest = {each.id for each in latest.values()}
                wanted = newest if wanted is None else wanted & newest
        return Selection(filters=filters, ids=None if wanted is None else tuple(sorted(wanted)), tip=row["tip"])

    def size(self, app: int, selection: Selection, most: int) -> int:
        """How many events it looks at, counted no further than `most`."""
        values = _values(app, selection, most) | {"before": selection.tip + 1}
        with self._session.transaction() as cursor:
            cursor.execute(compose(self._sql["size"]), values)
            (row,) = cursor.fetchall()
        return int(row["size"])

    @contextmanager
    def turn(self, job_id: str, app: int, *, is_applied: bool) -> Iterator[Turn]:
        """A transaction that no other run of the job, and no other replay that changes the app, is beside.

        Raises Unavailable where Postgres ends it because of somebody else's, and JobFailed where nobody began it.
        """
        try:
            with self._session.transaction() as cursor:
                cursor.execute(self._sql["turn"], {"job_id": job_id})
                row = cursor.fetchone()
                if row is None:
                    raise JobFailed("what the replay had done so far was forgotten; start it again")
                if is_applied:
                    cursor.execute(self._sql["alone"], {"app": app})
                yield Turn(cursor, job_id, app, row["stand"])
        except JobFailed as error:
            if isinstance(error.__cause__, errors.DeadlockDetected):
                raise Unavailable("the events were being removed", retry_after_s=5) from error
            raise


def _values(app: int, selection: Selection, limit: int) -> dict[str, Any]:  # the parameters of a statement
    filters = selection.filters
    names = sorted({fold_event(name) for name in filters.event_names})
    return (
        filters.values()
        | _UNSEEN
        | {
            "app": app,
            "names": names or None,
            "ids": None if selection.ids is None else list(selection.ids),
            "most_looked_at": limit,
        }
    )
