"""Sums for charts of a common word, which has too many rows to be summed up while somebody waits."""

from __future__ import annotations

from psycopg2 import sql
from psycopg2.extras import RealDictCursor

from chalicelib.db.contracts.dimensions import DIMENSIONS
from chalicelib.db.contracts.state import Sizes
from chalicelib.db.contracts.versions import compose, schema_name
from chalicelib.db.sql import statements

# The words are summed up in so many parts, of some seconds each.
SHARES = 20


def fill_share(cursor: RealDictCursor, version: int, share: int, sizes: Sizes) -> bool:
    """Sums up the words of one share; answers whether it was the last one."""
    cursor.execute(compose("contracts_load", "summed_words", version), {"shares": SHARES, "share": share})
    statement = _fill_sums(version)
    for row in cursor.fetchall():
        cursor.execute(statement, {"id": row["id"], "token": row["token"], "names": sizes.summed_names})
    if share + 1 < SHARES:
        return False
    cursor.execute(compose("contracts_load", "index_sums", version))
    return True


def _fill_sums(version: int) -> sql.Composed:
    texts = statements("contracts_load")
    schema = sql.Identifier(schema_name(version))
    largest = [
        sql.SQL(texts["largest_sums"]).format(schema=schema, dimension=sql.Identifier(name), kind=sql.Literal(kind))
        for kind, name in enumerate(DIMENSIONS, 1)
    ]
    return sql.SQL(texts["fill_sums"]).format(schema=schema, largest=sql.SQL("\nUNION ALL\n").join(largest))
