"""An old installation migrated into Postgres: one transaction, compared before it is committed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from chalicelib.db.takeover.address import masked
from chalicelib.db.takeover.report import Report, TableReport
from chalicelib.db.takeover.run import Run
from chalicelib.db.takeover.schema import TABLES
from chalicelib.db.takeover.source import open_installation
from chalicelib.db.takeover.target import open_target
from chalicelib.errors import JobFailed

Tell: TypeAlias = Callable[[str], None]
Progress: TypeAlias = Callable[[float, str], None]


def migrate_file(
    source: Path,
    dsn: str,
    *,
    dry_run: bool = False,
    tell: Tell = lambda line: None,
    progress: Progress = lambda fraction, stage: None,
) -> Report:
    """Migrates the SQLite file `source` into the Postgres at `dsn`: all of it or, after any error, nothing.

    Rows keep their ids. Rows that are there with the same content are left alone, so a second run adds nothing. With
    `dry_run` the transaction is read-only, and tables that are missing count as empty. `tell` gets a line for each
    table; `progress` a fraction and a stage after each batch, and what it raises ends the migration.

    Raises JobFailed where the source cannot be read, the target has other rows under the same ids or addresses, lacks
    tables (`prepare` makes them) or refuses a statement, and where what was written differs from what was read;
    ConfigurationError where the address cannot be read, Unavailable where Postgres cannot be reached. The time is
    linear in the rows; in memory are ids, addresses and one batch of 100 rows.
    """
    masked(dsn)  # refuses what cannot be read before anything else is done
    with open_installation(source) as old, open_target(dsn, read_only=dry_run) as target:
        if not dry_run:
            if target.lacks:
                raise JobFailed(f"the target lacks the tables {', '.join(target.lacks)}; make its schema first")
            target.lock()
        run = Run(old, target, progress, dry_run=dry_run)
        for table, rows in old.batches():
            run.take(table, rows)
        reports = []
        for table in TABLES:
            reports.append(run.compare(table))
            tell(_line(reports[-1], dry_run=dry_run))
        run.advance()
        return run.report(tuple(reports))


def _line(report: TableReport, *, dry_run: bool) -> str:
    doing = "Would migrate" if dry_run else "Migrating"
    rest = f"{report.already_there} already there, {report.set_aside} set aside"
    return f"{doing} {report.table}: {report.migrated} of {report.source} ({rest})"
