"""Live rows through the running stack: an event is posted, stored, and its row comes over the socket."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chalicelib.accounts.tokens import issue_token, read_token
from chalicelib.live import REMEMBERED_S
from chalicelib.model import Caller
from localstack.deploy import token_secret
from localstack.run import LocalStack
from tests.e2e.client import Client
from tests.e2e.test_push import TABLE, aws

DOCS = Path("docs/events-watching.md")
DEADLINE_S = 30.0
APP = "test-app"
NO_APP = {"type": "error", "app_id": APP, "message": f"there is no app {APP}"}


@pytest.fixture
def demo(stack: LocalStack) -> Client:
    return Client(stack.url).login("demo@sluice.test", "demo-password")


@asynccontextmanager
async def connected(
    stack: LocalStack, query: str, headers: dict[str, str] | None = None
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A connection that has been greeted."""
    url = f"{stack.url}/ws/events/{query}"
    timeout = aiohttp.ClientWSTimeout(ws_close=2.0)
    async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers, timeout=timeout) as socket:
        assert (await hear(socket))["type"] == "connection"
        yield socket


async def hear(socket: aiohttp.ClientWebSocketResponse) -> Any:  # any JSON value
    return await socket.receive_json(timeout=DEADLINE_S)


async def enter(socket: aiohttp.ClientWebSocketResponse, app_id: str, action: str = "join") -> Any:  # its answer
    await socket.send_json({"action": action, "app_id": app_id})
    return await hear(socket)


def token_of(stack: LocalStack, user_id: str, role: str = "student") -> str:
    return issue_token(Caller(user_id, role), secret=token_secret(stack.state), now_s=int(time.time()), ttl_s=600)


def short_token(stack: LocalStack, client: Client, ttl_s: int) -> str:
    """A token of the client's account that ends so soon; of its epoch, which other tests may have raised."""
    secret, now_s = token_secret(stack.state), int(time.time())
    token = read_token(client.token, secret=secret, now_s=now_s)
    return issue_token(token.caller, secret=secret, now_s=now_s, ttl_s=ttl_s, epoch=token.epoch)


def post(client: Client, *events: dict[str, object], app_id: str = APP) -> list[str]:
    """Sends events at once; answers their message ids."""
    named = [{"messageId": str(uuid.uuid4()), **event} for event in events]
    reply = client.call("POST", f"/api/logs/{app_id}/batch", named)
    assert reply.status == 202, reply
    return [str(event["messageId"]) for event in named]


def own_app(client: Client) -> str:
    app_id = f"live-{time.monotonic_ns()}"
    assert client.call("POST", "/api/apps", {"app_id": app_id, "name": "Live"}).status == 201
    return app_id


def wait_until_watched(stack: LocalStack, app_id: str) -> None:
    """Until somebody watches the app and the worker knows."""
    asked = {"KeyConditionExpression": "id = :id", "ExpressionAttributeValues": {":id": {"S": "rooms"}}}
    deadline = time.monotonic() + DEADLINE_S
    while app_id not in {
        item["app_id"]["S"] for item in aws(stack, "dynamodb").query(TableName=TABLE, **asked)["Items"]
    }:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(REMEMBERED_S)


async def settled() -> None:
    """Until the worker knows who watches."""
    await asyncio.sleep(REMEMBERED_S)


def test_row_comes_to_all_who_watch_as_the_logs_have_it(demo: Client, stack: LocalStack) -> None:
    async def watch() -> tuple[list[str], list[Any]]:
        joining = f"?token={demo.token}&app_id={APP}"
        headers = {"Authorization": f"Bearer {token_of(stack, '4711', 'admin')}"}
        async with connected(stack, joining) as owner, connected(stack, "", headers) as admin:
            assert (await hear(owner))["type"] == "joined"
            assert await enter(admin, APP) == {
                "type": "joined",
                "app_id": APP,
                "message": "rows of this app are sent as they are stored; what was stored before is in its logs",
            }
            await settled()
            # An event that comes a second time is no news.
            sent = await asyncio.to_thread(post, demo, event, {"eventName": "user_login", "userId": "abc"}, event)
            return sent[:2], [await hear(owner), await hear(admin)]

    event = {"eventName": "user_login", "userId": 123, "messageId": str(uuid.uuid4())}
    sent, (update, same) = asyncio.run(watch())
    assert update == same
    assert {name: update[name] for name in ("type", "app_id", "stored", "is_complete")} == {
        "type": "validation_update",
        "app_id": APP,
        "stored": 2,
        "is_complete": True,
    }
    logs = demo.call("GET", f"/api/apps/{APP}/logs?limit=50").body["logs"]
    assert update["logs"] == [row for row in logs if row["message_id"] in sent]
    assert [row["message_id"] for row in update["logs"]] == sent[::-1]
    assert [row["validation_status"] for row in update["logs"]] == ["invalid", "valid"]


@pytest.mark.parametrize("query", ["", "?token={}"])
def test_app_is_not_shown_to_other_accounts_and_to_nobody(demo: Client, stack: LocalStack, query: str) -> None:
    async def knock() -> tuple[Any, Any]:
        async with connected(stack, query.format(token_of(stack, "4711"))) as other:
            return await enter(other, APP), await enter(other, "no-such-app")

    refused, unknown = asyncio.run(knock())
    if query:
        assert refused == NO_APP
        assert unknown == {"type": "error", "app_id": "no-such-app", "message": "there is no app no-such-app"}
    else:
        assert refused["message"].startswith("rows are shown to accounts only")


def test_client_that_has_left_is_sent_nothing_more(demo: Client, stack: LocalStack) -> None:
    async def watch() -> tuple[Any, list[str], list[Any], Any]:
        entry = f"?token={demo.token}&app_id={app_id}"
        async with connected(stack, entry) as leaving, connected(stack, entry) as staying:
            assert [(await hear(one))["type"] for one in (leaving, staying)] == ["joined", "joined"]
            left = await enter(leaving, app_id, "leave")
            await settled()
            first = await asyncio.to_thread(post, demo, {"eventName": "a"}, app_id=app_id)
            update = await hear(staying)
            return left, first, update["logs"], await enter(leaving, APP)

    app_id = own_app(demo)
    left, sent, logs, after = asyncio.run(watch())
    assert left == {"type": "left", "app_id": app_id, "message": "no more rows of this app are sent"}
    assert [row["message_id"] for row in logs] == sent
    # The next message to the one that has left is the answer to its next question.
    assert (after["type"], after["app_id"]) == ("joined", APP)


def test_who_watches_an_app_that_is_removed_is_told_so(demo: Client, stack: LocalStack) -> None:
    async def watch() -> tuple[Any, Any]:
        async with connected(stack, f"?token={demo.token}&app_id={app_id}") as owner:
            assert (await hear(owner))["type"] == "joined"
            assert (await asyncio.to_thread(demo.call, "DELETE", f"/api/apps/{app_id}")).status == 200
            return await hear(owner), await enter(owner, app_id)

    app_id = own_app(demo)
    left, again = asyncio.run(watch())
    assert left == {"type": "left", "app_id": app_id, "message": "the app was removed"}
    assert again == {"type": "error", "app_id": app_id, "message": f"there is no app {app_id}"}


def test_rows_end_with_the_token_that_they_were_shown_to(demo: Client, stack: LocalStack) -> None:
    async def watch(token: str, end_s: float) -> tuple[Any, Any]:
        async with connected(stack, f"?token={token}&app_id={APP}") as owner:
            joined = await hear(owner)
            await asyncio.sleep(max(0.0, end_s - time.time()))
            await asyncio.to_thread(post, demo, {"eventName": "user_login", "userId": 1})
            return joined, await hear(owner)

    async def start_functions() -> None:
        async with connected(stack, f"?token={demo.token}&app_id={APP}") as owner:
            await hear(owner)

    # A token that lives for seconds only would not outlive their start on a busy machine.
    asyncio.run(start_functions())
    ttl_s = 20
    joined, left = asyncio.run(watch(short_token(stack, demo, ttl_s), time.time() + ttl_s + 1))
    assert joined["type"] == "joined"
    assert left == {
        "type": "left",
        "app_id": APP,
        "message": "the token or API key of this connection has expired or was revoked; connect again with a new one",
    }


def test_example_of_the_docs_prints_each_row_once(demo: Client, stack: LocalStack, tmp_path: Path) -> None:
    found = re.search(r"## Live\n.*?```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert found
    (tmp_path / "watch.py").write_text(found[1])
    app_id = own_app(demo)
    command = [sys.executable, str(tmp_path / "watch.py"), stack.url, demo.token, app_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as watching:
        assert watching.stdout is not None
        # Lines that do not come would be waited for in vain.
        deadline = threading.Timer(60, watching.kill)
        deadline.start()
        try:
            wait_until_watched(stack, app_id)
            few = [{"eventName": "few", "number": number} for number in range(3)]
            many = [{"eventName": "many", "number": number, "text": "x" * 150} for number in range(1_500)]
            sent = post(demo, *few, app_id=app_id) + post(demo, *many, app_id=app_id)
            printed = [watching.stdout.readline() for _ in sent]
        finally:
            deadline.cancel()
            watching.terminate()
        printed += watching.stdout.readlines()
    numbers = [line.split()[0] for line in printed]
    assert len(set(numbers)) == len(numbers) == len(sent)
    assert {line.split()[2] for line in printed} == {"few", "many"}
