"""How large the database and its largest tables are: what fills a disk, told before it is full."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.db.contracts.session import Session
from chalicelib.db.sql import statements

# Each is a metric of its own, which is paid by the month.
LARGEST = 5


class Sizes(NamedTuple):
    """Bytes on disk, of tables with their indexes and largest first."""

    database: int
    tables: dict[str, int]


def measure(session: Session) -> Sizes:
    """The sizes as they are now; raises what a Session raises."""
    sql = statements("sizes")
    with session.transaction() as cursor:
        cursor.execute(sql["database"])
        (whole,) = cursor.fetchall()
        cursor.execute(sql["largest_tables"], {"limit": LARGEST})
        return Sizes(whole["bytes"], {row["name"]: row["bytes"] or 0 for row in cursor.fetchall()})
