"""Saved forecasts over HTTP on a real Postgres: figures, versions, export and import, pages."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from chalicelib.db.connect import Database
from chalicelib.db.forecasts import Forecasts, NewForecast
from tests.api.calls import details, document
from tests.db.desks import Desk, desk, expect
from tests.db.test_database import query

FORECASTS = "/api/forecasts"
BODY = {
    "name": "January",
    "project_name": "Relaunch",
    "forecast_data": {"percentile_stats": {"p50": 7, "p85": 9, "p95": 11}, "samples": [1, 2.5, "é", None]},
    "input_data": {"numberOfTasks": 50, "startDate": "05/01/2026", "deadlineDate": "2026-03-30"},
}
EMPTY = {"name": "a", "forecast_data": {}, "input_data": {}}
FIGURES = (
    "backlog",
    "start_date",
    "deadline_date",
    "weeks_to_deadline",
    "projected_weeks_p85",
    "can_meet_deadline",
    "scope_completion_pct",
)


@pytest.fixture
def ann(database: Database) -> Desk:
    return desk(database, "Ann")


def figures(forecast: Any) -> list[Any]:  # a JSON object
    return [forecast[name] for name in FIGURES]


def test_forecast_is_saved_whole_with_its_figures(ann: Desk) -> None:
    answer = ann.call("POST", FORECASTS, BODY)
    saved = expect(answer, 201)
    assert answer.headers["Location"] == f"/api/forecasts/{saved['id']}"
    assert {name: value for name, value in saved.items() if name not in ("id", "project_id", "created_at")} == {
        "project_name": "Relaunch",
        "name": "January",
        "description": None,
        "forecast_type": "deadline",
        "backlog": 50,
        "deadline_date": "2026-03-30",
        "start_date": "2026-01-05",
        "weeks_to_deadline": 12.0,
        "projected_weeks_p85": 9.0,
        "can_meet_deadline": True,
        "scope_completion_pct": 100.0,
        "created_by": "Ann",
        "version": 1,
        "parent_forecast_id": None,
        "forecast_data": BODY["forecast_data"],
        "input_data": BODY["input_data"],
    }
    assert ann.get(f"/api/forecasts/{saved['id']}") == saved
    summary = {name: value for name, value in saved.items() if name not in ("forecast_data", "input_data")}
    assert ann.get(FORECASTS) == [summary]


def test_figures_that_are_sent_go_before_those_that_can_be_read(ann: Desk) -> None:
    sent = {
        "backlog": 40,
        "start_date": "12/01/2026",
        "deadline_date": "09.02.2026",
        "weeks_to_deadline": 3.5,
        "projected_weeks_p85": 8,
        "can_meet_deadline": True,
        "scope_completion_pct": 60,
    }
    saved = ann.post(FORECASTS, BODY | sent)
    assert figures(saved) == [40, "2026-01-12", "2026-02-09", 3.5, 8.0, True, 60.0]
    again = ann.post(FORECASTS, BODY | {"start_date": "12/01/2026", "deadline_date": "09.02.2026", "backlog": None})
    # Four of nine weeks.
    assert figures(again) == [50, "2026-01-12", "2026-02-09", 4.0, 9.0, False, pytest.approx(400 / 9)]


@pytest.mark.parametrize("data", [1, "text", [], [1, {"a": None}], {}, False])
def test_any_json_but_null_is_kept_as_it_is(ann: Desk, data: object) -> None:
    saved = ann.post(FORECASTS, EMPTY | {"forecast_data": data, "input_data": data})
    assert (saved["forecast_data"], saved["input_data"], figures(saved)) == (data, data, [None] * 7)


def test_numbers_of_any_size_are_kept(ann: Desk) -> None:
    numbers = [123456789012345678901234567890, -0.5, 1e-300]
    assert ann.post(FORECASTS, EMPTY | {"forecast_data": numbers})["forecast_data"] == numbers


def test_project_is_made_where_none_is_named(ann: Desk) -> None:
    saved = ann.post(FORECASTS, BODY | {"project_description": "All", "team_size": 5})
    project = ann.get(f"/api/projects/{saved['project_id']}")
    assert (project["name"], project["description"], project["team_size"], project["forecasts_count"]) == ("Relaunch", "All", 5, 1)  # fmt: skip  # noqa: E501
    assert ann.post(FORECASTS, EMPTY | {"project_name": " "})["project_name"] == "Unnamed Project"


@pytest.mark.parametrize("as_type", [int, str])
def test_forecast_is_saved_in_the_project_that_is_named(ann: Desk, as_type: type) -> None:
    project = ann.post("/api/projects", {"name": "Old"})
    saved = ann.post(FORECASTS, BODY | {"project_id": as_type(project["id"])})
    assert (saved["project_id"], saved["project_name"]) == (project["id"], "Old")
    ann.post(FORECASTS, BODY)
    assert [forecast["id"] for forecast in ann.get(f"{FORECASTS}?project_id={project['id']}")] == [saved["id"]]


def test_refused_forecast_leaves_no_project(ann: Desk, dsn: str) -> None:
    for body in (BODY | {"parent_forecast_id": 4711}, BODY | {"name": ""}, BODY | {"user_id": 4711}):
        assert ann.call("POST", FORECASTS, body).status in (400, 403, 404)
    assert query(dsn, "SELECT count(*) FROM projects") == [(0,)]


def test_version_follows_its_parent_which_is_kept(ann: Desk) -> None:
    first = ann.post(FORECASTS, BODY)
    second = ann.post(FORECASTS, BODY | {"name": "February", "parent_forecast_id": first["id"]})
    third = ann.post(FORECASTS, BODY | {"name": "March", "parent_forecast_id": str(second["id"])})
    assert [(each["version"], each["parent_forecast_id"], each["project_id"]) for each in (first, second, third)] == [
        (1, None, first["project_id"]),
        (2, first["id"], first["project_id"]),
        (3, second["id"], first["project_id"]),
    ]
    alone = ann.post(FORECASTS, BODY)
    for each in (first, second, third):
        versions = ann.get(f"/api/forecasts/{each['id']}/versions")
        assert [version["name"] for version in versions] == ["January", "February", "March"]
    assert [version["id"] for version in ann.get(f"/api/forecasts/{alone['id']}/versions")] == [alone["id"]]


def test_version_moves_to_another_project_if_one_is_named(ann: Desk) -> None:
    first, project = ann.post(FORECASTS, BODY), ann.post("/api/projects", {"name": "Other"})
    second = ann.post(FORECASTS, BODY | {"parent_forecast_id": first["id"], "project_id": project["id"]})
    assert (second["project_id"], second["version"], second["parent_forecast_id"]) == (project["id"], 2, first["id"])


def test_two_versions_of_one_forecast_are_both_in_its_chain(ann: Desk) -> None:
    first = ann.post(FORECASTS, BODY)
    others = [ann.post(FORECASTS, BODY | {"parent_forecast_id": first["id"]}) for _ in range(2)]
    assert [(each["id"], each["version"]) for each in ann.get(f"/api/forecasts/{others[1]['id']}/versions")] == [
        (first["id"], 1),
        (others[0]["id"], 2),
        (others[1]["id"], 2),
    ]


def test_removed_version_leaves_the_others_in_one_chain(ann: Desk) -> None:
    ids = [ann.post(FORECASTS, BODY)["id"]]
    for _ in range(3):
        ids.append(ann.post(FORECASTS, BODY | {"parent_forecast_id": ids[-1]})["id"])
    ann.post("/api/actuals", {"forecast_id": ids[1], "actual_weeks_taken": 8})
    answer = ann.call("DELETE", f"/api/forecasts/{ids[1]}")
    assert (answer.status, answer.body, ann.get("/api/actuals")) == (204, None, [])
    chain = ann.get(f"/api/forecasts/{ids[3]}/versions")
    assert [(each["id"], each["version"], each["parent_forecast_id"]) for each in chain] == [
        (ids[0], 1, None),
        (ids[2], 3, ids[0]),
        (ids[3], 4, ids[2]),
    ]
    assert ann.call("DELETE", f"/api/forecasts/{ids[0]}").status == 204
    assert [each["id"] for each in ann.get(f"/api/forecasts/{ids[3]}/versions")] == ids[2:]


def test_chain_that_bites_its_tail_is_told_once(ann: Desk, database: Database) -> None:
    first = ann.post(FORECASTS, BODY)
    second = ann.post(FORECASTS, BODY | {"parent_forecast_id": first["id"]})
    with database.transaction() as cursor:
        cursor.execute("UPDATE forecasts SET parent_forecast_id = %s WHERE id = %s", (second["id"], first["id"]))
    assert [each["id"] for each in ann.get(f"/api/forecasts/{first['id']}/versions")] == [first["id"], second["id"]]


def test_forecast_of_a_job_is_read_like_any_other(database: Database, ann: Desk) -> None:
    of_a_job = NewForecast(
        job_id="job-1",
        owner=ann.account,
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
        deadline_date=date(2026, 3, 30),
        weeks_to_deadline=12,
        can_meet_deadline=True,
        scope_completion_pct=None,
    )
    saved = Forecasts(database).save(of_a_job)
    found = ann.get(f"/api/forecasts/{saved}")
    assert (found["forecast_type"], found["forecast_data"]) == ("monte_carlo", {"percentiles": {"p85": 9}})
    assert figures(found) == [50, "2026-01-05", "2026-03-30", 12.0, 9.0, True, None]
    renewed = ann.post(FORECASTS, BODY | {"parent_forecast_id": saved})
    assert [each["id"] for each in ann.get(f"/api/forecasts/{saved}/versions")] == [saved, renewed["id"]]


def test_export_is_the_forecast_as_an_indented_file(ann: Desk) -> None:
    saved = ann.post(FORECASTS, BODY)
    answer = ann.call("GET", f"/api/forecasts/{saved['id']}/export")
    assert isinstance(answer.body, bytes)
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert answer.headers["Content-Disposition"] == f"attachment; filename=forecast_{saved['id']}.json"
    assert answer.body.decode().splitlines()[:3] == ["{", f'  "id": {saved["id"]},', f'  "project_id": {saved["project_id"]},']  # fmt: skip  # noqa: E501
    assert msgspec.json.decode(answer.body) == saved


def test_export_that_indenting_would_make_too_large_is_not_indented(ann: Desk) -> None:
    saved = ann.post(FORECASTS, EMPTY | {"forecast_data": [[1] * 10] * 60_000})
    answer = ann.call("GET", f"/api/forecasts/{saved['id']}/export")
    assert isinstance(answer.body, bytes)
    assert (len(answer.body.splitlines()), msgspec.json.decode(answer.body)) == (1, saved)


def test_import_of_an_export_is_the_same_forecast_under_a_new_id(ann: Desk) -> None:
    first = ann.post(FORECASTS, BODY | {"description": "d", "forecast_type": "monte_carlo"})
    second = ann.post(FORECASTS, BODY | {"parent_forecast_id": first["id"]})
    for saved in (first, second):
        exported = document(ann.call("GET", f"/api/forecasts/{saved['id']}/export"))
        imported = ann.post("/api/forecasts/import?strict=1", exported)
        assert imported["id"] not in (first["id"], second["id"])
        own = {"id", "created_at", "version", "parent_forecast_id"}
        assert {name: value for name, value in imported.items() if name not in own} == {
            name: value for name, value in exported.items() if name not in own
        }
        assert (imported["version"], imported["parent_forecast_id"]) == (1, None)


def test_import_without_its_project_makes_one(ann: Desk, database: Database) -> None:
    exported = document(ann.call("GET", f"/api/forecasts/{ann.post(FORECASTS, BODY)['id']}/export"))
    bob = desk(database, "Bob")
    assert bob.call("POST", "/api/forecasts/import", exported).status == 404
    imported = bob.post("/api/forecasts/import", exported | {"project_id": None})
    assert (imported["project_name"], imported["created_by"]) == ("Relaunch", "Bob")


def test_import_needs_nothing(ann: Desk) -> None:
    imported = ann.post("/api/forecasts/import", {"forecast_data": None})
    assert (imported["name"], imported["project_name"], imported["forecast_data"], imported["input_data"]) == ("Imported Forecast", "Imported Project", {}, {})  # fmt: skip  # noqa: E501


def test_import_fills_the_figures_that_an_old_export_lacks(ann: Desk) -> None:
    old = BODY | dict.fromkeys(FIGURES) | {"deadline_date": "30/03/2026", "id": 3, "version": 4}
    assert figures(ann.post("/api/forecasts/import", old)) == [50, "2026-01-05", "2026-03-30", 12.0, 9.0, True, 100.0]


def test_list_goes_on_where_its_link_says_within_a_project(ann: Desk) -> None:
    project = ann.post("/api/projects", {"name": "a"})["id"]
    ids = [ann.post(FORECASTS, EMPTY | {"project_id": project})["id"] for _ in range(3)]
    ann.post(FORECASTS, EMPTY)
    first = ann.call("GET", f"{FORECASTS}?project_id={project}&limit=2")
    link = first.headers["Link"].removeprefix("<").partition(">")[0]
    assert link.startswith(f"/api/forecasts?project_id={project}&limit=2&cursor=")
    second = ann.call("GET", link)
    assert [each["id"] for each in [*document(first), *document(second)]] == ids[::-1]
    assert "Link" not in second.headers


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"name": None}, [("/name", "must be a text, got null")]),
        ({"name": "\t"}, [("/name", "must not be blank")]),
        ({"name": "x" * 201}, [("/name", "must have at most 200 characters, got 201")]),
        ({"forecast_type": "x" * 51}, [("/forecast_type", "must have at most 50 characters, got 51")]),
        ({"backlog": -1}, [("/backlog", "must be at least 0, got -1")]),
        ({"backlog": 2**31}, [("/backlog", "must be at most 2147483647, got 2147483648")]),
        ({"projected_weeks_p85": "9"}, [("/projected_weeks_p85", 'must be a number, got "9"')]),
        ({"forecast_data": {"a": ["\0"]}}, [("/forecast_data/a/0", "must not contain the character NUL")]),
        ({"input_data": {"a\0": 1}}, [("/input_data/a\0", "must not have the character NUL in its name")]),
        ({"forecast_data": None, "input_data": None}, [("/forecast_data", "must not be null"), ("/input_data", "must not be null")]),  # noqa: E501
        ({"start_date": "2026-13-01"}, [("/start_date", "must be a date like d/m/yy, d/m/yyyy, yyyy-m-d, d-m-yy, d-m-yyyy, yyyy/m/d or d.m.yyyy, got '2026-13-01'")]),  # noqa: E501
    ],
)  # fmt: skip
def test_value_that_cannot_be_kept_is_refused(
    ann: Desk, dsn: str, changes: dict[str, object], errors: list[tuple[str, str]]
) -> None:
    refused = ann.call("POST", FORECASTS, BODY | changes)
    assert (refused.status, details(refused)) == (400, errors)
    assert query(dsn, "SELECT count(*) FROM projects") == [(0,)]


def test_what_is_missing_is_named_all_at_once(ann: Desk) -> None:
    assert details(ann.call("POST", FORECASTS, {})) == [
        ("/name", "is required"),
        ("/forecast_data", "is required"),
        ("/input_data", "is required"),
    ]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_number_that_json_does_not_know_is_refused_by_name(ann: Desk, number: str) -> None:
    body = f'{{"name": "a", "forecast_data": {{"p": {number}}}, "input_data": {{}}}}'.encode()
    assert details(ann.call("POST", FORECASTS, body)) == [("", f"{number} is not a number that JSON knows")]


def test_forecast_that_could_not_be_read_again_is_too_large(ann: Desk) -> None:
    refused = ann.call("POST", FORECASTS, EMPTY | {"forecast_data": "x" * (3 * 1024 * 1024)})
    assert (refused.status, document(refused)["error"]) == (
        413,
        "forecast_data and input_data must be at most 3145728 bytes together, got 3145732",
    )
