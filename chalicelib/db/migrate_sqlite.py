"""`python -m chalicelib.db.migrate_sqlite SOURCE.db`: moves an old installation's SQLite file into Postgres.

The work is done by `takeover.migration`, which a job may call as well; here are the arguments, the question and the
lines that a person reads.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from chalicelib.db.shell import Parser, end, say
from chalicelib.db.takeover.address import masked
from chalicelib.db.takeover.migration import migrate_file
from chalicelib.db.takeover.report import Report
from chalicelib.db.takeover.schema import TABLES
from chalicelib.db.takeover.source import open_installation
from chalicelib.db.takeover.target import prepare
from chalicelib.errors import SluiceError

_HELP = """\
Moves users, projects, forecasts and actuals with their ids into Postgres, in one transaction that is compared with the
source before it is committed. The source is only read. Tables that are missing in the target are made first, by the
schema migrations. Running it again adds what is not there yet; rows that were changed in the target are not overwritten
but end the run. What the target cannot hold is kept in its table set_aside and listed.
"""


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Runs the command line; answers 0 when done, 1 when nothing was changed, 2 where the call was incomplete."""
    parser = Parser(prog="python -m chalicelib.db.migrate_sqlite", description=_HELP)
    parser.add_argument("source", type=Path, help="the old installation's SQLite file")
    parser.add_argument("--postgres", metavar="URL", help="address of the target; without it DATABASE_URL is used")
    parser.add_argument("--dry-run", action="store_true", help="say what would be migrated; needs no more than SELECT")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args(arguments)
    dsn = options.postgres or environ.get("DATABASE_URL", "")
    if not dsn:
        parser.print_help(sys.stderr)
        return end("Nothing was changed: name a target with --postgres or DATABASE_URL.", 2)
    try:
        outcome = _migrate(options.source, dsn, dry_run=options.dry_run, is_agreed=options.yes)
    except SluiceError as error:
        return end(f"Nothing was changed: {error.detail}", 1)
    except KeyboardInterrupt:
        return end("Nothing was changed: interrupted", 130)
    if isinstance(outcome, Report):
        _conclude(outcome)
        return 0
    return outcome


def _migrate(source: Path, dsn: str, *, dry_run: bool, is_agreed: bool) -> Report | int:
    """The report, or the exit code where there was nothing to do or nobody agreed."""
    total = _describe(source, dsn)
    if not total:
        say("Done: the source has no rows, there is nothing to migrate.")
        return 0
    if not (dry_run or is_agreed):
        if not sys.stdin.isatty():
            return end("Nothing was changed: there is no terminal to ask on; add --yes to migrate.", 2)
        if not _is_confirmed(f"Migrate {_many(total, 'row')} into {masked(dsn)}? [y/N] "):
            return end("Nothing was changed: not confirmed", 1)
    made = [] if dry_run else prepare(dsn)
    if made:
        say(f"Schema: applied {', '.join(made)}")
    try:
        return migrate_file(source, dsn, dry_run=dry_run, tell=say, progress=_draw)
    except SluiceError as error:
        if not made:
            raise
        return end(f"Nothing was changed but the schema, whose tables are empty: {error.detail}", 1)


def _describe(source: Path, dsn: str) -> int:
    """Says what goes where; answers how many rows that is."""
    say(f"Source: {source} (SQLite)")
    say(f"Target: {masked(dsn)}")
    with open_installation(source) as old:
        for table in TABLES:
            say(f"  {table.name:<10}{old.counts[table.name]:>8}")
        say(f"Total: {_many(old.total, 'row')}")
        return old.total


def _is_confirmed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _conclude(report: Report) -> None:
    if not report.dry_run:
        say("Verified: counts and content hashes match")
    for left_out in report.not_migrated:
        say(f"Not migrated: {left_out.name} ({_many(left_out.rows, 'row')})")
    values, rows = report.values_set_aside, report.rows_set_aside
    if values or rows:
        say(f"Set aside: {_many(values, 'value')}, {_many(rows, 'row')} (table set_aside)")
        for aside in report.set_aside:
            say(f"  {aside.table} {aside.id}{aside.column and ' ' + aside.column}: {aside.reason}")
        if values + rows > len(report.set_aside):
            say(f"  and {values + rows - len(report.set_aside)} more")
    there = f", {report.already_there} already there" if report.already_there else ""
    if report.dry_run:
        say(f"Dry run: would migrate {_many(report.migrated, 'row')}{there}. Nothing was changed.")
    else:
        say(f"Done: {_many(report.migrated, 'row')} migrated{there}.")


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _draw(fraction: float, stage: str) -> None:
    # Every line that may follow is longer and covers it.
    if sys.stderr.isatty():
        sys.stderr.write(f"{fraction:4.0%} {stage:<20}\r")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
