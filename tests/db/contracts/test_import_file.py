"""The command that loads a file: what it says, and when it changes nothing."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from psycopg2.extensions import make_dsn

from chalicelib.db.connect import connect
from chalicelib.db.contracts.import_file import main
from chalicelib.db.migrate import migrate
from tests.conftest import ROOT
from tests.db.contracts.loading import hurry
from tests.db.test_database import query

RELEASE = b"""{"ocid": "o", "awards": [{"id": "A-1", "value": {"amount": 123.45}, "suppliers": [{"name": "Ann"}]}]}"""
RELEASES = RELEASE + b"\n" + RELEASE
HEADER = "contract_number,contract_amount,awardee_name,award_title\n"
STATES = "SELECT id, state, source FROM contract_versions ORDER BY id"
SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'contracts%'"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "awards.csv"
    path.write_text(HEADER + '1,1,Ann,Road\n2,0,Bob,"A, ""b"""\n3,3,,Hall\n')
    return path


def run(file: Path, dsn: str) -> int:
    return main([str(file), "--postgres", dsn], environ={})


def test_file_is_loaded_and_told_phase_by_phase(dsn: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file, make_dsn(dsn, password="hunter2")) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0] == f"Source: {file} (0.0 MB)"
    assert lines[1].startswith("Target: postgresql://sluice:***@")
    assert lines[2].startswith("Schema: applied 0001_pre_users.sql, ")
    phases = "stage dimensions facts titles words grams indexes rollups vacuum sums vacuum_sums publish"
    assert [line.split()[0] for line in lines[3:15]] == phases.split()
    assert lines[15:] == [
        f"Rejected rows: {file}.rejects.csv",
        "Done: version 1 has 1 of 3 rows, 2 rejected.",
    ]
    assert told.err == ""
    assert query(dsn, STATES) == [(1, "current", "awards.csv")]


def test_rejected_rows_are_written_beside_the_file(dsn: str, file: Path) -> None:
    assert run(file, dsn) == 0
    assert file.with_name("awards.csv.rejects.csv").read_text().splitlines() == [
        "line,column,value,reason",
        '3,amount,0,"must be at least 0.01, got 0"',
        "4,awardee,,must not be blank",
    ]


def test_file_without_bad_rows_has_no_file_of_rejected_ones(dsn: str, file: Path) -> None:
    file.write_text(HEADER + "1,1,Ann,Road\n")
    assert run(file, dsn) == 0
    assert [path.name for path in file.parent.iterdir()] == ["awards.csv"]


def test_file_of_which_nothing_can_be_loaded_changes_nothing(
    dsn: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(HEADER + "1,0,Ann,Road\n")
    assert run(file, dsn) == 1
    assert capsys.readouterr().err == "Nothing was changed: of 1 rows none can be loaded\n"
    assert query(dsn, STATES) == [(1, "failed", "awards.csv")]
    assert query(dsn, SCHEMAS) == []
    assert "must be at least 0.01" in file.with_name("awards.csv.rejects.csv").read_text()


def test_file_without_column_names_changes_nothing(dsn: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("1,2,3\n")
    assert run(file, dsn) == 1
    assert capsys.readouterr().err.startswith("Nothing was changed: /: must have a line of column names with amount")
    assert query(dsn, SCHEMAS) == []


@pytest.mark.parametrize(
    "content",
    [RELEASES, gzip.compress(RELEASES), json.dumps({"releases": [json.loads(RELEASE)] * 2}, indent=1).encode()],
    ids=["lines", "packed", "document"],
)
def test_file_of_releases_is_loaded_too(
    dsn: str, file: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    # Whatever it is called.
    file.write_bytes(content)
    assert run(file, dsn) == 0
    # The same release twice.
    assert capsys.readouterr().out.splitlines()[-1] == "Done: version 1 has 1 of 2 rows, 1 rejected."
    (row,) = file.with_name("awards.csv.rejects.csv").read_text().splitlines()[1:]
    assert row.startswith("1,,A-1,is told of again by the later release ")
    assert query(dsn, "SELECT name, total FROM contracts_v1.contractor") == [("Ann", 12_345)]


def test_file_of_another_format_changes_nothing(dsn: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(b"PK\x03\x04")
    assert run(file, dsn) == 1
    assert "but this is an Excel workbook or a ZIP file: save the sheet as CSV" in capsys.readouterr().err
    assert query(dsn, "SELECT to_regclass('contract_versions') IS NULL") == [(True,)]


def test_file_that_is_not_there_is_named(dsn: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file.with_name("other.csv"), dsn) == 1
    problem = f"Nothing was changed: {file.parent}/other.csv: No such file or directory\n"
    assert capsys.readouterr().err == problem


def test_database_that_is_away_changes_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file, "postgresql://sluice:hunter2@127.0.0.1:9/sluice") == 1
    assert capsys.readouterr().err == "Nothing was changed: the database cannot be reached\n"


def test_call_without_a_database_is_incomplete(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(file)], environ={}) == 2
    assert "Nothing was changed: name a database with --postgres or DATABASE_URL." in capsys.readouterr().err


def test_keyboard_interrupts_a_statement_and_changes_nothing(dsn: str, file: Path) -> None:
    migrate(dsn)
    hurry(dsn)
    command = [sys.executable, "-m", "chalicelib.db.contracts.import_file", str(file), "--postgres", dsn]
    with closing(connect(dsn)) as connection, connection.cursor() as blocker:
        # Nothing but the publishing has to wait for this.
        blocker.execute("LOCK TABLE contract_versions IN ROW EXCLUSIVE MODE")
        with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            while not query(dsn, "SELECT 1 FROM pg_locks WHERE NOT granted"):
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=15)
    assert (process.returncode, err) == (130, "Nothing was changed: interrupted\n")
    assert query(dsn, STATES) == [(1, "failed", "awards.csv")]
    assert query(dsn, SCHEMAS) == []
