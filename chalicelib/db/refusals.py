"""What Postgres says no to, in the service's own errors: for work that has no other answer to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2

from chalicelib.db.connect import is_outage
from chalicelib.errors import JobFailed, Unavailable


@contextmanager
def refusals() -> Iterator[None]:
    """Raises Unavailable where Postgres goes away inside the block, JobFailed where it refuses a statement."""
    try:
        yield
    except psycopg2.Error as error:
        if _is_outage(error):
            raise Unavailable("the database went away", retry_after_s=5) from error
        # The server's own line; what follows it may quote a row.
        raise JobFailed(f"Postgres refused: {error.diag.message_primary or type(error).__name__}") from error


def _is_outage(error: psycopg2.Error) -> bool:
    if error.pgcode:
        # A connection's end, or the server's; a full disk, which psycopg2 counts to the same class, is none.
        return error.pgcode.startswith(("08", "57P"))
    return is_outage(error)
