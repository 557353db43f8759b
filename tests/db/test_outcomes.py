"""Accuracy over HTTP on a real Postgres: which rows are compared, and what is answered without enough of them."""

from __future__ import annotations

import pytest

from chalicelib.db.connect import Database
from tests.api.calls import details, document
from tests.db.desks import Desk, desk

REPORT, DASHBOARD = "/api/accuracy-analysis", "/api/forecast-vs-actual/dashboard"


@pytest.fixture
def ann(database: Database) -> Desk:
    return desk(database, "Ann")


def forecast(who: Desk, **fields: object) -> int:
    body = {"name": "a", "forecast_data": {"percentiles": {"p50": 6, "p85": 8, "p95": 10}}, "input_data": {}}
    saved: int = who.post("/api/forecasts", body | fields)["id"]
    return saved


def record(who: Desk, forecast_id: int, weeks: float, day: str | None = None) -> None:
    who.post("/api/actuals", {"forecast_id": forecast_id, "actual_weeks_taken": weeks, "actual_completion_date": day})


def compared(who: Desk, query: str = "") -> list[tuple[int, float]]:
    return [(each["forecast_id"], each["actual_weeks"]) for each in who.get(REPORT + query)["comparisons"]]


def test_report_needs_an_actual(ann: Desk) -> None:
    forecast(ann)
    answer = ann.call("GET", REPORT)
    body = document(answer)
    assert (answer.status, answer.content_type) == (404, "application/problem+json")
    assert (body["error"], body["metrics"]) == ("no forecast has an actual yet: record one at POST /api/actuals", None)
    shown = ann.get(DASHBOARD)
    assert shown == {"has_data": False, "message": "0 forecasts can be compared with an actual; at least 2 are needed"}


def test_report_needs_two_pairs_that_can_be_compared(ann: Desk) -> None:
    record(ann, forecast(ann), 7)
    record(ann, forecast(ann), 0)
    record(ann, forecast(ann, forecast_data={}), 7)
    answer = ann.call("GET", REPORT)
    detail = "at least 2 forecasts must have a percentile of their weeks and an actual above 0, got 1"
    assert (answer.status, document(answer)["count"], details(answer)) == (400, 1, [("", detail)])
    assert ann.get(DASHBOARD)["has_data"] is False


def test_report_is_in_the_order_in_which_work_ended_and_coverage_stands_first(ann: Desk) -> None:
    late, early = forecast(ann), forecast(ann)
    record(ann, late, 9, "2026-04-20")
    record(ann, early, 5, "2026-03-02")
    told = ann.get(REPORT)
    assert next(iter(told)) == "coverage"
    assert [(told["coverage"][level]["held"], told["coverage"][level]["of"]) for level in ("p50", "p85", "p95")] == [
        (1, 2),
        (1, 2),
        (2, 2),
    ]
    assert [each["forecast_id"] for each in told["comparisons"]] == [early, late]
    assert told["summary"] == {"total_comparisons": 2, "date_range": {"first": "2026-03-02", "last": "2026-04-20"}}
    assert (told["metrics"]["mae"], told["metrics"]["mpe"]) == (2, pytest.approx(100 * (-1 / 5 + 3 / 9) / 2))


def test_forecast_with_several_actuals_counts_once_with_its_newest_completion(ann: Desk) -> None:
    first, second = forecast(ann), forecast(ann)
    record(ann, first, 9, "2026-04-20")
    record(ann, first, 5, "2026-03-02")
    record(ann, first, 7)
    ann.post("/api/actuals", {"forecast_id": first, "notes": "no weeks"})
    record(ann, second, 3, "2026-05-01")
    record(ann, second, 4, "2026-05-01")
    assert compared(ann) == [(first, 9), (second, 4)]


def test_report_is_of_one_project_or_of_the_versions_of_one_forecast(ann: Desk) -> None:
    one = forecast(ann)
    two = forecast(ann, parent_forecast_id=one)
    project = ann.get(f"/api/forecasts/{one}")["project_id"]
    three, other = forecast(ann, project_id=project), forecast(ann)
    for number, each in enumerate((one, two, three, other)):
        record(ann, each, 7 + number, f"2026-03-0{number + 1}")
    assert compared(ann) == [(one, 7), (two, 8), (three, 9), (other, 10)]
    assert compared(ann, f"?project_id={project}") == [(one, 7), (two, 8), (three, 9)]
    assert compared(ann, f"?forecast_id={two}") == [(one, 7), (two, 8)]
    assert compared(ann, f"?forecast_id={one}&project_id=4711") == [(one, 7), (two, 8)]
    assert ann.call("GET", f"{REPORT}?forecast_id={other}").status == 400


def test_limit_keeps_those_that_ended_last(ann: Desk) -> None:
    ids = [forecast(ann) for _ in range(3)]
    for number, each in enumerate(ids):
        record(ann, each, 7, f"2026-03-0{number + 1}")
    assert compared(ann, "?limit=2") == [(ids[1], 7), (ids[2], 7)]


def test_forecasts_of_others_are_compared_for_those_who_see_them(ann: Desk, database: Database) -> None:
    bob = desk(database, "Bob")
    pairs = [(ann, forecast(ann)), (ann, forecast(ann)), (bob, forecast(bob)), (bob, forecast(bob))]
    for number, (who, each) in enumerate(pairs):
        record(who, each, 7 + number, f"2026-03-0{number + 1}")
    assert compared(bob) == [(pairs[2][1], 9), (pairs[3][1], 10)]
    ina = desk(database, "Ina", "instructor")
    assert [weeks for _, weeks in compared(ina)] == [7, 8, 9, 10]
    assert ina.get(DASHBOARD)["summary"]["total_comparisons"] == 4


def test_saved_p85_is_what_is_compared_and_a_missing_one_is_read(ann: Desk, database: Database) -> None:
    saved = forecast(ann, projected_weeks_p85=8.4)
    read = forecast(ann, forecast_data={"monte_carlo": {"projected_weeks_p50": 3, "projected_weeks_p95": 5}})
    with database.transaction() as cursor:
        cursor.execute(
            "UPDATE forecasts SET projected_weeks_p85 = NULL, forecast_data = "
            '\'{"monte_carlo": {"projected_weeks_p50": 3, "projected_weeks_p85": 4}}\' WHERE id = %s',
            (read,),
        )
    record(ann, saved, 7, "2026-03-01")
    record(ann, read, 7, "2026-03-02")
    weeks = [[each["p50_weeks"], each["p85_weeks"], each["p95_weeks"]] for each in ann.get(REPORT)["comparisons"]]
    assert weeks == [[6, 8.4, 10], [3, 4, None]]


def test_any_saved_json_can_be_compared(ann: Desk) -> None:
    for data in (1, [1], "text", {"monte_carlo": [1], "percentiles": 3, "dates": "x"}):
        record(ann, forecast(ann, forecast_data=data, projected_weeks_p85=8), 7)
    told = ann.get(REPORT)
    assert (told["point_forecast"], told["summary"]["total_comparisons"]) == ("p85", 4)


def test_dashboard_is_by_project(ann: Desk) -> None:
    one = forecast(ann, project_name="Relaunch")
    project = ann.get(f"/api/forecasts/{one}")["project_id"]
    two, other = forecast(ann, project_id=project), forecast(ann, project_name="Other")
    for number, each in enumerate((one, two, other)):
        record(ann, each, 8, f"2026-03-0{number + 1}")
    shown = ann.get(DASHBOARD)
    assert shown["project_metrics"] == {
        "Relaunch": {"mape": 25.0, "accuracy_rate": 0.0, "count": 2, "bias": "underforecasting"}
    }
    assert [each["forecast_id"] for each in shown["recent_comparisons"]] == [other, two, one]
    assert shown["summary"] == {"total_comparisons": 3, "total_projects": 1, "overall_quality": "poor"}
    assert (shown["has_data"], shown["coverage"]["p85"]["held"], shown["overall_metrics"]["n_samples"]) == (True, 3, 3)


@pytest.mark.parametrize("limit", ["0", "501", "x", "", "-1", "1.0", "9" * 20])
def test_limit_out_of_bounds_is_refused(ann: Desk, limit: str) -> None:
    answer = ann.call("GET", f"{REPORT}?limit={limit}")
    assert details(answer) == [("", f"limit must be a whole number from 1 to 500, got {limit!r}")]
