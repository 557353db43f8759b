"""The command that moves an old installation into Postgres: what it says, and when it changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from chalicelib.db.migrate import migrate
from chalicelib.db.migrate_sqlite import main
from tests.conftest import ROOT
from tests.db.old_installation import COUNTS, EVERYTHING, NOTHING, build, build_empty, change, execute
from tests.db.test_database import query

COMMAND = [sys.executable, "-m", "chalicelib.db.migrate_sqlite"]

_numbers = count()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return build(tmp_path / "old.db")


@pytest.fixture
def target(dsn: str) -> str:
    """A database with the schema and no rows."""
    migrate(dsn)
    return dsn


@pytest.fixture
def role(target: str) -> Iterator[str]:
    """A role that may read and nothing else, and whose password is hunter2; its name."""
    name = f"reader_{os.getpid()}_{next(_numbers)}"
    execute(target, f"CREATE ROLE {name} LOGIN PASSWORD 'hunter2'")
    execute(target, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
    yield name
    execute(target, f"DROP OWNED BY {name}; DROP ROLE {name}")


def run(source: Path, dsn: str, *flags: str) -> int:
    return main([str(source), "--postgres", dsn, *flags], environ={})


def lines(capsys: pytest.CaptureFixture[str]) -> tuple[list[str], list[str]]:
    """What was written to standard output and to standard error since it was last asked."""
    told = capsys.readouterr()
    return told.out.splitlines(), told.err.splitlines()


def test_whole_installation_is_migrated_and_told_in_the_known_shape(
    source: Path, dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(source, make_dsn(dsn, password="hunter2"), "--yes") == 0
    out, err = lines(capsys)
    parts = parse_dsn(dsn)
    schema = "0001_pre_users.sql, 0002_pre_projects_and_forecasts.sql, 0003_pre_actuals.sql, 0004_pre_set_aside.sql"
    assert out[:2] == [
        f"Source: {source} (SQLite)",
        f"Target: postgresql://sluice:***@{parts['host']}/{parts['dbname']}",
    ]
    assert out[2:7] == [
        "  users           15",
        "  projects        23",
        "  forecasts       47",
        "  actuals         12",
        "Total: 97 rows",
    ]
    assert out[7].startswith(f"Schema: applied {schema}")
    assert out[8:17] == [
        "Migrating users: 15 of 15 (0 already there, 0 set aside)",
        "Migrating projects: 23 of 23 (0 already there, 0 set aside)",
        "Migrating forecasts: 46 of 47 (0 already there, 1 set aside)",
        "Migrating actuals: 10 of 12 (0 already there, 2 set aside)",
        "Verified: counts and content hashes match",
        "Not migrated: portfolios (2 rows)",
        "Not migrated: simulation_runs (0 rows)",
        "Not migrated: projects.color (1 row)",
        "Set aside: 26 values, 3 rows (table set_aside)",
    ]
    assert "  projects 7 status: must be one of active, on_hold, completed, cancelled" in out
    assert "  forecasts 45: project_id: there is no row 404 in projects" in out
    assert (out[-1], err) == ("Done: 94 rows migrated.", [])
    assert query(dsn, COUNTS) == EVERYTHING


def test_second_run_adds_nothing(source: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(source, target, "--yes") == 0
    before = query(target, "SELECT * FROM set_aside ORDER BY id")
    capsys.readouterr()
    assert run(source, target, "--yes") == 0
    assert lines(capsys)[0][-1] == "Done: 0 rows migrated, 94 already there."
    assert query(target, COUNTS) == EVERYTHING
    assert query(target, "SELECT * FROM set_aside ORDER BY id") == before


def test_row_with_other_content_under_the_same_id_ends_the_run(
    source: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    execute(target, "INSERT INTO projects (id, name) VALUES (3, 'Mine'), (4, 'Mine too')")
    assert run(source, target, "--yes") == 1
    assert lines(capsys)[1] == ["Nothing was changed: projects: the target has other content under these ids: 3, 4"]
    assert query(target, COUNTS) == [(0, 2, 0, 0, 0)]


def test_address_that_the_target_has_under_another_id_ends_the_run(
    source: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    execute(target, "INSERT INTO users (id, email, password_hash, name) VALUES (70, 'admin@example.org', '', 'Admin')")
    assert run(source, target, "--yes") == 1
    problem = "users: the target has the e-mail addresses of these accounts under other ids: 1 (there 70)"
    assert lines(capsys)[1] == [f"Nothing was changed: {problem}"]
    assert query(target, COUNTS) == [(1, 0, 0, 0, 0)]


def test_statement_that_postgres_refuses_changes_nothing(
    source: Path, target: str, role: str, capsys: pytest.CaptureFixture[str]
) -> None:
    execute(target, f"GRANT INSERT ON users, projects, set_aside TO {role}")
    assert run(source, make_dsn(target, user=role, password="hunter2"), "--yes") == 1
    assert lines(capsys)[1] == ["Nothing was changed: Postgres refused: permission denied for table forecasts"]
    assert query(target, COUNTS) == NOTHING


def test_dry_run_with_a_role_that_may_only_read_says_what_would_be_migrated(
    source: Path, target: str, role: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(source, make_dsn(target, user=role, password="hunter2"), "--dry-run") == 0
    out, err = lines(capsys)
    assert [line for line in out if line.startswith(("Would", "Dry"))] == [
        "Would migrate users: 15 of 15 (0 already there, 0 set aside)",
        "Would migrate projects: 23 of 23 (0 already there, 0 set aside)",
        "Would migrate forecasts: 46 of 47 (0 already there, 1 set aside)",
        "Would migrate actuals: 10 of 12 (0 already there, 2 set aside)",
        "Dry run: would migrate 94 rows. Nothing was changed.",
    ]
    assert (err, query(target, COUNTS)) == ([], NOTHING)


def test_dry_run_needs_no_tables_and_makes_none(source: Path, dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(source, dsn, "--dry-run") == 0
    assert lines(capsys)[0][-1] == "Dry run: would migrate 94 rows. Nothing was changed."
    assert query(dsn, "SELECT to_regclass('users'), to_regclass('schema_migrations')") == [(None, None)]


def test_dry_run_finds_what_would_end_the_run(source: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    execute(target, "INSERT INTO projects (id, name) VALUES (3, 'Mine')")
    assert run(source, target, "--dry-run") == 1
    assert "projects: the target has other content under these ids: 3" in lines(capsys)[1][0]


def test_failure_after_the_schema_was_made_says_that_the_schema_stays(
    tmp_path: Path, source: Path, dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(source, "DROP INDEX ix_users_email")
    change(source, "CREATE TABLE copy AS SELECT * FROM actuals")
    change(source, "DROP TABLE actuals")
    change(source, "ALTER TABLE copy RENAME TO actuals")
    change(source, "INSERT INTO actuals (id, forecast_id) VALUES (1, 1)")
    assert run(source, dsn, "--yes") == 1
    assert lines(capsys)[1] == [
        "Nothing was changed but the schema, whose tables are empty: "
        "the source's table actuals has rows without a whole number of their own as id"
    ]
    assert query(dsn, COUNTS) == NOTHING


def test_installation_without_rows_is_no_error(tmp_path: Path, dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(build_empty(tmp_path / "old.db"), dsn, "--yes") == 0
    assert lines(capsys)[0][-2:] == ["Total: 0 rows", "Done: the source has no rows, there is nothing to migrate."]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "there is no file {path}"),
        (
            b"not a database, but long enough" * 100,
            "{path} cannot be read as a SQLite database: file is not a database",
        ),
        (
            b"",
            "this is no installation to migrate: it lacks table users, table projects, table forecasts, table actuals",
        ),
    ],
)
def test_file_that_is_no_installation_is_an_error(
    tmp_path: Path, dsn: str, capsys: pytest.CaptureFixture[str], content: bytes | None, problem: str
) -> None:
    path = tmp_path / "other.db"
    if content is not None:
        path.write_bytes(content)
    assert run(path, dsn, "--yes") == 1
    assert lines(capsys)[1] == [f"Nothing was changed: {problem.format(path=path)}"]
    assert query(dsn, "SELECT to_regclass('users')") == [(None,)]


def test_installation_that_lacks_a_column_is_an_error(
    source: Path, dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(source, "ALTER TABLE forecasts DROP COLUMN input_data")
    assert run(source, dsn, "--yes") == 1
    assert lines(capsys)[1] == [
        "Nothing was changed: this is no installation to migrate: it lacks column forecasts.input_data"
    ]


def test_damaged_file_is_an_error_and_changes_nothing(
    source: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = source.read_bytes()
    source.write_bytes(whole[: len(whole) // 2])
    assert run(source, target, "--yes") == 1
    assert "cannot be read as a SQLite database: database disk image is malformed" in lines(capsys)[1][0]
    assert query(target, COUNTS) == NOTHING


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://sluice:hunter2@127.0.0.1:9/sluice",
        "postgres://127.0.0.1:9/sluice?user=sluice&password=hunter2",
        "host=127.0.0.1 port=9 dbname=sluice user=sluice password='hunter2'",
        "host=127.0.0.1 password=hunter2 and more",
        "postgresql://sluice:hunter2/%zz@127.0.0.1:9/sluice",
        "postgresql://sluice:9/hunter2@127.0.0.1:9/sluice",
        "postgresql://sluice:a@hunter2@127.0.0.1:9/sluice",
    ],
)
@pytest.mark.parametrize("flag", ["--yes", "--dry-run"])
def test_password_is_not_told_where_postgres_cannot_be_reached(
    source: Path, capsys: pytest.CaptureFixture[str], address: str, flag: str
) -> None:
    assert run(source, address, flag) == 1
    out, err = lines(capsys)
    assert (len(err), err[0].partition(": ")[0]) == (1, "Nothing was changed")
    assert "hunter2" not in "".join(out + err)


@pytest.mark.parametrize(
    "arguments",
    [
        ["old.db", "--postgress", "postgresql://sluice:hunter2@db/sluice"],
        ["old.db", "host=db password=hunter2"],
        ["postgresql://sluice:hunter2@db/sluice", "old.db"],
    ],
)
def test_password_is_not_told_where_the_call_was_mistaken(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments, environ={})
    assert ended.value.code == 2
    out, err = lines(capsys)
    assert "hunter2" not in "".join(out + err)


def test_address_in_place_of_the_file_is_told_without_its_password(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["postgresql://sluice:hunter2@db/x"], environ={"DATABASE_URL": "postgresql://u:hunter2@db/x"}) == 1
    out, err = lines(capsys)
    assert out == ["Source: postgresql:/sluice:***@db/x (SQLite)", "Target: postgresql://u:***@db/x"]
    assert err == ["Nothing was changed: there is no file postgresql:/sluice:***@db/x"]


def test_call_without_a_target_shows_the_help(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(source)], environ={}) == 2
    out, err = lines(capsys)
    assert (out, err[0].startswith("usage: "), err[-1]) == (
        [],
        True,
        "Nothing was changed: name a target with --postgres or DATABASE_URL.",
    )


def test_command_asks_nobody_where_there_is_no_terminal(source: Path, target: str) -> None:
    ended = subprocess.run(
        [*COMMAND, str(source)],
        cwd=ROOT,
        env={"DATABASE_URL": make_dsn(target, password="hunter2")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (
        2,
        "Nothing was changed: there is no terminal to ask on; add --yes to migrate.\n",
    )
    assert query(target, COUNTS) == NOTHING


def test_command_migrates_with_the_address_from_the_environment(source: Path, target: str) -> None:
    environ = {"DATABASE_URL": make_dsn(target, password="hunter2")}
    command = [*COMMAND, str(source), "--yes"]
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith("Done: 94 rows migrated.\n")
    assert "hunter2" not in ended.stdout
    assert query(target, COUNTS) == EVERYTHING


class Terminal:
    """Standard input at which somebody sits, who answers once; ^C interrupts."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        if self._answer == "^C":
            raise KeyboardInterrupt
        return self._answer


@pytest.mark.parametrize(
    ("answer", "code", "counts"),
    [("y\n", 0, EVERYTHING), ("Yes\n", 0, EVERYTHING), ("\n", 1, NOTHING), ("", 1, NOTHING), ("^C", 130, NOTHING)],
)
def test_command_asks_on_a_terminal(
    source: Path, target: str, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, counts: list[tuple[int, ...]]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert run(source, target) == code
    assert query(target, COUNTS) == counts


def test_question_names_rows_and_target_without_the_password(
    source: Path, target: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("no\n"))
    run(source, make_dsn(target, password="hunter2"))
    out, err = lines(capsys)
    shown = out[1].removeprefix("Target: ")
    assert (out[-1], err) == (f"Migrate 97 rows into {shown}? [y/N] ", ["Nothing was changed: not confirmed"])
    assert shown.startswith("postgresql://sluice:***@")
