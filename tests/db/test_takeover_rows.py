"""What becomes of the rows of an old installation, value by value."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.db.connect import Database
from chalicelib.db.takeover.migration import migrate_file
from chalicelib.db.takeover.report import SetAside
from chalicelib.db.takeover.schema import TABLES
from chalicelib.db.takeover.source import parents_first
from tests.db.old_installation import build, build_empty, change, insert, row_of

Values = dict[str, Any]  # a row of any table


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return build(tmp_path / "old.db")


@pytest.fixture
def migrated(source: Path, dsn: str, database: Database) -> Database:
    migrate_file(source, dsn)
    return database


def rows(database: Database, statement: str) -> list[Values]:
    with database.transaction() as cursor:
        cursor.execute(statement)
        return [dict(row) for row in cursor.fetchall()]


def row(database: Database, table: str, row_id: int, *names: str) -> Values:
    """The row, or these values of it."""
    (found,) = rows(database, f"SELECT {', '.join(names) or '*'} FROM {table} WHERE id = {row_id}")
    return found


def set_aside(database: Database, table: str, row_id: int) -> Values:
    """What was set aside of a row, by column."""
    found = rows(database, f"SELECT * FROM set_aside WHERE source_table = '{table}' AND source_id = {row_id}")
    return {aside["column_name"]: aside["value"] for aside in found}


def test_account_keeps_all_that_it_had(migrated: Database) -> None:
    assert row(migrated, "users", 1) == {
        "id": 1,
        "email": "admin@example.org",
        "password_hash": "scrypt:32768:8:1$salt1$hash",
        "name": "User 1",
        "role": "admin",
        "is_active": True,
        "created_at": datetime(2024, 1, 1, 10, 0, 0, 123456, UTC),
        "updated_at": datetime(2024, 1, 1, 10, 0, 0, 123456, UTC),
        "last_login": datetime(2025, 3, 1, 8, 30, tzinfo=UTC),
        "registration_date": datetime(2024, 1, 1, 10, 0, 0, 123456, UTC),
        "access_expires_at": datetime(2025, 1, 1, 10, 0, 0, 123456, UTC),
        "password_reset_token": None,
        "password_reset_sent_at": None,
        "password_reset_expires_at": None,
    }
    assert set_aside(migrated, "users", 1) == {}


def test_project_keeps_all_that_it_had(migrated: Database) -> None:
    assert row(migrated, "projects", 23) == {
        "id": 23,
        "user_id": 9,
        "name": "Zoë's 計画",
        "description": "linebreak",
        "team_size": 4,
        "status": "active",
        "priority": 2,
        "business_value": 70,
        "risk_level": "high",
        "capacity_allocated": 0.5,
        "strategic_importance": "critical",
        "start_date": date(2024, 3, 23),
        "target_end_date": None,
        "owner": "Ann",
        "stakeholder": None,
        "tags": ["a", "b"],
        "created_at": datetime(2024, 3, 23, 11, tzinfo=UTC),
        "updated_at": datetime(2024, 3, 23, 12, tzinfo=UTC),
    }
    assert set_aside(migrated, "projects", 23) == {"description": {"hex": "6c696e6500627265616b"}}


def test_forecast_keeps_all_that_it_had(migrated: Database) -> None:
    assert row(migrated, "forecasts", 40) == {
        "id": 40,
        "user_id": 11,
        "project_id": 18,
        "name": "Forecast 40",
        "description": None,
        "forecast_type": "monte_carlo",
        "forecast_data": {"p85": 13.333333333333334, "done": None},
        "input_data": {"tpSamples": [40, 2], "numberOfTasks": 50},
        "backlog": 50,
        "deadline_date": date(2026, 3, 11),
        "start_date": date(2026, 1, 5),
        "weeks_to_deadline": 9.285714285714286,
        "projected_weeks_p85": 9.285714285714286,
        "can_meet_deadline": False,
        "scope_completion_pct": 100.0,
        "created_at": datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC),
        "created_by": "User",
        "version": 2,
        "parent_forecast_id": 44,
        "job_id": None,
    }
    assert set_aside(migrated, "forecasts", 40) == {}


def test_actual_keeps_all_that_it_had(migrated: Database) -> None:
    assert row(migrated, "actuals", 1) == {
        "id": 1,
        "forecast_id": 1,
        "actual_completion_date": date(2025, 2, 7),
        "actual_weeks_taken": 6.5,
        "actual_items_completed": 48,
        "actual_scope_delivered_pct": 96.0,
        "weeks_error": -1.5,
        "weeks_error_pct": None,
        "scope_error_pct": None,
        "notes": "early",
        "recorded_at": datetime(2026, 2, 21, 9, tzinfo=UTC),
        "recorded_by": "User",
    }


def test_account_with_an_address_that_another_has_gets_one_of_its_own_and_keeps_its_projects(
    migrated: Database,
) -> None:
    names = ("email", "role", "is_active", "created_at")
    assert row(migrated, "users", 3, "email") == {"email": "carol@example.org"}
    assert row(migrated, "users", 9, *names) == {
        "email": "carol+9@example.org",
        "role": "student",
        "is_active": False,
        "created_at": datetime(2024, 1, 9, 10, 0, 0, 123456, UTC),
    }
    assert set_aside(migrated, "users", 9) == {"email": "Carol@Example.org", "role": "owner"}
    assert rows(migrated, "SELECT id FROM projects WHERE user_id = 9 ORDER BY id") == [{"id": 8}, {"id": 23}]


def test_address_that_was_given_to_an_account_is_nobody_elses(source: Path, dsn: str, database: Database) -> None:
    change(source, "UPDATE users SET email = 'carol+9@example.org' WHERE id = 15")
    change(source, "UPDATE users SET email = 'user-14@migrated.invalid' WHERE id = 13")
    migrate_file(source, dsn)
    assert rows(database, "SELECT id, email FROM users WHERE id IN (9, 13, 14, 15) ORDER BY id") == [
        {"id": 9, "email": "user-9@migrated.invalid"},
        {"id": 13, "email": "user-14@migrated.invalid"},
        {"id": 14, "email": "user-14-@migrated.invalid"},
        {"id": 15, "email": "carol+9@example.org"},
    ]


def test_value_that_cannot_be_read_leaves_the_row_with_the_default(migrated: Database) -> None:
    names = ("team_size", "status", "priority", "start_date", "tags")
    assert row(migrated, "projects", 7, *names) == {
        "team_size": 1,
        "status": "active",
        "priority": 3,
        "start_date": None,
        "tags": [],
    }
    assert set_aside(migrated, "projects", 7) == {
        "team_size": -3,
        "status": "archived",
        "priority": 9,
        "start_date": "soon",
        "tags": "core, web",
    }
    assert row(migrated, "projects", 8, "capacity_allocated") == {"capacity_allocated": 1.0}
    assert set_aside(migrated, "projects", 8) == {"capacity_allocated": "inf"}


def test_value_that_is_empty_takes_the_default_and_nothing_is_set_aside(migrated: Database) -> None:
    names = ("name", "business_value", "target_end_date")
    assert row(migrated, "projects", 8, *names) == {
        "name": "Unnamed Project",
        "business_value": 50,
        "target_end_date": None,
    }
    assert row(migrated, "projects", 5, "tags") == {"tags": []}
    assert set(set_aside(migrated, "projects", 5)) == {"user_id"}


def test_text_that_is_too_long_is_cut_and_kept_whole_beside(migrated: Database) -> None:
    assert row(migrated, "users", 14, "name", "email", "last_login", "registration_date") == {
        "name": "n" * 200,
        "email": "user-14@migrated.invalid",
        "last_login": None,
        "registration_date": datetime(2024, 2, 5, tzinfo=UTC),
    }
    assert set_aside(migrated, "users", 14) == {"name": "n" * 201, "email": "root", "last_login": "yesterday"}
    assert row(migrated, "forecasts", 47, "created_by", "version", "created_at") == {
        "created_by": "b" * 100,
        "version": 1,
        "created_at": datetime(2025, 1, 2, 1, 4, 5, 678000, UTC),
    }


@pytest.mark.parametrize(
    ("table", "row_id", "column", "day"),
    [
        ("projects", 1, "start_date", date(2024, 3, 1)),
        ("projects", 2, "start_date", date(2023, 12, 31)),
        ("projects", 2, "target_end_date", date(2024, 2, 1)),
        ("projects", 5, "start_date", date(2024, 5, 6)),
        ("projects", 5, "target_end_date", date(2024, 6, 1)),
        ("forecasts", 6, "deadline_date", date(2026, 11, 3)),
        ("forecasts", 6, "start_date", date(2026, 9, 1)),
    ],
)
def test_day_is_read_in_every_form(migrated: Database, table: str, row_id: int, column: str, day: date) -> None:
    assert row(migrated, table, row_id, column) == {column: day}


@pytest.mark.parametrize(
    ("row_id", "column", "document", "aside"),
    [
        (4, "forecast_data", {"p85": 9}, None),
        (4, "input_data", {"tp": [5, 6.5, 100]}, None),
        (6, "forecast_data", {"p85": None, "rest": [None, 1]}, '{"p85": NaN, "rest": [Infinity, 1]}'),
        (8, "forecast_data", {}, "{'p85': 9}"),
        (8, "input_data", {}, "null"),
        (9, "input_data", {"name": "ab"}, '{"name": "a\\u0000b"}'),
    ],
)
def test_json_text_becomes_a_document(
    migrated: Database, row_id: int, column: str, document: Values, aside: str | None
) -> None:
    assert row(migrated, "forecasts", row_id, column) == {column: document}
    assert set_aside(migrated, "forecasts", row_id).get(column) == aside


def test_number_in_a_document_keeps_every_digit(source: Path, dsn: str, database: Database) -> None:
    text = '{"a": [123456789012345678901234567890.10, 0.1000000000000000055511151231257827, 1E-400, -0.0, 1e2]}'
    change(source, f"UPDATE forecasts SET forecast_data = '{text}' WHERE id = 1")
    migrate_file(source, dsn)
    stored = rows(database, "SELECT forecast_data ->> 'a' AS a FROM forecasts WHERE id = 1")[0]["a"]
    tiny = "0." + 399 * "0" + "1"
    assert stored == f"[123456789012345678901234567890.1, 0.1000000000000000055511151231257827, {tiny}, 0, 100]"


def test_reference_that_leads_nowhere_is_null_and_set_aside(migrated: Database) -> None:
    assert row(migrated, "projects", 2, "user_id", "status") == {"user_id": None, "status": "on_hold"}
    assert (row(migrated, "projects", 5, "user_id"), set_aside(migrated, "projects", 5)) == (
        {"user_id": None},
        {"user_id": 99},
    )
    assert (row(migrated, "forecasts", 9, "user_id", "can_meet_deadline"), set_aside(migrated, "forecasts", 9)) == (
        {"user_id": None, "can_meet_deadline": None},
        {"user_id": 77, "can_meet_deadline": "maybe", "input_data": '{"name": "a\\u0000b"}'},
    )


def test_version_is_kept_with_its_parent_of_whatever_id(migrated: Database) -> None:
    found = rows(migrated, "SELECT id, parent_forecast_id AS parent FROM forecasts ORDER BY id")
    assert [(link["id"], link["parent"]) for link in found if link["parent"]] == [(10, 40), (20, 21), (40, 44)]
    cut = {row_id: set_aside(migrated, "forecasts", row_id)["parent_forecast_id"] for row_id in (21, 30, 41)}
    assert cut == {21: 20, 30: 500, 41: 45}


def test_forecast_without_a_project_is_set_aside_whole_and_what_came_of_it_too(migrated: Database) -> None:
    assert rows(migrated, "SELECT id FROM forecasts WHERE id = 45") == []
    assert rows(migrated, "SELECT id FROM actuals WHERE id > 10") == []
    forecast = set_aside(migrated, "forecasts", 45)[""]
    assert (len(forecast), forecast["project_id"], forecast["forecast_data"]) == (19, 404, '{"p85": 12}')
    assert set_aside(migrated, "actuals", 11)[""] == {
        "id": 11,
        "forecast_id": 45,
        "actual_completion_date": "20/02/2026",
        "actual_weeks_taken": 6.5,
        "actual_items_completed": 48,
        "actual_scope_delivered_pct": 96.0,
        "weeks_error": 0.5,
        "weeks_error_pct": None,
        "scope_error_pct": None,
        "notes": None,
        "recorded_at": "2026-02-21 09:00:00",
        "recorded_by": "User",
    }
    assert set_aside(migrated, "actuals", 12)[""]["forecast_id"] == 999


def test_report_names_what_was_set_aside_and_why(source: Path, dsn: str, database: Database) -> None:
    report = migrate_file(source, dsn)
    assert (report.rows_set_aside, report.values_set_aside, len(report.set_aside)) == (3, 26, 29)
    assert [aside for aside in report.set_aside if not aside.column] == [
        SetAside("forecasts", 45, "", "project_id: there is no row 404 in projects"),
        SetAside("actuals", 11, "", "forecast_id: row 45 of forecasts was set aside"),
        SetAside("actuals", 12, "", "forecast_id: there is no row 999 in forecasts"),
    ]
    assert SetAside("users", 9, "email", "account 3 has the same address; carol+9@example.org stands in its place") in (
        report.set_aside
    )


def test_older_installation_without_later_columns_gets_their_defaults(
    source: Path, dsn: str, database: Database
) -> None:
    for column in ("access_expires_at", "role", "is_active", "password_reset_token"):
        change(source, f"ALTER TABLE users DROP COLUMN {column}")
    change(source, "ALTER TABLE forecasts RENAME COLUMN parent_forecast_id TO origin")
    report = migrate_file(source, dsn)
    assert row(database, "users", 2, "access_expires_at", "role", "is_active") == {
        "access_expires_at": datetime(2025, 1, 1, 10, 0, 0, 123456, UTC),
        "role": "student",
        "is_active": True,
    }
    assert rows(database, "SELECT id FROM forecasts WHERE parent_forecast_id IS NOT NULL") == []
    assert "forecasts.origin" in [left_out.name for left_out in report.not_migrated]


ODDITIES = [
    None, 0, -1, 2**31, 2**63 - 1, -(2**63), 1.5, -0.0, float("inf"), 5e-324, 1.7976931348623157e308, 1e23,
    5.684341886080802e-14, "", " ", "\0", "nul\0", "x" * 300, "💥" * 201, b"\xff\xfe", b"text", b"", "a@b", "@b",
    "İ@x.y", "null", '"a"', "[NaN]", '{"a": 1e400}', '{"a": 1e999999}', '{"a": 1e9999999999999999999}', "\ufeff{}",
    f"[{'9' * 5000}]", '{"\\u0000": 1, "": 2}', '["\\ud800"]', "[" * 5000, "[" * 180 + "]" * 180, "[" * 600 + "]" * 600,
    "0001-01-01 00:00:00", "0001-01-01T00:00:00+05:00", "9999-12-31 23:59:59.999999", "9999-12-31T23:59:59-05:00",
    "2024-02-30", "31/12/99", "true", "%s %(x)s {table}", "'; DROP TABLE users; --",
]  # fmt: skip


def odd_rows(connection: sqlite3.Connection) -> Iterator[int]:
    """Gives every column every oddity in a row of its own; answers 1 for each row that SQLite took."""
    for table in TABLES:
        number = 100
        for column in table.columns:
            for oddity in ODDITIES:
                number += 1
                try:
                    insert(connection, table.name, [row_of(table.name, number) | {column.name: oddity}])
                except sqlite3.IntegrityError:  # NOT NULL, UNIQUE
                    continue
                yield 1


def test_no_value_in_any_column_ends_the_migration(source: Path, dsn: str, database: Database) -> None:
    with closing(sqlite3.connect(source)) as connection, connection:
        added = sum(odd_rows(connection))
    first, second = migrate_file(source, dsn), migrate_file(source, dsn)
    assert (added > 2500, first.total, first.migrated + first.rows_set_aside) == (True, added + 97, added + 97)
    assert (second.migrated, second.already_there) == (0, first.migrated)
    assert (len(first.set_aside), first.values_set_aside > 1000) == (100, True)


def test_rows_of_many_batches_are_written_behind_their_parents(tmp_path: Path, dsn: str, database: Database) -> None:
    path = build_empty(tmp_path / "old.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        insert(connection, "users", [row_of("users", number) for number in range(1, 16)])
        insert(connection, "projects", [row_of("projects", number) for number in range(1, 24)])
        links = [{"parent_forecast_id": number + 1} if number < 350 else {} for number in range(1, 351)]
        insert(connection, "forecasts", [row_of("forecasts", number) | link for number, link in enumerate(links, 1)])
    report = migrate_file(path, dsn)
    assert (report.migrated, report.values_set_aside) == (388, 0)
    found = rows(database, "SELECT count(*) AS links FROM forecasts WHERE parent_forecast_id = id + 1")
    assert found == [{"links": 349}]


@pytest.mark.parametrize(
    ("links", "order", "cut"),
    [
        ({1: None, 2: 1}, [1, 2], []),
        ({1: 3, 2: 1, 3: None}, [3, 1, 2], []),
        ({1: 1}, [1], [1]),
        ({1: 2, 2: 3, 3: 1, 4: 2}, [3, 2, 1, 4], [3]),
        ({1: 9, 2: "1"}, [1, 2], []),
    ],
)
def test_parents_come_first_and_a_circle_is_cut_once(
    links: dict[int, int | str | None], order: list[int], cut: list[int]
) -> None:
    found, readings = parents_first(list(links.items()))
    assert (found, [row_id for _, row_id in readings]) == (order, cut)
