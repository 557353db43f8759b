"""Answers about saved work against what the API publishes."""

from __future__ import annotations

from chalicelib.db.connect import Database
from tests.api.published import broken, published
from tests.db.desks import desk

FORECAST = {"name": "a", "forecast_data": {"percentiles": {"p50": 6, "p85": 8, "p95": 10}}, "input_data": {}}


def test_every_answer_is_as_published(database: Database) -> None:
    ann = desk(database, "Ann")
    saved = [ann.post("/api/forecasts", FORECAST | {"more": 1, "project_name": "a"}) for _ in range(4)]
    project = ann.put(f"/api/projects/{saved[0]['project_id']}", {"more": 1})
    shared = [ann.post("/api/forecasts", FORECAST | {"project_id": project["id"]}) for _ in range(2)]
    actuals = [
        ann.post("/api/actuals", {"forecast_id": each["id"], "actual_weeks_taken": 7, "more": 1})
        for each in saved + shared
    ]
    openapi = published(ann.api)
    answers = {
        "Project": [project, *ann.get("/api/projects")],
        "SavedForecast": [*saved, ann.get(f"/api/forecasts/{saved[0]['id']}")],
        "ForecastSummary": ann.get("/api/forecasts"),
        "Actual": [*actuals, *ann.get("/api/actuals")],
        "AccuracyReport": [ann.get("/api/accuracy-analysis")],
        "Dashboard": [ann.get("/api/forecast-vs-actual/dashboard")],
    }
    assert ("warnings" in project, "warnings" in saved[0], "warnings" in actuals[0]) == (True, True, True)
    assert {name: [broken(openapi, name, value) for value in values] for name, values in answers.items()} == {
        name: [[]] * len(values) for name, values in answers.items()
    }


def test_dashboard_without_data_is_as_published(database: Database) -> None:
    bob = desk(database, "Bob")
    assert broken(published(bob.api), "Dashboard", bob.get("/api/forecast-vs-actual/dashboard")) == []
