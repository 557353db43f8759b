"""The forecast over its two routes: the same numbers, and limits of their own."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib import kinds
from chalicelib.jobs.queue import Delivery
from chalicelib.jobs.worker import Worker
from tests.api.calls import Api, details, document
from tests.doubles import registry

KIND = next(kind for kind in kinds.registry("local") if kind.name == "simulate")

BODY: dict[str, Any] = {
    "tpSamples": [5, 6, 7, 8, 0, 3],
    "numberOfTasks": 50,
    "ltSamples": [3, 5, 8],
    "splitRateSamples": [1, 1.2],
    "risks": [{"likelihood": 50, "lowImpact": 3, "highImpact": 8}],
    "dependencies": [{"on_time_probability": 0.5}],
    "totalContributors": 5,
    "minContributors": 2,
}


@pytest.fixture
def api() -> Api:
    return Api(KIND, public_forecasts=True)


def in_background(api: Api, body: dict[str, Any]) -> Any:  # the result as a client reads it
    accepted = api.call("POST", KIND.path, body)
    assert accepted.status == 202, document(accepted)
    sent = msgspec.json.encode(api.parts.queues.sent[KIND.queue].popleft()).decode()
    Worker(api.parts.engine, registry(KIND), KIND.queue).settle([Delivery(message_id="m", body=sent, receipt="r")])
    result = document(api.call("GET", accepted.headers["Location"]))["result"]
    return {name: value for name, value in result.items() if name not in ("task_id", "completed_at")}


@pytest.mark.parametrize("engine", ["auto", "exact", "monte_carlo"])
@pytest.mark.parametrize("sampling", ["bootstrap", "weibull"])
def test_both_routes_give_the_same_numbers_without_a_seed_too(api: Api, engine: str, sampling: str) -> None:
    body = {**BODY, "engine": engine, "sampling": sampling, "numberOfSimulations": 3_000}
    in_line = api.call("POST", "/api/simulate", body)
    assert in_line.status == 200
    assert document(in_line) == in_background(api, body)


def test_route_in_line_refuses_long_work_with_the_address_of_the_other(api: Api) -> None:
    long = {"tpSamples": [0] * 199 + [3], "numberOfTasks": 100, "engine": "monte_carlo", "numberOfSimulations": 100_000}
    refused = api.call("POST", "/api/simulate", long)
    assert refused.status == 413
    assert "may take 1.4e+09 cell updates and this one needs about" in document(refused)["detail"]
    assert "send it to /api/async/simulate" in document(refused)["detail"]
    assert api.call("POST", KIND.path, long).status == 202


def test_work_that_no_engine_takes_is_refused_on_both_routes(api: Api) -> None:
    endless = {"tpSamples": [0] * 999 + [1], "numberOfTasks": 9_999, "engine": "monte_carlo"}
    for path in ("/api/simulate", KIND.path):
        refused = api.call("POST", path, endless)
        assert (refused.status, "use fewer simulations" in document(refused)["detail"]) == (413, True)


def test_all_fields_out_of_bounds_are_told_at_once_with_value_and_bound(api: Api) -> None:
    body = {
        "tpSamples": [-1, 5],
        "numberOfTasks": 10_000,
        "numberOfSimulations": 10_000_001,
        "ltSamples": [1] * 1_001,
        "risks": [{"likelihood": 101, "lowImpact": 1}],
        "engine": "fast",
        "sampling": "normal",
        "seed": -1,
    }
    assert sorted(details(api.call("POST", KIND.path, body))) == [
        ("/engine", 'must be one of "auto", "exact", "monte_carlo", got "fast"'),
        ("/ltSamples", "must have at most 1000 items, got 1001"),
        ("/numberOfSimulations", "must be at most 10000000, got 10000001"),
        ("/numberOfTasks", "must be at most 9999, got 10000"),
        ("/risks/0/likelihood", "must be at most 100, got 101"),
        ("/sampling", 'must be one of "bootstrap", "weibull", got "normal"'),
        ("/seed", "must be at least 0, got -1"),
        ("/tpSamples/0", "must be at least 0, got -1"),
    ]


def test_bounds_and_rules_are_told_together(api: Api) -> None:
    body = {
        "tpSamples": [0.5],
        "numberOfTasks": 10_000,
        "minContributors": 4,
        "maxContributors": 2,
        "risks": [{"likelihood": 10, "lowImpact": 9, "highImpact": 3}],
        "seed": -1,
    }
    assert sorted(details(api.call("POST", KIND.path, body))) == [
        ("/minContributors", "must be at most maxContributors (2), got 4"),
        ("/numberOfTasks", "must be at most 9999, got 10000"),
        ("/risks/0/lowImpact", "must be at most highImpact (3), got 9"),
        ("/seed", "must be at least 0, got -1"),
        ("/tpSamples", "at least one value must be 1 or more, the largest is 0.5"),
    ]


def test_rule_that_needs_a_refused_field_is_not_guessed_at(api: Api) -> None:
    body = {"tpSamples": [5], "numberOfTasks": 5, "minContributors": 4, "maxContributors": -2}
    assert details(api.call("POST", KIND.path, body)) == [("/maxContributors", "must be at least 0, got -2")]


def test_all_broken_rules_are_told_at_once(api: Api) -> None:
    body = {
        "tpSamples": [0.5, 0],
        "numberOfTasks": 5,
        "minContributors": 4,
        "maxContributors": 2,
        "risks": [{"likelihood": 10, "lowImpact": 9, "highImpact": 3}],
    }
    assert details(api.call("POST", KIND.path, body)) == [
        ("/tpSamples", "at least one value must be 1 or more, the largest is 0.5"),
        ("/minContributors", "must be at most maxContributors (2), got 4"),
        ("/risks/0/lowImpact", "must be at most highImpact (3), got 9"),
    ]
