"""The SQLite file of an old installation, opened so that it cannot be written, and seen as it was at one moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

from chalicelib.db.sql import statements
from chalicelib.db.takeover.documents import Json
from chalicelib.db.takeover.report import LeftOut
from chalicelib.db.takeover.rows import OldRow, Surroundings, read_row, settle_addresses
from chalicelib.db.takeover.schema import FORECASTS, TABLES, USERS, Table
from chalicelib.db.takeover.values import Raw, Reading, Reference
from chalicelib.errors import JobFailed

# Forecasts are some tens of KiB each; a statement's JSON may have 256 MiB.
BATCH_ROWS = 100

_SQL = statements("old_installation")


class OldInstallation:
    """The four tables of an open file; every call raises sqlite3.Error where the file is damaged."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._columns = _check(connection)
        # By table.
        self.counts = {table.name: self._count("count", table=table.name) for table in TABLES}

    @property
    def total(self) -> int:
        """The rows of the four tables."""
        return sum(self.counts.values())

    def left_out(self) -> tuple[LeftOut, ...]:
        """The other tables, and the columns that only this installation has."""
        known = {table.name for table in TABLES}
        found = [
            LeftOut(name, self._count("count", table=name))
            for (name,) in self._connection.execute(_SQL["tables"]).fetchall()
            if name.lower() not in known
        ]
        for table in TABLES:
            ours = {"id", *(column.name for column in table.columns)}
            found += [
                LeftOut(f"{table.name}.{name}", self._count("count_values", table=table.name, column=name))
                for name in self._columns[table.name]
                if name not in ours
            ]
        return tuple(found)

    def batches(self) -> Iterator[tuple[Table, list[OldRow]]]:
        """All rows, each after those that it refers to."""
        kept: dict[str, set[int]] = {table.name: set() for table in TABLES}
        gone: dict[str, set[int]] = {table.name: set() for table in TABLES}
        order, readings = parents_first(self._pairs(FORECASTS, FORECASTS.parent))
        around = Surroundings(kept, gone, readings | settle_addresses(self._pairs(USERS, "email")))
        for table in TABLES:
            ids = iter(order if table is FORECASTS else [row_id for row_id, _ in self._pairs(table, "id")])
            while batch := list(islice(ids, BATCH_ROWS)):
                rows = []
                for raw in self._rows(table, batch):
                    row = read_row(table, raw, around)
                    (kept if row.content else gone)[table.name].add(row.id)
                    rows.append(row)
                yield table, rows

    def _pairs(self, table: Table, column: str) -> list[tuple[int, Raw]]:
        """Every id with the value of a column, None where the table lacks it; raises JobFailed where ids are none."""
        name = column if column in self._columns[table.name] else "NULL"
        pairs = self._connection.execute(_SQL["pairs"].format(table=table.name, column=name)).fetchall()
        ids = [row_id for row_id, _ in pairs]
        if not all(isinstance(row_id, int) for row_id in ids) or len(set(ids)) < len(ids):
            raise JobFailed(f"the source's table {table.name} has rows without a whole number of their own as id")
        return pairs

    def _rows(self, table: Table, ids: Sequence[int]) -> Iterator[Mapping[str, Raw]]:
        cursor = self._connection.execute(_SQL["rows"].format(table=table.name), {"ids": str(list(ids))})
        names = [description[0].lower() for description in cursor.description]
        found = {raw["id"]: raw for raw in (dict(zip(names, values, strict=True)) for values in cursor)}
        if len(found) < len(ids):  # an index that names rows which are not there
            raise JobFailed(f"the source's table {table.name} is damaged")
        return (found[row_id] for row_id in ids)

    def _count(self, statement: str, **names: str) -> int:
        quoted = {key: '"' + name.replace('"', '""') + '"' for key, name in names.items()}
        (value,) = self._connection.execute(_SQL[statement].format(**quoted)).fetchone()
        return int(value)


@contextmanager
def open_installation(path: Path) -> Iterator[OldInstallation]:
    """The installation in this file; raises JobFailed where it is none, misses a table or a column, or is damaged."""
    if not path.is_file():
        raise JobFailed(f"there is no file {path}")
    try:
        with closing(_open(path)) as connection:
            # One transaction: a service that still writes changes nothing of what is read from here on.
            connection.execute("BEGIN")
            yield OldInstallation(connection)
    except sqlite3.Error as error:
        raise JobFailed(f"{path} cannot be read as a SQLite database: {error}") from error


def parents_first(pairs: Sequence[tuple[int, Raw]]) -> tuple[list[int], dict[tuple[str, int], Reading]]:
    """The ids of forecasts, each behind its parent's; with a reading for every parent that would close a circle."""
    parents = {row_id: Reference(table="forecasts").read(raw).value for row_id, raw in pairs}
    order: dict[int, None] = {}
    cut = {}
    for start in parents:
        path: dict[int, None] = {}
        node: Json = start
        while isinstance(node, int) and node in parents and node not in order and node not in path:
            path[node] = None
            node = parents[node]
        if node in path:
            last = next(reversed(path))
            cut["parent_forecast_id", last] = Reading(None, f"closes a circle of versions with row {node}")
        order.update(dict.fromkeys(reversed(path)))
    return list(order), cut


def _open(path: Path) -> sqlite3.Connection:
    connection = _connect(path, "mode=ro")
    try:
        connection.execute(_SQL["tables"]).fetchall()
    except sqlite3.Error as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN or path.with_name(f"{path.name}-wal").exists():
            raise
        # A file in WAL mode in a folder that cannot be written; without a log beside it nobody else writes either.
        return _connect(path, "mode=ro&immutable=1")
    return connection


def _connect(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True, isolation_level=None)
    connection.text_factory = _text
    return connection


def _text(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _check(connection: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    """The columns by table, in lower case; raises JobFailed naming what is missing."""
    columns = {}
    missing = []
    for table in TABLES:
        rows = connection.execute(_SQL["columns"], {"table": table.name}).fetchall()
        columns[table.name] = tuple(name.lower() for (name,) in rows)
        required = ["id", *(column.name for column in table.columns if column.is_required)]
        lacks = [f"column {table.name}.{name}" for name in required if name not in columns[table.name]]
        missing += lacks if rows else [f"table {table.name}"]
    if missing:
        raise JobFailed(f"this is no installation to migrate: it lacks {', '.join(missing)}")
    return columns
