"""Projects over HTTP on a real Postgres."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier
from typing import Any

import pytest

from chalicelib.db.connect import Database
from chalicelib.errors import NotFound
from tests.api.calls import Api, details, document
from tests.db.desks import Desk, desk, expect
from tests.db.test_database import query


@pytest.fixture
def ann(database: Database) -> Desk:
    return desk(database, "Ann")


def plain(project: Any) -> Any:  # a JSON object
    """The project without what every row has a different one of."""
    return {name: value for name, value in project.items() if name not in ("id", "created_at", "updated_at")}


DEFAULTS: dict[str, object] = {
    "name": "Relaunch",
    "description": None,
    "team_size": 1,
    "status": "active",
    "priority": 3,
    "business_value": 50,
    "risk_level": "medium",
    "capacity_allocated": 1.0,
    "strategic_importance": "medium",
    "start_date": None,
    "target_end_date": None,
    "owner": None,
    "stakeholder": None,
    "tags": [],
    "forecasts_count": 0,
}
ALL: dict[str, object] = {
    "name": "Relaunch",
    "description": "All of it",
    "team_size": 5,
    "status": "on_hold",
    "priority": 1,
    "business_value": 100,
    "risk_level": "critical",
    "capacity_allocated": 0.5,
    "strategic_importance": "high",
    "start_date": "2026-01-05",
    "target_end_date": "2026-06-30",
    "owner": "Ann",
    "stakeholder": "Bob",
    "tags": ["web", "é"],
}


def test_project_needs_no_more_than_a_name(ann: Desk) -> None:
    answer = ann.call("POST", "/api/projects", {"name": " Relaunch "})
    made = expect(answer, 201)
    assert plain(made) == DEFAULTS
    assert answer.headers["Location"] == f"/api/projects/{made['id']}"
    assert ann.get(f"/api/projects/{made['id']}") == made


def test_project_is_kept_with_all_its_fields(ann: Desk) -> None:
    made = ann.post("/api/projects", ALL)
    assert plain(made) == ALL | {"forecasts_count": 0}
    assert ann.get("/api/projects") == [made]


@pytest.mark.parametrize("text", ["05/01/26", "05/01/2026", "2026-01-05", "05-01-26", "2026/1/5", "5.1.2026"])
def test_day_is_taken_in_every_form_and_answered_in_one(ann: Desk, dsn: str, text: str) -> None:
    assert ann.post("/api/projects", {"name": "a", "start_date": text})["start_date"] == "2026-01-05"
    assert query(dsn, "SELECT start_date::text, pg_typeof(start_date)::text FROM projects") == [("2026-01-05", "date")]


def test_fields_that_are_sent_are_changed_and_no_others(ann: Desk) -> None:
    path = f"/api/projects/{ann.post('/api/projects', ALL)['id']}"
    before = ann.get(path)
    changed = ann.put(path, {"status": "completed", "target_end_date": None, "start_date": "", "tags": []})
    expected = ALL | {"status": "completed", "target_end_date": None, "start_date": None, "tags": []}
    assert plain(changed) == expected | {"forecasts_count": 0}
    assert changed["created_at"] == before["created_at"] < changed["updated_at"]
    assert ann.get(path) == changed


def test_whole_project_can_be_sent_back_and_what_is_not_read_is_named(ann: Desk) -> None:
    made = ann.post("/api/projects", ALL)
    changed = ann.put(f"/api/projects/{made['id']}", made | {"name": "Launch"})
    assert plain(changed) == ALL | {
        "name": "Launch",
        "forecasts_count": 0,
        "warnings": [
            f"/{name} is not known and was ignored" for name in ("id", "created_at", "updated_at", "forecasts_count")
        ],
    }


def test_unknown_field_is_a_warning_and_with_strict_an_error(ann: Desk) -> None:
    made = ann.post("/api/projects", {"name": "a", "teamsize": 3})
    assert made["warnings"] == ['/teamsize is not known and was ignored; did you mean "team_size"?']
    assert details(ann.call("POST", "/api/projects?strict=1", {"name": "a", "teamsize": 3})) == [
        ("/teamsize", 'is not known; did you mean "team_size"?')
    ]


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"name": ""}, [("/name", "must have at least 1 characters, got 0")]),
        ({"name": " "}, [("/name", "must not be blank")]),
        ({"name": None}, [("/name", "must be a text, got null")]),
        ({"name": "x" * 201}, [("/name", "must have at most 200 characters, got 201")]),
        ({"name": "a\0"}, [("/name", "must not contain the character NUL")]),
        ({"tags": ["a", "b\0"]}, [("/tags/1", "must not contain the character NUL")]),
        ({"description": "x" * 10_001}, [("/description", "must have at most 10000 characters, got 10001")]),
        ({"status": "done"}, [("/status", 'must be one of "active", "cancelled", "completed", "on_hold", got "done"')]),
        ({"risk_level": 3}, [("/risk_level", 'must be one of "critical", "high", "low", "medium", got 3')]),
        ({"priority": 6}, [("/priority", "must be at most 5, got 6")]),
        ({"business_value": -1}, [("/business_value", "must be at least 0, got -1")]),
        ({"team_size": 1.5}, [("/team_size", "must be a whole number, got 1.5")]),
        ({"team_size": None}, [("/team_size", "must be a whole number, got null")]),
        (
            {"start_date": "soon", "target_end_date": "31/02/2026"},
            [
                (
                    f"/{name}",
                    "must be a date like d/m/yy, d/m/yyyy, yyyy-m-d, d-m-yy, d-m-yyyy, yyyy/m/d or d.m.yyyy, "
                    f"got {text!r}",
                )
                for name, text in (("start_date", "soon"), ("target_end_date", "31/02/2026"))
            ],
        ),
    ],
)
def test_value_out_of_bounds_is_refused_with_the_bound(
    ann: Desk, changes: dict[str, object], errors: list[tuple[str, str]]
) -> None:
    made = ann.post("/api/projects", ALL)
    for method, path in (("POST", "/api/projects"), ("PUT", f"/api/projects/{made['id']}")):
        refused = ann.call(method, path, ALL | changes)
        assert (refused.status, details(refused)) == (400, errors)
    assert ann.get("/api/projects") == [made]


def test_project_without_a_name_is_refused(ann: Desk) -> None:
    assert details(ann.call("POST", "/api/projects", {})) == [("/name", "is required")]


def test_list_goes_on_where_its_link_says(ann: Desk) -> None:
    ids = [ann.post("/api/projects", {"name": f"{number}"})["id"] for number in range(5)]
    seen, path = [], "/api/projects?limit=2"
    while path:
        answer = ann.call("GET", path)
        seen.append([project["id"] for project in document(answer)])
        path = answer.headers.get("Link", "").removeprefix("<").partition(">")[0]
    assert seen == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]


def test_projects_of_one_moment_are_each_on_one_page(ann: Desk, database: Database) -> None:
    ids = [ann.post("/api/projects", {"name": f"{number}"})["id"] for number in range(3)]
    with database.transaction() as cursor:
        cursor.execute("UPDATE projects SET created_at = '1969-12-31T23:59:59.000001Z'")
    first = ann.call("GET", "/api/projects?limit=2")
    assert first.headers["Link"] == f'</api/projects?limit=2&cursor=-999999-{ids[1]}>; rel="next"'
    second = ann.call("GET", f"/api/projects?limit=2&cursor=-999999-{ids[1]}")
    assert [project["id"] for project in [*document(first), *document(second)]] == ids[::-1]


def test_removed_project_takes_its_forecasts_and_their_actuals_along(ann: Desk, dsn: str) -> None:
    kept = ann.post("/api/forecasts", {"name": "kept", "forecast_data": {}, "input_data": {}})
    gone = ann.post("/api/forecasts", {"name": "gone", "forecast_data": {}, "input_data": {}})
    for forecast in (kept, gone):
        ann.post("/api/actuals", {"forecast_id": forecast["id"], "actual_weeks_taken": 3})
    answer = ann.call("DELETE", f"/api/projects/{gone['project_id']}")
    assert (answer.status, answer.body) == (204, None)
    assert query(dsn, "SELECT id FROM projects") == [(kept["project_id"],)]
    assert query(dsn, "SELECT id FROM forecasts") == [(kept["id"],)]
    assert query(dsn, "SELECT forecast_id FROM actuals") == [(kept["id"],)]
    assert ann.call("DELETE", f"/api/projects/{gone['project_id']}").status == 404


def test_project_counts_the_forecasts_that_its_reader_sees(ann: Desk, database: Database) -> None:
    made = ann.post("/api/forecasts", {"name": "a", "forecast_data": {}, "input_data": {}})
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO forecasts (project_id, name, forecast_data, input_data) VALUES (%s, 'old', '1', '1')", (made["project_id"],))  # fmt: skip  # noqa: E501
    assert [project["forecasts_count"] for project in ann.get("/api/projects")] == [1]
    assert [project["forecasts_count"] for project in desk(database, "Ina", "instructor").get("/api/projects")] == [2]


def test_admin_makes_a_project_for_another_account(ann: Desk, database: Database) -> None:
    adam = desk(database, "Adam", "admin")
    made = adam.post("/api/projects", {"name": "For Ann", "user_id": int(ann.account)})
    assert [project["id"] for project in ann.get("/api/projects")] == [made["id"]]
    for account in ("4711", "x", 0):
        refused = adam.call("POST", "/api/projects", {"name": "a", "user_id": account})
        assert (refused.status, document(refused)["error"]) == (404, f"there is no account {account}")


def test_only_an_admin_makes_a_project_for_another_account(ann: Desk, database: Database) -> None:
    ina = desk(database, "Ina", "instructor")
    refused = ina.call("POST", "/api/projects", {"name": "a", "user_id": ann.account})
    assert (refused.status, document(refused)["error"]) == (
        403,
        "user_id must be your own account's, or left out; only an admin may name another",
    )
    assert ina.post("/api/projects", {"name": "a", "user_id": ina.account})["name"] == "a"


def test_account_that_is_gone_makes_no_project(ann: Desk, database: Database) -> None:
    with database.transaction() as cursor:
        cursor.execute("DELETE FROM users")
    refused = ann.call("POST", "/api/projects", {"name": "a"})
    assert (refused.status, document(refused)["error"]) == (NotFound.status, f"there is no account {ann.account}")
    assert ann.get("/api/projects") == []


def at_once(dsn: str, ann: Desk, calls: list[tuple[str, str, object]]) -> list[int]:
    """The statuses of calls that are made at the same time, each over a connection of its own."""
    start = Barrier(len(calls))

    def send(call: tuple[str, str, object]) -> int:
        api = Api()
        with closing(Database(dsn)) as database:
            api.runtime.__dict__["database"] = database
            start.wait()
            return Desk(api, ann.account, ann.token).call(*call).status

    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(pool.map(send, calls))


def test_changes_of_different_fields_at_once_are_all_kept(dsn: str, ann: Desk) -> None:
    path = f"/api/projects/{ann.post('/api/projects', {'name': 'a'})['id']}"
    changes: list[dict[str, object]] = [{"priority": 1}, {"owner": "Ann"}, {"tags": ["x"]}, {"team_size": 7}]
    assert at_once(dsn, ann, [("PUT", path, change) for change in changes]) == [200] * 4
    project = ann.get(path)
    assert [project["priority"], project["owner"], project["tags"], project["team_size"]] == [1, "Ann", ["x"], 7]


def test_project_is_removed_once_by_all_who_remove_it_at_once(dsn: str, ann: Desk) -> None:
    path = f"/api/projects/{ann.post('/api/projects', {'name': 'a'})['id']}"
    assert at_once(dsn, ann, [("DELETE", path, None)] * 4) == [204, 404, 404, 404]
