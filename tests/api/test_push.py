"""Changes of jobs to those who watch them, over a memory runtime."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from chalicelib.api.push import push
from chalicelib.aws.changes import Change
from chalicelib.aws.memory_sockets import MemorySockets
from chalicelib.aws.subscriptions import Connection, Subscriber
from chalicelib.errors import Unavailable
from chalicelib.jobs.state import State
from chalicelib.jobs.store import Job, Problem
from tests.doubles import MemoryRuntime
from tests.lines import Reader, metrics

NOW = 1_750_000_000
PENDING = Job(
    id="task-1",
    kind="echo",
    state=State.PENDING,
    created_ms=0,
    updated_ms=0,
    expires_s=NOW + 9,
    keep_s=9,
    stage="queued",
)
STARTED = msgspec.structs.replace(PENDING, state=State.STARTED, attempt=1, stage="started")
HALF = msgspec.structs.replace(STARTED, state=State.PROGRESS, progress=50, stage="half")
DONE = msgspec.structs.replace(HALF, state=State.SUCCESS, progress=100, stage="done")


def runtime_with(*connections: str, since: int = 0) -> MemoryRuntime:
    """A runtime in which these connections watch task-1."""
    runtime = MemoryRuntime()
    for name in connections:
        runtime.subscriptions.connect(Connection(id=name, expires_s=NOW + 8100))
        runtime.subscriptions.subscribe(name, "task-1", since)
    return runtime


def changes(*jobs: Job, at_s: float = NOW) -> list[Change]:
    """From each job to the next one, numbered from 1."""
    return [Change(old=old, new=new, sequence=n, at_s=at_s) for n, (old, new) in enumerate(pairwise(jobs), start=1)]


def update(state: str, says: str, progress: int, **fields: Any) -> dict[str, Any]:
    absent = {"result": None, "result_url": None, "error": None, "cache_key": None}
    named = {"type": "task_update", "task_id": "task-1", "state": state, "status": says, "progress": progress}
    return named | absent | fields


ALL = [
    update("STARTED", "Started", 0),
    update("PROGRESS", "Running", 50),
    update("SUCCESS", "Finished", 100, result_url="/api/tasks/task-1"),
]


def test_every_change_goes_to_every_subscriber_once_and_in_order() -> None:
    runtime = runtime_with("ann", "bob")
    push(runtime, changes(PENDING, STARTED, HALF, DONE))
    assert runtime.gateway.sent == {"ann": ALL, "bob": ALL}


def test_failure_carries_its_reason_and_a_cancel_its_wish() -> None:
    runtime = runtime_with("ann")
    cancelling = msgspec.structs.replace(HALF, cancel_requested=True)
    failed = msgspec.structs.replace(cancelling, state=State.FAILURE, problem=Problem("internal", "it broke"))
    push(runtime, changes(HALF, cancelling, failed))
    assert runtime.gateway.sent["ann"] == [
        update("PROGRESS", "Cancelling", 50),
        update("FAILURE", "Failed", 50, error="it broke"),
    ]


def test_renewed_lease_is_no_news() -> None:
    runtime = runtime_with("ann")
    push(runtime, changes(HALF, msgspec.structs.replace(HALF, lease_ms=5, updated_ms=5, due_ms=5)))
    assert runtime.gateway.sent == {}


def test_task_that_nobody_watches_is_told_to_nobody() -> None:
    runtime = runtime_with("ann")
    push(runtime, changes(*[msgspec.structs.replace(job, id="task-2") for job in (PENDING, STARTED)]))
    assert runtime.gateway.sent == {}


@pytest.mark.parametrize(
    ("since", "news"),
    [
        (200, ALL),  # subscribed while it waited
        (1000, ALL),  # when it had started
        (1051, ALL[1:]),  # at 50 %
        (1200, ALL[2:]),  # when it was done
        (2000, []),  # in its second attempt
    ],
)
def test_what_came_before_the_subscription_is_not_news(since: int, news: list[Any]) -> None:
    runtime = runtime_with("ann", since=since)
    push(runtime, changes(PENDING, STARTED, HALF, DONE))
    assert runtime.gateway.sent.get("ann", []) == news


def test_next_attempt_is_news_though_its_progress_is_less() -> None:
    runtime = runtime_with("ann", since=1051)
    push(runtime, changes(HALF, msgspec.structs.replace(STARTED, attempt=2)))
    assert runtime.gateway.sent["ann"] == [update("STARTED", "Started", 0)]


TASK = msgspec.structs.replace(PENDING, id="task-2", owner="8", follows="task-1")


def followed_runtime(*, left: bool = False) -> MemoryRuntime:
    """A runtime in which `ann` watches task-1 and `bob` watches task-2, which follows it or has left it."""
    runtime = runtime_with("ann")
    runtime.subscriptions.connect(Connection(id="bob", expires_s=NOW + 8100))
    runtime.subscriptions.subscribe("bob", "task-2", 0, job_id="task-1")
    state = State.REVOKED if left else State.PENDING
    runtime.parts.store.add(msgspec.structs.replace(TASK, state=state, stage="cancelled"), b"{}")
    return runtime


def of_task_2(*updates: dict[str, Any]) -> list[dict[str, Any]]:
    url = {"/api/tasks/task-1": "/api/tasks/task-2"}
    return [one | {"task_id": "task-2", "result_url": url.get(one["result_url"])} for one in updates]


def test_task_that_follows_is_told_what_the_job_does_in_its_own_name() -> None:
    runtime = followed_runtime()
    push(runtime, changes(PENDING, STARTED, HALF, DONE))
    assert runtime.gateway.sent == {"ann": ALL, "bob": of_task_2(*ALL)}


def test_task_that_has_left_is_told_so_and_then_nothing_more() -> None:
    runtime = followed_runtime(left=True)
    two, one = (msgspec.structs.replace(STARTED, followers=count) for count in (2, 1))
    after = msgspec.structs.replace(HALF, followers=1)
    batch = changes(two, one, after)
    push(runtime, batch)
    push(runtime, batch[1:])
    assert runtime.gateway.sent["bob"] == of_task_2(update("REVOKED", "Cancelled", 0))
    assert runtime.subscriptions.subscribers("task-1") == [Subscriber(connection_id="ann")]


def test_task_that_others_leave_hears_nothing_of_it() -> None:
    runtime = followed_runtime()
    push(runtime, changes(msgspec.structs.replace(HALF, followers=2), msgspec.structs.replace(HALF, followers=1)))
    assert runtime.gateway.sent == {}


def test_owner_that_is_detached_is_told_so_and_the_others_go_on() -> None:
    runtime = followed_runtime()
    detached, done = (msgspec.structs.replace(job, detached=True, followers=1) for job in (HALF, DONE))
    push(runtime, changes(msgspec.structs.replace(HALF, followers=1), detached, done))
    assert runtime.gateway.sent == {"ann": [update("REVOKED", "Cancelled", 0)], "bob": of_task_2(ALL[2])}


def test_connection_that_is_gone_is_removed_and_the_others_are_told() -> None:
    runtime = runtime_with("ann", "bob")
    runtime.gateway.closed.add("ann")
    push(runtime, changes(PENDING, STARTED))
    assert runtime.gateway.sent == {"bob": ALL[:1]}
    assert [one.connection_id for one in runtime.subscriptions.subscribers("task-1")] == ["bob"]
    assert runtime.subscriptions.connection("ann") is None


def test_messages_sent_and_connections_gone_are_counted(written: Reader) -> None:
    runtime = runtime_with("ann", "bob")
    runtime.gateway.closed.add("ann")
    push(runtime, changes(PENDING, STARTED, HALF, DONE))
    assert metrics(written()) == {"Pushed": [3], "Gone": [1]}


def test_changes_that_nobody_watches_write_no_metric(written: Reader) -> None:
    push(runtime_with(), changes(PENDING, STARTED))
    (line,) = written()
    assert (line["message"], line["changes"], line["watched"]) == ("changes read", 1, 0)


class FailingSockets(MemorySockets):
    """A gateway that takes one message for `ann` and then none until it is repaired."""

    def send(self, connection_id: str, message: bytes) -> bool:
        told = super().send(connection_id, message)
        if connection_id == "ann":
            self.broken.add("ann")
        return told


def test_batch_that_comes_again_repeats_nothing_and_leaves_nothing_out() -> None:
    runtime = runtime_with("ann", "bob")
    runtime.gateway = runtime.__dict__["sockets"] = FailingSockets()
    batch = changes(PENDING, STARTED, HALF, DONE)
    for done in (1, 2):
        with pytest.raises(Unavailable):
            push(runtime, batch)
        assert runtime.gateway.sent == {"ann": ALL[:done], "bob": ALL}
        runtime.gateway.broken.clear()
    push(runtime, batch)
    push(runtime, batch[:0])
    assert runtime.gateway.sent == {"ann": ALL, "bob": ALL}


def test_connection_that_fails_for_a_minute_holds_up_nobody_any_longer() -> None:
    runtime = runtime_with("ann", "bob")
    runtime.gateway.broken.add("ann")
    with pytest.raises(Unavailable):
        push(runtime, changes(PENDING, STARTED, at_s=NOW - 60))
    push(runtime, changes(PENDING, STARTED, at_s=NOW - 61))
    assert runtime.gateway.sent["bob"] == ALL[:1]
