"""What operators ask of the running stack, over HTTP and from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.accounts.tokens import issue_token
from chalicelib.api.queue_health import WINDOW_S
from chalicelib.model import Caller
from localstack.run import LocalStack
from tests.e2e.client import Client


@pytest.fixture
def admin(stack: LocalStack) -> Iterator[Client]:
    """An admin, after whom every queue is worked on."""
    secret = (stack.state / "token-secret").read_text("utf-8").strip()
    token = issue_token(Caller("4711", "admin"), secret=secret, now_s=int(time.time()), ttl_s=600)
    client = Client(stack.url, token)
    yield client
    ended = client.call("PUT", "/api/admin/maintenance", {"is_on": False})
    assert (ended.status, ended.body["is_on"]) == (200, False)


def ops(stack: LocalStack, *words: str) -> Any:  # any JSON value
    """What the command prints."""
    environ = os.environ | {
        "STAGE": "local",
        "AWS_ENDPOINT_URL": stack.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "infra.ops", *words], capture_output=True, text=True, check=True, env=environ
    )
    return json.loads(done.stdout)


def test_job_that_is_sent_to_ask_for_health_comes_back_from_a_worker(stack: LocalStack) -> None:
    answer = Client(stack.url).call("GET", "/api/health/celery")
    assert (answer.status, answer.body["status"], answer.body["workers"]) == (200, "healthy", "available"), answer.body
    assert "WorkSimulations" in answer.body["test_result"]["worker"]


def test_job_waits_while_its_queue_is_paused_and_runs_afterwards(stack: LocalStack, admin: Client) -> None:
    client = Client(stack.url)
    assert admin.call("POST", "/api/admin/queues/simulations/pause").body["is_paused"] is True
    # A poll that has begun may still take one.
    client.submit("/api/async/slow", {"seconds": 0})
    time.sleep(2)
    task_id = client.submit("/api/async/slow", {"seconds": 0})
    time.sleep(2)
    assert client.call("GET", f"/api/tasks/{task_id}").body["state"] == "PENDING"
    assert task_id in {job["task_id"] for job in admin.call("GET", "/api/admin/active").body["jobs"]}
    assert ops(stack, "depth", "--queue", "simulations")["waiting"] >= 1
    assert ops(stack, "resume", "--queue", "simulations")["is_paused"] is False
    assert client.wait(task_id)["state"] == "SUCCESS"


def test_during_maintenance_everything_is_accepted_and_afterwards_it_is_done(stack: LocalStack, admin: Client) -> None:
    client, demo = Client(stack.url), Client(stack.url).login("demo@sluice.test", "demo-password")
    assert ops(stack, "maintenance")["is_on"] is False
    begun = ops(stack, "maintenance", "--on", "1")
    assert (begun["is_on"], {queue["is_paused"] for queue in begun["queues"]}) == (True, {True})
    # A poll that has begun may still take what comes first.
    client.submit("/api/async/slow", {"seconds": 0})
    time.sleep(2)
    forecast = demo.submit("/api/async/simulate?save=true", {"tpSamples": [1], "numberOfTasks": 1})
    search = client.submit("/api/async/contracts/search", {"keywords": [forecast]})
    event = client.call("POST", "/api/logs/test-app", {"eventName": "user_login", "payload": {"userId": 1}})
    assert event.status == 202, event
    tasks = ((demo, forecast), (client, search), (client, event.body["task_id"]))
    time.sleep(2)
    assert [caller.call("GET", f"/api/tasks/{task_id}").body["state"] for caller, task_id in tasks] == ["PENDING"] * 3
    # An answer is shared by all who ask within a window: it may still be the one from before.
    deadline = time.monotonic() + 2 * WINDOW_S
    while (health := client.call("GET", "/api/health/celery")).status == 200 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert (health.status, health.body["status"]) == (503, "paused")
    assert client.call("GET", "/api/health").status == 200
    assert admin.call("PUT", "/api/admin/maintenance", {"is_on": False}).body["is_on"] is False
    assert [caller.wait(task_id)["state"] for caller, task_id in tasks] == ["SUCCESS"] * 3


def test_purge_of_a_paused_queue_cancels_what_waits_in_it(stack: LocalStack, admin: Client) -> None:
    client = Client(stack.url)
    ops(stack, "pause", "--queue", "simulations")
    time.sleep(2)
    task_id = client.submit("/api/async/slow", {"seconds": 0})
    purged = admin.call("POST", "/api/admin/queues/simulations/purge").body
    assert (purged["revoked"] >= 1, purged["is_empty"]) == (True, True)
    assert client.call("GET", f"/api/tasks/{task_id}").body["state"] == "REVOKED"
    assert ops(stack, "depth", "--queue", "simulations")["waiting"] == 0


def test_others_than_admins_are_refused(stack: LocalStack) -> None:
    client = Client(stack.url)
    demo = client.login("demo@sluice.test", "demo-password")
    statuses = [caller.call("GET", "/api/admin/active").status for caller in (client, demo)]
    assert statuses == [401, 403]
