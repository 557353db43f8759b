"""What came of forecasts, over HTTP on a real Postgres."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.db.connect import Database
from tests.api.calls import details, document
from tests.db.desks import Desk, desk, expect

ACTUALS = "/api/actuals"
# Starts on 5 January 2026, P85 of 8 weeks, 50 items, all of which by the deadline.
FORECAST = {
    "name": "Relaunch",
    "forecast_data": {"percentiles": {"p50": 6, "p85": 8, "p95": 10}},
    "input_data": {"backlog": 50, "startDate": "05/01/2026", "deadlineDate": "30/03/2026"},
}


@pytest.fixture
def ann(database: Database) -> Desk:
    return desk(database, "Ann")


@pytest.fixture
def forecast(ann: Desk) -> int:
    saved: int = ann.post("/api/forecasts", FORECAST)["id"]
    return saved


def derived(actual: Any) -> list[Any]:  # a JSON object
    names = ("actual_weeks_taken", "weeks_error", "weeks_error_pct", "scope_error_pct")
    return [actual[name] for name in names]


def test_outcome_is_recorded_with_what_follows_from_it(ann: Desk, forecast: int) -> None:
    body = {
        "forecast_id": forecast,
        "actual_completion_date": "16/03/2026",
        "actual_items_completed": 45,
        "actual_scope_delivered_pct": 92.5,
        "notes": "Two people were ill.",
    }
    answer = ann.call("POST", ACTUALS, body)
    made = expect(answer, 201)
    assert answer.headers["Location"] == f"/api/actuals/{made['id']}"
    # 70 days; two weeks over eight; 90 % of the backlog instead of all.
    assert {name: value for name, value in made.items() if name not in ("id", "recorded_at")} == {
        "forecast_id": forecast,
        "actual_completion_date": "2026-03-16",
        "actual_weeks_taken": 10.0,
        "actual_items_completed": 45,
        "actual_scope_delivered_pct": 92.5,
        "weeks_error": 2.0,
        "weeks_error_pct": 25.0,
        "scope_error_pct": -10.0,
        "notes": "Two people were ill.",
        "recorded_by": "Ann",
    }
    assert (ann.get(f"/api/actuals/{made['id']}"), ann.get(ACTUALS)) == (made, [made])


@pytest.mark.parametrize(("given", "kept"), [("Bob", "Bob"), (" ", "Ann"), (None, "Ann")])
def test_record_is_in_the_accounts_name_unless_another_is_given(
    ann: Desk, forecast: int, given: str | None, kept: str
) -> None:
    assert ann.post(ACTUALS, {"forecast_id": str(forecast), "recorded_by": given})["recorded_by"] == kept


def test_outcome_of_a_forecast_that_promised_nothing_has_no_errors(ann: Desk) -> None:
    plain = ann.post("/api/forecasts", {"name": "a", "forecast_data": {}, "input_data": {}})["id"]
    made = ann.post(ACTUALS, {"forecast_id": plain, "actual_completion_date": "16/03/2026", "actual_items_completed": 5})  # fmt: skip  # noqa: E501
    assert (made["actual_completion_date"], derived(made)) == ("2026-03-16", [None] * 4)
    assert derived(ann.post(ACTUALS, {"forecast_id": plain, "actual_weeks_taken": 3})) == [3.0, None, None, None]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # A new day counts the weeks anew.
        ({"actual_completion_date": "02/02/2026"}, [4.0, -4.0, -50.0, -10.0]),
        ({"actual_completion_date": "02/02/2026", "actual_weeks_taken": 9}, [9.0, 1.0, 12.5, -10.0]),
        ({"actual_weeks_taken": 9}, [9.0, 1.0, 12.5, -10.0]),
        ({"actual_weeks_taken": None}, [10.0, 2.0, 25.0, -10.0]),
        ({"actual_completion_date": None}, [10.0, 2.0, 25.0, -10.0]),
        ({"actual_completion_date": None, "actual_weeks_taken": None}, [None, None, None, -10.0]),
        # Not the weeks alone: the scope too.
        ({"actual_items_completed": 55}, [10.0, 2.0, 25.0, 10.0]),
        ({"actual_items_completed": None}, [10.0, 2.0, 25.0, None]),
        ({"notes": "x"}, [10.0, 2.0, 25.0, -10.0]),
        ({}, [10.0, 2.0, 25.0, -10.0]),
    ],
)
def test_change_computes_everything_anew(
    ann: Desk, forecast: int, changes: dict[str, object], expected: list[float | None]
) -> None:
    made = ann.post(ACTUALS, {"forecast_id": forecast, "actual_completion_date": "2026-03-16", "actual_items_completed": 45})  # fmt: skip  # noqa: E501
    changed = ann.put(f"/api/actuals/{made['id']}", changes)
    assert derived(changed) == [None if value is None else pytest.approx(value) for value in expected]
    assert changed["recorded_at"] > made["recorded_at"]
    assert ann.get(f"/api/actuals/{made['id']}") == changed


def test_new_day_keeps_the_weeks_of_a_forecast_without_a_start(ann: Desk) -> None:
    saved = ann.post("/api/forecasts", FORECAST | {"input_data": {}})["id"]
    made = ann.post(ACTUALS, {"forecast_id": saved, "actual_weeks_taken": 9})
    changed = ann.put(f"/api/actuals/{made['id']}", {"actual_completion_date": "2026-03-16"})
    assert derived(changed) == [9.0, 1.0, 12.5, None]


def test_removed_record_is_gone(ann: Desk, forecast: int) -> None:
    made = ann.post(ACTUALS, {"forecast_id": forecast})
    answer = ann.call("DELETE", f"/api/actuals/{made['id']}")
    assert (answer.status, answer.body) == (204, None)
    assert [ann.call(method, f"/api/actuals/{made['id']}").status for method in ("GET", "DELETE")] == [404, 404]


def test_list_is_of_one_forecast_if_it_is_named_and_goes_on_by_page(ann: Desk, forecast: int) -> None:
    ids = [ann.post(ACTUALS, {"forecast_id": forecast})["id"] for _ in range(3)]
    other = ann.post("/api/forecasts", FORECAST)["id"]
    ann.post(ACTUALS, {"forecast_id": other})
    first = ann.call("GET", f"{ACTUALS}?forecast_id={forecast}&limit=2")
    second = ann.call("GET", first.headers["Link"].removeprefix("<").partition(">")[0])
    assert [each["id"] for each in [*document(first), *document(second)]] == ids[::-1]
    assert len(ann.get(ACTUALS)) == 4


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"actual_weeks_taken": -1}, [("/actual_weeks_taken", "must be at least 0, got -1")]),
        ({"actual_items_completed": 1.5}, [("/actual_items_completed", "must be a whole number, got 1.5")]),
        ({"actual_scope_delivered_pct": -0.1}, [("/actual_scope_delivered_pct", "must be at least 0, got -0.1")]),
        ({"notes": "a\0"}, [("/notes", "must not contain the character NUL")]),
        ({"notes": "x" * 10_001}, [("/notes", "must have at most 10000 characters, got 10001")]),
        (
            {"actual_completion_date": "2026-01-04"},
            [("/actual_completion_date", "must not be before the forecast's start 2026-01-05, got 2026-01-04")],
        ),
        (
            {"actual_completion_date": "yesterday"},
            [("/actual_completion_date", "must be a date like d/m/yy, d/m/yyyy, yyyy-m-d, d-m-yy, d-m-yyyy, yyyy/m/d or d.m.yyyy, got 'yesterday'")],  # noqa: E501
        ),
    ],
)  # fmt: skip
def test_outcome_out_of_bounds_is_refused_and_changes_nothing(
    ann: Desk, forecast: int, changes: dict[str, object], errors: list[tuple[str, str]]
) -> None:
    made = ann.post(ACTUALS, {"forecast_id": forecast, "actual_completion_date": "2026-03-16"})
    for method, path in (("POST", ACTUALS), ("PUT", f"/api/actuals/{made['id']}")):
        refused = ann.call(method, path, {"forecast_id": forecast} | changes)
        assert (refused.status, details(refused)) == (400, errors)
    assert ann.get(ACTUALS) == [made]


def test_outcome_of_nothing_is_refused(ann: Desk) -> None:
    assert details(ann.call("POST", ACTUALS, {})) == [("/forecast_id", "is required")]


def test_name_of_the_recorder_is_bounded(ann: Desk, forecast: int) -> None:
    refused = ann.call("POST", ACTUALS, {"forecast_id": forecast, "recorded_by": "x" * 101})
    assert details(refused) == [("/recorded_by", "must have at most 100 characters, got 101")]
