"""When, how many, deadlines, backtests, forecasters and imports through HTTP, with the bodies that old clients send."""

from __future__ import annotations

import urllib.request
from contextlib import closing
from typing import Any

import pytest
from psycopg2.extras import RealDictCursor

from chalicelib.db.connect import connect
from localstack.run import LocalStack
from tests.e2e.client import Client

HISTORY = [5, 6, 7, 8, 4, 9, 6, 7, 5, 8, 6, 7]
# What the old page sends: all of its fields, with numbers as the browser has them.
SIMULATION = {
    "projectName": "Relaunch",
    "numberOfSimulations": 10000,
    "confidenceLevel": 85,
    "tpSamples": HISTORY,
    "tpSamplesNormalized": HISTORY,
    "ltSamples": [],
    "splitRateSamples": [1, 1.1],
    "risks": [{"likelihood": 20, "lowImpact": 1, "mediumImpact": 2, "highImpact": 4, "description": "scope"}],
    "dependencies": [
        {
            "id": "DEP-1",
            "name": "API",
            "source_project": "Relaunch",
            "target_project": "API",
            "on_time_probability": 0.8,
            "delay_impact_days": 7,
            "criticality": "HIGH",
        }
    ],
    "numberOfTasks": 50,
    "totalContributors": 5,
    "minContributors": 2,
    "maxContributors": 5,
    "sCurveSize": 20,
    "historical_team_size": 5,
    "startDate": "05/01/2026",
    "deadlineDate": "30/03/2026",
    "teamFocus": 1,
    "teamFocusPercent": 100,
    "throughputCadenceDays": 7,
    "forecastHorizon": {"value": 20, "unit": "weeks"},
}
DEADLINE = {
    "tpSamples": HISTORY,
    "backlog": 50,
    "startDate": "05/01/2026",
    "deadlineDate": "16/03/2026",
    "teamSize": 1,
    "minContributors": None,
    "maxContributors": None,
    "sCurveSize": 0,
    "ltSamples": [],
    "splitRateSamples": [],
    "nSimulations": 10000,
    "costPerPersonWeek": 5000,
    "teamFocus": 1.0,
}
REFERENCE: dict[str, dict[str, Any]] = {
    "/api/forecast-when": {"tpSamples": HISTORY, "backlog": 50, "startDate": "05/01/2026", "nSimulations": 10000},
    "/api/forecast-how-many": {
        "tpSamples": HISTORY,
        "startDate": "05/01/2026",
        "endDate": "16/02/2026",
        "teamSize": 1,
        "nSimulations": 10000,
        "teamFocus": 1.0,
    },
    "/api/deadline-analysis": DEADLINE,
    "/api/backtest": {
        "tpSamples": HISTORY,
        "backlog": 20,
        "method": "walk_forward",
        "minTrainSize": 5,
        "testSize": 1,
        "foldStride": 1,
        "confidenceLevel": "P85",
        "nSimulations": 10000,
    },
    "/api/ml-forecast": {"tpSamples": HISTORY, "forecastSteps": 4, "model": "ensemble", "startDate": "2026-01-05"},
    "/api/mc-throughput": {"tpSamples": HISTORY, "backlog": 50, "nSimulations": 10000},
    "/api/combined-forecast": {"tpSamples": HISTORY, "backlog": 50, "forecastSteps": 4, "nSimulations": 10000},
    "/api/forecast-features": {
        "tpSamples": HISTORY,
        "features": [{"name": "Login", "low": 8, "high": 12}, {"name": "Search", "low": 15, "high": 30}],
        "startDate": "2026-01-05",
        "deadlineDate": "2026-02-16",
    },
    "/api/compare-scenarios": {
        "base": {"tpSamples": HISTORY, "numberOfTasks": 50, "startDate": "2026-01-05"},
        "scenarios": [{"name": "smaller", "changes": {"numberOfTasks": 40}}],
        "deadlineDate": "2026-03-02",
    },
    "/api/sensitivity": {"base": {"tpSamples": HISTORY, "numberOfTasks": 50}},
    "/api/throughput/import": {"content": "Key,Closed\nA,2026-01-07\nB,2026-01-08\nC,2026-01-25\n"},
}
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("/api/forecast-when", {"backlog": 0}, "/backlog"),
    ("/api/forecast-when", {"tpSamples": "5,6"}, "/tpSamples"),
    ("/api/forecast-when", {"startDate": "soon"}, "/startDate"),
    ("/api/forecast-how-many", {"endDate": "04/01/2026"}, "/endDate"),
    ("/api/forecast-how-many", {"tpSamples": []}, "/tpSamples"),
    ("/api/forecast-how-many", {"teamFocus": 2}, "/teamFocus"),
    ("/api/deadline-analysis", {"deadlineDate": None}, "/deadlineDate"),
    ("/api/deadline-analysis", {"backlog": -1}, "/backlog"),
    ("/api/deadline-analysis", {"costPerPersonWeek": -5}, "/costPerPersonWeek"),
    ("/api/backtest", {"method": "sideways"}, "/method"),
    ("/api/backtest", {"minTrainSize": 12}, "/tpSamples"),
    ("/api/backtest", {"confidenceLevel": "P99"}, "/confidenceLevel"),
    ("/api/ml-forecast", {"forecastSteps": 0}, "/forecastSteps"),
    ("/api/ml-forecast", {"model": "oracle"}, "/model"),
    ("/api/ml-forecast", {"tpSamples": HISTORY[:7]}, "/tpSamples"),
    ("/api/mc-throughput", {"backlog": None}, "/backlog"),
    ("/api/combined-forecast", {"tpSamples": HISTORY[:7]}, "/tpSamples"),
    ("/api/forecast-features", {"features": []}, "/features"),
    ("/api/forecast-features", {"features": [{"name": "a", "low": 3, "high": 2}]}, "/features/0/high"),
    ("/api/forecast-features", {"unknown": 1}, "/unknown"),
    ("/api/compare-scenarios", {"scenarios": [{"name": "a", "changes": {"x": 1}}]}, "/scenarios/0/changes/x"),
    ("/api/compare-scenarios", {"base": {"tpSamples": [0], "numberOfTasks": 1}}, "/base/tpSamples"),
    ("/api/sensitivity", {"stepPercent": 90}, "/stepPercent"),
    ("/api/throughput/import", {"content": None}, "/content"),
    ("/api/throughput/import", {"fromDate": "soon"}, "/fromDate"),
    ("/api/throughput/import", {"throughputCadenceDays": 0}, "/throughputCadenceDays"),
]


@pytest.fixture
def demo(stack: LocalStack) -> Client:
    return Client(stack.url).login("demo@sluice.test", "demo-password")


@pytest.mark.parametrize("path", REFERENCE)
def test_reference_body_is_answered_in_line_and_in_the_background_alike(demo: Client, path: str) -> None:
    in_line = demo.call("POST", path, REFERENCE[path])
    assert in_line.status == 200, in_line.body
    task = demo.wait(demo.submit(path.replace("/api/", "/api/async/"), REFERENCE[path]))
    assert task["state"] == "SUCCESS", task
    added = {"task_id", "completed_at"}
    assert {name: value for name, value in task["result"].items() if name not in added} == in_line.body


@pytest.mark.parametrize(("path", "change", "pointer"), BAD, ids=lambda value: str(value)[:40])
def test_bad_body_is_a_400_that_names_the_field(demo: Client, path: str, change: dict[str, Any], pointer: str) -> None:
    for address in (path, path.replace("/api/", "/api/async/")):
        reply = demo.call("POST", address, REFERENCE[path] | change)
        assert reply.status == 400, reply.body
        assert pointer in [error["pointer"] for error in reply.body["errors"]]
        assert reply.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", REFERENCE)
def test_missing_and_broken_json_is_a_400(demo: Client, path: str) -> None:
    assert demo.call("POST", path, b"").status == 400
    assert demo.call("POST", path, b"{").status == 400
    assert demo.call("POST", path, b'{"tpSamples": [NaN]}').status == 400


def test_file_without_dates_is_a_400_in_line_and_a_failed_task_with_the_same_words(demo: Client) -> None:
    body = {"content": "Name,Age\nAnn,7\n"}
    reply = demo.call("POST", "/api/throughput/import", body)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (400, "/content")
    task = demo.wait(demo.submit("/api/async/throughput/import", body))
    assert (task["state"], task["error_type"], task["error"]) == ("FAILURE", "invalid-request", reply.body["detail"])


def test_too_few_samples_are_told_as_the_old_service_told_them(demo: Client) -> None:
    reply = demo.call("POST", "/api/ml-forecast", {"tpSamples": [1, 2, 3]})
    assert (reply.status, reply.body["error"], reply.body["min_required"], reply.body["provided"]) == (
        400,
        "insufficient_data",
        8,
        3,
    )
    assert reply.body["use_monte_carlo"] is True


def test_async_bodies_of_the_old_service_that_always_failed_succeed(demo: Client) -> None:
    deadline = demo.wait(
        demo.submit(
            "/api/async/deadline-analysis",
            {
                "tpSamples": HISTORY,
                "backlog": 50,
                "deadlineDate": "16/03/2026",
                "startDate": "05/01/2026",
                "nSimulations": 10000,
                "projectName": "Relaunch",
            },
        )
    )
    assert deadline["state"] == "SUCCESS", deadline
    result = deadline["result"]
    assert isinstance(result["can_meet_deadline"], bool)
    assert {"monte_carlo", "machine_learning", "consensus", "cost_analysis"} <= set(result)
    assert 0 <= result["probability_met"] <= 1
    for kind in ("walk_forward", "expanding_window"):
        body = {
            "historicalData": HISTORY,
            "backtest_type": kind,
            "trainWindow": 6,
            "initialTrainWindow": 5,
            "testWindow": 2,
            "nSimulations": 5000,
        }
        backtest = demo.wait(demo.submit("/api/async/backtest", body))
        assert backtest["state"] == "SUCCESS", backtest
        assert backtest["result"]["verdict"].startswith("Your P85 held ")
        assert backtest["result"]["summary"]["total_tests"] > 0


def test_deadline_of_a_whole_simulation_is_that_of_its_law(demo: Client) -> None:
    reply = demo.call("POST", "/api/deadline-analysis", {"simulationData": SIMULATION, "currency": "R$"})
    assert reply.status == 200, reply.body
    assert "warnings" in reply.body
    simulated = demo.call("POST", "/api/simulate", SIMULATION).body
    # 84 days from 5 January to 30 March are twelve weeks.
    within = [row["cumulative"] for row in simulated["distribution"] if row["weeks"] <= 12]
    assert reply.body["probability_met"] == pytest.approx(within[-1], abs=1e-9)
    assert reply.body["cost_analysis"]["monte_carlo"]["cost_p85"]["formatted_total"].startswith("R$ ")


def test_unknown_fields_are_warned_of_and_refused_if_strict(demo: Client) -> None:
    body = REFERENCE["/api/forecast-when"] | {"bakclog": 3}
    reply = demo.call("POST", "/api/forecast-when", body)
    assert reply.body["warnings"][0] == '/bakclog is not known and was ignored; did you mean "backlog"?'
    assert demo.call("POST", "/api/forecast-when?strict=1", body).status == 400


# A table of finished work is no forecast.
SAVED = sorted(set(REFERENCE) - {"/api/throughput/import"})


@pytest.mark.parametrize("path", SAVED)
def test_every_forecast_can_be_saved_with_its_figures(stack: LocalStack, demo: Client, path: str) -> None:
    body = REFERENCE[path] | {"projectName": f"Saved {path}"}
    task = demo.wait(demo.submit(path.replace("/api/", "/api/async/") + "?save=true", body))
    assert task["state"] == "SUCCESS", task
    saved = row(stack, task["result"]["forecast_id"])
    assert saved["job_id"] == task["task_id"]
    assert saved["projected_weeks_p85"] > 0
    assert saved["backlog"] > 0
    assert saved["name"] == f"Saved {path}"
    assert saved["input_data"]["save"] is False
    if path == "/api/deadline-analysis":
        assert (saved["weeks_to_deadline"], saved["scope_completion_pct"]) == (10.0, 100.0)
        assert saved["can_meet_deadline"] is True


def test_renewed_forecast_is_the_next_version_in_the_same_project(stack: LocalStack, demo: Client) -> None:
    path, body = "/api/async/forecast-when?save=true", REFERENCE["/api/forecast-when"]
    first = demo.wait(demo.submit(path, body))["result"]["forecast_id"]
    second = demo.wait(demo.submit(path, body | {"parent_forecast_id": first}))["result"]["forecast_id"]
    third = demo.wait(demo.submit(path, body | {"parent_forecast_id": str(second)}))["result"]["forecast_id"]
    rows = [row(stack, each) for each in (first, second, third)]
    assert [each["version"] for each in rows] == [1, 2, 3]
    assert [each["parent_forecast_id"] for each in rows] == [None, first, second]
    assert len({each["project_id"] for each in rows}) == 1
    foreign = demo.wait(demo.submit(path, body | {"parent_forecast_id": 987654321}))["result"]
    assert foreign["save_error"] == "parent_forecast_id must be a forecast of yours, got '987654321'"


def row(stack: LocalStack, forecast_id: int) -> dict[str, Any]:
    with closing(connect(stack.database_url)) as connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute("SELECT * FROM forecasts WHERE id = %s", (forecast_id,))
        return dict(cursor.fetchone() or {})


def test_large_file_goes_by_a_link_and_is_read_in_the_background(demo: Client) -> None:
    table = ("Key,Closed\n" + "".join(f"A-{n},2025-{n % 12 + 1:02}-{n % 28 + 1:02}\n" for n in range(250_000))).encode()
    assert len(table) > 4 * 1024 * 1024
    assert demo.call("POST", "/api/throughput/import", table, Content_Type="text/csv").status == 413
    offer = demo.call("POST", "/api/uploads", {"size": len(table)}).body
    request = urllib.request.Request(offer["url"], table, offer["headers"], method=offer["method"])
    with urllib.request.urlopen(request, timeout=40) as sent:
        assert sent.status == 200
    task = demo.wait(demo.submit("/api/async/throughput/import", {"upload_id": offer["upload_id"]}))
    assert task["state"] == "SUCCESS", task
    assert task["result"]["rows_read"] == 250_000
    assert (
        Client(demo.url).call("POST", "/api/async/throughput/import", {"upload_id": offer["upload_id"]}).status == 202
    )


def test_table_is_sent_as_it_is(demo: Client) -> None:
    table = b"Issue key;Created;Resolved\nA-1;05/Jan/26 9:15 AM;07/Jan/26 3:00 PM\nA-2;06/Jan/26 9:15 AM;\n"
    reply = demo.call("POST", "/api/throughput/import?fromDate=2026-01-01", table, Content_Type="text/csv")
    assert reply.status == 200, reply.body
    assert (reply.body["format"], reply.body["items_closed"], reply.body["items_open"]) == ("jira", 1, 1)


def test_project_is_replayed_from_its_saved_forecasts(demo: Client) -> None:
    project = demo.call("POST", "/api/projects", {"name": "Replayed"}).body["id"]
    saved = REFERENCE["/api/forecast-when"] | {"project_id": project}
    assert demo.wait(demo.submit("/api/async/forecast-when?save=true", saved))["result"]["forecast_id"]
    replayed = demo.call("POST", "/api/backtest-project", {"project_id": project, "min_train_size": 5})
    assert replayed.status == 200, replayed.body
    assert replayed.body["project"] == {"id": project, "name": "Replayed"}
    assert replayed.body["data_info"]["total_samples"] == len(HISTORY)
    assert replayed.body["verdict"].startswith(("Your P85 held ", "No forecast could be judged"))
    assert demo.call("POST", "/api/backtest-project", {"project_id": 987654321}).status == 404
    assert demo.call("POST", "/api/backtest-project", {}).status == 400
    assert Client(demo.url).call("POST", "/api/backtest-project", {"project_id": project}).status == 401
