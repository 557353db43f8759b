"""API keys and logouts through the running stack."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from chalicelib.accounts.epochs import REMEMBERED_S
from localstack.run import LocalStack
from tests.e2e.client import Client

FORECAST = {"tpSamples": [1], "numberOfTasks": 3}


@pytest.fixture
def client(stack: LocalStack) -> Client:
    return Client(stack.url)


@pytest.fixture
def demo(client: Client) -> Iterator[Client]:
    """Somebody logged in, who has no keys afterwards."""
    user = client.login("demo@sluice.test", "demo-password")
    before = {key["id"] for key in user.call("GET", "/api/keys").body["keys"]}
    yield user
    again = client.login("demo@sluice.test", "demo-password")
    for key in again.call("GET", "/api/keys").body["keys"]:
        if key["id"] not in before:
            again.call("DELETE", f"/api/keys/{key['id']}")


def ends(client: Client, path: str, *, within_s: float) -> bool:
    """Whether the client is refused in time: processes of the API may remember its epoch for a while."""
    deadline = time.monotonic() + within_s
    while client.call("GET", path).status != 401:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def test_key_is_made_used_listed_and_revoked(client: Client, demo: Client) -> None:
    made = demo.call("POST", "/api/keys", {"name": "e2e", "scopes": ["jobs:read", "jobs:write"], "expires_in_days": 1})
    assert (made.status, made.body["name"], made.body["last_used_at"]) == (201, "e2e", None)

    program = Client(client.url, made.body["key"])
    task_id = program.submit("/api/async/simulate", FORECAST)
    assert program.wait(task_id)["state"] == "SUCCESS"
    assert client.call("GET", f"/api/tasks/{task_id}", X_API_Key=made.body["key"]).status == 200
    assert demo.call("GET", f"/api/tasks/{task_id}").status == 200
    assert client.call("GET", f"/api/tasks/{task_id}").status == 404
    assert program.call("GET", "/api/keys").status == 403

    listed = {key["id"]: key for key in demo.call("GET", "/api/keys").body["keys"]}
    assert listed[made.body["id"]]["last_used_at"] is not None
    assert "key" not in listed[made.body["id"]]

    path = f"/api/keys/{made.body['id']}"
    assert [demo.call("DELETE", path).status, demo.call("DELETE", path).status] == [200, 200]
    refused = program.call("GET", f"/api/tasks/{task_id}")
    assert (refused.status, refused.headers["Content-Type"]) == (401, "application/problem+json")
    # as API Gateway calls it, which sends none of a function's under its own name
    assert refused.headers["x-amzn-Remapped-WWW-Authenticate"] == 'Bearer realm="sluice"'
    assert made.body["id"] not in {key["id"] for key in demo.call("GET", "/api/keys").body["keys"]}


def test_key_that_may_only_read_submits_nothing(client: Client, demo: Client) -> None:
    key = demo.call("POST", "/api/keys", {"name": "reader", "scopes": ["jobs:read"]}).body["key"]
    reader = Client(client.url, key)
    refused = reader.call("POST", "/api/async/simulate", FORECAST)
    assert (refused.status, refused.body["detail"]) == (403, "the API key lacks the scope jobs:write; it has jobs:read")
    task_id = demo.submit("/api/async/simulate", FORECAST)
    assert reader.call("GET", f"/api/tasks/{task_id}").status == 200


def test_logout_everywhere_ends_all_tokens_within_the_stated_time_and_no_key(client: Client, demo: Client) -> None:
    key = demo.call("POST", "/api/keys", {"name": "kept", "scopes": ["jobs:read"]}).body["key"]
    other_device = client.login("demo@sluice.test", "demo-password")
    task_id = demo.submit("/api/async/simulate", FORECAST)

    answer = demo.call("POST", "/api/auth/logout-everywhere")
    assert (answer.status, answer.body["effective_within_s"]) == (200, REMEMBERED_S)
    assert "Max-Age=0" in answer.headers["Set-Cookie"]

    renewed = client.login("demo@sluice.test", "demo-password")
    assert renewed.call("GET", f"/api/tasks/{task_id}").status == 200
    for old in (demo, other_device):
        assert ends(old, f"/api/tasks/{task_id}", within_s=REMEMBERED_S + 5)
    assert renewed.call("GET", f"/api/tasks/{task_id}").status == 200
    assert Client(client.url, key).call("GET", f"/api/tasks/{task_id}").status == 200


def test_logout_clears_the_cookie(client: Client) -> None:
    answer = client.call("POST", "/api/auth/logout")
    assert answer.status == 200
    assert answer.headers["Set-Cookie"] == "sluice_token=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
