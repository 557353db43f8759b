"""Keeping the tables of events in shape: a partition for each day, made before it and dropped when it is outdated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from psycopg2 import sql
from psycopg2.extras import RealDictCursor

from chalicelib.db.contracts.session import Session
from chalicelib.db.events.apps import App, read_app
from chalicelib.db.sql import statements

if TYPE_CHECKING:
    from chalicelib.jobs.kind import Progress

# Days for which there is a partition in advance: upkeep may be away for so long.
AHEAD = 7
_BATCH = 5_000
_APPS = 200


class EventTables:
    """The tables; raises what a Session raises."""

    def __init__(self, dsn: str, progress: Progress) -> None:
        self._dsn = dsn
        self._progress = progress
        self._sql = statements("event_upkeep")

    def add_days(self, today: date) -> int:
        """Makes the partitions of today and the days after it that are not there; answers how many."""
        made = 0
        with closing(Session(self._dsn, self._progress)) as session:
            for day in (today + timedelta(days=ahead) for ahead in range(AHEAD + 1)):
                with session.transaction() as cursor:
                    made += self._add(cursor, day)
        return made

    def drop_before(self, first: date) -> int:
        """Drops the days before one, and what is known of their messages; answers how many days."""
        with closing(Session(self._dsn, self._progress)) as session:
            with session.transaction() as cursor:
                outdated = [name for name in self._names(cursor) if name < _name(first)]
            for name in outdated:
                with session.transaction() as cursor:
                    cursor.execute(sql.SQL(self._sql["drop_partition"]).format(name=sql.Identifier(name)))
            before = {"before": _moment(first)}
            with session.transaction() as cursor:
                cursor.execute(self._sql["remove_strays"], before)
                cursor.execute(self._sql["remove_latest"], before)
            count = _BATCH
            while count == _BATCH:
                with session.transaction() as cursor:
                    cursor.execute(self._sql["remove_ids"], before | {"limit": _BATCH})
                    count = cursor.rowcount
                self._progress(0.5, "forgetting outdated messages")
        return len(outdated)

    def apps(self) -> Iterator[App]:
        """All apps."""
        after = 0
        with closing(Session(self._dsn, self._progress)) as session:
            while True:
                with session.transaction() as cursor:
                    cursor.execute(self._sql["apps"], {"after": after, "limit": _APPS})
                    rows = cursor.fetchall()
                if not rows:
                    return
                yield from map(read_app, rows)
                after = rows[-1]["id"]

    def _names(self, cursor: RealDictCursor) -> list[str]:
        cursor.execute(self._sql["partitions"])
        return [row["name"] for row in cursor.fetchall()]

    def _add(self, cursor: RealDictCursor, day: date) -> bool:
        name, first, beyond = _name(day), _moment(day), _moment(day + timedelta(days=1))
        if name in self._names(cursor):
            return False
        # Attached and not made as a partition, for that would have every reader wait.
        parts = {"name": sql.Identifier(name), "first": sql.Literal(first), "beyond": sql.Literal(beyond)}
        cursor.execute(sql.SQL(self._sql["make_partition"]).format(**parts))
        cursor.execute(self._sql["has_rows"], {"first": first, "beyond": beyond})
        if cursor.fetchall()[0]["has_rows"]:
            cursor.execute(sql.SQL(self._sql["move_rows"]).format(**parts), {"first": first, "beyond": beyond})
        cursor.execute(sql.SQL(self._sql["attach_partition"]).format(**parts))
        return True


def _name(day: date) -> str:
    return f"log_entries_{day:%Y%m%d}"


def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
