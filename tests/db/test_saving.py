"""A forecast that is saved, from its request through a worker to its row on a real Postgres."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest

from chalicelib import kinds
from chalicelib.db.accounts import Accounts
from chalicelib.db.connect import Database
from chalicelib.db.forecasts import Forecasts
from chalicelib.errors import Unavailable
from chalicelib.jobs.context import Unwatched
from chalicelib.jobs.kind import OUTAGE_S
from chalicelib.jobs.memory import MemoryStore
from chalicelib.jobs.queue import Delivery
from chalicelib.jobs.store import Change, Job
from chalicelib.jobs.worker import ComeAgain, Worker
from tests.api.calls import Api, document
from tests.api.test_tasks import bearer
from tests.db.test_database import query
from tests.db.test_forecasts import COUNTS, make_project
from tests.doubles import FIRST_ID, registry

KIND = kinds.registry("prod").kinds["simulate"]
BODY = {"projectName": " Relaunch ", "tpSamples": [1], "numberOfTasks": 10, "startDate": "2026-01-05", "totalContributors": 2.4}  # fmt: skip  # noqa: E501
MESSAGE = f'{{"id":"{FIRST_ID}","kind":"simulate","v":1}}'


class Desk:
    """One account's API over a database, and the worker behind it."""

    def __init__(self, database: Database, store: MemoryStore | None = None) -> None:
        owner = Accounts(database).put(email="ann@example.org", name="Ann", password_hash="hash", role="student")
        self.owner, self._auth = owner, bearer(owner)
        self.api = Api(KIND)
        self.reach(database)
        if store is not None:
            self.api.runtime.__dict__["engine"] = replace(self.api.runtime.engine, store=store)

    def reach(self, database: Database) -> None:
        """Has the worker save in this database from now on."""
        self.api.runtime.__dict__["forecasts"] = Forecasts(database)

    def submit(self, **fields: object) -> None:
        answer = self.api.call("POST", f"{KIND.path}?save=true", BODY | fields, authorization=self._auth)
        assert answer.status == 202, document(answer)

    def deliver(self) -> None:
        delivery = Delivery(message_id="m", body=MESSAGE, receipt="r")
        Worker(self.api.runtime.engine, registry(KIND), KIND.queue).settle([delivery])

    def task(self) -> Any:  # a JSON object
        return document(self.api.call("GET", f"/api/tasks/{FIRST_ID}", authorization=self._auth))


def test_saved_forecast_has_the_answer_the_request_and_the_figures(database: Database) -> None:
    desk = Desk(database)
    desk.submit()
    desk.deliver()
    result = desk.task()["result"]
    with database.transaction() as cursor:
        cursor.execute("SELECT forecasts.*, projects.team_size, projects.name AS project FROM forecasts JOIN projects ON projects.id = project_id")  # fmt: skip  # noqa: E501
        row = dict(cursor.fetchone() or {})
    assert (result["forecast_id"], "save_error" in result) == (row["id"], False)
    assert (row["job_id"], str(row["user_id"]), row["forecast_type"]) == (FIRST_ID, desk.owner, "monte_carlo")
    assert (row["name"], row["project"], row["team_size"]) == ("Relaunch", "Relaunch", 2)
    assert (row["backlog"], row["start_date"], row["projected_weeks_p85"]) == (10, date(2026, 1, 5), 10.0)
    answered = {name: value for name, value in result.items() if name not in ("forecast_id", "task_id", "completed_at")}
    assert row["forecast_data"] == answered
    assert {name: row["input_data"][name] for name in BODY} == BODY | {"tpSamples": [1.0]}
    assert row["input_data"]["save"] is False


def test_request_as_it_was_kept_gives_the_same_forecast(database: Database) -> None:
    desk = Desk(database)
    desk.submit()
    desk.deliver()
    with database.transaction() as cursor:
        cursor.execute("SELECT forecast_data, input_data FROM forecasts")
        row = dict(cursor.fetchone() or {})
    again = desk.api.call("POST", KIND.sync_path, row["input_data"])
    assert (again.status, document(again)) == (200, row["forecast_data"])


def test_forecast_that_is_not_to_be_saved_needs_no_database(database: Database, dsn: str) -> None:
    desk = Desk(database)
    with closing(Database("")) as none:
        desk.reach(none)
        desk.api.call("POST", KIND.path, BODY)
        desk.deliver()
    found = desk.api.call("GET", f"/api/tasks/{FIRST_ID}")
    assert document(found)["state"] == "SUCCESS"
    assert {"forecast_id", "save_error"} & set(document(found)["result"]) == set()
    assert query(dsn, COUNTS) == [(0, 0)]


def test_run_whose_result_was_lost_after_saving_saves_no_second_row(database: Database, dsn: str) -> None:
    class ForgetfulStore(MemoryStore):
        """Loses the first result."""

        has_failed = False

        def complete(self, job: Job, change: Change, result: bytes) -> None:
            if not self.has_failed:
                self.has_failed = True
                raise Unavailable("the job table cannot be reached")
            super().complete(job, change, result)

    desk = Desk(database, ForgetfulStore())
    desk.submit()
    with pytest.raises(ComeAgain):
        desk.deliver()
    assert (desk.task()["state"], query(dsn, COUNTS)) == ("RETRY", [(1, 1)])
    desk.deliver()
    task = desk.task()
    assert (task["state"], task["attempt"], query(dsn, COUNTS)) == ("SUCCESS", 2, [(1, 1)])
    assert query(dsn, "SELECT id FROM forecasts") == [(task["result"]["forecast_id"],)]


def test_project_that_is_not_the_callers_is_a_save_error_and_no_failure(database: Database, dsn: str) -> None:
    desk = Desk(database)
    bob = Accounts(database).put(email="bob@example.org", name="Bob", password_hash="hash", role="student")
    theirs = make_project(database, bob)
    desk.submit(project_id=int(theirs))
    desk.deliver()
    task = desk.task()
    assert (task["state"], task["result"]["percentiles"]["p85"]) == ("SUCCESS", 10)
    assert task["result"]["save_error"] == f"project_id must be a project of yours, got '{theirs}'"
    assert "forecast_id" not in task["result"]
    assert query(dsn, COUNTS) == [(0, 1)]


@pytest.mark.parametrize("project", ["", "  ", None])
def test_project_that_is_empty_is_none_and_a_forecast_without_a_name_gets_one(
    database: Database, dsn: str, project: str | None
) -> None:
    desk = Desk(database)
    desk.submit(project_id=project, projectName=project)
    desk.deliver()
    assert "forecast_id" in desk.task()["result"]
    found = query(dsn, "SELECT forecasts.name, projects.name FROM forecasts JOIN projects ON projects.id = project_id")
    assert found == [("Unnamed Project", "Unnamed Project")]


def test_worker_is_left_to_others_while_the_database_is_away(database: Database) -> None:
    desk = Desk(database)
    desk.submit()
    with closing(Database("postgresql://127.0.0.1:9/sluice")) as away:
        desk.reach(away)
        began = desk.api.runtime.clock.now()
        with pytest.raises(ComeAgain):
            desk.deliver()
    assert desk.api.runtime.clock.now() == began


def test_forecast_waits_for_a_database_that_is_away(database: Database, dsn: str) -> None:
    desk = Desk(database)
    desk.submit()
    with closing(Database("postgresql://127.0.0.1:9/sluice")) as away:
        desk.reach(away)
        for attempt in range(1, 4):
            with pytest.raises(ComeAgain):
                desk.deliver()
            task = desk.task()
            assert (task["state"], task["attempt"]) == ("RETRY", attempt)
            assert task["stage"] == "waiting to try again: the database cannot be reached"
    desk.reach(database)
    desk.deliver()
    assert (desk.task()["state"], query(dsn, COUNTS)) == ("SUCCESS", [(1, 1)])


def test_forecast_is_answered_unsaved_where_the_database_stays_away_for_hours(database: Database) -> None:
    desk = Desk(database)
    desk.submit()
    desk.api.parts.clock.advance(OUTAGE_S)
    with closing(Database("postgresql://127.0.0.1:9/sluice")) as away:
        desk.reach(away)
        for _ in range(KIND.max_attempts - 1):
            with pytest.raises(ComeAgain):
                desk.deliver()
        desk.deliver()
    task = desk.task()
    assert (task["state"], task["attempt"]) == ("SUCCESS", KIND.max_attempts)
    assert task["result"]["save_error"] == "the database cannot be reached"
    assert task["result"]["percentiles"]["p85"] == 10


def test_saving_is_the_last_tenth_of_the_progress(database: Database) -> None:
    desk, told = Desk(database), list[tuple[float, str]]()

    class Told(Unwatched):
        def __call__(self, fraction: float, stage: str) -> None:
            told.append((fraction, stage))

    request = msgspec.convert(BODY | {"save": True, "risks": [{"likelihood": 50, "highImpact": 5}]}, KIND.request)
    KIND.run(request, Told(desk.api.runtime, desk.owner, job_id=FIRST_ID))
    fractions = [fraction for fraction, _ in told]
    assert told[-1] == (0.9, "saving")
    assert (len(fractions) > 1, fractions) == (True, sorted(fractions))
