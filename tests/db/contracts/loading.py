"""Loads rows of a test's own as the current version."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import closing

from chalicelib.db.connect import Database
from chalicelib.db.contracts.load import PHASES, Load, run_phase
from chalicelib.db.contracts.session import Session
from chalicelib.db.contracts.state import Sizes
from chalicelib.db.contracts.versions import Versions
from chalicelib.db.migrate import migrate
from chalicelib.jobs.context import Unwatched
from chalicelib.search.award_file import AwardFile

HEADER = "contract_number,contract_amount,awardee_name\n"
ONE = HEADER + "1,1,Ann\n"
FOUR = HEADER + "".join(f"{number},1,Ann\n" for number in range(1, 5))
SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'contracts%' ORDER BY 1"
STATES = "SELECT id, state FROM contract_versions ORDER BY id"


def load_rows(dsn: str, rows: Sequence[Mapping[str, str]]) -> int:
    """The version that these rows are now, of which each has the same columns; makes the tables if need be."""
    return load_text(dsn, csv_text(rows))


def load_rows_in(dsn: str, rows: Sequence[Mapping[str, str]], sizes: Sizes) -> int:
    """The same with sizes of the test's own, such as ones that make words of few rows common."""
    version, source = begin(dsn), award_file(csv_text(rows))
    with closing(Session(dsn, Unwatched(None, ""))) as session:
        load = Load(session, version, sizes)
        for phase in PHASES:
            while not load.run(phase, source):
                pass
    return version


def csv_text(rows: Sequence[Mapping[str, str]]) -> str:
    """The rows as a CSV file."""
    file = io.StringIO()
    writer = csv.DictWriter(file, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def load_text(dsn: str, text: str | bytes) -> int:
    """The version that this CSV file is now."""
    version = begin(dsn)
    finish(dsn, version, text)
    return version


def begin(dsn: str) -> int:
    """A version that is to be loaded."""
    migrate(dsn)
    with closing(Database(dsn)) as database:
        return Versions(database).begin("a test")


def finish(dsn: str, version: int, text: str | bytes, *, until: str = "") -> None:
    """Loads a version from a CSV file, to its end or until a phase is to be begun."""
    for phase in PHASES:
        if phase == until:
            return
        while not run_phase(phase, dsn, version, Unwatched(None, ""), source=award_file(text)):
            pass


def hurry(dsn: str) -> None:
    """Has statements fail that wait for a lock for 20 s: what is not interrupted then ends all the same."""
    with closing(Database(dsn)) as database, database.transaction() as cursor:
        cursor.execute("SELECT format('ALTER DATABASE %I SET lock_timeout = 20000', current_database()) AS text")
        row = cursor.fetchone()
        assert row is not None
        cursor.execute(row["text"])


def award_file(text: str | bytes) -> AwardFile:
    """The CSV file as a source."""
    content = text.encode() if isinstance(text, str) else text
    return AwardFile(lambda byte: io.BytesIO(content[byte:]), len(content))
