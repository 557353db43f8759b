"""Saved forecasts on a real Postgres: one per job, in a project of the account's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from threading import Barrier

import pytest
from msgspec.structs import replace

from chalicelib.db.accounts import Accounts
from chalicelib.db.connect import Database
from chalicelib.db.forecasts import Forecasts, NewForecast
from chalicelib.errors import NotSaved, Unavailable
from tests.db.test_database import query

COUNTS = "SELECT (SELECT count(*) FROM forecasts), (SELECT count(*) FROM projects)"


@pytest.fixture
def ann(database: Database) -> str:
    return Accounts(database).put(email="ann@example.org", name="Ann", password_hash="hash", role="student")


@pytest.fixture
def forecast(ann: str) -> NewForecast:
    return NewForecast(
        job_id="job-1",
        owner=ann,
        project_id="",
        parent_forecast_id="",
        name="Relaunch",
        team_size=5,
        forecast_type="monte_carlo",
        forecast_data='{"percentiles": {"p85": 9}}',
        input_data='{"tpSamples": [5, 6]}',
        backlog=50,
        start_date=date(2026, 1, 5),
        projected_weeks_p85=9,
        deadline_date=date(2026, 3, 11),
        weeks_to_deadline=65 / 7,
        can_meet_deadline=True,
        scope_completion_pct=None,
    )


def make_project(database: Database, owner: str) -> str:
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO projects (user_id, name) VALUES (%s, 'Old') RETURNING id::text AS id", (owner,))
        row = cursor.fetchone()
    assert row is not None
    return str(row["id"])


def test_forecast_is_saved_with_all_its_figures_in_a_new_project(
    database: Database, forecast: NewForecast, dsn: str
) -> None:
    saved = Forecasts(database).save(forecast)
    with database.transaction() as cursor:
        cursor.execute("SELECT * FROM forecasts WHERE id = %s", (saved,))
        row = dict(cursor.fetchone() or {})
        cursor.execute("SELECT id, user_id::text AS user_id, name, team_size, status, tags FROM projects")
        project = dict(cursor.fetchone() or {})
    assert row.pop("created_at").utcoffset() is not None
    assert row == {
        "id": saved,
        "user_id": int(forecast.owner),
        "project_id": project["id"],
        "name": "Relaunch",
        "description": None,
        "forecast_type": "monte_carlo",
        "forecast_data": {"percentiles": {"p85": 9}},
        "input_data": {"tpSamples": [5, 6]},
        "backlog": 50,
        "deadline_date": date(2026, 3, 11),
        "start_date": date(2026, 1, 5),
        "weeks_to_deadline": 65 / 7,
        "projected_weeks_p85": 9.0,
        "can_meet_deadline": True,
        "scope_completion_pct": None,
        "created_by": "Ann",
        "version": 1,
        "parent_forecast_id": None,
        "job_id": "job-1",
    }
    assert project == {
        "id": project["id"],
        "user_id": forecast.owner,
        "name": "Relaunch",
        "team_size": 5,
        "status": "active",
        "tags": [],
    }
    assert query(dsn, COUNTS) == [(1, 1)]


def test_figures_that_are_not_known_are_null(database: Database, forecast: NewForecast, dsn: str) -> None:
    unknown = replace(forecast, start_date=None, deadline_date=None, weeks_to_deadline=None, can_meet_deadline=None)
    Forecasts(database).save(unknown)
    found = query(dsn, "SELECT start_date, deadline_date, weeks_to_deadline, can_meet_deadline FROM forecasts")
    assert found == [(None, None, None, None)]


def test_forecast_saved_twice_for_one_job_is_one_row_in_one_project(
    database: Database, forecast: NewForecast, dsn: str
) -> None:
    forecasts = Forecasts(database)
    first = forecasts.save(forecast)
    assert forecasts.save(forecast) == first
    assert query(dsn, COUNTS) == [(1, 1)]
    assert forecasts.save(replace(forecast, job_id="job-2")) != first
    assert query(dsn, COUNTS) == [(2, 2)]


def test_runs_that_save_one_job_at_the_same_time_get_one_row_in_one_project(forecast: NewForecast, dsn: str) -> None:
    runs, rounds = 6, 10
    start = Barrier(runs)

    def save(_: int) -> list[int]:
        ids = []
        with closing(Database(dsn)) as own:
            for number in range(rounds):
                start.wait(timeout=20)
                ids.append(Forecasts(own).save(replace(forecast, job_id=f"job-{number}")))
        return ids

    with ThreadPoolExecutor(runs) as pool:
        answers = set(map(tuple, pool.map(save, range(runs))))
    assert len(answers) == 1
    assert query(dsn, COUNTS) == [(rounds, rounds)]


def test_forecast_is_saved_in_the_project_that_it_names(database: Database, forecast: NewForecast, dsn: str) -> None:
    project = make_project(database, forecast.owner)
    Forecasts(database).save(replace(forecast, project_id=project))
    assert query(dsn, "SELECT project_id::text FROM forecasts") == [(project,)]
    assert query(dsn, COUNTS) == [(1, 1)]


def test_project_of_another_account_is_refused_like_one_that_is_not_there(
    database: Database, forecast: NewForecast, dsn: str
) -> None:
    bob = Accounts(database).put(email="bob@example.org", name="Bob", password_hash="hash", role="admin")
    theirs = make_project(database, bob)
    for project in (theirs, "4711", "0", "-1", "x", "1.0", "9" * 18, "9" * 19, "9" * 5000, "²"):
        with pytest.raises(NotSaved) as refused:
            Forecasts(database).save(replace(forecast, project_id=project))
        assert refused.value.detail == f"project_id must be a project of yours, got {project[:40]!r}"
    assert query(dsn, COUNTS) == [(0, 1)]


def test_account_that_is_gone_is_named(database: Database, forecast: NewForecast, dsn: str) -> None:
    with pytest.raises(NotSaved, match="account 4711 does not exist any more"):
        Forecasts(database).save(replace(forecast, owner="4711"))
    assert query(dsn, COUNTS) == [(0, 0)]


@pytest.mark.parametrize(
    "changes", [{"name": "re\0launch"}, {"forecast_data": '{"a": "\\u0000"}'}, {"input_data": '{"a": "\\u0000"}'}]
)
def test_text_that_postgres_cannot_store_is_not_an_outage_and_leaves_nothing(
    database: Database, forecast: NewForecast, dsn: str, changes: dict[str, str]
) -> None:
    forecasts = Forecasts(database)
    with pytest.raises(NotSaved, match="the database cannot store the forecast: "):
        forecasts.save(replace(forecast, **changes))
    assert query(dsn, COUNTS) == [(0, 0)]
    assert forecasts.save(forecast)


def test_forecasts_and_projects_go_with_their_account(database: Database, forecast: NewForecast, dsn: str) -> None:
    Forecasts(database).save(forecast)
    with database.transaction() as cursor:
        cursor.execute("DELETE FROM users")
    assert query(dsn, COUNTS) == [(0, 0)]


def test_forecast_outlives_the_version_that_it_was_made_from(
    database: Database, forecast: NewForecast, dsn: str
) -> None:
    forecasts = Forecasts(database)
    first, second = forecasts.save(forecast), forecasts.save(replace(forecast, job_id="job-2"))
    with database.transaction() as cursor:
        cursor.execute("UPDATE forecasts SET parent_forecast_id = %s, version = 2 WHERE id = %s", (first, second))
        cursor.execute("DELETE FROM forecasts WHERE id = %s", (first,))
    assert query(dsn, "SELECT id, version, parent_forecast_id FROM forecasts") == [(second, 2, None)]


def test_database_that_is_away_is_an_outage(forecast: NewForecast) -> None:
    with closing(Database("postgresql://127.0.0.1:9/sluice")) as away, pytest.raises(Unavailable):
        Forecasts(away).save(forecast)
