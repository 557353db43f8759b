"""WebSockets through the running stack: front door, API Gateway, Lambda, the tables' streams, and back."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import boto3
import pytest

from localstack.run import LocalStack
from tests.e2e.client import Client
from tests.e2e.test_forecast import worker_paused

PATH = "/ws/tasks/status/"
TABLE = "sluice-local-sockets"
DEADLINE_S = 20.0


@pytest.fixture
def client(stack: LocalStack) -> Client:
    return Client(stack.url)


@dataclass(frozen=True)
class Line:
    """One open connection."""

    socket: aiohttp.ClientWebSocketResponse

    async def ask(self, action: str, task_id: str) -> None:
        await self.socket.send_str(json.dumps({"action": action, "task_id": task_id}))

    async def next(self) -> Any:  # any JSON value
        return await self.socket.receive_json(timeout=DEADLINE_S)

    async def until(self, **fields: str) -> list[Any]:
        """The messages up to the first that has these fields, the connection's first message left out."""
        found = []
        while True:
            message = await self.next()
            if message["type"] != "connection":
                found.append(message)
            if fields.items() <= message.items():
                return found


@asynccontextmanager
async def line(stack: LocalStack, query: str = "") -> AsyncIterator[Line]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{stack.url}{PATH}{query}", timeout=aiohttp.ClientWSTimeout(ws_close=2.0)) as socket,
    ):
        yield Line(socket)


def aws(stack: LocalStack, service: str) -> Any:  # a client, each service has its type
    return boto3.client(
        service,
        endpoint_url=stack.endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def test_two_subscribers_are_told_every_change_once_and_in_order(client: Client, stack: LocalStack) -> None:
    async def watch() -> list[list[Any]]:
        async with line(stack) as ann, line(stack, f"?task_id={task_id}") as bob:
            await ann.ask("subscribe", task_id)
            for one in (ann, bob):
                answers = await one.until(type="task_status")
                assert [answer["type"] for answer in answers] == ["subscribed", "task_status"]
                assert answers[1]["data"]["state"] == "PENDING"
            paused.close()
            return list(await asyncio.gather(ann.until(state="SUCCESS"), bob.until(state="SUCCESS")))

    with ExitStack() as paused:
        paused.enter_context(worker_paused(stack))
        task_id = client.submit("/api/async/slow", {"seconds": 2.5})
        ann, bob = asyncio.run(watch())
    assert ann == bob
    changes = [(update["type"], update["state"], update["progress"]) for update in ann]
    assert (changes[0], changes[-1]) == (("task_update", "STARTED", 0), ("task_update", "SUCCESS", 100))
    between = changes[1:-1]
    assert len(between) >= 2
    assert between == [("task_update", "PROGRESS", percent) for percent in sorted({one[2] for one in between})]
    task = client.wait(task_id)
    assert ann[-1] == {
        "type": "task_update",
        "task_id": task_id,
        "state": task["state"],
        "status": task["status"],
        "progress": task["progress"],
        "result": None,
        "result_url": f"/api/tasks/{task_id}",
        "error": None,
        "cache_key": None,
    }


def test_client_that_reconnects_is_told_the_present_state_at_once(client: Client, stack: LocalStack) -> None:
    async def watch() -> tuple[Any, list[Any], list[Any]]:
        async with line(stack, f"?task_id={task_id}") as first:
            before = (await first.until(state="PROGRESS"))[-1]
        async with line(stack, f"?task_id={task_id}") as second:
            return before, await second.until(type="task_status"), await second.until(state="SUCCESS")

    task_id = client.submit("/api/async/slow", {"seconds": 4})
    before, at_once, after = asyncio.run(watch())
    assert [message["type"] for message in at_once] == ["subscribed", "task_status"]
    assert at_once[1]["data"]["state"] == "PROGRESS"
    shown = [before["progress"], at_once[1]["progress"], *(update["progress"] for update in after)]
    assert shown == sorted(shown)


def test_unsubscribed_client_is_told_nothing_more(client: Client, stack: LocalStack) -> None:
    async def watch() -> tuple[Any, Any]:
        async with line(stack, f"?task_id={task_id}") as leaving, line(stack, f"?task_id={task_id}") as staying:
            await leaving.until(state="PROGRESS")
            await leaving.ask("unsubscribe", task_id)
            await leaving.until(type="unsubscribed")
            await staying.until(state="SUCCESS")
            await leaving.ask("check_status", task_id)
            return await leaving.next(), watching(stack, task_id)

    task_id = client.submit("/api/async/slow", {"seconds": 3})
    answer, left = asyncio.run(watch())
    assert (answer["type"], answer["data"]["state"]) == ("task_status", "SUCCESS")
    assert len(left) == 1


def test_private_task_is_shown_to_its_owner_only(client: Client, stack: LocalStack) -> None:
    async def ask(query: str) -> Any:
        async with line(stack, query) as one:
            return (await one.until(task_id=task_id))[-1]

    demo = client.login("demo@sluice.test", "demo-password")
    task_id = demo.submit("/api/async/slow", {"seconds": 0})
    demo.wait(task_id)
    refused = {"type": "error", "task_id": task_id, "message": f"there is no task {task_id}"}
    assert asyncio.run(ask(f"?task_id={task_id}")) == refused
    assert asyncio.run(ask(f"?task_id={task_id}&token={demo.token}"))["type"] == "subscribed"


def test_bad_token_is_refused_at_the_door(stack: LocalStack) -> None:
    async def knock() -> None:
        async with line(stack, "?token=bad"):
            pass

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        asyncio.run(knock())
    # API Gateway answers our 401; the emulator makes every refusal a 403.
    assert refused.value.status in (401, 403)


def test_connection_that_is_gone_is_removed_by_the_next_push(client: Client, stack: LocalStack) -> None:
    async def watch() -> None:
        async with line(stack, f"?task_id={task_id}") as one:
            await one.until(type="task_status")
            paused.close()
            await one.until(state="SUCCESS")

    with ExitStack() as paused:
        paused.enter_context(worker_paused(stack))
        task_id = client.submit("/api/async/slow", {"seconds": 0})
        table = aws(stack, "dynamodb")
        ghost = {"id": {"S": f"task#{task_id}"}, "part": {"S": "gone="}, "since": {"N": "0"}}
        table.put_item(TableName=TABLE, Item=ghost)
        asyncio.run(watch())
    wait_until_nobody_watches(stack, task_id)


def test_closed_connection_is_forgotten(client: Client, stack: LocalStack) -> None:
    async def watch() -> int:
        async with line(stack, f"?task_id={task_id}") as one:
            await one.until(type="task_status")
            return len(watching(stack, task_id))

    task_id = client.submit("/api/async/slow", {"seconds": 0})
    client.wait(task_id)
    assert asyncio.run(watch()) == 1
    wait_until_nobody_watches(stack, task_id)


def test_state_is_told_to_who_asks_and_nonsense_is_answered(client: Client, stack: LocalStack) -> None:
    async def ask() -> tuple[Any, Any, Any]:
        async with line(stack) as one:
            await one.ask("check_status", task_id)
            known = (await one.until(type="task_status"))[-1]
            await one.ask("check_status", "nowhere")
            unknown = (await one.until(type="error"))[-1]
            await one.socket.send_str("no json")
            return known, unknown, (await one.until(type="error"))[-1]

    task_id = client.submit("/api/async/slow", {"seconds": 0})
    client.wait(task_id)
    known, unknown, broken = asyncio.run(ask())
    assert (known["task_id"], known["data"]["state"], known["progress"]) == (task_id, "SUCCESS", 100)
    assert unknown == {"type": "error", "task_id": "nowhere", "message": "there is no task nowhere"}
    assert "task_id" not in broken


def watching(stack: LocalStack, task_id: str) -> list[str]:
    """The connections that watch a task."""
    found = aws(stack, "dynamodb").query(
        TableName=TABLE,
        KeyConditionExpression="id = :id",
        ExpressionAttributeValues={":id": {"S": f"task#{task_id}"}},
        ConsistentRead=True,
    )
    return [item["part"]["S"] for item in found["Items"]]


def wait_until_nobody_watches(stack: LocalStack, task_id: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while left := watching(stack, task_id):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
