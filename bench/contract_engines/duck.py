"""DuckDB over a Parquet file, as the system that Sluice replaces has it. `pip install -r requirements-bench.txt`"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.contract_engines.plain import FlatTable
from bench.contract_rows import COLUMNS

_THREADS = 2
_BLANKS = "E' \\t\\n\\r\\f\\x0b'"


def is_installed() -> bool:
    """Whether DuckDB can be used."""
    return importlib.util.find_spec("duckdb") is not None


def connect() -> Any:  # DuckDB is not installed where the types are checked
    """A database in memory; raises SystemExit that says how to install DuckDB."""
    if not is_installed():
        raise SystemExit("DuckDB is not installed: pip install -r requirements-bench.txt, or say --without-duckdb")
    database = importlib.import_module("duckdb").connect()
    database.execute(f"SET threads = {_THREADS}")
    return database


def load(file: Path, parquet: Path) -> int:
    """Writes the CSV file's rows as Parquet with zstd; answers its bytes."""
    database = connect()

    def text(name: str) -> str:
        return f"nullif(nullif(trim({name}, {_BLANKS}), ''), 'NULL')"

    names = ", ".join(f"'{name}': 'VARCHAR'" for name in COLUMNS)
    rows = f"read_csv('{file}', header = true, quote = '\"', escape = '\"', columns = {{{names}}}, parallel = false)"
    database.execute(
        f"""COPY (
            SELECT *, lower(coalesce(award_title, '') || ' ' || coalesce(notice_title, '')) AS search_text
            FROM (
                SELECT row_number() OVER () AS place, nullif({text("contract_number")}, '0') AS contract_number,
                    CAST({text("award_date")} AS DATE) AS award_date, {text("award_title")} AS award_title,
                    {text("notice_title")} AS notice_title, {text("awardee_name")} AS awardee,
                    {text("organization_name")} AS organization, {text("area_of_delivery")} AS area,
                    {text("business_category")} AS category,
                    CAST(CAST(contract_amount AS DECIMAL(20, 2)) * 100 AS BIGINT) AS amount
                FROM {rows}
            )
        ) TO '{parquet}' (FORMAT parquet, COMPRESSION zstd)"""
    )
    database.close()
    return parquet.stat().st_size


class DuckEngine:
    """Asks the Parquet file with two threads; the file is in the machine's page cache once it was read."""

    name = "DuckDB"

    def __init__(self, parquet: Path) -> None:
        self._database = connect()
        table = FlatTable(self._run, f"read_parquet('{parquet}')", mark="?", like="lower({column}) LIKE ?")
        self.page, self.charts = table.page, table.charts

    def cpu_s(self) -> float | None:
        return time.process_time()

    def close(self) -> None:
        self._database.close()

    def _run(self, text: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._database.execute(text, list(values)).fetchall()
        return found
