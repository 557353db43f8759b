"""The routes of saved work before they come to the database: credentials, parameters, and what is published."""

from __future__ import annotations

import pytest

from chalicelib.api.resources import RESOURCES
from chalicelib.db.pages import read_place
from tests.api.calls import Api, details, document
from tests.api.published import published
from tests.api.test_tasks import bearer

ROUTES = [(method, path) for method, path, module, _ in RESOURCES if module in ("projects", "forecasts", "actuals", "accuracy")]  # fmt: skip  # noqa: E501
LISTS = ["/api/projects", "/api/forecasts", "/api/actuals"]
# Enough for every route that takes a body.
BODY = {"name": "a", "forecast_data": {}, "input_data": {}, "forecast_id": 1}
every_route = pytest.mark.parametrize(("method", "path"), ROUTES)


@every_route
def test_nobody_is_401_and_not_sent_elsewhere(method: str, path: str) -> None:
    answer = Api().call(method, path.replace("{", "").replace("}", ""), BODY)
    assert (answer.status, answer.content_type) == (401, "application/problem+json")
    assert ("WWW-Authenticate" in answer.headers, "Location" in answer.headers) == (True, False)


@every_route
def test_key_that_may_only_read_writes_nothing(method: str, path: str) -> None:
    api = Api()
    made = api.call("POST", "/api/keys", {"name": "a", "scopes": ["jobs:read"]}, authorization=bearer("7"))
    answer = api.call(
        method, path.format(project_id=1, forecast_id=1, actual_id=1), BODY, x_api_key=document(made)["key"]
    )
    assert answer.status == (503 if method == "GET" else 403)


@every_route
def test_database_that_is_away_is_503(method: str, path: str) -> None:
    answer = Api().call(method, path.format(project_id=1, forecast_id=1, actual_id=1), BODY, authorization=bearer("7"))
    assert (answer.status, document(answer)["error"]) == (503, "no database is configured")


@every_route
def test_route_publishes_the_refusals_that_it_makes(method: str, path: str) -> None:
    responses = published(Api())["paths"][path][method.lower()]["responses"]
    assert {"401", "403", "503"} <= set(responses)
    if "{" in path:
        assert "404" in responses
    if method in ("POST", "PUT"):
        assert {"400", "413", "415"} <= set(responses)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=0", "limit must be a whole number from 1 to 500, got '0'"),
        ("limit=501", "limit must be a whole number from 1 to 500, got '501'"),
        ("limit=ten", "limit must be a whole number from 1 to 500, got 'ten'"),
        ("limit=²", "limit must be a whole number from 1 to 500, got '²'"),
        ("cursor=x", "cursor must be one of a Link header, got 'x'"),
        ("cursor=7", "cursor must be one of a Link header, got '7'"),
        ("cursor=999999999999999999-1", "cursor must be one of a Link header, got '999999999999999999-1'"),
    ],
)
def test_page_out_of_bounds_is_refused_by_name(path: str, query: str, detail: str) -> None:
    answer = Api().call("GET", f"{path}?{query}", authorization=bearer("7"))
    assert (answer.status, details(answer)) == (400, [("", detail)])


@pytest.mark.parametrize("text", ["0-1", "1750000000123456-12", "-62135596800000000-7"])
def test_cursor_names_a_place_exactly(text: str) -> None:
    assert str(read_place(text)) == text


@pytest.mark.parametrize(
    ("path", "name"),
    [("/api/projects", "Project"), ("/api/forecasts", "ForecastSummary"), ("/api/actuals", "Actual")],
)
def test_list_is_published_as_a_bare_list_with_a_link(path: str, name: str) -> None:
    response = published(Api())["paths"][path]["get"]["responses"]["200"]
    assert response["content"]["application/json"]["schema"] == {
        "type": "array",
        "items": {"$ref": f"#/components/schemas/{name}"},
    }
    assert list(response["headers"]) == ["Link", "RateLimit-Policy", "RateLimit"]
