"""Projects, saved forecasts, what came of them and how accurate they were, through the running stack."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from chalicelib.accounts.passwords import hash_password
from chalicelib.db.accounts import Accounts
from chalicelib.db.connect import Database
from localstack.run import LocalStack
from tests.e2e.client import Client, Reply

PASSWORD = "a-password-of-the-tests"
# As the older service's pages send them.
PROJECT = {
    "name": "Relaunch",
    "description": "The shop",
    "team_size": 5,
    "status": "active",
    "priority": 2,
    "business_value": 80,
    "risk_level": "high",
    "capacity_allocated": 0.8,
    "strategic_importance": "high",
    "start_date": "05/01/2026",
    "target_end_date": "30/03/2026",
    "owner": "Ann",
    "stakeholder": "Bob",
    "tags": ["shop", "2026"],
}
FORECAST = {
    "name": "Relaunch, January",
    "project_name": "Relaunch",
    "description": "",
    "forecast_type": "deadline",
    "forecast_data": {
        "monte_carlo": {
            "projected_weeks_p50": 7.0,
            "projected_weeks_p85": 9.0,
            "projected_weeks_p95": 11.0,
            "can_meet_deadline": True,
            "scope_completion_pct": 100,
        }
    },
    "input_data": {"tpSamples": [5, 6, 7, 8], "backlog": 50, "startDate": "05/01/2026", "deadlineDate": "30/03/2026"},
}
ACTUAL = {"actual_completion_date": "16/03/2026", "actual_items_completed": 50, "notes": "", "recorded_by": "Ann"}


@pytest.fixture(scope="module")
def people(stack: LocalStack) -> dict[str, Client]:
    """Somebody of each sort, with accounts of this module's own."""
    roles = {"ann": "student", "bob": "student", "ina": "instructor", "adam": "admin"}
    with closing(Database(stack.database_url)) as database:
        for name, role in roles.items():
            email, hashed = f"{name}@work.test", hash_password(PASSWORD)
            Accounts(database).put(email=email, name=name.title(), password_hash=hashed, role=role)
    return {name: Client(stack.url).login(f"{name}@work.test", PASSWORD) for name in roles}


@pytest.fixture(scope="module")
def ann(people: dict[str, Client]) -> Client:
    return people["ann"]


@pytest.fixture(scope="module")
def bob(people: dict[str, Client]) -> Client:
    return people["bob"]


def made(client: Client, path: str, body: object) -> Any:  # a JSON object
    reply = client.call("POST", path, body)
    assert reply.status == 201, reply
    return reply.body


def refused(reply: Reply, status: int) -> Any:  # a JSON object
    """The problem of a refusal, which is never a page or a stack trace."""
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json"), reply
    assert reply.body["error"] == reply.body["detail"]
    assert "trace" not in reply.body
    return reply.body


def test_project_is_made_read_changed_and_removed(ann: Client) -> None:
    reply = ann.call("POST", "/api/projects", PROJECT)
    project = reply.body
    path = f"/api/projects/{project['id']}"
    assert (reply.status, reply.headers["Location"]) == (201, path)
    assert {name: project[name] for name in PROJECT} == PROJECT | {
        "start_date": "2026-01-05",
        "target_end_date": "2026-03-30",
    }
    assert ann.call("GET", path).body == project
    changed = ann.call("PUT", path, {"status": "completed"})
    assert (changed.status, changed.body["status"], changed.body["name"]) == (200, "completed", "Relaunch")
    assert path.endswith(f"/{ann.call('GET', '/api/projects?limit=1').body[0]['id']}")
    removed = ann.call("DELETE", path)
    assert (removed.status, removed.body) == (204, None)
    refused(ann.call("GET", path), 404)


def test_list_is_read_page_by_page_through_its_links(bob: Client) -> None:
    ids = [made(bob, "/api/projects", {"name": f"Page {number}"})["id"] for number in range(3)]
    first = bob.call("GET", "/api/projects?limit=2")
    link, relation = first.headers["Link"].split("; ")
    second = bob.call("GET", link.strip("<>"))
    assert (relation, [project["id"] for project in [*first.body, *second.body]]) == ('rel="next"', ids[::-1])
    assert second.headers["Link"] is None


def test_forecast_goes_out_as_a_file_and_comes_in_again(ann: Client) -> None:
    saved = made(ann, "/api/forecasts", FORECAST)
    figures = {name: saved[name] for name in ("backlog", "start_date", "deadline_date", "weeks_to_deadline", "projected_weeks_p85", "can_meet_deadline", "scope_completion_pct")}  # fmt: skip  # noqa: E501
    assert figures == {
        "backlog": 50,
        "start_date": "2026-01-05",
        "deadline_date": "2026-03-30",
        "weeks_to_deadline": 12.0,
        "projected_weeks_p85": 9.0,
        "can_meet_deadline": True,
        "scope_completion_pct": 100.0,
    }
    file = ann.call("GET", f"/api/forecasts/{saved['id']}/export")
    assert (file.status, file.headers["Content-Disposition"]) == (200, f"attachment; filename=forecast_{saved['id']}.json")  # fmt: skip  # noqa: E501
    assert file.body == saved
    imported = made(ann, "/api/forecasts/import", file.body)
    assert imported["id"] != saved["id"]
    own = {"id", "created_at"}
    assert {k: v for k, v in imported.items() if k not in own} == {k: v for k, v in saved.items() if k not in own}
    ids = [forecast["id"] for forecast in ann.call("GET", f"/api/forecasts?project_id={saved['project_id']}").body]
    assert ids == [imported["id"], saved["id"]]


def test_versions_are_kept_and_a_job_saves_the_next_one(ann: Client) -> None:
    first = made(ann, "/api/forecasts", FORECAST)
    second = made(ann, "/api/forecasts", FORECAST | {"parent_forecast_id": first["id"]})
    body = {"tpSamples": [5, 6], "numberOfTasks": 20, "startDate": "05/01/2026", "save": True}
    task = ann.wait(ann.submit("/api/async/simulate", body | {"parent_forecast_id": second["id"]}))
    third = task["result"]["forecast_id"]
    versions = ann.call("GET", f"/api/forecasts/{second['id']}/versions").body
    assert [(each["id"], each["version"]) for each in versions] == [(first["id"], 1), (second["id"], 2), (third, 3)]
    assert versions[2]["projected_weeks_p85"] == task["result"]["percentiles"]["p85"]
    assert ann.call("DELETE", f"/api/forecasts/{first['id']}").status == 204
    assert len(ann.call("GET", f"/api/forecasts/{third}/versions").body) == 2


def test_actual_is_recorded_corrected_and_removed_with_its_project(ann: Client) -> None:
    forecast = made(ann, "/api/forecasts", FORECAST)
    actual = made(ann, "/api/actuals", ACTUAL | {"forecast_id": forecast["id"]})
    derived = ("actual_weeks_taken", "weeks_error", "weeks_error_pct", "scope_error_pct")
    assert [actual[name] for name in derived] == [10.0, 1.0, pytest.approx(100 / 9), 0.0]
    path = f"/api/actuals/{actual['id']}"
    corrected = ann.call("PUT", path, {"actual_completion_date": "02/03/2026", "actual_items_completed": 40})
    assert [corrected.body[name] for name in derived] == [8.0, -1.0, pytest.approx(-100 / 9), -20.0]
    assert ann.call("GET", f"/api/actuals?forecast_id={forecast['id']}").body == [corrected.body]
    other = made(ann, "/api/actuals", {"forecast_id": forecast["id"]})
    assert ann.call("DELETE", f"/api/actuals/{other['id']}").status == 204
    assert ann.call("DELETE", f"/api/projects/{forecast['project_id']}").status == 204
    refused(ann.call("GET", path), 404)
    refused(ann.call("GET", f"/api/forecasts/{forecast['id']}"), 404)


def test_accuracy_tells_coverage_first_and_the_dashboard_the_rest(people: dict[str, Client]) -> None:
    adam = people["adam"]
    project = made(adam, "/api/projects", {"name": "Accuracy"})["id"]
    path = f"/api/accuracy-analysis?project_id={project}"
    assert refused(adam.call("GET", path), 404)["metrics"] is None
    for number, day in enumerate(("16/03/2026", "02/03/2026", "23/02/2026")):
        saved = made(adam, "/api/forecasts", FORECAST | {"project_id": project})
        made(adam, "/api/actuals", {"forecast_id": saved["id"], "actual_completion_date": day})
        if number == 0:
            assert refused(adam.call("GET", path), 400)["count"] == 1
    report = adam.call("GET", path)
    assert (report.status, next(iter(report.body))) == (200, "coverage")
    # 7, 8 and 10 weeks, oldest first; the P50 is 7, the P85 9, the P95 11.
    held = {level: (told["held"], told["of"]) for level, told in report.body["coverage"].items()}
    assert held == {"p50": (1, 3), "p85": (2, 3), "p95": (3, 3)}
    assert [each["actual_weeks"] for each in report.body["comparisons"]] == [7.0, 8.0, 10.0]
    assert (report.body["metrics"]["mae"], report.body["metrics"]["bias_direction"]) == (pytest.approx(4 / 3), "underforecasting")  # fmt: skip  # noqa: E501
    assert report.body["time_series_metrics"]["trend_direction"] == "worsening"
    shown = adam.call("GET", "/api/forecast-vs-actual/dashboard").body
    assert (shown["has_data"], shown["project_metrics"]["Accuracy"]["count"]) == (True, 3)


def test_accuracy_of_nothing_is_an_answer(stack: LocalStack, bob: Client) -> None:
    assert bob.call("GET", "/api/forecast-vs-actual/dashboard").body["has_data"] is False
    refused(bob.call("GET", "/api/accuracy-analysis"), 404)


def test_id_of_another_account_is_404_for_every_verb(people: dict[str, Client], ann: Client, bob: Client) -> None:
    forecast = made(ann, "/api/forecasts", FORECAST)
    actual = made(ann, "/api/actuals", ACTUAL | {"forecast_id": forecast["id"]})
    project = f"/api/projects/{forecast['project_id']}"
    saved, record = f"/api/forecasts/{forecast['id']}", f"/api/actuals/{actual['id']}"
    calls: list[tuple[str, str, object]] = [
        ("GET", project, None),
        ("PUT", project, {"name": "mine"}),
        ("DELETE", project, None),
        ("GET", saved, None),
        ("GET", f"{saved}/export", None),
        ("GET", f"{saved}/versions", None),
        ("DELETE", saved, None),
        ("GET", f"/api/forecasts?project_id={forecast['project_id']}", None),
        ("POST", "/api/forecasts", FORECAST | {"project_id": forecast["project_id"]}),
        ("POST", "/api/forecasts", FORECAST | {"parent_forecast_id": forecast["id"]}),
        ("POST", "/api/forecasts/import", forecast),
        ("GET", f"/api/actuals?forecast_id={forecast['id']}", None),
        ("POST", "/api/actuals", ACTUAL | {"forecast_id": forecast["id"]}),
        ("GET", record, None),
        ("PUT", record, {"notes": "mine"}),
        ("DELETE", record, None),
        ("GET", f"/api/accuracy-analysis?forecast_id={forecast['id']}", None),
    ]
    for method, path, body in calls:
        assert refused(bob.call(method, path, body), 404)["error"].startswith("there is no "), path
        refused(Client(bob.url).call(method, path, body), 401)
    assert [ann.call("GET", path).status for path in (project, saved, record)] == [200, 200, 200]
    assert people["ina"].call("GET", saved).status == 200
    refused(people["ina"].call("DELETE", saved), 403)
    assert people["adam"].call("DELETE", project).status == 204


BAD = [
    ("POST", "/api/projects", {}, "/name"),
    ("POST", "/api/projects", {"name": " "}, "/name"),
    ("POST", "/api/projects", {"name": "x" * 201}, "/name"),
    ("POST", "/api/projects", {"name": "a\0b"}, "/name"),
    ("POST", "/api/projects", {"name": "a", "status": "done"}, "/status"),
    ("POST", "/api/projects", {"name": "a", "priority": 9}, "/priority"),
    ("POST", "/api/projects", {"name": "a", "start_date": "soon"}, "/start_date"),
    ("POST", "/api/projects?strict=1", {"name": "a", "colour": "red"}, "/colour"),
    ("POST", "/api/projects", b'{"name": "a", "capacity_allocated": NaN}', ""),
    ("POST", "/api/projects", b"[", ""),
    ("POST", "/api/projects", [], ""),
    ("POST", "/api/forecasts", {"name": "a"}, "/forecast_data"),
    ("POST", "/api/forecasts", FORECAST | {"forecast_data": {"a": "\0"}}, "/forecast_data/a"),
    ("POST", "/api/forecasts", FORECAST | {"deadline_date": "32/01/2026"}, "/deadline_date"),
    ("POST", "/api/forecasts/import", {"name": ""}, "/name"),
    ("POST", "/api/forecasts/import", {"backlog": "many"}, "/backlog"),
    ("POST", "/api/actuals", {}, "/forecast_id"),
    ("POST", "/api/actuals", {"forecast_id": 1, "actual_weeks_taken": -1}, "/actual_weeks_taken"),
    ("PUT", "/api/projects/1", {"risk_level": "some"}, "/risk_level"),
    ("PUT", "/api/actuals/1", {"actual_items_completed": 1.5}, "/actual_items_completed"),
    ("GET", "/api/projects?limit=1000", None, ""),
    ("GET", "/api/forecasts?cursor=1", None, ""),
    ("GET", "/api/actuals?limit=-1", None, ""),
    ("GET", "/api/accuracy-analysis?limit=x", None, ""),
]


@pytest.mark.parametrize(("method", "path", "body", "pointer"), BAD)
def test_bad_request_is_told_where_it_is_wrong(ann: Client, method: str, path: str, body: object, pointer: str) -> None:
    assert pointer in [error["pointer"] for error in refused(ann.call(method, path, body), 400)["errors"]]


@pytest.mark.parametrize(
    "path", ["/api/projects/x", "/api/forecasts/1e3", "/api/forecasts/0/export", "/api/actuals/-1"]
)
def test_id_that_is_no_number_is_404(ann: Client, path: str) -> None:
    refused(ann.call("GET", path), 404)
