"""The peer's Postgres: one connection for each thread, kept open."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2 import extensions

_own = threading.local()


@contextmanager
def transaction() -> Iterator[extensions.cursor]:
    """A cursor whose work is committed at the end; a connection that broke is opened again the next time."""
    connection: extensions.connection | None = getattr(_own, "connection", None)
    if connection is None or connection.closed:
        connection = _own.connection = psycopg2.connect(os.environ["DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        yield cursor
