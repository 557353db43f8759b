"""One Postgres connection per process, opened when first used and again after it was lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2 import errors, extensions
from psycopg2.extras import RealDictCursor

from chalicelib.errors import JobFailed, Unavailable

# Shorter than a client's patience and than API Gateway's 29 s.
CONNECT_TIMEOUT_S = 3
STATEMENT_TIMEOUT_MS = 10_000

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Turns:
    """How many may search at the same time, whichever process they are of, and how long the others wait.

    A search keeps one processor of the server busy: more searches at once would all be slower, and none done sooner.
    """

    count: int = 2
    # Within the limit of a statement.
    patience_s: float = 8.0


class Database:
    """Runs transactions; raises Unavailable when Postgres is away or goes away, JobFailed past the time limit."""

    def __init__(self, dsn: str, turns: Turns | None = None, *, role_is_limited: bool = False) -> None:
        """`role_is_limited`: the role's own limit is the one below, and need not be said again.

        Said as an option of the connection it would keep a proxy from sharing connections, or from taking this one.
        """
        self._dsn = dsn
        self._options = "" if role_is_limited else f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"
        self.turns: Turns | None = turns or Turns()
        self._connection: extensions.connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[RealDictCursor]:
        """A cursor whose work is committed at the end, or rolled back by any error."""
        connection = self._connect()
        try:
            with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
                yield cursor
        except errors.QueryCanceled as error:
            # Psycopg2 counts it among the outages, but asking again would take as long again.
            raise JobFailed(f"the database took longer than its limit of {STATEMENT_TIMEOUT_MS // 1000} s") from error
        except psycopg2.Error as error:
            if not is_outage(error):
                raise
            self.close()
            raise Unavailable("the database went away", retry_after_s=5) from error

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> extensions.connection:
        # A Lambda may sleep for hours between two requests; the server has closed its side by then.
        if self._connection is not None and not _is_alive(self._connection):
            self.close()
        if self._connection is None:
            self._connection = connect(self._dsn, options=self._options)
        return self._connection


def connect(dsn: str, *, options: str = "") -> extensions.connection:
    """A new connection; raises Unavailable, without the address, which may hold a password."""
    if not dsn:
        raise Unavailable("no database is configured")
    try:
        return psycopg2.connect(dsn, connect_timeout=CONNECT_TIMEOUT_S, options=options, application_name="sluice")
    except psycopg2.OperationalError as error:
        raise Unavailable("the database cannot be reached", retry_after_s=5) from error


def _is_alive(connection: extensions.connection) -> bool:
    if connection.closed:
        return False
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except psycopg2.Error:
        return False
    return True


def is_outage(error: psycopg2.Error) -> bool:
    """Whether Postgres went away, by the class of the error alone."""
    # Of a server that was ended in immediate mode, or crashed, psycopg2 says plain DatabaseError.
    return type(error) is psycopg2.DatabaseError or isinstance(
        error, (psycopg2.OperationalError, psycopg2.InterfaceError)
    )
