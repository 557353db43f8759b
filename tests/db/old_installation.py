"""The SQLite file of an old installation as years of use leave it: 15 accounts, 23 projects, 47 forecasts, 12 actuals.

Rows whose oddities the tests look at are literals here; the rest is made by number.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import psycopg2

SCHEMA = """
CREATE TABLE users (
    id INTEGER NOT NULL, email VARCHAR(200) NOT NULL, password_hash VARCHAR(200) NOT NULL, name VARCHAR(200) NOT NULL,
    role VARCHAR(20), is_active BOOLEAN, created_at DATETIME, updated_at DATETIME, last_login DATETIME,
    registration_date DATETIME, access_expires_at DATETIME NOT NULL, password_reset_token VARCHAR(200),
    password_reset_sent_at DATETIME, password_reset_expires_at DATETIME, PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_users_email ON users (email);
CREATE TABLE projects (
    id INTEGER NOT NULL, user_id INTEGER, name VARCHAR(200) NOT NULL, description TEXT, team_size INTEGER,
    status VARCHAR(50), priority INTEGER, business_value INTEGER, risk_level VARCHAR(20), capacity_allocated FLOAT,
    strategic_importance VARCHAR(20), start_date VARCHAR(20), target_end_date VARCHAR(20), owner VARCHAR(200),
    stakeholder VARCHAR(200), tags TEXT, created_at DATETIME, updated_at DATETIME, PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE TABLE forecasts (
    id INTEGER NOT NULL, user_id INTEGER, project_id INTEGER NOT NULL, name VARCHAR(200) NOT NULL, description TEXT,
    forecast_type VARCHAR(50), forecast_data TEXT NOT NULL, input_data TEXT NOT NULL, backlog INTEGER,
    deadline_date VARCHAR(20), start_date VARCHAR(20), weeks_to_deadline FLOAT, projected_weeks_p85 FLOAT,
    can_meet_deadline BOOLEAN, scope_completion_pct FLOAT, created_at DATETIME, created_by VARCHAR(100),
    version INTEGER, parent_forecast_id INTEGER, PRIMARY KEY (id), FOREIGN KEY(user_id) REFERENCES users (id),
    FOREIGN KEY(project_id) REFERENCES projects (id), FOREIGN KEY(parent_forecast_id) REFERENCES forecasts (id)
);
CREATE TABLE actuals (
    id INTEGER NOT NULL, forecast_id INTEGER NOT NULL, actual_completion_date VARCHAR(20), actual_weeks_taken FLOAT,
    actual_items_completed INTEGER, actual_scope_delivered_pct FLOAT, weeks_error FLOAT, weeks_error_pct FLOAT,
    scope_error_pct FLOAT, notes TEXT, recorded_at DATETIME, recorded_by VARCHAR(100), PRIMARY KEY (id),
    FOREIGN KEY(forecast_id) REFERENCES forecasts (id)
);
CREATE TABLE portfolios (id INTEGER NOT NULL, name VARCHAR(200), PRIMARY KEY (id));
CREATE TABLE simulation_runs (id INTEGER NOT NULL, portfolio_id INTEGER, PRIMARY KEY (id));
ALTER TABLE projects ADD COLUMN color VARCHAR(20);
INSERT INTO portfolios (name) VALUES ('2023'), ('2024');
"""

Row = dict[str, object]

# What there is in Postgres, by table, and after a migration of what `build` makes.
COUNTS = (
    "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM projects), (SELECT count(*) FROM forecasts), "
    "(SELECT count(*) FROM actuals), (SELECT count(*) FROM set_aside)"
)
NOTHING = [(0, 0, 0, 0, 0)]
EVERYTHING = [(15, 23, 46, 10, 29)]

# Account 9 shares an address with account 3 but for its case; 14 was made by hand in a database tool.
ODD_USERS: dict[int, Row] = {
    1: {"email": "Admin@Example.org", "role": "admin", "last_login": "2025-03-01 08:30:00", "updated_at": None},
    3: {"email": "carol@example.org"},
    9: {"email": "Carol@Example.org", "role": "owner", "is_active": 0, "created_at": None},
    14: {"email": "root", "name": "n" * 201, "registration_date": "05/02/2024", "last_login": "yesterday"},
}

ODD_PROJECTS: dict[int, Row] = {
    2: {"user_id": None, "start_date": "31-12-23", "target_end_date": "2024/2/1", "status": "On_Hold"},
    5: {"user_id": 99, "start_date": "2024-05-06 00:00:00", "target_end_date": "1.6.2024", "tags": None},
    7: {"start_date": "soon", "status": "archived", "priority": 9, "team_size": -3, "tags": "core, web"},
    8: {"name": "", "business_value": None, "capacity_allocated": float("inf"), "color": "red"},
    23: {"name": "Zoë's 計画", "description": "line\0break", "tags": '["a", "b"]', "owner": "Ann"},
}

# Versions: 10 comes from 40, 40 from 44; 20 and 21 name each other; 30 names one that is gone, 41 an orphan.
ODD_FORECASTS: dict[int, Row] = {
    4: {"forecast_data": json.dumps(json.dumps({"p85": 9})), "input_data": '{"tp": [5, 6.50, 1e2]}'},
    6: {"forecast_data": '{"p85": NaN, "rest": [Infinity, 1]}', "deadline_date": "3/11/26", "start_date": "1/9/2026"},
    8: {"forecast_data": "{'p85': 9}", "input_data": "null"},
    9: {"input_data": '{"name": "a\\u0000b"}', "user_id": 77, "can_meet_deadline": "maybe"},
    10: {"parent_forecast_id": 40, "version": 3},
    20: {"parent_forecast_id": 21},
    21: {"parent_forecast_id": 20},
    30: {"parent_forecast_id": 500},
    40: {"parent_forecast_id": 44, "version": 2, "projected_weeks_p85": 65 / 7},
    41: {"parent_forecast_id": 45},
    45: {"project_id": 404, "forecast_data": '{"p85": 12}'},
    47: {"created_at": "2025-01-02T03:04:05.678+02:00", "created_by": "b" * 101, "version": 0},
}

# 11 belongs to the forecast without a project, 12 to none.
ODD_ACTUALS: dict[int, Row] = {
    1: {"actual_completion_date": "7.2.2025", "weeks_error": -1.5, "notes": "early"},
    2: {"actual_weeks_taken": -1.0, "actual_items_completed": "many"},
    11: {"forecast_id": 45},
    12: {"forecast_id": 999},
}


TABLES = (
    ("users", 15, ODD_USERS),
    ("projects", 23, ODD_PROJECTS),
    ("forecasts", 47, ODD_FORECASTS),
    ("actuals", 12, ODD_ACTUALS),
)


def build(path: Path) -> Path:
    """Writes the installation and answers its path."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(SCHEMA)
        for table, last, odd in TABLES:
            insert(connection, table, [row_of(table, number) | odd.get(number, {}) for number in range(1, last + 1)])
    return path


def build_empty(path: Path) -> Path:
    """An installation that nobody has used."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA)
    return path


def row_of(table: str, number: int) -> Row:
    """A row without oddities, of this id."""
    return {"users": _user, "projects": _project, "forecasts": _forecast, "actuals": _actual}[table](number)


def insert(connection: sqlite3.Connection, table: str, rows: Sequence[Row]) -> None:
    for row in rows:
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))


def change(path: Path, statement: str) -> Path:
    """Changes the file by one statement and answers its path."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    return path


def execute(dsn: str, statement: str) -> None:
    """Changes the Postgres by one statement."""
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)


def _user(number: int) -> Row:
    return {
        "id": number,
        "email": f"user{number}@example.org",
        "password_hash": f"scrypt:32768:8:1$salt{number}$hash",
        "name": f"User {number}",
        "role": "student",
        "is_active": 1,
        "created_at": f"2024-01-{_day(number):02} 10:00:00.123456",
        "updated_at": f"2024-02-{_day(number):02} 10:00:00",
        "registration_date": f"2024-01-{_day(number):02} 10:00:00.123456",
        "access_expires_at": f"2025-01-{_day(number):02} 10:00:00.123456",
    }


def _project(number: int) -> Row:
    return {
        "id": number,
        "user_id": 1 + number % 15,
        "name": f"Project {number}",
        "description": None,
        "team_size": 4,
        "status": "active",
        "priority": 2,
        "business_value": 70,
        "risk_level": "high",
        "capacity_allocated": 0.5,
        "strategic_importance": "critical",
        "start_date": f"{_day(number)}/3/2024",
        "target_end_date": "",
        "tags": "[]",
        "created_at": f"2024-03-{_day(number):02} 11:00:00",
        "updated_at": f"2024-03-{_day(number):02} 12:00:00",
    }


def _forecast(number: int) -> Row:
    return {
        "id": number,
        "user_id": 1 + number % 15,
        "project_id": 1 + number % 23,
        "name": f"Forecast {number}",
        "forecast_type": "monte_carlo",
        "forecast_data": json.dumps({"p85": number / 3, "done": None}),
        "input_data": json.dumps({"tpSamples": [number, 2], "numberOfTasks": 50}),
        "backlog": 50,
        "deadline_date": "11/03/2026",
        "start_date": "05/01/2026",
        "weeks_to_deadline": 65 / 7,
        "projected_weeks_p85": number / 3,
        "can_meet_deadline": number % 2,
        "scope_completion_pct": 100.0,
        "created_at": "2025-01-02 03:04:05",
        "created_by": "User",
        "version": 1,
    }


def _actual(number: int) -> Row:
    return {
        "id": number,
        "forecast_id": 1 + (number - 1) % 44,
        "actual_completion_date": "20/02/2026",
        "actual_weeks_taken": 6.5,
        "actual_items_completed": 48,
        "actual_scope_delivered_pct": 96.0,
        "weeks_error": 0.5,
        "recorded_at": "2026-02-21 09:00:00",
        "recorded_by": "User",
    }


def _day(number: int) -> int:
    """A day that every month has."""
    return 1 + (number - 1) % 28
