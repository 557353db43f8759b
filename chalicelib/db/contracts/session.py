"""The connection of long work: each statement may take as long as a function runs, and can be interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2.extras import RealDictCursor

from chalicelib.db.connect import connect
from chalicelib.db.refusals import refusals
from chalicelib.jobs.kind import Progress

# Memory is for one load at a time: sorts of millions of rows, and the making of indexes.
_OPTIONS = (
    "-c statement_timeout=15min -c work_mem=128MB -c maintenance_work_mem=256MB -c jit=off -c client_encoding=UTF8"
)


class Session:
    """Runs transactions; raises what `progress` raises, Unavailable in an outage, JobFailed where Postgres refuses."""

    # What takes minutes is to keep nobody waiting.
    turns = None

    def __init__(self, dsn: str, progress: Progress) -> None:
        self.progress = progress
        self._connection = connect(dsn, options=_OPTIONS)

    @contextmanager
    def transaction(self) -> Iterator[RealDictCursor]:
        """A cursor whose work is committed at the end, or rolled back by any error."""
        with (
            refusals(),
            self.progress.interrupting(self._connection.cancel),
            self._connection,
            self._connection.cursor(cursor_factory=RealDictCursor) as cursor,
        ):
            yield cursor

    @contextmanager
    def statements(self) -> Iterator[RealDictCursor]:
        """A cursor each of whose statements is committed by itself, as VACUUM has to be."""
        self._connection.autocommit = True
        try:
            with (
                refusals(),
                self.progress.interrupting(self._connection.cancel),
                self._connection.cursor(cursor_factory=RealDictCursor) as cursor,
            ):
                yield cursor
        finally:
            if not self._connection.closed:
                self._connection.autocommit = False

    def close(self) -> None:
        self._connection.close()
