"""Whether what is dumped can be restored: `make restore-drill`, for the local stage or SOURCE=postgresql://...

The database is dumped by pg_dump from one snapshot, restored into a new, empty server, and both are compared: rows and
a hash of the contents of every table, sequences, indexes, constraints and functions. Roles are not: `migrate` makes
them. The tools are those of the embedded PostgreSQL, of version 18: they dump any server that is not newer.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from psycopg2 import extensions, sql

from chalicelib.db.connect import connect
from chalicelib.errors import Unavailable
from infra.import_contracts import find_database
from infra.ops import RUN_FILE
from localstack.errors import LocalStackError
from localstack.postgres import Home, running_database
from localstack.settings import Settings

# A row's text is the same on both sides whatever the servers are set to.
_OPTIONS = (
    "-c default_transaction_isolation=repeatable\\ read -c default_transaction_read_only=on -c TimeZone=UTC"
    " -c DateStyle=ISO -c IntervalStyle=postgres -c extra_float_digits=1 -c bytea_output=hex -c statement_timeout=0"
    " -c idle_in_transaction_session_timeout=0"
)
_TABLES = """
SELECT nspname, relname
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'm') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
ORDER BY 1, 2
"""
# The order of rows makes no difference to a sum.
_ROWS = "SELECT count(*), coalesce(sum(hashtextextended(row::text, 0)::numeric), 0)::text FROM {} AS row"
# Of constraints the number: the server writes a condition that it has read from a dump in other words. That a column is
# never null is told with the column: from version 18 on it is a constraint as well. Functions of extensions are the
# server's.
_DEFINITIONS = """
SELECT format('index %s.%s', schemaname, indexname), indexdef FROM pg_indexes
WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema'
UNION ALL
SELECT 'constraints of ' || conrelid::regclass || ' of type ' || contype::text, count(*)::text
FROM pg_constraint JOIN pg_namespace ON pg_namespace.oid = connamespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND contype <> 'n'
GROUP BY 1
UNION ALL
SELECT 'columns of ' || attrelid::regclass,
    string_agg(format('%s %s %s', attname, format_type(atttypid, atttypmod), attnotnull), ', ' ORDER BY attnum)
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p', 'm') AND attnum > 0 AND NOT attisdropped
    AND nspname !~ '^pg_' AND nspname <> 'information_schema'
GROUP BY attrelid
UNION ALL
SELECT 'function ' || pg_proc.oid::regprocedure, md5(prosrc)
FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
"""
_SEQUENCES = """
SELECT format('%I.%I', schemaname, sequencename), coalesce(last_value, 0) FROM pg_sequences
WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema'
"""


class Table(NamedTuple):
    """What is in a table: how many rows, and a hash of them."""

    rows: int
    hash: str


class Contents(NamedTuple):
    """What is in a database, by name."""

    tables: dict[str, Table]
    sequences: dict[str, int]
    # Of indexes and functions; of constraints how many there are of each table and type.
    definitions: dict[str, str]


class Restored(NamedTuple):
    """A restored database: what should be in it, where it is, what of the source went on meanwhile."""

    expected: Contents
    dsn: str
    # Sequences move while others work: the restored value is between that before the dump and that after it.
    sequences_after: dict[str, int]
    dump_bytes: int


def main(words: list[str]) -> int:
    """Runs the drill and answers the exit code: 1 where anything is not what it was."""
    named = words[1] if len(words) > 1 else ""
    source = named or find_database(os.environ, RUN_FILE)
    if not source:
        raise SystemExit(
            "the local environment does not run: start it with `make up`, or name a SOURCE=postgresql://..."
        )
    began_s = time.monotonic()
    try:
        with restored(source) as copy:
            found = contents(copy.dsn)
    except (Unavailable, LocalStackError) as error:
        raise SystemExit(str(error)) from None
    wrong = differences(copy, found)
    for name, table in sorted(copy.expected.tables.items()):
        mark = "DIFFERS" if f"table {name}" in {line.partition(":")[0] for line in wrong} else "same"
        print(f"{name:45} {table.rows:>10} rows  {mark}")
    rows = sum(table.rows for table in copy.expected.tables.values())
    print(f"{len(copy.expected.tables)} tables with {rows} rows, {len(copy.expected.sequences)} sequences, "
          f"{len(copy.expected.definitions)} definitions of columns, indexes, constraints and functions; a dump of "
          f"{copy.dump_bytes} bytes; {time.monotonic() - began_s:.0f} s")  # fmt: skip
    for line in wrong:
        print(f"DIFFERS: {line}", file=sys.stderr)
    return 1 if wrong else 0


@contextmanager
def restored(source: str) -> Iterator[Restored]:
    """The source in a server of its own, which is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="sluice-drill-") as name:
        folder = Path(name)
        settings = Settings(root=Path.cwd(), state=folder, keep_data=False)
        tools = Home.of(folder).binaries
        dump = folder / "dump"
        with closing(connect(source, options=_OPTIONS)) as connection, connection.cursor() as cursor:
            expected = _contents(cursor)
            cursor.execute("SELECT pg_export_snapshot()")
            (snapshot,) = cursor.fetchone() or ("",)
            _run(tools / "pg_dump", source, "--format=custom", f"--snapshot={snapshot}", f"--file={dump}")
            after = _sequences(cursor)
        with (folder / "lock").open("w") as lock, running_database(settings, lock.fileno()) as target:
            _run(
                tools / "pg_restore",
                target.dsn,
                "--no-owner",
                "--no-privileges",
                "--exit-on-error",
                "--dbname=postgres",
                str(dump),
            )
            yield Restored(expected, target.dsn, after, dump.stat().st_size)


def contents(dsn: str) -> Contents:
    """What is in a database at one moment."""
    with closing(connect(dsn, options=_OPTIONS)) as connection, connection.cursor() as cursor:
        return _contents(cursor)


def differences(copy: Restored, found: Contents) -> list[str]:
    """What is not as it should be, one line each."""
    expected = copy.expected
    lines = [
        f"{what} {name}: {was.get(name, 'nothing')} became {now.get(name, 'nothing')}"
        for what, was, now in (
            ("table", expected.tables, found.tables),
            ("definition of", expected.definitions, found.definitions),
        )
        for name in sorted(was.keys() | now.keys())
        if was.get(name) != now.get(name)
    ]
    for name in sorted(expected.sequences.keys() | found.sequences.keys()):
        least, most = expected.sequences.get(name, -1), copy.sequences_after.get(name, -1)
        if not least <= found.sequences.get(name, -2) <= most:
            lines.append(f"sequence {name}: {least} became {found.sequences.get(name, 'nothing')}")
    return lines


def _contents(cursor: extensions.cursor) -> Contents:
    cursor.execute(_TABLES)
    tables = {}
    for schema, name in cursor.fetchall():
        cursor.execute(sql.SQL(_ROWS).format(sql.Identifier(schema, name)))
        rows, digest = cursor.fetchone() or (0, "")
        tables[f"{schema}.{name}"] = Table(rows, digest)
    cursor.execute(_DEFINITIONS)
    return Contents(tables, definitions=dict(cursor.fetchall()), sequences=_sequences(cursor))


def _sequences(cursor: extensions.cursor) -> dict[str, int]:
    cursor.execute(_SEQUENCES)
    return dict(cursor.fetchall())


def _run(tool: Path, dsn: str, *words: str) -> None:
    """Runs one of the tools. The address goes by the environment: anybody can list the words of a command."""
    done = subprocess.run(
        [str(tool), *words], env={"PATH": os.defpath, **_variables(dsn)}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{tool.name} ended with code {done.returncode}: {done.stderr.strip()[-2000:]}")


def _variables(dsn: str) -> dict[str, str]:
    names = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD",
             "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}  # fmt: skip
    return {names[name]: value for name, value in extensions.parse_dsn(dsn).items() if name in names}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
