"""What is new in a version of the contracts: its rows that the version before did not have, or not as often.

They are listed once for a version, whoever asks; what a search finds new is what it finds that is on the list. To
compare what two versions have for each search would read every row once for each of them.
"""

from __future__ import annotations

import msgspec
from psycopg2 import sql

from chalicelib.db.contracts.matching import found, values_of
from chalicelib.db.contracts.scope import opened
from chalicelib.db.contracts.search import read_contracts
from chalicelib.db.contracts.statements import Statement, run
from chalicelib.db.contracts.versions import Transactions, compose, current_version, one_row, schema_name
from chalicelib.db.sql import statements
from chalicelib.errors import JobFailed
from chalicelib.search.filters import Filters, check
from chalicelib.search.result import Contract

# Rows that are kept of an alert.
SHOWN = 20
# Of one search; one that lists every row takes some seconds with 5.5 million.
_TIMEOUT_MS = 60_000
# Any constant will do as long as nobody else takes the same advisory lock with two numbers: "new" as one.
_LOCK = 0x6E6577
_SQL = statements("contracts_new")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a search finds new in a version, compared with another one, 0 for none."""

    base_version: int
    matches: int
    rows: list[Contract]


class NewMatches:
    """Lists new rows and finds those of a search; raises what its database raises."""

    def __init__(self, database: Transactions) -> None:
        self._database = database

    def current(self) -> int:
        """The version that readers are to read; 0 before one was loaded."""
        with self._database.transaction() as cursor:
            return current_version(cursor) or 0

    def compare(self, version: int) -> bool:
        """Lists the new rows of a version, if that was not done before.

        False where its rows are not there, or those of the version before are not there any more. Cost: reads all rows
        of both, and sorts those of the newer one.
        """
        with self._database.transaction() as cursor:
            # Two that do it at once do it once.
            cursor.execute(_SQL["lock"], {"lock": _LOCK, "version": version})
            cursor.execute(_SQL["is_published"], {"version": version})
            if not one_row(cursor)["is_published"]:
                return False
            cursor.execute(_SQL["compared"], {"version": version, "after": version - 1})
            if cursor.fetchone() is not None:
                return True
            cursor.execute(_SQL["base"], {"version": version})
            row = cursor.fetchone()
            if row is not None and not row["is_there"]:
                return False
            cursor.execute(compose("contracts_new", "create", version))
            if row is None:
                cursor.execute(compose("contracts_new", "list_all", version))
            else:
                cursor.execute(_listing(version, row["id"]), {"base": row["id"]})
        return True

    def compared(self, after: int, version: int) -> list[int]:
        """The versions behind one up to another whose new rows are listed, oldest first."""
        with self._database.transaction() as cursor:
            cursor.execute(_SQL["compared"], {"after": after, "version": version})
            return [int(row["id"]) for row in cursor.fetchall()]

    def find(self, version: int, filters: Filters, *, knows_none: bool) -> Found:
        """What filters find new in a version, everything to who knows none; raises JobFailed where that takes long."""
        errors = check(filters)
        if errors:
            raise JobFailed(f"the filters are not accepted any more: {errors[0].pointer} {errors[0].detail}")
        with opened(self._database, version, filters) as (cursor, scope):
            cursor.execute(_SQL["limit_time"], {"timeout_ms": _TIMEOUT_MS})
            text = sql.SQL(_SQL["find"]).format(schema=sql.Identifier(schema_name(version)), found=found(scope))
            row = run(cursor, Statement(text, values_of(scope) | {"knows_none": knows_none, "most": SHOWN}))[0]
            rows = read_contracts(cursor, version, row["rids"])
        return Found(base_version=row["base"], matches=row["matches"], rows=rows)


def _listing(version: int, base: int) -> sql.Composed:
    return sql.SQL(_SQL["list_new"]).format(
        schema=sql.Identifier(schema_name(version)),
        old_rows=compose("contracts_new", "rows", base),
        new_rows=compose("contracts_new", "rows", version),
    )
