"""Rows that are pushed to the connections that watch their app, over a memory runtime."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.api.live import push_rows
from chalicelib.aws.memory_sockets import MemorySockets, MemorySubscriptions
from chalicelib.aws.subscriptions import Connection, Member
from chalicelib.db.events.writer import NewEvent
from chalicelib.errors import Unavailable
from chalicelib.live import Live
from tests.doubles import MemoryRuntime
from tests.lines import Reader, metrics

NOW = 1_750_000_000
EVENT = NewEvent(
    app=11,
    message_id="m-1",
    accepted_ms=1_750_000_000_120,
    name="login",
    status="invalid",
    is_user=True,
    rules_version=3,
    body_hash=b"",
    body='{"userId": "x"}',
    results='[{"key": "userId"}]',
)
ROW = {
    "id": 5,
    "app_id": "shop",
    "event_name": "login",
    "message_id": "m-1",
    "validation_status": "invalid",
    "is_user": True,
    "rules_version": 3,
    "created_at": "2025-06-15T15:06:40.120000Z",
    "payload": {"userId": "x"},
    "is_body_kept": True,
    "validation_results": [{"key": "userId"}],
}
UPDATE = {"type": "validation_update", "app_id": "shop", "logs": [ROW], "stored": 1, "is_complete": True}
NOT_GOOD = "the token or API key of this connection has expired or was revoked; connect again with a new one"


def runtime_with(*connections: str, **member: Any) -> MemoryRuntime:
    """A runtime in which these connections watch the app 11."""
    runtime = MemoryRuntime()
    for name in connections:
        watch(runtime, name, **member)
    return runtime


def watch(runtime: MemoryRuntime, connection_id: str, **member: Any) -> None:
    said: dict[str, Any] = {"connection_id": connection_id, "app": 11, "app_id": "shop", "user_id": "7"} | member
    runtime.subscriptions.connect(Connection(id=connection_id, expires_s=NOW + 8100, user_id="7"))
    runtime.subscriptions.join(Member(**said))


def offered(runtime: MemoryRuntime, *rows: tuple[int, NewEvent]) -> list[str]:
    """What the worker puts on the queue for these rows."""
    queues = runtime.parts.queues
    Live(runtime.subscriptions, queues, runtime.clock).offer(rows or [(5, EVENT)])
    bodies = [body for _, body in queues.posted]
    queues.posted.clear()
    return bodies


def members(runtime: MemoryRuntime) -> list[str]:
    return [member.connection_id for member in runtime.subscriptions.members()]


def test_row_comes_to_everybody_who_watches_its_app_and_to_nobody_else(written: Reader) -> None:
    runtime = runtime_with("ann", "bob")
    watch(runtime, "eve", app=12, app_id="bank")
    push_rows(runtime, offered(runtime))
    assert runtime.gateway.sent == {"ann": [UPDATE], "bob": [UPDATE]}
    assert metrics(written()) == {"Pushed": [2], "Gone": [0]}


def test_body_that_is_not_kept_is_not_pushed() -> None:
    runtime = runtime_with("ann")
    push_rows(runtime, offered(runtime, (5, msgspec.structs.replace(EVENT, is_body_kept=False))))
    (update,) = runtime.gateway.sent["ann"]
    assert update["logs"] == [ROW | {"payload": None, "is_body_kept": False}]


def test_rows_without_room_are_told_of() -> None:
    runtime = runtime_with("ann")
    large = msgspec.structs.replace(EVENT, body=f'"{"x" * 70_000}"')
    push_rows(runtime, offered(runtime, (4, large), (5, EVENT), (6, large)))
    (update,) = runtime.gateway.sent["ann"]
    assert ([row["id"] for row in update["logs"]], update["stored"], update["is_complete"]) == ([6, 5], 3, False)


class WeighingSockets(MemorySockets):
    """A gateway that remembers how large its messages were."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def send(self, connection_id: str, message: bytes) -> bool:
        self.sizes.append(len(message))
        return super().send(connection_id, message)


def test_largest_message_is_one_that_api_gateway_takes() -> None:
    runtime = runtime_with("ann", app_id="s" * 100)
    runtime.gateway = gateway = runtime.__dict__["sockets"] = WeighingSockets()
    # The smallest rows, so that as much as possible is said around them.
    small = msgspec.structs.replace(EVENT, name='"' * 100, message_id='"' * 100, body="{}", results="[]")
    push_rows(runtime, offered(runtime, *[(10**18 + number, small) for number in range(1_000)]))
    (update,) = runtime.gateway.sent["ann"]
    assert update["stored"] == 1_000
    assert 100 < len(update["logs"]) < 1_000
    assert max(gateway.sizes) <= 128 * 1024


def test_connection_that_is_gone_is_forgotten_and_the_others_are_told(written: Reader) -> None:
    runtime = runtime_with("ann", "bob")
    runtime.gateway.closed.add("ann")
    push_rows(runtime, offered(runtime))
    assert runtime.gateway.sent == {"bob": [UPDATE]}
    assert (members(runtime), runtime.subscriptions.connection("ann")) == (["bob"], None)
    assert metrics(written()) == {"Pushed": [1], "Gone": [1]}


def test_connection_that_fails_costs_the_others_nothing_and_is_not_sent_it_again() -> None:
    runtime = runtime_with("ann", "bob")
    runtime.gateway.broken.add("ann")
    push_rows(runtime, offered(runtime))
    runtime.gateway.broken.clear()
    push_rows(runtime, offered(runtime, (6, EVENT)))
    assert [[row["id"] for row in update["logs"]] for update in runtime.gateway.sent["ann"]] == [[6]]
    assert [[row["id"] for row in update["logs"]] for update in runtime.gateway.sent["bob"]] == [[5], [6]]
    assert members(runtime) == ["ann", "bob"]


@pytest.mark.parametrize("ending", ["token", "revoked", "key"])
def test_who_may_not_see_the_rows_any_more_is_told_so_once_and_sees_none(ending: str) -> None:
    hows: dict[str, dict[str, Any]] = {"token": {"ends_s": NOW}, "revoked": {}, "key": {"key_id": "0" * 16}}
    runtime = runtime_with("ann", **hows[ending])
    watch(runtime, "bob", user_id="8")
    if ending == "revoked":
        runtime.keys.raise_epoch("7")
    for _ in range(2):
        push_rows(runtime, offered(runtime))
    assert runtime.gateway.sent == {
        "ann": [{"type": "left", "app_id": "shop", "message": NOT_GOOD}],
        "bob": [UPDATE, UPDATE],
    }
    assert members(runtime) == ["bob"]


def test_who_watches_an_app_that_was_removed_is_told_so() -> None:
    runtime = runtime_with("ann")
    watch(runtime, "bob", app=12, app_id="bank")
    runtime.live.end(11)
    push_rows(runtime, [body for _, body in runtime.parts.queues.posted])
    assert runtime.gateway.sent == {"ann": [{"type": "left", "app_id": "shop", "message": "the app was removed"}]}
    assert members(runtime) == ["bob"]


class NoRemoval(MemorySubscriptions):
    """A store in which nothing can be removed."""

    def leave(self, connection_id: str, app: int) -> None:
        raise Unavailable("the subscription store cannot be reached")


def test_connection_that_cannot_be_removed_is_found_again_by_the_next_rows() -> None:
    runtime = MemoryRuntime()
    runtime.watchers = runtime.__dict__["subscriptions"] = NoRemoval()
    for name in ("ann", "bob", "eve"):
        watch(runtime, name)
    runtime.gateway.closed.update(("ann", "bob"))
    push_rows(runtime, [*offered(runtime), *offered(runtime)])
    assert (runtime.gateway.sent, members(runtime)) == ({"eve": [UPDATE, UPDATE]}, ["ann", "bob", "eve"])


def test_message_that_cannot_be_read_takes_no_other_with_it(written: Reader) -> None:
    runtime = runtime_with("ann")
    push_rows(runtime, ["{", '{"type": "live_rows", "app": 11}', '{"type": "unknown", "app": 11}', *offered(runtime)])
    assert runtime.gateway.sent == {"ann": [UPDATE]}
    assert [line["message"] for line in written() if line.get("level") == "ERROR"] == ["unreadable rows"] * 3


def test_rows_whose_watchers_cannot_be_read_are_left_out_and_the_next_ones_are_sent() -> None:
    runtime = runtime_with("ann")
    bodies = offered(runtime)
    runtime.watchers.is_away = True
    push_rows(runtime, bodies)
    runtime.watchers.is_away = False
    push_rows(runtime, offered(runtime, (6, EVENT)))
    assert [[row["id"] for row in update["logs"]] for update in runtime.gateway.sent["ann"]] == [[6]]


def test_rows_that_nobody_watches_any_more_write_no_metric(written: Reader) -> None:
    runtime = runtime_with("ann")
    bodies = offered(runtime)
    runtime.subscriptions.leave("ann", 11)
    push_rows(runtime, bodies)
    assert (runtime.gateway.sent, written()) == ({}, [])
