"""A forecast kept in Postgres, asked for over HTTP and read back by SQL."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from psycopg2.extras import RealDictCursor

from chalicelib.db.connect import connect
from localstack.run import LocalStack
from tests.e2e.client import Client

BODY = {
    "projectName": "Relaunch",
    "tpSamples": [5, 6, 7, 8],
    "numberOfTasks": 50,
    "totalContributors": 5,
    "startDate": "05/01/2026",
    "deadlineDate": "30/03/2026",
}
PATH = "/api/async/simulate?save=true"


@pytest.fixture
def demo(stack: LocalStack) -> Client:
    return Client(stack.url).login("demo@sluice.test", "demo-password")


def rows(stack: LocalStack, task_id: str) -> list[dict[str, Any]]:  # columns of any type
    """What is saved for a task, with its project."""
    statement = """
        SELECT forecasts.*, forecasts.start_date::text AS begins, projects.name AS project, users.email
        FROM forecasts JOIN projects ON projects.id = project_id JOIN users ON users.id = forecasts.user_id
        WHERE job_id = %s
    """
    with closing(connect(stack.database_url)) as connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(statement, (task_id,))
        return [dict(row) for row in cursor.fetchall()]


def test_forecast_is_saved_by_the_worker_and_named_in_the_result(stack: LocalStack, demo: Client) -> None:
    task = demo.wait(demo.submit(PATH, BODY))
    assert task["state"] == "SUCCESS", task
    (row,) = rows(stack, task["task_id"])
    assert row["id"] == task["result"]["forecast_id"]
    assert (row["email"], row["project"], row["forecast_type"]) == ("demo@sluice.test", "Relaunch", "monte_carlo")
    assert (row["backlog"], row["begins"], row["weeks_to_deadline"]) == (50, "2026-01-05", 12.0)
    assert row["projected_weeks_p85"] == task["result"]["percentiles"]["p85"]
    assert row["can_meet_deadline"] is (row["projected_weeks_p85"] <= 12)
    assert row["forecast_data"]["distribution"] == task["result"]["distribution"]


def test_second_forecast_joins_the_project_of_the_first(stack: LocalStack, demo: Client) -> None:
    first = demo.wait(demo.submit(PATH, BODY))
    project = rows(stack, first["task_id"])[0]["project_id"]
    second = demo.wait(demo.submit(PATH, BODY | {"project_id": str(project)}))
    assert [row["project_id"] for row in rows(stack, second["task_id"])] == [project]
    assert second["result"]["forecast_id"] != first["result"]["forecast_id"]


def test_unknown_project_is_a_save_error_beside_the_forecast(stack: LocalStack, demo: Client) -> None:
    task = demo.wait(demo.submit("/api/async/simulate", BODY | {"save": True, "project_id": 4711}))
    assert (task["state"], task["result"]["save_error"]) == (
        "SUCCESS",
        "project_id must be a project of yours, got '4711'",
    )
    assert rows(stack, task["task_id"]) == []


def test_saving_is_refused_without_an_account_and_in_line(stack: LocalStack, demo: Client) -> None:
    anonymous = Client(stack.url).call("POST", PATH, BODY)
    assert (anonymous.status, anonymous.body["detail"]) == (
        401,
        "saving needs an account: log in at POST /api/auth/login, or leave out save",
    )
    in_line = demo.call("POST", "/api/simulate?save=true", BODY)
    assert (in_line.status, "/api/async/simulate" in in_line.body["detail"]) == (400, True)


def test_forecast_that_is_not_to_be_saved_leaves_no_row(stack: LocalStack, demo: Client) -> None:
    task = demo.wait(demo.submit("/api/async/simulate", BODY))
    assert {"forecast_id", "save_error"} & set(task["result"]) == set()
    assert rows(stack, task["task_id"]) == []
