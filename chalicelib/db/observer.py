"""What an operator sees of a database that only functions can reach: fixed questions, and no SQL of theirs."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chalicelib.db.connect import Database
from chalicelib.db.migrate import MIGRATIONS, read_migrations
from chalicelib.db.sizes import LARGEST
from chalicelib.db.sql import statements
from chalicelib.errors import Unavailable


class Connections(msgspec.Struct, frozen=True):
    """Connections of one role in one state."""

    role: str
    state: str
    count: int


class Slow(msgspec.Struct, frozen=True):
    """A transaction that has been open for a second and more."""

    pid: int
    role: str
    state: str
    seconds: float
    # Connections that hold what it waits for.
    waits_for: list[int]
    # Without the values, which may be anybody's data.
    statement: str


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The migrations of the database against those of this code."""

    applied: int
    # This code has them, and the database not yet.
    missing: list[str]
    # The database has them, and this code not: a newer version was here.
    unknown: list[str]
    # Not what they were when they were applied.
    changed: list[str]


class DatabaseState(msgspec.Struct, frozen=True, kw_only=True):
    """The database as it is now."""

    version: str
    started_at: datetime
    is_read_only: bool
    connections_allowed: int
    connections: int
    by_role: list[Connections]
    slow: list[Slow]
    bytes: int
    largest_tables: dict[str, int] | None
    migrations: Ledger


class Observer:
    """Looks at the server; raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("observer")

    def look(self) -> DatabaseState:
        """All of it at once."""
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["server"])
            (server,) = cursor.fetchall()
            cursor.execute(self._sql["connections"])
            by_role = msgspec.convert([dict(row) for row in cursor.fetchall()], list[Connections])
            cursor.execute(self._sql["slow"])
            slow = msgspec.convert([dict(row) for row in cursor.fetchall()], list[Slow])
            cursor.execute(self._sql["ledger"])
            applied = {row["name"]: row["checksum"] for row in cursor.fetchall()}
        return DatabaseState(
            **server, by_role=by_role, slow=slow, largest_tables=self._largest(), migrations=_against_code(applied)
        )

    def _largest(self) -> dict[str, int] | None:
        """Sizes by table; None where somebody holds a lock on one of them, for to measure it is to wait for that."""
        try:
            with self._database.transaction() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '500ms'")
                cursor.execute(statements("sizes")["largest_tables"], {"limit": LARGEST})
                return {row["name"]: row["bytes"] or 0 for row in cursor.fetchall()}
        except Unavailable:
            return None

    def end(self, pid: int) -> bool:
        """Ends a connection; whether there was one."""
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["end"], {"pid": pid})
            (row,) = cursor.fetchall()
            return bool(row["is_ended"])


def _against_code(applied: dict[str, str]) -> Ledger:
    known = {migration.name: migration.checksum for migration in read_migrations(MIGRATIONS)}
    return Ledger(
        applied=len(applied),
        missing=sorted(known.keys() - applied.keys()),
        unknown=sorted(applied.keys() - known.keys()),
        changed=sorted(name for name in known.keys() & applied.keys() if known[name] != applied[name]),
    )
