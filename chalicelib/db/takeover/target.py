"""The Postgres that an old installation is migrated into: one transaction, JSON in and JSON out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from psycopg2 import extensions, sql

from chalicelib.db.connect import connect
from chalicelib.db.migrate import migrate
from chalicelib.db.refusals import refusals
from chalicelib.db.sql import statements
from chalicelib.db.takeover.documents import Json, canonical, encode
from chalicelib.db.takeover.rows import Aside, OldRow, restore_row
from chalicelib.db.takeover.schema import TABLES, Table

_SET_ASIDE = "set_aside"
# Any constant that nobody else takes: "takeover" as a number.
_LOCK = 0x74616B656F766572
# Rows come back as JSON whose times and numbers have to be spelled alike on every server.
_OPTIONS = "-c statement_timeout=15min -c timezone=UTC -c extra_float_digits=1"
_SQL = statements("takeover")


class Target:
    """Reads and writes within an open transaction; raises psycopg2.Error."""

    def __init__(self, cursor: extensions.cursor) -> None:
        self._cursor = cursor
        names = [table.name for table in TABLES] + [_SET_ASIDE]
        found = {str(name) for (name,) in self._run("present", tables=names)}
        self.lacks = tuple(name for name in names if name not in found)

    def lock(self) -> None:
        """Waits for another migration that is under way."""
        self._run("lock", key=_LOCK)

    def find(self, table: Table, ids: Sequence[int]) -> dict[int, str]:
        """The contents of those rows that are there, as `read_row` spells them."""
        if table.name in self.lacks:
            return {}
        rows = self._run("find", table, ids=list(ids))
        return {int(str(row_id)): restore_row(table, str(content)) for row_id, content in rows}

    def find_addresses(self, rows: Sequence[OldRow]) -> list[tuple[int, int]]:
        """Pairs of ids: an account to be added, and another one here that has its address."""
        if "users" in self.lacks:
            return []
        found = self._run("find_addresses", rows=_array(row.content for row in rows))
        return [(int(str(added)), int(str(there))) for added, there in found]

    def add(self, table: Table, rows: Sequence[OldRow]) -> int:
        """Adds the rows and answers how many were added."""
        self._run("add", table, rows=_array(row.content for row in rows))
        return self._cursor.rowcount

    def find_asides(self, table: Table, ids: Sequence[int]) -> dict[tuple[int, str], str]:
        """The values that were set aside of these rows, by id and column."""
        if _SET_ASIDE in self.lacks:
            return {}
        rows = self._run("find_set_aside", table=table.name, ids=list(ids))
        return {(int(str(row_id)), str(column)): canonical(str(value)) for row_id, column, value in rows}

    def set_aside(self, asides: Sequence[Aside]) -> None:
        """Keeps what is not kept yet."""
        self._run("set_aside", rows=_array(encode(_fields(aside)) for aside in asides))

    def advance(self, table: Table) -> None:
        """Has new rows begin behind the ones that are there. Postgres does not take this back with a transaction."""
        self._run("advance", table, table=table.name)

    def _run(self, statement: str, of: Table | None = None, **values: object) -> list[tuple[object, ...]]:
        text: sql.Composable = sql.SQL(_SQL[statement])
        if of is not None:
            names = ["id", *(column.name for column in of.columns)]
            text = sql.SQL(_SQL[statement]).format(
                table=sql.Identifier(of.name), columns=sql.SQL(", ").join(map(sql.Identifier, names))
            )
        self._cursor.execute(text, values)
        return self._cursor.fetchall() if self._cursor.description else []


@contextmanager
def open_target(dsn: str, *, read_only: bool) -> Iterator[Target]:
    """A transaction that is committed at the end, or rolled back by any error.

    Raises Unavailable where Postgres cannot be reached or goes away, JobFailed where it refuses a statement.
    """
    with refusals(), closing(connect(dsn, options=_OPTIONS)) as connection:
        connection.set_session(readonly=read_only)
        with connection, connection.cursor() as cursor:
            yield Target(cursor)


def prepare(dsn: str) -> list[str]:
    """Makes the tables that a migration needs, if one is missing; answers the names of the schema migrations applied.

    Those for after a deploy are left to the deploy. Raises as `open_target`, and ConfigurationError as `migrate`.
    """
    with open_target(dsn, read_only=True) as target:
        lacks = target.lacks
    with refusals():
        return migrate(dsn, phases=("pre",)) if lacks else []


def _array(documents: Iterator[str] | Sequence[str]) -> str:
    return f"[{','.join(documents)}]"


def _fields(aside: Aside) -> dict[str, Json]:
    return {
        "source_table": aside.table,
        "source_id": aside.id,
        "column_name": aside.column,
        "reason": aside.reason,
        "value": aside.value,
    }
