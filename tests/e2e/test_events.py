"""Events through the whole stack: over HTTP, the queue and the worker into Postgres."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

import pytest

from localstack.run import LocalStack
from tests.db.test_database import query
from tests.e2e.client import Client

LOGS = "/api/logs/test-app"


@pytest.fixture
def client(stack: LocalStack) -> Client:
    return Client(stack.url)


def rows(stack: LocalStack, message_id: str) -> list[tuple[object, ...]]:
    text = f"SELECT event_name, status, rules_version, body FROM log_entries WHERE message_id = '{message_id}'"
    return query(stack.database_url, text)


@pytest.mark.parametrize("more", [{}, {"timestamp": "2026-11-25T10:00:00Z"}])
def test_event_of_the_guide_is_valid_and_soon_a_row(client: Client, stack: LocalStack, more: dict[str, str]) -> None:
    event = {"eventName": "user_login", "userId": 123} | more
    reply = client.call("POST", LOGS, event)
    assert (reply.status, reply.body["event_name"], reply.body["status"]) == (202, "user_login", "valid")
    task = client.wait(reply.body["task_id"])
    assert (task["state"], task["result"]["validation_status"]) == ("SUCCESS", "valid")
    ((name, status, version, body),) = rows(stack, reply.body["message_id"])
    assert (name, status, body) == ("user_login", "valid", event)
    assert version == task["result"]["rules_version"] > 0


def test_invalid_event_is_told_and_kept(client: Client, stack: LocalStack) -> None:
    reply = client.call("POST", LOGS, {"eventName": "user_login", "userId": "abc"})
    assert (reply.status, reply.body["status"]) == (422, "invalid")
    assert [each["key"] for each in reply.body["results"]] == ["userId"]
    assert client.wait(reply.body["task_id"])["result"]["validation_status"] == "invalid"


def test_who_waits_is_told_when_the_event_is_stored(client: Client, stack: LocalStack) -> None:
    message_id = str(uuid.uuid4())
    event = {"eventName": "user_login", "userId": 1, "messageId": message_id}
    reply = client.call("POST", LOGS, event, Prefer="wait=20")
    assert (reply.status, reply.body["message"]) == (200, "The event is stored")
    assert len(rows(stack, message_id)) == 1


def test_batch_has_a_task_that_tells_of_each_event(client: Client, stack: LocalStack) -> None:
    first = str(uuid.uuid4())
    event = {"eventName": "user_login", "userId": 1, "messageId": first}
    other = event | {"messageId": str(uuid.uuid4()), "userId": 2}
    reply = client.call("POST", f"{LOGS}/batch", [event, other, event, 7])
    assert (reply.status, reply.body["accepted"], reply.body["processed"]) == (202, 3, 4)
    result = client.wait(reply.body["task_id"])["result"]
    assert [item["outcome"] for item in result["items"]] == ["stored", "stored", "duplicate"]
    assert len(rows(stack, first)) == 1


def test_log_lines_are_events(client: Client) -> None:
    text = b'12:00 started\nEvent Payload: {"eventName": "user_login", "userId": 5}\n'
    reply = client.call("POST", LOGS, text, Content_Type="text/plain")
    assert (reply.status, client.wait(reply.body["task_id"])["state"]) == (202, "SUCCESS")


def test_unknown_app_is_answered_444(client: Client) -> None:
    reply = client.call("POST", "/api/logs/no-such-app", {"eventName": "user_login"})
    assert (reply.status, reply.body["error"]) == (444, "App not found")


@pytest.mark.parametrize("through", ["http", "queue"])
def test_load_counts_every_event_that_it_has_sent(stack: LocalStack, through: str) -> None:
    command = [sys.executable, "-m", "bench.load", "--rate", "10", "--per", "second", "--duration", "2"]
    environ = os.environ | {"SLUICE_STATE": str(stack.state)}
    told = subprocess.run(
        [*command, "--through", through], env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert "accepted 20, stored 20, lost 0, doubled 0" in told.stdout, told.stderr


def test_load_that_is_out_of_bounds_is_refused() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "bench.load", "--rate", "1001", "--per", "second"], capture_output=True, text=True
    )
    assert (told.returncode, "--rate must be above 0 and at most 1000 a second" in told.stderr) == (2, True)
