"""Removing all that is stored of an account in Postgres, at its owner's request.

What hangs on the account goes by foreign keys in one transaction, which is the last; events are removed before, some
at a time, for there may be millions. Each step may be done again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import msgspec
from psycopg2.extras import RealDictCursor

from chalicelib.clock import Clock
from chalicelib.db.connect import connect
from chalicelib.db.sql import statements
from chalicelib.errors import NotFound

# Longer than a request may take: counting events reads all of them.
_OPTIONS = "-c statement_timeout=120s"
_AT_ONCE = 20_000
# Of one call, within the time of the function.
LIMIT_S = 150


class OwnedApp(NamedTuple):
    """An app: its number, its id as clients know it, and the state that was published last."""

    number: int
    app_id: str
    revision: int


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """An account and how many rows there are of it."""

    id: str
    email: str
    apps: list[OwnedApp]
    rows: dict[str, int]


class Erasure:
    """Finds and removes; raises NotFound and Unavailable."""

    def __init__(self, dsn: str, clock: Clock, *, at_once: int = _AT_ONCE) -> None:
        self._dsn = dsn
        self._clock = clock
        self._at_once = at_once
        self._sql = statements("erasure")

    def count(self, account: str) -> Holding:
        """What there is of the account with this id or address."""
        with self._transaction() as cursor:
            return self._holding(cursor, account)

    def close(self, account: str) -> Holding:
        """The same, and has nobody log in to it any more."""
        with self._transaction() as cursor:
            found = self._holding(cursor, account)
            cursor.execute(self._sql["close"], {"id": found.id})
            return found

    def remove(self, account: str) -> bool:
        """Removes it; False where there is more than fits into one call: ask again."""
        end_s = self._clock.now() + LIMIT_S
        with self._transaction() as cursor:
            found = self._holding(cursor, account)
        values = {"id": found.id, "email": found.email, "apps": [app.number for app in found.apps]}
        for name in ("remove_events", "remove_ids"):
            while self._remove_some(name, values):
                if self._clock.now() > end_s:
                    return False
        with self._transaction() as cursor:
            for name in (
                "remove_news", "remove_replays", "remove_codes", "remove_set_aside", "unname_forecasts",
                "unname_actuals", "remove",
            ):  # fmt: skip
                cursor.execute(self._sql[name], values)
        return True

    def _remove_some(self, name: str, values: dict[str, Any]) -> bool:
        """Whether there may be more."""
        with self._transaction() as cursor:
            cursor.execute(self._sql[name], {**values, "limit": self._at_once})
            return cursor.rowcount == self._at_once

    def _holding(self, cursor: RealDictCursor, account: str) -> Holding:
        cursor.execute(self._sql["find"], {"account": account})
        row = cursor.fetchone()
        if row is None:
            raise NotFound(f"there is no account {account[:200]}")
        cursor.execute(self._sql["apps"], {"id": row["id"]})
        apps = [OwnedApp(each["id"], each["app_id"], each["revision"]) for each in cursor.fetchall()]
        values = {"id": row["id"], "email": row["email"], "apps": [app.number for app in apps]}
        cursor.execute(self._sql["count"], values)
        (counts,) = cursor.fetchall()
        return Holding(id=row["id"], email=row["email"], apps=apps, rows=dict(counts))

    @contextmanager
    def _transaction(self) -> Iterator[RealDictCursor]:
        with (
            closing(connect(self._dsn, options=_OPTIONS)) as connection,
            connection,
            connection.cursor(cursor_factory=RealDictCursor) as cursor,
        ):
            yield cursor
