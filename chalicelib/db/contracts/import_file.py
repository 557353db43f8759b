"""`python -m chalicelib.db.contracts.import_file FILE`: loads a file of awarded contracts as the current version.

The load is the one that the import job runs; here are the arguments and the lines that a person reads.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import IO

import psycopg2

from chalicelib.clock import Clock
from chalicelib.db.connect import Database
from chalicelib.db.contracts.load import PHASES, run_phase
from chalicelib.db.contracts.versions import Versions
from chalicelib.db.migrate import migrate
from chalicelib.db.shell import Parser, end, say
from chalicelib.db.takeover.address import masked
from chalicelib.errors import Cancelled, JobFailed, SluiceError
from chalicelib.search.formats import open_source
from chalicelib.search.source import Source

_HELP = """\
Loads a CSV file whose first lines name its columns, or OCDS releases as JSON or JSON Lines; each may be packed with
gzip. Readers stay with the contracts that are there until the new ones take their place at once; until then every end
but a good one changes nothing. Rows that cannot be loaded are written to FILE.rejects.csv with their lines and what is
wrong.
"""
# Between two looks at whether somebody wants to stop.
_PATIENCE_S = 0.2
_BAR_WIDTH = 40
# Of a terminal, whose cursor is at the line's begin.
_ERASE_LINE = "\33[2K"


class Watched:
    """The Progress of a load that a person watches, and may stop."""

    job_id = owner = cursor = ""
    is_last_attempt = True
    parts: object = None

    def __init__(self) -> None:
        self._is_stopped = False
        self._interrupt: Callable[[], None] | None = None

    def __call__(self, fraction: float, stage: str) -> None:
        if self._is_stopped:
            raise Cancelled("interrupted")
        if sys.stderr.isatty():
            bar = "=" * int(fraction * _BAR_WIDTH)
            sys.stderr.write(f"[{bar:<{_BAR_WIDTH}}] {fraction:4.0%} {stage:<20}\r")
            sys.stderr.flush()

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        self._interrupt = interrupt
        try:
            yield
        except psycopg2.Error:
            if self._is_stopped:
                raise Cancelled("interrupted") from None
            raise
        finally:
            self._interrupt = None

    def run(self, load: Callable[[], None]) -> None:
        """Runs a load in a thread of its own, for a thread that waits for a statement hears no keyboard."""
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(load)
            while not future.done():
                try:
                    wait([future], _PATIENCE_S)
                except KeyboardInterrupt:
                    self._is_stopped = True
                # Again and again: an interruption between two statements hits neither.
                interrupt = self._interrupt
                if self._is_stopped and interrupt is not None:
                    interrupt()
            future.result()


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Runs the command line; answers 0 when done, 1 when nothing was changed, 2 where the call was incomplete."""
    parser = Parser(prog="python -m chalicelib.db.contracts.import_file", description=_HELP)
    parser.add_argument("file", type=Path, help="the file")
    parser.add_argument("--postgres", metavar="URL", help="address of the database; without it DATABASE_URL is used")
    options = parser.parse_args(arguments)
    dsn = options.postgres or environ.get("DATABASE_URL", "")
    if not dsn:
        parser.print_help(sys.stderr)
        return end("Nothing was changed: name a database with --postgres or DATABASE_URL.", 2)
    try:
        _import(options.file, dsn)
    except OSError as error:
        return end(f"Nothing was changed: {options.file}: {error.strerror}", 1)
    except (Cancelled, KeyboardInterrupt):
        return end("Nothing was changed: interrupted", 130)
    except SluiceError as error:
        return end(f"Nothing was changed: {error.detail}", 1)
    return 0


def _import(file: Path, dsn: str) -> None:
    source = _source(file)
    _say(f"Source: {file} ({file.stat().st_size / 1e6:.1f} MB)")
    _say(f"Target: {masked(dsn)}")
    applied = migrate(dsn, phases=("pre",))
    if applied:
        _say(f"Schema: applied {', '.join(applied)}")
    with closing(Database(dsn)) as database:
        versions, progress = Versions(database), Watched()
        version = versions.begin(file.name)
        try:
            progress.run(lambda: _load(dsn, version, progress, source))
        except JobFailed:
            _write_rejections(file, versions, version)
            raise
        finally:
            # Of a version that was published nothing is given up.
            versions.abandon(version)
        _write_rejections(file, versions, version)
        counts = versions.counts(version)
    _say(
        f"Done: version {version} has {counts.rows_loaded} of {counts.rows_read} rows, {counts.rows_rejected} rejected."
    )


def _source(file: Path) -> Source:
    def open_at(byte: int) -> IO[bytes]:
        opened = file.open("rb")
        opened.seek(byte)
        return opened

    return open_source(open_at, file.stat().st_size)


def _load(dsn: str, version: int, progress: Watched, source: Source) -> None:
    clock = Clock()
    for phase in PHASES:
        began_s = clock.now()
        while not run_phase(phase, dsn, version, progress, source=source):
            pass
        _say(f"  {phase:<12}{clock.now() - began_s:>8.1f} s")


def _write_rejections(file: Path, versions: Versions, version: int) -> None:
    """Writes what was rejected beside the file; nothing where every row was good."""
    rejections = versions.rejections(version)
    first = next(rejections, None)
    if first is None:
        return
    path = file.with_name(f"{file.name}.rejects.csv")
    try:
        with path.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow(("line", "column", "value", "reason"))
            for row in chain((first,), rejections):
                writer.writerow((row.line, row.column, row.value, row.reason))
    except OSError as error:
        _say(f"Rejected rows could not be written to {path}: {error.strerror}")
    else:
        _say(f"Rejected rows: {path}")


def _say(line: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(_ERASE_LINE)
        sys.stderr.flush()
    say(line)


if __name__ == "__main__":
    sys.exit(main())
