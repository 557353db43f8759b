"""WebSocket connections over a memory runtime: who may connect, what is answered, what a new one is sent."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.accounts.tokens import issue_token
from chalicelib.api.socket import answer, greet, open_connection
from chalicelib.aws.memory_sockets import MemorySockets
from chalicelib.aws.subscriptions import Connection, Subscriber
from chalicelib.errors import Unavailable
from chalicelib.jobs.state import BEAT, CLAIM, REVOKE, State
from chalicelib.jobs.store import Change, Job
from chalicelib.model import Caller
from tests.doubles import SECRET, MemoryRuntime

NOW = 1_750_000_000
HELLO = {"type": "connection", "message": "connected; subscribe to tasks, or join apps, by their id"}
SUBSCRIBED = {"type": "subscribed", "task_id": "task-1", "message": "every change of this task is sent from now on"}
NO_TASK = {"type": "error", "task_id": "task-1", "message": "there is no task task-1"}


def token(user_id: str) -> str:
    return issue_token(Caller(user_id, "student"), secret=SECRET, now_s=NOW, ttl_s=60)


def runtime_with(owner: str = "", **fields: Any) -> MemoryRuntime:
    """A runtime with task-1 and the open connections `ann` (user 7) and `bob` (nobody)."""
    runtime = MemoryRuntime()
    values: dict[str, Any] = {
        "id": "task-1", "kind": "echo", "state": State.PENDING, "created_ms": NOW * 1000, "updated_ms": NOW * 1000,
        "expires_s": NOW + 1000, "keep_s": 3600, "owner": owner, "stage": "queued",
    }  # fmt: skip
    runtime.parts.store.add(Job(**(values | fields)), b"{}")
    for name, user_id in (("ann", "7"), ("bob", "")):
        runtime.subscriptions.connect(Connection(id=name, expires_s=NOW + 8100, user_id=user_id))
    return runtime


def tell(runtime: MemoryRuntime, connection_id: str, action: str) -> list[Any]:
    """What the connection has been sent once it has asked for task-1."""
    answer(runtime, connection_id, msgspec.json.encode({"action": action, "task_id": "task-1"}).decode())
    return runtime.gateway.sent[connection_id]


def status(state: str, says: str, progress: int = 0, stage: str = "queued", **data: Any) -> dict[str, Any]:
    common = {
        "task_id": "task-1", "kind": "echo", "state": state, "status": says, "progress": progress, "current": progress,
        "total": 100, "stage": stage, "ready": False, "successful": None, "error": None, "result_url": None,
        "cache_key": None,
    }  # fmt: skip
    return {
        "type": "task_status",
        "task_id": "task-1",
        "data": common | data,
        "progress": progress,
        "cache_key": None,
    }


def opened(
    runtime: MemoryRuntime, query: dict[str, str] | None = None, **headers: str
) -> tuple[int, Connection | None]:
    code = open_connection(runtime, "eve", query=query or {}, headers=headers)
    return code, runtime.subscriptions.connection("eve")


def test_connection_without_credentials_is_opened_for_nobody() -> None:
    assert opened(MemoryRuntime()) == (200, Connection(id="eve", expires_s=NOW + 8100))


@pytest.mark.parametrize("way", ["query", "header", "cookie"])
def test_connection_is_the_users_whose_token_it_brings(way: str) -> None:
    runtime = MemoryRuntime(public_url="https://sluice.test")
    query = {"token": token("7"), "task_id": "task-1"} if way == "query" else {"task_id": "task-1"}
    headers = {
        "query": {},
        "header": {"Authorization": f"Bearer {token('7')}"},
        "cookie": {"Cookie": f"sluice_token={token('7')}", "Origin": "https://sluice.test"},
    }[way]
    expected = Connection(id="eve", expires_s=NOW + 8100, user_id="7", asked="task-1", ends_s=NOW + 60)
    assert opened(runtime, query, **headers) == (200, expected)


def test_bad_token_is_refused_at_the_door() -> None:
    assert opened(MemoryRuntime(), {"token": "bad"}) == (401, None)
    assert opened(MemoryRuntime(), Authorization="Basic abc") == (401, None)


def test_cookie_from_a_page_of_another_origin_is_refused() -> None:
    runtime = MemoryRuntime(public_url="https://sluice.test")
    cookie = f"sluice_token={token('7')}"
    assert opened(runtime, Cookie=cookie, Origin="https://evil.test") == (403, None)


def test_subscriber_is_told_the_present_state() -> None:
    runtime = runtime_with()
    assert tell(runtime, "bob", "subscribe") == [SUBSCRIBED, status("PENDING", "Waiting in the queue")]
    assert runtime.subscriptions.subscribers("task-1") == [Subscriber(connection_id="bob", since=200)]


def test_unsubscribed_connection_is_not_watching_any_more() -> None:
    runtime = runtime_with()
    tell(runtime, "bob", "subscribe")
    left = {"type": "unsubscribed", "task_id": "task-1", "message": "nothing more is sent about this task"}
    assert tell(runtime, "bob", "unsubscribe")[2:] == [left]
    assert runtime.subscriptions.subscribers("task-1") == []


def test_check_status_answers_without_subscribing() -> None:
    runtime = runtime_with()
    runtime.parts.store.apply("task-1", CLAIM, Change(now_ms=NOW * 1000, stage="started"))
    runtime.parts.store.apply("task-1", BEAT, Change(now_ms=NOW * 1000, attempt=1, progress=40, stage="at it"))
    assert tell(runtime, "bob", "check_status") == [status("PROGRESS", "Running", 40, "at it")]
    assert runtime.subscriptions.subscribers("task-1") == []


def test_task_that_follows_watches_its_job_and_shows_the_jobs_state() -> None:
    runtime = runtime_with(state=State.PROGRESS, attempt=1, progress=40, stage="half", cache_key="echo:1")
    job = runtime.parts.store.find("task-1")
    assert job is not None
    task = msgspec.structs.replace(job.job, id="task-2", follows="task-1", state=State.PENDING, cache_key="echo:1")
    runtime.parts.store.follow(task, Change(now_ms=NOW * 1000))
    answer(runtime, "bob", '{"action": "subscribe", "task_id": "task-2"}')
    shown = runtime.gateway.sent["bob"][-1]
    assert (shown["task_id"], shown["progress"], shown["cache_key"]) == ("task-2", 40, "echo:1")
    assert (shown["data"]["task_id"], shown["data"]["state"]) == ("task-2", "PROGRESS")
    assert runtime.subscriptions.subscribers("task-1") == [
        Subscriber(connection_id="bob", task_id="task-2", since=1041),
    ]
    answer(runtime, "bob", '{"action": "unsubscribe", "task_id": "task-2"}')
    assert runtime.subscriptions.subscribers("task-1") == []


@pytest.mark.parametrize("action", ["subscribe", "check_status"])
def test_task_of_an_account_is_shown_to_its_owner_only(action: str) -> None:
    runtime = runtime_with(owner="7")
    assert tell(runtime, "bob", action) == [NO_TASK]
    assert tell(runtime, "ann", action)[-1] == status("PENDING", "Waiting in the queue")
    watching = [subscriber.connection_id for subscriber in runtime.subscriptions.subscribers("task-1")]
    assert watching == (["ann"] if action == "subscribe" else [])


@pytest.mark.parametrize("action", ["subscribe", "check_status"])
def test_task_that_has_expired_is_not_there(action: str) -> None:
    assert tell(runtime_with(expires_s=NOW), "bob", action) == [NO_TASK]


def test_owner_whose_connection_is_not_known_sees_nothing() -> None:
    assert tell(runtime_with(owner="7"), "eve", "subscribe") == [NO_TASK]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hello", "JSON is malformed: invalid character (byte 0)"),
        ("[1]", "Expected `object`, got `array`"),
        ('{"action": "kill", "task_id": "task-1"}', "Invalid enum value 'kill' - at `$.action`"),
        ('{"action": "subscribe"}', "Object missing required field `task_id`"),
        ('{"action": "join", "task_id": "task-1"}', "Object missing required field `app_id`"),
        ('{"action": "leave", "app_id": ""}', "Expected `str` of length >= 1 - at `$.app_id`"),
        ('{"action": "subscribe", "task_id": ""}', "Expected `str` of length >= 1 - at `$.task_id`"),
    ],
)
def test_message_that_makes_no_sense_is_answered_with_how_to_ask(text: str, reason: str) -> None:
    runtime = runtime_with()
    answer(runtime, "bob", text)
    usage = (
        'send {"action": "subscribe" | "unsubscribe" | "check_status", "task_id": "..."} '
        'or {"action": "join" | "leave", "app_id": "..."}'
    )
    assert runtime.gateway.sent["bob"] == [{"type": "error", "message": f"{usage}: {reason}"}]


class MovingSockets(MemorySockets):
    """A gateway so slow that the task moves while its state is being sent, the first time."""

    def __init__(self, runtime: MemoryRuntime) -> None:
        super().__init__()
        self._runtime = runtime

    def send(self, connection_id: str, message: bytes) -> bool:
        found = self._runtime.parts.store.find("task-1")
        if b"task_status" in message and found is not None and found.job.state is State.PENDING:
            self._runtime.parts.store.apply("task-1", REVOKE, Change(now_ms=NOW * 1000, stage="cancelled"))
        return super().send(connection_id, message)


def test_state_that_has_changed_while_it_was_sent_does_not_stand_last() -> None:
    runtime = runtime_with()
    runtime.gateway = runtime.__dict__["sockets"] = MovingSockets(runtime)
    revoked = status("REVOKED", "Cancelled", stage="cancelled", ready=True, successful=False)
    told = tell(runtime, "bob", "subscribe")
    assert told == [SUBSCRIBED, status("PENDING", "Waiting in the queue"), revoked]


def test_new_connection_is_greeted_and_told_the_state_of_the_task_in_its_address() -> None:
    runtime = runtime_with(owner="7")
    opened(runtime, {"token": token("7"), "task_id": "task-1"})
    greet(runtime, ["eve"])
    assert runtime.gateway.sent["eve"] == [HELLO, SUBSCRIBED, status("PENDING", "Waiting in the queue")]
    assert runtime.subscriptions.subscribers("task-1") == [Subscriber(connection_id="eve", since=200)]


@pytest.mark.parametrize("action", ["subscribe", "check_status"])
def test_own_task_is_shown_as_long_as_the_credential_is_good(action: str) -> None:
    ended = {
        "type": "error",
        "task_id": "task-1",
        "message": "the token or API key of this connection has expired or was revoked; connect again with a new one",
    }
    runtime = runtime_with(owner="7")
    runtime.subscriptions.connect(Connection(id="short", expires_s=NOW + 8100, user_id="7", ends_s=NOW + 60))
    runtime.parts.clock.advance(60)
    assert tell(runtime, "short", action) == [ended]
    assert tell(runtime, "ann", action)[-1]["type"] == "task_status"
    runtime.keys.raise_epoch("7")
    # A process remembers an epoch for 30 s.
    runtime.parts.clock.advance(30)
    assert tell(runtime, "ann", action)[-1] == ended


def test_new_connection_that_asks_for_somebody_elses_task_is_told_so() -> None:
    runtime = runtime_with(owner="7")
    opened(runtime, {"task_id": "task-1"})
    greet(runtime, ["eve"])
    assert runtime.gateway.sent["eve"] == [HELLO, NO_TASK]


def test_connection_is_greeted_once_also_when_the_stream_hands_it_over_again() -> None:
    runtime = runtime_with()
    greet(runtime, ["ann", "nobody"])
    greet(runtime, ["ann", "bob"])
    assert runtime.gateway.sent == {"ann": [HELLO], "bob": [HELLO]}


class OpeningSockets(MemorySockets):
    """A gateway that opens its connections after three refused messages."""

    def __init__(self, refusal: Unavailable | None) -> None:
        super().__init__()
        self._refusal = refusal
        self._refused = 0

    def send(self, connection_id: str, message: bytes) -> bool:
        if connection_id == "ann" and self._refused < 3:
            self._refused += 1
            if self._refusal:
                raise self._refusal
            return False
        return super().send(connection_id, message)


@pytest.mark.parametrize("refusal", [None, Unavailable("the WebSocket gateway cannot be reached")])
def test_connection_that_is_not_open_yet_is_waited_for(refusal: Unavailable | None) -> None:
    runtime = runtime_with()
    runtime.gateway = runtime.__dict__["sockets"] = OpeningSockets(refusal)
    greet(runtime, ["ann", "bob"])
    assert runtime.gateway.sent == {"bob": [HELLO], "ann": [HELLO]}
    assert runtime.clock.now() == pytest.approx(NOW + 0.35)


def test_connection_that_never_opens_is_forgotten() -> None:
    runtime = runtime_with()
    runtime.gateway.closed.add("ann")
    greet(runtime, ["ann", "bob"])
    assert runtime.subscriptions.connection("ann") is None
    assert runtime.gateway.sent == {"bob": [HELLO]}
