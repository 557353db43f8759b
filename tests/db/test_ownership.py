"""Whose saved work is whose, for every route that names a row."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import pytest

from chalicelib.db.connect import Database
from chalicelib.db.viewer import Viewer, read_id, viewer_of
from chalicelib.model import Caller
from tests.api.calls import document
from tests.db.desks import Desk, desk
from tests.db.test_database import query

FORECAST = {"name": "Relaunch", "forecast_data": {"percentiles": {"p50": 7, "p85": 9}}, "input_data": {}}
STATE = """
    SELECT
        (SELECT jsonb_agg(projects ORDER BY id) FROM projects)::text,
        (SELECT jsonb_agg(forecasts ORDER BY id) FROM forecasts)::text,
        (SELECT jsonb_agg(actuals ORDER BY id) FROM actuals)::text
"""
# What is asked about a project P, its forecast F and what came of it, A.
ROUTES: list[tuple[str, str, object]] = [
    ("GET", "/api/projects/{P}", None),
    ("PUT", "/api/projects/{P}", {"name": "Mine"}),
    ("DELETE", "/api/projects/{P}", None),
    ("GET", "/api/forecasts/{F}", None),
    ("GET", "/api/forecasts/{F}/export", None),
    ("GET", "/api/forecasts/{F}/versions", None),
    ("DELETE", "/api/forecasts/{F}", None),
    ("GET", "/api/forecasts?project_id={P}", None),
    ("POST", "/api/forecasts", FORECAST | {"project_id": "{P}"}),
    ("POST", "/api/forecasts", FORECAST | {"parent_forecast_id": "{F}"}),
    ("POST", "/api/forecasts/import", FORECAST | {"project_id": "{P}"}),
    ("GET", "/api/actuals?forecast_id={F}", None),
    ("POST", "/api/actuals", {"forecast_id": "{F}", "actual_weeks_taken": 1}),
    ("GET", "/api/actuals/{A}", None),
    ("PUT", "/api/actuals/{A}", {"notes": "mine"}),
    ("DELETE", "/api/actuals/{A}", None),
    ("GET", "/api/accuracy-analysis?forecast_id={F}", None),
    ("GET", "/api/accuracy-analysis?project_id={P}", None),
]
NAMES = {"P": "project", "F": "forecast", "A": "actual"}
every_route = pytest.mark.parametrize(("method", "path", "body"), ROUTES, ids=[f"{m} {p}" for m, p, _ in ROUTES])


class Work(NamedTuple):
    """Rows of Ann's: the ids of P, F and A."""

    ids: dict[str, str]

    def call(self, who: Desk, method: str, path: str, body: object) -> tuple[int, str]:
        """The status and the text of the error."""
        sent = msgspec.json.decode(self._filled(msgspec.json.encode(body).decode()))
        answer = who.call(method, self._filled(path), sent)
        return answer.status, document(answer)["error"] if answer.status >= 400 else ""

    def missing(self, path: str, body: object) -> str:
        """How an id is answered that the caller may not see."""
        (name,) = [name for name in NAMES if f"{{{name}}}" in f"{path} {body}"]
        return f"there is no {NAMES[name]} {self.ids[name]}"

    def _filled(self, text: str) -> str:
        for name, row_id in self.ids.items():
            text = text.replace(f"{{{name}}}", row_id)
        return text


@pytest.fixture
def work(database: Database) -> Work:
    ann = desk(database, "Ann")
    forecast = ann.post("/api/forecasts", FORECAST)
    actual = ann.post("/api/actuals", {"forecast_id": forecast["id"], "actual_weeks_taken": 8})
    return Work({"P": str(forecast["project_id"]), "F": str(forecast["id"]), "A": str(actual["id"])})


@every_route
def test_id_of_another_account_is_404_and_changes_nothing(
    database: Database, dsn: str, work: Work, method: str, path: str, body: object
) -> None:
    before = query(dsn, STATE)
    assert work.call(desk(database, "Bob"), method, path, body) == (404, work.missing(path, body))
    assert query(dsn, STATE) == before


@every_route
def test_id_that_nothing_has_is_answered_word_for_word_the_same(
    database: Database, method: str, path: str, body: object
) -> None:
    bob = desk(database, "Bob")
    for text in ("4711", "0", "-1", "x", "1.0", "9" * 18, "9" * 30, "²"):
        nothing = Work({"P": text, "F": text, "A": text})
        assert nothing.call(bob, method, path, body) == (404, nothing.missing(path, body))


@every_route
def test_instructor_sees_everything_and_changes_nothing_of_others(
    database: Database, dsn: str, work: Work, method: str, path: str, body: object
) -> None:
    before = query(dsn, STATE)
    status, error = work.call(desk(database, "Ina", "instructor"), method, path, body)
    if method == "GET":
        # One pair is too little for a report.
        assert status == (400 if "accuracy" in path else 200)
    else:
        assert (status, error.startswith("only its owner or an admin may change ")) == (403, True)
    assert query(dsn, STATE) == before


@every_route
def test_admin_may_do_it_all(database: Database, work: Work, method: str, path: str, body: object) -> None:
    status, _ = work.call(desk(database, "Adam", "admin"), method, path, body)
    expected = {"POST": 201, "PUT": 200, "DELETE": 204, "GET": 400 if "accuracy" in path else 200}
    assert status == expected[method]


def test_lists_hold_the_callers_own_and_everything_for_those_who_see_it(database: Database, work: Work) -> None:
    people = [desk(database, "Bob"), desk(database, "Ina", "instructor"), desk(database, "Adam", "admin")]
    for path in ("/api/projects", "/api/forecasts", "/api/actuals"):
        assert [len(who.get(path)) for who in people] == [0, 1, 1]


def test_rows_without_an_account_are_seen_by_those_who_see_everything(database: Database) -> None:
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO projects (id, name) VALUES (7, 'Old')")
        cursor.execute("INSERT INTO forecasts (id, project_id, name, forecast_data, input_data) VALUES (8, 7, 'Old', '{}', '{}')")  # fmt: skip  # noqa: E501
        cursor.execute("INSERT INTO actuals (id, forecast_id) VALUES (9, 8)")
    old = Work({"P": "7", "F": "8", "A": "9"})
    bob, ina, adam = desk(database, "Bob"), desk(database, "Ina", "instructor"), desk(database, "Adam", "admin")
    for path in ("/api/projects/{P}", "/api/forecasts/{F}", "/api/actuals/{A}"):
        assert [old.call(who, "GET", path, None)[0] for who in (bob, ina, adam)] == [404, 200, 200]
        assert [old.call(who, "DELETE", path, None)[0] for who in (bob, ina)] == [404, 403]
    assert old.call(adam, "DELETE", "/api/projects/{P}", None)[0] == 204


def test_forecast_that_an_admin_saves_in_somebodys_project_is_theirs(database: Database, work: Work) -> None:
    adam = desk(database, "Adam", "admin")
    saved = adam.post("/api/forecasts", FORECAST | {"project_id": work.ids["P"]})
    renewed = adam.post("/api/forecasts", FORECAST | {"parent_forecast_id": work.ids["F"]})
    ann = desk(database, "Ann")
    assert [forecast["id"] for forecast in ann.get("/api/forecasts")] == [renewed["id"], saved["id"], int(work.ids["F"])]  # fmt: skip  # noqa: E501
    assert (saved["created_by"], renewed["created_by"], renewed["version"]) == ("Adam", "Adam", 2)


def test_ones_forecast_in_a_project_of_another_is_ones_own(database: Database, work: Work) -> None:
    bob = desk(database, "Bob")
    with database.transaction() as cursor:
        cursor.execute("UPDATE forecasts SET user_id = %s", (bob.account,))
    (forecast,) = bob.get("/api/forecasts")
    assert (str(forecast["id"]), str(forecast["project_id"])) == (work.ids["F"], work.ids["P"])
    assert bob.call("GET", f"/api/projects/{work.ids['P']}").status == 404
    ann = desk(database, "Ann")
    assert (ann.get("/api/forecasts"), ann.get("/api/actuals")) == ([], [])
    assert bob.post("/api/forecasts", FORECAST | {"parent_forecast_id": work.ids["F"]})["version"] == 2
    assert [each["version"] for each in bob.get(f"/api/forecasts/{work.ids['F']}/versions")] == [1, 2]


def test_key_of_an_admin_changes_the_work_of_others_with_the_scope_admin_only(database: Database, work: Work) -> None:
    adam = desk(database, "Adam", "admin")
    path = f"/api/projects/{work.ids['P']}"
    for scopes, status in ((["jobs:read", "jobs:write"], 403), (["admin", "jobs:write"], 200)):
        key = adam.post("/api/keys", {"name": "a", "scopes": scopes})["key"]
        assert adam.api.call("PUT", path, {"name": "b"}, x_api_key=key).status == status


@pytest.mark.parametrize(
    ("role", "sees_all", "changes_all"),
    [("student", False, False), ("instructor", True, False), ("admin", True, True), ("", False, False)],
)
def test_roles_see_and_change(role: str, sees_all: bool, changes_all: bool) -> None:
    scopes = frozenset({"admin"} if role == "admin" else set[str]())
    caller = Caller("7", role, scopes)  # type: ignore[arg-type]
    assert viewer_of(caller) == Viewer(account=7, sees_all=sees_all, changes_all=changes_all)


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), ("007", 7), ("", None), ("7x", None), ("٧", None), (" 7", None)]
)
def test_id_is_plain_digits(text: str, number: int | None) -> None:
    assert read_id(text) == number
