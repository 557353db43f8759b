"""Watching events over HTTP: what an owner sees, whose apps are whose, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chalicelib.api.event_watch_routes import watch_routes
from chalicelib.db.connect import Database
from chalicelib.db.events.apps import App, AppFields, Apps, NewSheet
from chalicelib.db.viewer import Viewer
from tests.api.calls import details, document
from tests.api.published import broken, published
from tests.db.desks import Desk, desk, expect
from tests.db.events.watched import NOW_MS, event, result, store
from tests.db.test_database import query

HOUR_MS = 3_600_000
PREFIXES = ("/api/apps/shop", "/app/shop")
SHEET = """{"rules": [
    {"event": "login", "path": "a", "type": "text"},
    {"event": "login", "path": "b", "type": "text"},
    {"event": "buy", "path": "a", "type": "text"},
    {"event": "share", "path": "a", "type": "text"}
]}"""
ROUTES = [(route.method, route.path) for route in watch_routes()]
every_prefix = pytest.mark.parametrize("prefix", PREFIXES)
every_route = pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{method} {path}" for method, path in ROUTES])


@pytest.fixture
def ann(database: Database) -> Desk:
    return desk(database, "Ann")


@pytest.fixture
def shop(database: Database, ann: Desk) -> App:
    """An app of Ann's without rules."""
    return Apps(database).add("shop", int(ann.account), AppFields(name="Shop"), b"s" * 32)


def filled(path: str, row_id: str = "1") -> str:
    return path.replace("{app_id}", "shop").replace("{row_id}", row_id)


def body_of(method: str, path: str) -> object:
    return {"results": []} if path.endswith(("/filter", "/download-report")) else {} if method == "POST" else None


def stored_id(dsn: str) -> str:
    ((number,),) = query(dsn, "SELECT id FROM log_entries")
    return str(number)


@every_route
def test_app_of_another_account_is_404_and_unchanged(
    database: Database, dsn: str, shop: App, method: str, path: str
) -> None:
    store(database, event(shop.id, "1"))
    bob = desk(database, "Bob")
    answer = bob.call(method, filled(path, stored_id(dsn)), body_of(method, path))
    assert (answer.status, document(answer)["error"]) == (404, "there is no app shop")
    assert query(dsn, "SELECT message_id FROM log_entries") == [("1",)]
    other = bob.call(method, filled(path).replace("shop", "none"), body_of(method, path))
    assert (other.status, document(other)["error"]) == (404, "there is no app none")


@every_route
def test_route_needs_an_account(database: Database, ann: Desk, method: str, path: str) -> None:
    assert ann.api.call(method, filled(path), body_of(method, path)).status == 401


@every_route
def test_admin_sees_the_apps_of_all(database: Database, dsn: str, shop: App, method: str, path: str) -> None:
    store(database, event(shop.id, "1", result()))
    adam = desk(database, "Adam", "admin")
    expected = 202 if path.endswith("/replay") else 200
    assert adam.call(method, filled(path, stored_id(dsn)), body_of(method, path)).status == expected


@every_route
def test_key_that_may_read_reads_and_removes_nothing(
    database: Database, dsn: str, shop: App, ann: Desk, method: str, path: str
) -> None:
    store(database, event(shop.id, "1", result()))
    key = ann.post("/api/keys", {"name": "a", "scopes": ["jobs:read"]})["key"]
    answer = ann.api.call(method, filled(path, stored_id(dsn)), body_of(method, path), x_api_key=key)
    changes = method == "DELETE" or path.endswith(("delete-logs", "/replay"))
    assert (answer.status, len(query(dsn, "SELECT 1 FROM log_entries"))) == (403 if changes else 200, 1)


@every_prefix
def test_stats_count_each_name_by_its_newest_event(database: Database, shop: App, ann: Desk, prefix: str) -> None:
    store(
        database,
        event(shop.id, "1", status="invalid", accepted_ms=NOW_MS - 2),
        event(shop.id, "2", name="LOGIN", accepted_ms=NOW_MS - 1),
        event(shop.id, "3", name="buy", status="invalid"),
        event(shop.id, "4", name="see", status="no_rules"),
        event(shop.id, "5", name="old", status="invalid", accepted_ms=NOW_MS - 25 * HOUR_MS),
    )
    counts = {"total": 3, "valid": 2, "invalid": 1, "error": 0, "no_rules": 1, "success_rate": 67, "hours": 24}
    assert ann.get(f"{prefix}/stats") == counts
    more = {"total": 4, "valid": 2, "invalid": 2, "error": 0, "no_rules": 1, "success_rate": 50, "hours": 26}
    assert ann.get(f"{prefix}/stats?hours=26") == more


def test_stats_of_no_events_are_zero(shop: App, ann: Desk) -> None:
    nothing = {"total": 0, "valid": 0, "invalid": 0, "error": 0, "no_rules": 0, "success_rate": 0, "hours": 24}
    assert ann.get("/app/shop/stats") == nothing


@pytest.mark.parametrize("hours", ["0", "x", "8785", "1.5"])
def test_hours_that_are_none_are_refused(shop: App, ann: Desk, hours: str) -> None:
    answer = ann.call("GET", f"/app/shop/stats?hours={hours}")
    assert (answer.status, details(answer)[0][1].split()[0]) == (400, "hours")


@every_prefix
def test_coverage_holds_names_of_the_current_rules_against_what_came(
    database: Database, shop: App, ann: Desk, prefix: str
) -> None:
    viewer = Viewer(account=int(ann.account), sees_all=False, changes_all=False)
    for version, rules in enumerate(('{"rules": [{"event": "gone", "path": "a", "type": "text"}]}', SHEET)):
        sheet = NewSheet(rules=rules, label="first", source="", created_by=int(ann.account))
        Apps(database).add_sheet("shop", viewer, version, sheet)
    store(database, event(shop.id, "1", name="Login"), event(shop.id, "2", name="other", status="no_rules"))
    assert ann.get(f"{prefix}/coverage") == {
        "captured": 1,
        "missing": 2,
        "total": 3,
        "missing_events": ["buy", "share"],
        "event_names": ["buy", "login", "share"],
        "extra_events": ["other"],
        "rules_version": 2,
    }


def test_coverage_without_rules_is_of_nothing(database: Database, shop: App, ann: Desk) -> None:
    store(database, event(shop.id, "1"))
    found = ann.get("/app/shop/coverage")
    assert (found["total"], found["captured"], found["extra_events"]) == (0, 0, ["login"])


@every_prefix
def test_names_are_folded_and_sorted(database: Database, shop: App, ann: Desk, prefix: str) -> None:
    store(database, event(shop.id, "1", name="See"), event(shop.id, "2", name="buy"), event(shop.id, "3", name="see"))
    assert ann.get(f"{prefix}/event-names") == {"event_names": ["buy", "see"]}


@every_prefix
def test_fully_valid_is_what_has_rules_and_breaks_none_within_a_day(
    database: Database, shop: App, ann: Desk, prefix: str
) -> None:
    store(
        database,
        event(shop.id, "1", name="Good", accepted_ms=NOW_MS - 24 * HOUR_MS),
        event(shop.id, "2", name="old", accepted_ms=NOW_MS - 24 * HOUR_MS - 1),
        event(shop.id, "3", name="bad", accepted_ms=NOW_MS - 1),
        event(shop.id, "4", name="BAD", status="invalid"),
        event(shop.id, "5", name="unknown", status="no_rules"),
    )
    assert ann.get(f"{prefix}/fully-valid-events") == {"fully_valid_events": ["good"]}


@every_prefix
def test_logs_are_told_with_body_and_results(database: Database, shop: App, ann: Desk, prefix: str) -> None:
    body = {"eventName": "login", "payload": {"a": "<b>"}}
    store(database, event(shop.id, "m-1", result("a", "<b>"), body=body, status="invalid", is_user=False))
    page = ann.get(f"{prefix}/logs")
    (log,) = page.pop("logs")
    assert {**log, "id": 0} == {
        "id": 0,
        "app_id": "shop",
        "event_name": "login",
        "message_id": "m-1",
        "validation_status": "invalid",
        "is_user": False,
        "rules_version": 1,
        "created_at": "2025-06-15T15:06:40Z",
        "payload": body,
        "is_body_kept": True,
        "validation_results": [result("a", "<b>")],
    }
    newest = page.pop("newest")
    assert page == {"next_cursor": None, "total": 1, "is_total_exact": True, "page": 1, "limit": 50}
    assert ann.get(f"{prefix}/logs?since={newest}")["logs"] == []
    assert ann.get(f"/api/logs/shop/{log['id']}") == log


def message_ids(page: Any) -> list[str]:  # a JSON object
    return [log["message_id"] for log in page["logs"]]


def test_pages_of_logs_go_on_by_cursor_and_by_number(database: Database, shop: App, ann: Desk) -> None:
    store(database, *(event(shop.id, str(number)) for number in range(5)))
    first = ann.get("/app/shop/logs?limit=2")
    second = ann.get(f"/app/shop/logs?limit=2&cursor={first['next_cursor']}")
    third = ann.get(f"/app/shop/logs?limit=2&cursor={second['next_cursor']}")
    assert [message_ids(page) for page in (first, second, third)] == [["4", "3"], ["2", "1"], ["0"]]
    assert [(page["total"], page["page"]) for page in (first, second)] == [(5, 1), (None, None)]
    assert third["next_cursor"] is None
    pages = [ann.get(f"/app/shop/logs?limit=2&page={number}") for number in (1, 2, 3, 4)]
    assert [message_ids(page) for page in pages] == [["4", "3"], ["2", "1"], ["0"], []]
    assert [(page["total"], page["page"]) for page in pages] == [(5, 1), (5, 2), (5, 3), (5, 4)]


@pytest.mark.parametrize(
    ("query_text", "expected"),
    [
        ("event_names=BUY", ["2"]),
        ("event_names=buy, other", ["2"]),
        ("field_names=b,a", ["2", "1"]),
        ("field_names=items[].price", ["1"]),
        ("field_names=items[3].price", ["1"]),
        ("field_names=items[1].price", []),
        ("validation_statuses=Valid", ["1"]),
        ('validation_statuses=["if a is 1, b must be there"]', ["2"]),
        ("value_search=0%", ["2"]),
        ("value_search=_", []),
        ("status=no_rules", ["1"]),
        ("is_user=false", ["2"]),
        ("from=2025-06-15T15:06:40Z", ["2"]),
        ("to=2025-06-15T15:06:40", ["1"]),
        ("latest_only=1&field_names=b", ["2"]),
        ("expected_types=integer&received_types=text", ["2"]),
        ("expected_types=text&received_types=integer", []),
    ],
)
def test_logs_are_filtered(database: Database, shop: App, ann: Desk, query_text: str, expected: list[str]) -> None:
    broken_condition = result("b", "50%", "if a is 1, b must be there", expectedType="integer")
    store(
        database,
        event(shop.id, "1", result("a"), result("items[3].price"), status="no_rules", accepted_ms=NOW_MS - 1),
        event(shop.id, "2", broken_condition, name="Buy", is_user=False),
    )
    assert message_ids(ann.get(f"/app/shop/logs?{query_text}")) == expected


@pytest.mark.parametrize(
    ("query_text", "detail"),
    [
        ("limit=501", "limit must be at most 500, got 501"),
        ("limit=0", "limit must be at least 1, got 0"),
        ("page=401", "page must be at most 400 for pages of 50, got 401; next_cursor goes on from there"),
        ("page=2&cursor=7", "page must be left out beside cursor and since"),
        ("cursor=x", "cursor must be one of an answer, got 'x'"),
        ("since=x", "since must be `newest` of an answer, got 'x'"),
        ("status=fine", 'status must be one of "invalid", "no_rules", "valid", got "fine"'),
        ("from=yesterday", "/from must be a time such as 2026-01-31T12:00:00Z, got 'yesterday'"),
        ("field_names=[1]", "field_names must be names or a JSON array of them: Expected `str`, got `int` - at `$[0]`"),
    ],
)
def test_query_that_says_nothing_is_refused(shop: App, ann: Desk, query_text: str, detail: str) -> None:
    answer = ann.call("GET", f"/app/shop/logs?{query_text}")
    assert (answer.status, " ".join(details(answer)[0]).strip()) == (400, detail)


@every_prefix
def test_results_that_fit_are_one_list(database: Database, shop: App, ann: Desk, prefix: str) -> None:
    wrong = result("a", "1", "Invalid/Wrong datatype/value", comment="a text")
    store(database, event(shop.id, "1", wrong, result("b")), event(shop.id, "2", result("c"), wrong))
    (first, second) = [log["id"] for log in ann.get(f"{prefix}/logs")["logs"]]
    rows = expect(
        ann.call("POST", f"{prefix}/filter-logs", {"validation_statuses": ["Invalid/Wrong datatype/value"]}), 200
    )
    at = "2025-06-15T15:06:40Z"
    assert rows == [wrong | {"timestamp": at, "id": first}, wrong | {"timestamp": at, "id": second}]


def test_list_of_results_goes_on_by_its_link(database: Database, shop: App, ann: Desk) -> None:
    store(database, event(shop.id, "1", result("a"), result("b")), event(shop.id, "2", *map(result, "cde")))
    address, keys = "/app/shop/filter-logs?limit=2", []
    while address:
        answer = ann.call("POST", address)
        keys.append([row["key"] for row in document(answer)])
        address = answer.headers.get("Link", "").removesuffix('>; rel="next"').removeprefix("<")
    assert keys == [["c", "d"], ["e", "a"], ["b"]]


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({"event_name": ["a"]}, "/event_name", 'is not known; did you mean "event_names"?'),
        ({"event_names": "a"}, "/event_names", 'must be a list, got "a"'),
        ({"field_names": ["a\0"]}, "/field_names", "must not have the character U+0000"),
        ({"value_search": "\0"}, "/value_search", "must not have the character U+0000"),
        ({"to": "x"}, "/to", "must be a time such as 2026-01-31T12:00:00Z, got 'x'"),
    ],
)
def test_filter_that_says_nothing_is_refused(shop: App, ann: Desk, body: object, pointer: str, detail: str) -> None:
    answer = ann.call("POST", "/app/shop/filter-logs", body)
    assert (answer.status, details(answer)) == (400, [(pointer, detail)])
    inner = ann.call("POST", "/app/shop/download-all-results", {"filters": body})
    assert (inner.status, details(inner)) == (400, [(f"/filters{pointer}", detail)])


def test_filters_that_are_null_ask_for_nothing(database: Database, shop: App, ann: Desk) -> None:
    store(database, event(shop.id, "1", result("a")))
    body: dict[str, object] = {"event_names": None, "field_names": [], "value_search": "", "status": None}
    assert len(expect(ann.call("POST", "/app/shop/filter-logs", body), 200)) == 1


def test_row_is_removed(database: Database, dsn: str, shop: App, ann: Desk) -> None:
    store(database, event(shop.id, "1"))
    path = f"/api/logs/shop/{stored_id(dsn)}"
    assert expect(ann.call("DELETE", path), 200) == {"success": True, "deleted": 1, "is_complete": True}
    assert [ann.call(method, path).status for method in ("GET", "DELETE")] == [404, 404]
    assert ann.get("/app/shop/event-names") == {"event_names": []}


@pytest.mark.parametrize("row", ["0", "x", "-1", "9" * 30, "1.0"])
def test_row_that_is_none_is_404(shop: App, ann: Desk, row: str) -> None:
    answers = [ann.call(method, f"/api/logs/shop/{row}") for method in ("GET", "DELETE")]
    assert [(answer.status, document(answer)["error"]) for answer in answers] == [(404, f"there is no event {row}")] * 2


def test_row_of_another_app_is_404(database: Database, dsn: str, shop: App, ann: Desk) -> None:
    other = Apps(database).add("bank", int(ann.account), AppFields(name="Bank"), b"s" * 32)
    store(database, event(other.id, "1"))
    path = f"/api/logs/shop/{stored_id(dsn)}"
    assert [ann.call(method, path).status for method in ("GET", "DELETE")] == [404, 404]


@every_prefix
def test_all_rows_are_removed(database: Database, dsn: str, shop: App, ann: Desk, prefix: str) -> None:
    store(database, event(shop.id, "1"), event(shop.id, "2", name="buy"))
    answer = ann.call("POST", f"{prefix}/delete-logs")
    assert expect(answer, 200) == {"success": True, "deleted": 2, "is_complete": True}
    assert query(dsn, "SELECT 1 FROM log_entries") == query(dsn, "SELECT 1 FROM latest_event") == []


def test_answers_are_as_published(database: Database, dsn: str, shop: App, ann: Desk) -> None:
    store(database, event(shop.id, "1", result()))
    openapi = published(ann.api)
    paths = {
        "EventStats": "/app/shop/stats",
        "EventCoverage": "/app/shop/coverage",
        "EventNames": "/app/shop/event-names",
        "ValidEvents": "/app/shop/fully-valid-events",
        "LogPage": "/app/shop/logs",
        "LoggedEvent": f"/api/logs/shop/{stored_id(dsn)}",
    }
    assert {name: broken(openapi, name, ann.get(path)) for name, path in paths.items()} == {name: [] for name in paths}
    (row,) = expect(ann.call("POST", "/app/shop/filter-logs"), 200)
    assert broken(openapi, "FilteredResult", row) == []


def test_every_path_has_the_parameters_that_it_names() -> None:
    for route in watch_routes():
        assert route.doc is not None
        named = {param.name for param in route.doc().params if param.where == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", route.path))
