"""Postgres as it is used at first: one flat table, ILIKE, and no index but on the date."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg2

from bench.contract_engines.plain import FlatTable
from bench.contract_engines.processes import PostgresCpu
from bench.contract_rows import COLUMNS

TABLE = "naive_awards"
# What an empty value is, and what a blank is, as Python strips them.
_BLANKS = "E' \\t\\n\\r\\f\\x0b'"
_TEXTS = {
    "contract_number": "contract_number",
    "award_title": "award_title",
    "notice_title": "notice_title",
    "awardee_name": "awardee",
    "organization_name": "organization",
    "area_of_delivery": "area",
    "business_category": "category",
}


def load(dsn: str, file: Path) -> int:
    """Loads the CSV file by statements alone, none of Sluice's code in between; answers the bytes on disk."""
    connection = psycopg2.connect(dsn, options="-c jit=off -c statement_timeout=0")
    try:
        with connection, connection.cursor() as cursor:
            columns = ", ".join(f"{name} text" for name in COLUMNS)
            cursor.execute(f"CREATE UNLOGGED TABLE naive_raw (place bigint GENERATED ALWAYS AS IDENTITY, {columns})")
            with file.open("rb") as opened:
                cursor.copy_expert(
                    f"COPY naive_raw ({', '.join(COLUMNS)}) FROM STDIN WITH (FORMAT csv, HEADER)", opened
                )
            cursor.execute(_flatten())
            cursor.execute("DROP TABLE naive_raw")
            cursor.execute(f"CREATE INDEX ON {TABLE} (award_date DESC)")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM (FREEZE, ANALYZE) {TABLE}")
            cursor.execute(f"SELECT pg_total_relation_size('{TABLE}')")
            row = cursor.fetchone()
            assert row is not None
            return int(row[0])
    finally:
        connection.close()


def _flatten() -> str:
    texts = [f"nullif(nullif(btrim({name}, {_BLANKS}), ''), 'NULL') AS {column}" for name, column in _TEXTS.items()]
    return (
        f"CREATE TABLE {TABLE} AS SELECT place, nullif(contract_number, '0') AS contract_number, award_date, "
        "award_title, notice_title, amount, awardee, organization, area, category, "
        "coalesce(award_title, '') || ' ' || coalesce(notice_title, '') AS search_text "
        f"FROM (SELECT place, {', '.join(texts)}, CAST(nullif(award_date, '') AS date) AS award_date, "
        "CAST(CAST(contract_amount AS numeric) * 100 AS bigint) AS amount FROM naive_raw) AS rows ORDER BY place"
    )


class NaiveEngine:
    """Asks the flat table; Postgres may use two parallel workers, as it does by default."""

    name = "naive Postgres"

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg2.connect(dsn, options="-c jit=off -c work_mem=64MB -c statement_timeout=0")
        self._connection.autocommit = True
        self._cpu = PostgresCpu()
        table = FlatTable(self._run, TABLE, mark="%s", like="{column} ILIKE %s")
        self.page, self.charts = table.page, table.charts

    def cpu_s(self) -> float | None:
        with self._connection.cursor() as cursor:
            return self._cpu.spent_s(cursor)

    def close(self) -> None:
        self._connection.close()

    def _run(self, text: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(text, values)
            return cursor.fetchall()
