"""The two engines of a forecast through the running stack."""

from __future__ import annotations

from typing import Any

import pytest

from localstack.run import LocalStack
from tests.e2e.client import Client

PROJECT: dict[str, Any] = {"tpSamples": [5, 6, 7, 8, 0, 3, 9], "numberOfTasks": 50, "totalContributors": 5}
TRIALS: dict[str, Any] = PROJECT | {"engine": "monte_carlo", "numberOfSimulations": 100_000, "seed": 7}
# Some 20 s of trials: more than one request may take.
LONG = TRIALS | {"numberOfSimulations": 10_000_000, "numberOfTasks": 500, "minContributors": 2, "maxContributors": 5}


@pytest.fixture
def client(stack: LocalStack) -> Client:
    return Client(stack.url)


@pytest.mark.parametrize("body", [PROJECT, TRIALS, PROJECT | {"sampling": "weibull"}])
def test_both_routes_give_the_same_numbers(client: Client, body: dict[str, Any]) -> None:
    in_line = client.call("POST", "/api/simulate", body).body
    behind = client.wait(client.submit("/api/async/simulate", body))["result"]
    added = ("task_id", "completed_at")
    assert {name: value for name, value in behind.items() if name not in added} == in_line


def test_trials_agree_with_the_exact_law_within_their_interval(client: Client) -> None:
    exact, drawn = (client.call("POST", "/api/simulate", body).body for body in (PROJECT, TRIALS))
    assert (exact["engine"], drawn["engine"], drawn["seed"]) == ("exact", "monte_carlo", 7)
    for name, weeks in exact["percentiles"].items():
        interval = drawn["percentile_intervals"][name]
        # Nine intervals of 95 %: one may miss, and then by its neighbour.
        assert interval["low"] - 1 <= weeks <= interval["high"] + 1, name


def test_long_trials_are_sent_to_the_background_and_stop_when_cancelled(client: Client) -> None:
    refused = client.call("POST", "/api/simulate", LONG)
    assert (refused.status, "send it to /api/async/simulate" in refused.body["detail"]) == (413, True)
    task_id = client.submit("/api/async/simulate", LONG)
    running = client.wait(task_id, ("PROGRESS",))
    while running["progress"] == 0:
        running = client.call("GET", f"/api/tasks/{task_id}").body
    assert (running["state"], running["stage"]) == ("PROGRESS", "trials")
    client.call("DELETE", f"/api/tasks/{task_id}")
    ended = client.wait(task_id)
    assert (ended["state"], ended["attempt"]) == ("REVOKED", 1)
    assert ended["progress"] < 99
