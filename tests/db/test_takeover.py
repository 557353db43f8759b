"""An old installation in Postgres: all of it or nothing, again and again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chalicelib.db.migrate import migrate
from chalicelib.db.takeover.migration import migrate_file
from chalicelib.db.takeover.report import LeftOut
from chalicelib.errors import Cancelled, JobFailed
from tests.db.old_installation import COUNTS, NOTHING, build, build_empty, change, execute
from tests.db.test_database import query


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return build(tmp_path / "old.db")


@pytest.fixture
def target(dsn: str) -> str:
    """A database with the schema and no rows."""
    migrate(dsn)
    return dsn


def test_rows_that_came_to_the_source_later_are_added_by_the_next_run(source: Path, target: str) -> None:
    migrate_file(source, target)
    change(source, "INSERT INTO actuals (id, forecast_id, notes) VALUES (13, 40, 'late')")
    report = migrate_file(source, target)
    assert [(table.migrated, table.already_there) for table in report.tables] == [(0, 15), (0, 23), (0, 46), (1, 10)]
    assert query(target, "SELECT forecast_id, notes FROM actuals WHERE id = 13") == [(40, "late")]


def test_target_may_have_rows_under_other_ids(source: Path, target: str) -> None:
    execute(target, "INSERT INTO users (id, email, password_hash, name) VALUES (99, 'new@example.org', '', 'New')")
    execute(target, "INSERT INTO projects (id, user_id, name) VALUES (500, 99, 'New')")
    migrate_file(source, target)
    assert query(target, COUNTS) == [(16, 24, 46, 10, 29)]
    # Account 99 is somebody else here: the old project that names it stays without an owner.
    assert query(target, "SELECT user_id FROM projects WHERE id IN (5, 500) ORDER BY id") == [(None,), (99,)]


def test_next_rows_get_ids_above_all_that_were_migrated_or_given_out(source: Path, target: str) -> None:
    execute(target, "SELECT setval(pg_get_serial_sequence('projects', 'id'), 1000)")
    migrate_file(source, target)
    execute(target, "INSERT INTO users (email, password_hash, name) VALUES ('new@example.org', '', 'New')")
    execute(target, "INSERT INTO projects (name) VALUES ('New')")
    execute(target, "INSERT INTO forecasts (project_id, name, forecast_data, input_data) VALUES (1, 'N', '{}', '{}')")
    execute(target, "INSERT INTO actuals (forecast_id) VALUES (1)")
    maxima = ", ".join(f"(SELECT max(id) FROM {table})" for table in ("users", "projects", "forecasts", "actuals"))
    # 45 of the forecasts and 11 and 12 of the actuals were set aside.
    assert query(target, f"SELECT {maxima}") == [(16, 1001, 48, 11)]


def test_row_that_was_changed_after_it_was_migrated_is_not_overwritten(source: Path, target: str) -> None:
    migrate_file(source, target)
    execute(target, "UPDATE forecasts SET name = 'Renamed' WHERE id = 40")
    with pytest.raises(JobFailed, match=r"^forecasts: the target has other content under these ids: 40$"):
        migrate_file(source, target)
    assert query(target, "SELECT name FROM forecasts WHERE id = 40") == [("Renamed",)]


def test_login_after_the_migration_is_no_change_and_is_kept(source: Path, target: str) -> None:
    migrate_file(source, target)
    execute(target, "UPDATE users SET last_login = now(), password_hash = 'renewed' WHERE id = 3")
    report = migrate_file(source, target)
    assert (report.migrated, report.already_there) == (0, 15 + 23 + 46 + 10)
    assert query(target, "SELECT password_hash FROM users WHERE id = 3") == [("renewed",)]


def test_other_value_that_was_set_aside_under_the_same_id_ends_the_run(source: Path, target: str) -> None:
    execute(target, "INSERT INTO set_aside (source_table, source_id, reason, value) VALUES ('forecasts', 45, 'x', '1')")
    with pytest.raises(JobFailed, match=r"^forecasts: set_aside holds other values of these rows: 45$"):
        migrate_file(source, target)
    assert query(target, COUNTS) == [(0, 0, 0, 0, 1)]


@pytest.mark.parametrize("stage", ["migrating forecasts", "comparing actuals"])
def test_interruption_at_any_stage_changes_nothing(source: Path, target: str, stage: str) -> None:
    def stop(fraction: float, doing: str) -> None:
        if doing == stage:
            raise Cancelled("the job was cancelled")

    with pytest.raises(Cancelled):
        migrate_file(source, target, progress=stop)
    assert query(target, COUNTS) == NOTHING


def test_progress_goes_from_nothing_to_one(source: Path, target: str) -> None:
    told: list[tuple[float, str]] = []
    migrate_file(source, target, progress=lambda fraction, stage: told.append((fraction, stage)))
    fractions = [fraction for fraction, _ in told]
    assert (fractions, told[0], told[-1]) == (
        sorted(fractions),
        (15 / 194, "migrating users"),
        (1.0, "comparing actuals"),
    )


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        ("BEGIN NEW.notes = 'changed'; RETURN NEW; END", "the contents of source and target differ"),
        ("BEGIN RETURN NULL; END", "of 12 rows in the source 0 were added"),
    ],
)
def test_target_that_keeps_something_else_than_the_source_has_is_noticed(
    source: Path, target: str, function: str, problem: str
) -> None:
    execute(
        target,
        f"CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ {function} $$;"
        "CREATE TRIGGER meddle BEFORE INSERT ON actuals FOR EACH ROW EXECUTE FUNCTION meddle()",
    )
    with pytest.raises(JobFailed, match=f"^actuals: {problem}"):
        migrate_file(source, target)
    assert query(target, COUNTS) == NOTHING


def test_target_without_tables_is_an_error_for_those_who_cannot_make_them(source: Path, dsn: str) -> None:
    with pytest.raises(JobFailed, match="lacks the tables users, projects, forecasts, actuals, set_aside; make its"):
        migrate_file(source, dsn)


def test_job_gets_a_report_of_an_installation_without_rows(tmp_path: Path, target: str) -> None:
    report = migrate_file(build_empty(tmp_path / "old.db"), target)
    assert (report.total, report.migrated, report.set_aside) == (0, 0, ())
    assert report.not_migrated == (
        LeftOut("portfolios", 2),
        LeftOut("simulation_runs", 0),
        LeftOut("projects.color", 0),
    )


def test_source_is_not_changed_and_what_a_running_service_has_in_its_log_is_read(source: Path, target: str) -> None:
    with closing(sqlite3.connect(source)) as service:
        service.execute("PRAGMA journal_mode = WAL")
        service.execute("UPDATE projects SET name = 'From the log' WHERE id = 1")
        service.commit()
        before = source.read_bytes()
        migrate_file(source, target)
        assert source.read_bytes() == before
    assert query(target, "SELECT name FROM projects WHERE id = 1") == [("From the log",)]
