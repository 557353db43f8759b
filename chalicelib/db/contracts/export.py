"""All the awards that fit, or all their sums by name, as they come; memory for some thousand rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from psycopg2.extras import RealDictCursor

from chalicelib.db.connect import Database
from chalicelib.db.contracts.current import CurrentVersion
from chalicelib.db.contracts.fragments import fragment
from chalicelib.db.contracts.matching import conditions, values_of
from chalicelib.db.contracts.scope import Scope, opened
from chalicelib.db.contracts.search import spans_of
from chalicelib.db.contracts.statements import Statement, page_statement, run, table_statement
from chalicelib.db.contracts.versions import Transactions, schema_name
from chalicelib.db.sql import statements
from chalicelib.search.export.columns import Row
from chalicelib.search.export.encoding import encoder
from chalicelib.search.export.request import ExportEstimate, ExportRequest, estimate, layout_of, sums_by
from chalicelib.search.paging import Dimension, GroupOrder, Order, Page
from chalicelib.search.result import average

_FETCHED_ROWS = 2_000
# More than there can be.
_ALL = 2_000_000_000
_ONE = Page(1, 1)

# Rows, each with a number by which one can go on behind it.
Batch = list[tuple[int, Row]]


class ContractExport:
    """Reads one version for requests that have passed their check; raises what its connection raises, and Gone."""

    def __init__(self, connection: Transactions) -> None:
        self._connection = connection

    def is_there(self, version: int) -> bool:
        """Whether the version has not been dropped."""
        with self._connection.transaction() as cursor:
            cursor.execute(statements("contracts_export")["version_exists"], {"schema": schema_name(version)})
            return bool(cursor.fetchall()[0]["is_there"])

    def count(self, version: int, request: ExportRequest) -> int:
        """How many rows the file will have."""
        with opened(self._connection, version, request) as (cursor, scope):
            by = sums_by(request)
            if by is not None:
                statement = table_statement(scope, by, _ONE, GroupOrder())
                return int(run(cursor, statement)[0]["groups"])
            if scope.is_of_time_alone:
                return sum(span.rows for span in spans_of(scope))
            return int(run(cursor, page_statement(scope, _ONE, Order()))[0]["total"])

    def batches(self, version: int, request: ExportRequest, after: int) -> Iterator[Batch]:
        """The rows behind the one with that number, from the first one on for 0."""
        with opened(self._connection, version, request) as (cursor, scope):
            by = sums_by(request)
            yield from _awards(cursor, scope, after) if by is None else _sums(cursor, scope, by, after)


class ContractFiles:
    """Small files of the current version at once; raises Unavailable, and NotFound before the first import."""

    def __init__(self, database: Database) -> None:
        self._current = CurrentVersion(database)
        self._export = ContractExport(database)

    def estimate(self, request: ExportRequest) -> ExportEstimate:
        """How large a file would be."""
        return self._current.ask(lambda version: estimate(request, self._export.count(version, request), version))

    def content(self, request: ExportRequest, most_bytes: int) -> bytes | None:
        """A file; None where it would have more bytes than that."""
        return self._current.ask(lambda version: self._content(version, request, most_bytes))

    def _content(self, version: int, request: ExportRequest, most_bytes: int) -> bytes | None:
        encoding = encoder(layout_of(request))
        content = bytearray(encoding.begin())
        for batch in self._export.batches(version, request, after=0):
            content += encoding.rows([row for _, row in batch])
            if len(content) > most_bytes:
                return None
        content += encoding.end()
        return bytes(content) if len(content) <= most_bytes else None


def _awards(cursor: RealDictCursor, scope: Scope, after: int) -> Iterator[Batch]:
    texts = fragment("with_texts", scope.version)
    text = fragment("exported_awards", scope.version, texts=texts, conditions=conditions(scope))
    for rows in _fetch(cursor, Statement(text, values_of(scope) | {"after": after})):
        yield [(row[0], row[1:]) for row in rows]


def _sums(cursor: RealDictCursor, scope: Scope, dimension: Dimension, after: int) -> Iterator[Batch]:
    statement = table_statement(scope, dimension, _ONE, GroupOrder())
    place = after
    values = statement.values | {"skipped": after, "size": _ALL}
    for rows in _fetch(cursor, msgspec.structs.replace(statement, values=values)):
        # Without a group there is one row all the same, which has their number.
        batch = [(label, total, awards, average(total, awards)) for _, label, awards, total in rows if awards]
        if batch:
            yield list(enumerate(batch, place + 1))
        place += len(batch)


def _fetch(
    cursor: RealDictCursor, statement: Statement
) -> Iterator[list[tuple[Any, ...]]]:  # of whatever types its columns have
    with cursor.connection.cursor(name="export") as found:
        found.execute(statement.text, statement.values)
        while rows := found.fetchmany(_FETCHED_ROWS):
            yield rows
