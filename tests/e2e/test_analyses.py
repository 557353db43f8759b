"""Questions that are answered at once, through the running stack."""

from __future__ import annotations

from typing import Any

import pytest

from localstack.run import LocalStack
from tests.e2e.client import Client

RISKS = [
    {"likelihood": 30, "lowImpact": 5, "mediumImpact": 8, "highImpact": 20, "description": "Supplier"},
    {"likelihood": 10, "lowImpact": 2, "highImpact": 6},
]
DEPENDENCY = {"id": "DEP-1", "name": "Bank", "source_project": "Shop", "target_project": "Bank", "on_time_probability": 0.6, "delay_impact_days": 10, "criticality": "HIGH"}  # fmt: skip  # noqa: E501
COST = {"optimistic": 3000, "mostLikely": 5000, "pessimistic": 10_000, "backlog": 50, "nSimulations": 10_000}
HISTORY = [5, 6, 7, 8, 6, 3, 6, 5, 7, 14]

# Path, body, and a value of the answer by its path.
ASKED: list[tuple[str, dict[str, Any], tuple[str | int, ...], Any]] = [
    ("/api/risk-summary", {"risks": RISKS, "tpSamples": HISTORY}, ("risk_summaries", 0, "priority"), "HIGH"),
    ("/api/dependency-analysis", {"dependencies": [DEPENDENCY]}, ("odds_ratio",), "1 in 1.67"),
    ("/api/trend-analysis", {"tpSamples": "1 2 3 4 5 6 7 8"}, ("metrics", 0, "trend", "trend_direction"), "improving"),
    ("/api/trend-analysis", {"ltSamples": [1, 2, 3, 4, 5, 6, 7]}, ("trend", "trend_direction"), "declining"),
    ("/api/cost-analysis", COST, ("simulation_results", "n_simulations"), 10_000),
    ("/api/pbc-analysis", {"tpSamples": HISTORY}, ("analysis", "average"), 6.7),
]

REFUSED: list[tuple[str, object, str]] = [
    ("/api/risk-summary", {"risks": []}, "/risks"),
    ("/api/risk-summary", {"risks": [{"likelihood": 5, "lowImpact": 9, "highImpact": 1}]}, "/risks/0/lowImpact"),
    ("/api/dependency-analysis", {"dependencies": []}, "/dependencies"),
    ("/api/dependency-analysis", {"dependencies": ["x"]}, "/dependencies/0"),
    ("/api/trend-analysis", {"tpSamples": "one two three"}, "/tpSamples"),
    ("/api/trend-analysis", {"tpSamples": [1, 2]}, "/tpSamples"),
    ("/api/cost-analysis", COST | {"pessimistic": 1}, "/pessimistic"),
    ("/api/cost-analysis", COST | {"backlog": 0}, "/backlog"),
    ("/api/pbc-analysis", {"tpSamples": [1]}, "/tpSamples"),
    ("/api/decode", {"encoded": "???"}, "/encoded"),
    ("/api/decode", {"encoded": "TmFO"}, "/encoded"),
    ("/api/encode", b"{", ""),
]


@pytest.fixture
def client(stack: LocalStack) -> Client:
    return Client(stack.url)


@pytest.mark.parametrize(("path", "body", "where", "value"), ASKED)
def test_question_is_answered_at_once(
    client: Client, path: str, body: dict[str, Any], where: tuple[str | int, ...], value: object
) -> None:
    reply = client.call("POST", path, body)
    assert reply.status == 200, reply
    found = reply.body
    for step in where:
        found = found[step]
    assert found == value


@pytest.mark.parametrize(("path", "body", "pointer"), REFUSED)
def test_bad_question_is_a_problem_document_that_points_to_it(
    client: Client, path: str, body: object, pointer: str
) -> None:
    reply = client.call("POST", path, body)
    assert (reply.status, reply.headers["Content-Type"]) == (400, "application/problem+json")
    assert reply.body["errors"][0]["pointer"] == pointer
    assert reply.body["error"] == reply.body["detail"]


@pytest.mark.parametrize("value", [{"projectName": "Übersicht 🚀", "tpSamples": HISTORY}, [1, None], "text", 5, True])
def test_shared_value_comes_back_as_it_was(client: Client, value: object) -> None:
    encoded = client.call("POST", "/api/encode", value).body["encoded"]
    reply = client.call("POST", "/api/decode", {"encoded": encoded})
    assert (reply.status, reply.body) == (200, value)


def test_project_is_charted_for_its_owner(client: Client) -> None:
    demo = client.login("demo@sluice.test", "demo-password")
    project = demo.call("POST", "/api/projects", {"name": "Charted"})
    assert project.status == 201, project
    path = f"/api/projects/{project.body['id']}"
    try:
        found = demo.call("POST", f"{path}/pbc-analysis", {"tp_samples": HISTORY})
        assert (found.status, found.body["project_name"]) == (200, "Charted")
        assert client.call("POST", f"{path}/pbc-analysis", {"tp_samples": HISTORY}).status == 401
    finally:
        assert demo.call("DELETE", path).status == 204
    assert demo.call("POST", f"{path}/pbc-analysis", {"tp_samples": HISTORY}).status == 404
