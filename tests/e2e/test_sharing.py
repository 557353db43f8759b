"""Identical requests through the running stack: one run, a task for each, and cancels that hurt nobody else."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from localstack.run import LocalStack
from tests.e2e.client import Client
from tests.e2e.test_push import line

PATH = "/api/async/slow"


@pytest.fixture
def anybody(stack: LocalStack) -> Client:
    return Client(stack.url)


@pytest.fixture
def demo(anybody: Client) -> Client:
    return anybody.login("demo@sluice.test", "demo-password")


def request(seconds: float) -> dict[str, object]:
    """A request that no other test makes, so that only its own tasks share it."""
    return {"seconds": round(seconds + time.time() % 1 / 10, 9), "shared": True}


def cancel(client: Client, task_id: str) -> Any:  # the state
    answer = client.call("DELETE", f"/api/tasks/{task_id}")
    assert answer.status == 200, answer
    return answer.body["state"]


def test_twenty_identical_requests_at_once_are_run_once(anybody: Client) -> None:
    body = request(0.5)
    with ThreadPoolExecutor(20) as users:
        ids = list(users.map(lambda _: anybody.submit(PATH, body), range(20)))
    tasks = [anybody.wait(task_id) for task_id in ids]
    assert len(set(ids)) == 20
    assert {task["state"] for task in tasks} == {"SUCCESS"}
    # A run ends at one millisecond and says how long it took to the millisecond.
    assert len({(task["result"]["seconds"], task["cache_key"]) for task in tasks}) == 1
    assert {task["attempt"] for task in tasks} == {1}
    late = anybody.call("POST", PATH, body)
    assert (late.status, late.body["status"]) == (202, "SUCCESS")


def test_follower_leaves_and_then_the_owner_and_others_go_on(anybody: Client) -> None:
    body = request(3)
    first, second, third = (anybody.submit(PATH, body) for _ in range(3))
    anybody.wait(first, ("PROGRESS",))
    assert anybody.call("GET", f"/api/tasks/{third}").body["state"] == "PROGRESS"
    assert cancel(anybody, second) == "REVOKED"
    assert cancel(anybody, first) == "REVOKED"
    assert [anybody.wait(task_id)["state"] for task_id in (first, second, third)] == ["REVOKED", "REVOKED", "SUCCESS"]
    assert anybody.call("GET", f"/api/tasks/{first}").body["state"] == "REVOKED"


def test_last_one_to_leave_stops_the_run(anybody: Client, demo: Client) -> None:
    body = request(60)
    first = anybody.submit(PATH, body)
    second = anybody.submit(PATH, body)
    # Accounts share with themselves alone.
    other = demo.submit(PATH, body)
    anybody.wait(first, ("PROGRESS",))
    assert (cancel(anybody, first), cancel(anybody, second)) == ("REVOKED", "REVOKED")
    # Nobody else asks for it any more, so who asks now begins anew.
    third = anybody.submit(PATH, body)
    assert anybody.wait(third, ("PROGRESS", "STARTED"))["attempt"] == 1
    assert anybody.wait(third, ("PROGRESS",))["progress"] < 20
    cancel(anybody, third)
    assert demo.wait(other, ("PROGRESS",))["state"] == "PROGRESS"
    cancel(demo, other)
    assert demo.wait(other)["state"] == "REVOKED"


def test_subscriber_of_a_follower_hears_of_the_job_in_the_followers_name(anybody: Client, stack: LocalStack) -> None:
    async def watch() -> list[Any]:
        body = request(2)
        await asyncio.to_thread(anybody.submit, PATH, body)
        task_id = await asyncio.to_thread(anybody.submit, PATH, body)
        async with line(stack, f"?task_id={task_id}") as ann:
            messages = await ann.until(type="task_update", state="SUCCESS")
        return [task_id, messages]

    task_id, messages = asyncio.run(watch())
    assert {message["task_id"] for message in messages} == {task_id}
    progress = [message["progress"] for message in messages if message["type"] == "task_update"]
    assert progress == sorted(progress)
    assert messages[-1]["cache_key"].startswith("slow:")
    assert messages[-1]["result_url"] == f"/api/tasks/{task_id}"


def test_subscriber_of_a_follower_that_is_cancelled_hears_that_and_no_more(anybody: Client, stack: LocalStack) -> None:
    async def watch() -> list[Any]:
        body = request(4)
        owner = await asyncio.to_thread(anybody.submit, PATH, body)
        task_id = await asyncio.to_thread(anybody.submit, PATH, body)
        async with line(stack, f"?task_id={task_id}") as ann:
            await ann.until(type="task_update", state="PROGRESS")
            await asyncio.to_thread(cancel, anybody, task_id)
            await ann.until(type="task_update", state="REVOKED")
            await asyncio.to_thread(anybody.wait, owner)
            await ann.ask("check_status", task_id)
            # The answer comes behind whatever was pushed before it.
            return await ann.until(type="task_status")

    messages = asyncio.run(watch())
    assert [(message["type"], message["data"]["state"]) for message in messages] == [("task_status", "REVOKED")]
