"""The versions of the data set: which one readers are to read, and how one takes the other's place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec
from psycopg2 import errors, sql
from psycopg2.extras import RealDictCursor

from chalicelib.db.connect import Turns
from chalicelib.db.sql import statements
from chalicelib.errors import JobFailed
from chalicelib.search.awards import Rejection

# Longer than any load takes; what is older was left by one that ended without a word.
_STALE_S = 24 * 3600
# A reader of a version that is to be dropped is waited for this long, and then left alone.
_DROP_TIMEOUT_MS = 1_000
_SQL = statements("contracts_versions")


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows of a source."""

    rows_read: int
    rows_loaded: int
    rows_rejected: int


class Transactions(Protocol):
    """What runs transactions: a Database, or a load's own session.

    Those with `turns` wait for theirs before they search.
    """

    @property
    def turns(self) -> Turns | None: ...

    def transaction(self) -> AbstractContextManager[RealDictCursor]: ...


def current_version(cursor: RealDictCursor) -> int | None:
    """The version that readers are to read; None before one was loaded."""
    cursor.execute(_SQL["current"])
    row = cursor.fetchone()
    return None if row is None else int(row["id"])


def schema_name(version: int) -> str:
    """The schema that has the version's tables."""
    return f"contracts_v{int(version)}"


def compose(family: str, name: str, version: int, **names: str) -> sql.Composed:
    """A statement of `queries/` on a version's tables; `names` are further identifiers in it."""
    identifiers = {key: sql.Identifier(value) for key, value in names.items()}
    return sql.SQL(statements(family)[name]).format(schema=sql.Identifier(schema_name(version)), **identifiers)


def one_row(cursor: RealDictCursor) -> Mapping[str, Any]:  # of whatever types its columns have
    """The row of a statement that always has one."""
    row = cursor.fetchone()
    assert row is not None
    return row


class Versions:
    """Reads and writes the table `contract_versions`, and with it the versions' schemas."""

    def __init__(self, database: Transactions) -> None:
        self._database = database

    def current(self) -> int | None:
        """The version that readers are to read; None before one was loaded."""
        with self._database.transaction() as cursor:
            return current_version(cursor)

    def counts(self, version: int) -> Counts:
        """What became of the rows of a version that was published."""
        with self._database.transaction() as cursor:
            cursor.execute(_SQL["counts"], {"version": version})
            return msgspec.convert(one_row(cursor), Counts)

    def rejections(self, version: int, limit: int | None = None) -> Iterator[Rejection]:
        """The first rows that were rejected, or all, in the order of the source, as long as the version is kept."""
        statement = compose("contracts_versions", "rejections", version)
        with self._database.transaction() as cursor, cursor.connection.cursor(name="rejections") as found:
            found.execute(statement, {"limit": limit})
            for line, column, value, reason in found:
                yield Rejection(line, column, value, reason)

    def begin(self, source: str) -> int:
        """A new version without rows; gives up those whose loads have ended without a word."""
        for version in self._stale():
            self.abandon(version)
        with self._database.transaction() as cursor:
            cursor.execute(_SQL["add"], {"source": source})
            version = int(one_row(cursor)["id"])
            cursor.execute(compose("contracts_load", "create", version))
            return version

    def abandon(self, version: int) -> bool:
        """Removes all of a version but its row, unless it was published; answers whether it did."""
        with self._database.transaction() as cursor:
            cursor.execute(_SQL["fail"], {"version": version})
            if cursor.fetchone() is None:
                return False
            cursor.execute(compose("contracts_versions", "drop", version))
            return True

    def publish(self, cursor: RealDictCursor, version: int, counts: Counts) -> None:
        """Makes a version the current one within the caller's transaction; raises JobFailed if a newer one is."""
        cursor.execute(_SQL["lock"])
        current = current_version(cursor)
        if current is not None and current > version:
            raise JobFailed(f"version {current} of the contracts, which was begun later, is there already")
        cursor.execute(_SQL["retire"])
        cursor.execute(_SQL["publish"], msgspec.structs.asdict(counts) | {"version": version})
        if cursor.fetchone() is None:
            raise JobFailed(f"version {version} of the contracts is not being loaded")

    def drop_outdated(self) -> None:
        """Removes versions older than the one before the current one; what is being read is left to the next call."""
        with self._database.transaction() as cursor:
            cursor.execute(_SQL["outdated"])
            outdated = [int(row["id"]) for row in cursor.fetchall()]
        for version in outdated:
            self._drop(version)

    def _drop(self, version: int) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(_SQL["lock_timeout"], {"timeout_ms": _DROP_TIMEOUT_MS})
            cursor.execute(_SQL["save"])
            try:
                cursor.execute(compose("contracts_versions", "drop", version))
            except errors.LockNotAvailable:
                cursor.execute(_SQL["restore"])

    def _stale(self) -> list[int]:
        with self._database.transaction() as cursor:
            cursor.execute(_SQL["stale"], {"age_s": _STALE_S})
            return [int(row["id"]) for row in cursor.fetchall()]
