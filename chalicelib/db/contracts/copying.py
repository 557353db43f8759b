"""Many rows at once into a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from psycopg2 import sql
from psycopg2.extras import RealDictCursor


def copy_rows(cursor: RealDictCursor, statement: sql.Composed, rows: Iterable[Sequence[object]]) -> None:
    """Runs a COPY FROM STDIN of CSV with these rows, which are held in memory as text; None becomes NULL."""
    content = io.BytesIO()
    # JSON can hold half of a surrogate pair, which is no character.
    text = io.TextIOWrapper(content, "utf-8", errors="replace", newline="")
    # Lines end in \r\n: a writer whose lines end in \n leaves \r without quotes, at which COPY stumbles.
    csv.writer(text).writerows(rows)
    text.detach()
    content.seek(0)
    cursor.copy_expert(statement, content)
