"""What the upkeep measures of the database: its size, and the largest tables with their parts."""

from __future__ import annotations

from contextlib import closing

import psycopg2

from chalicelib.db.connect import Database
from chalicelib.db.contracts.session import Session
from chalicelib.db.sizes import Sizes, measure
from chalicelib.jobs.context import Unwatched
from chalicelib.upkeep import keep_up
from tests.db.test_database import query
from tests.doubles import MemoryRuntime
from tests.lines import Reader


def run(dsn: str, *texts: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        for text in texts:
            cursor.execute(text)


def measured(dsn: str) -> Sizes:
    with closing(Session(dsn, Unwatched(None, ""))) as session:
        return measure(session)


def size(dsn: str, *tables: str) -> object:
    """The bytes of these tables, each asked for by itself."""
    return sum(query(dsn, f"SELECT pg_total_relation_size('{table}')")[0][0] for table in tables)  # type: ignore[misc]


ROWS = "SELECT n, repeat('x', 100) FROM generate_series(1, {}) AS n"


def test_partitions_count_as_their_table_and_versions_of_a_data_set_as_one(dsn: str) -> None:
    run(
        dsn,
        "CREATE TABLE days (n integer PRIMARY KEY, filler text) PARTITION BY RANGE (n)",
        "CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM (1) TO (10000)",
        "CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM (10000) TO (20000)",
        f"INSERT INTO days {ROWS.format(15_000)}",
        "CREATE SCHEMA contracts_v7",
        "CREATE SCHEMA contracts_v12",
        f"CREATE TABLE contracts_v7.fact AS {ROWS.format(4_000)}",
        f"CREATE TABLE contracts_v12.fact AS {ROWS.format(4_000)}",
        f"CREATE TABLE small AS {ROWS.format(10)}",
    )
    assert measured(dsn).tables == {
        "days": size(dsn, "days_1", "days_2"),
        "contracts.fact": size(dsn, "contracts_v7.fact", "contracts_v12.fact"),
        "small": size(dsn, "small"),
    }


def test_the_five_largest_are_told_largest_first_and_the_whole_is_the_databases(dsn: str) -> None:
    run(dsn, *(f"CREATE TABLE t{n} AS {ROWS.format(500 * 2**n)}" for n in range(1, 8)))
    found = measured(dsn)
    assert list(found.tables) == ["t7", "t6", "t5", "t4", "t3"]
    assert [(found.database,)] == query(dsn, "SELECT pg_database_size(current_database())")


def test_upkeep_writes_the_sizes_as_metrics_of_the_stage_and_of_each_table(
    database: Database, dsn: str, written: Reader
) -> None:
    runtime = MemoryRuntime(database_url=dsn)
    runtime.__dict__["database"] = database
    # The first run makes tables after it has measured; the second one finds all as it leaves it.
    keep_up(Unwatched(runtime, ""))
    written()
    keep_up(Unwatched(runtime, ""))
    whole, *tables = [line for line in written() if "_aws" in line]
    assert whole["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["stage"]]
    assert [line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] for line in tables] == [[["stage", "table"]]] * 5
    found = measured(dsn)
    assert whole["DatabaseBytes"] == [found.database]
    assert {line["table"]: line["TableBytes"] for line in tables} == {name: [n] for name, n in found.tables.items()}
