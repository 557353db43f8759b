"""The routes of saved searches before they come to the database: credentials, bodies, and what is published."""

from __future__ import annotations

import pytest

from chalicelib import kinds
from chalicelib.api.resources import RESOURCES
from chalicelib.jobs.kind import JobKind
from tests.api.calls import Api, details, document
from tests.api.published import published
from tests.api.test_tasks import bearer

SEARCHES = "/api/v1/contracts/saved-searches"
ROUTES = [(method, path) for method, path, module, _ in RESOURCES if module == "saved_searches"]
BODY = {"name": "Bridges", "filters": {"keywords": ["bridge"]}}
HOOK = "https://hooks.example.org/sluice"
every_route = pytest.mark.parametrize(("method", "path"), ROUTES)


def test_there_are_routes_to_test() -> None:
    assert len(ROUTES) == 7


@every_route
def test_nobody_is_401(method: str, path: str) -> None:
    answer = Api(public_search=True).call(method, path.format(search_id=1), BODY)
    assert (answer.status, "WWW-Authenticate" in answer.headers) == (401, True)


@every_route
def test_key_that_may_only_read_writes_nothing(method: str, path: str) -> None:
    api = Api()
    made = api.call("POST", "/api/keys", {"name": "a", "scopes": ["jobs:read"]}, authorization=bearer("7"))
    answer = api.call(method, path.format(search_id=1), BODY, x_api_key=document(made)["key"])
    assert answer.status == (503 if method == "GET" else 403)


@every_route
def test_database_that_is_away_is_503(method: str, path: str) -> None:
    answer = Api().call(method, path.format(search_id=1), BODY, authorization=bearer("7"))
    assert (answer.status, document(answer)["error"]) == (503, "no database is configured")


@every_route
def test_route_publishes_the_refusals_that_it_makes(method: str, path: str) -> None:
    responses = published(Api())["paths"][path][method.lower()]["responses"]
    assert {"401", "403", "503"} <= set(responses)
    if "{" in path:
        assert "404" in responses
    if method in ("POST", "PUT"):
        assert "409" in responses
    if method == "PUT" or path == SEARCHES:
        assert "400" in responses


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"name": " "}, [("/name", "must not be blank")]),
        ({"name": "a" * 201}, [("/name", "must have at most 200 characters, got 201")]),
        ({"channel": "pigeon"}, [("/channel", 'must be one of "email", "none", "webhook", got "pigeon"')]),
        ({"channel": "webhook"}, [("/target", "is required where channel is webhook")]),
        ({"channel": "webhook", "target": ""}, [("/target", "is required where channel is webhook")]),
        (
            {"channel": "email", "target": "bob@example.org"},
            [("/target", "is for the channel webhook alone, and channel is email")],
        ),
        ({"target": HOOK}, [("/target", "is for the channel webhook alone, and channel is none")]),
        (
            {"channel": "webhook", "target": "https://169.254.169.254/"},
            [("/target", "must have a public host, got '169.254.169.254'")],
        ),
        (
            {"channel": "webhook", "target": "http://hooks.example.org/"},
            [("/target", "must begin with https://, got 'http://hooks.example.org/'")],
        ),
        (
            {"channel": "webhook", "target": "https://a.example/" + "a" * 500},
            [("/target", "must have at most 500 characters, got 518")],
        ),
        (
            {"filters": {"value_range": {"min": 5, "max": 4}, "time_ranges": [{"type": "yearly"}]}, "target": HOOK},
            [
                ("/filters/time_ranges/0/year", "is required for yearly"),
                ("/filters/value_range/max", "must be at least min (5.0), got 4.0"),
                ("/target", "is for the channel webhook alone, and channel is none"),
            ],
        ),
        ({"filters": {"keywords": ["a\0"]}}, [("/filters/keywords/0", "must not contain the character NUL")]),
    ],
)
def test_body_that_breaks_rules_is_refused_with_all_of_them(
    changes: dict[str, object], errors: list[tuple[str, str]]
) -> None:
    answer = Api().call("POST", SEARCHES, BODY | changes, authorization=bearer("7"))
    assert (answer.status, details(answer)) == (400, errors)


def test_search_needs_a_name_and_filters() -> None:
    answer = Api().call("POST", SEARCHES, {}, authorization=bearer("7"))
    assert (answer.status, details(answer)) == (400, [("/name", "is required"), ("/filters", "is required")])


def test_text_that_no_database_can_store_is_refused() -> None:
    body = rb'{"name": "a", "filters": {"time_ranges": [{"type": "yearly", "year": 2024, "startDate": "\ud800"}]}}'
    assert Api().call("POST", SEARCHES, body, authorization=bearer("7")).status == 400


def test_nobody_but_our_own_code_says_whom_we_write_to() -> None:
    registry = kinds.registry("prod")
    delivery, alerts = registry.kinds["alert_delivery"], registry.kinds["contracts_alerts"]
    assert isinstance(delivery, JobKind)
    assert (delivery.path, delivery.sync_path, delivery.queue) == ("", "", "emails")
    assert (alerts.scope, alerts.sync_path) == ("admin", "")
