"""Rows that are offered to who watches, over a memory runtime."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.aws.memory_sockets import MemorySubscriptions
from chalicelib.aws.subscriptions import Connection, Member
from chalicelib.clock import FixedClock
from chalicelib.db.events.writer import NewEvent
from chalicelib.errors import Unavailable
from chalicelib.jobs.memory import MemoryQueues
from chalicelib.live import MOST_BYTES, Live


class Post(MemoryQueues):
    """Queues that fail with `failure` while there is one."""

    failure: Exception | None = None

    def post(self, queue: str, body: str) -> None:
        if self.failure is not None:
            raise self.failure
        super().post(queue, body)


class Desk:
    """A worker's side: who watches, what was offered, and the time."""

    def __init__(self, *watched: int) -> None:
        self.watchers, self.queues, self.clock = MemorySubscriptions(), Post(), FixedClock()
        self.live = Live(self.watchers, self.queues, self.clock)
        self.watchers.connect(Connection(id="ann", expires_s=1_750_008_100, user_id="7"))
        for app in watched:
            self.watch(app)

    def watch(self, app: int) -> None:
        self.watchers.join(Member(connection_id="ann", app=app, app_id=f"app-{app}", user_id="7"))

    def offered(self) -> list[Any]:  # the messages, as data
        assert {queue for queue, _ in self.queues.posted} <= {"live"}
        found = [msgspec.json.decode(body) for _, body in self.queues.posted]
        self.queues.posted.clear()
        return found


def row(row_id: int, app: int = 1, **changes: object) -> tuple[int, NewEvent]:
    said: dict[str, object] = {
        "app": app,
        "message_id": f"m-{row_id}",
        "accepted_ms": 1_750_000_000_000,
        "name": "login",
        "status": "valid",
        "is_user": True,
        "rules_version": 3,
        "body_hash": b"",
        "body": '{"x":"é"}',
        "results": "[]",
    }
    return row_id, NewEvent(**(said | changes))  # type: ignore[arg-type]


def shown(row_id: int) -> list[object]:
    return [row_id, f"m-{row_id}", "login", "valid", True, 3, 1_750_000_000_000, {"x": "é"}, True, []]


def test_rows_of_a_watched_app_are_one_message_newest_first() -> None:
    desk = Desk(1)
    desk.live.offer([row(5), row(6, app=2), row(7)])
    assert desk.offered() == [{"type": "live_rows", "app": 1, "rows": [shown(7), shown(5)], "stored": 2}]


def test_each_watched_app_has_a_message_of_its_own() -> None:
    desk = Desk(1, 3)
    desk.live.offer([row(5), row(6, app=2), row(7, app=3)])
    assert [(message["app"], message["stored"]) for message in desk.offered()] == [(1, 1), (3, 1)]


def test_apps_that_nobody_watches_cost_one_question_in_two_seconds() -> None:
    desk = Desk()
    for _ in range(10):
        desk.live.offer([row(number, app=number) for number in range(1, 50)])
        desk.clock.advance(0.19)
    assert (desk.watchers.reads, desk.offered()) == (1, [])
    desk.clock.advance(0.2)
    desk.live.offer([row(1)])
    assert desk.watchers.reads == 2


def test_no_rows_cost_nothing() -> None:
    desk = Desk(1)
    desk.live.offer([])
    assert (desk.watchers.reads, desk.offered()) == (0, [])


def test_who_comes_is_known_two_seconds_later() -> None:
    desk = Desk()
    desk.live.offer([row(1)])
    desk.watch(1)
    desk.clock.advance(1.9)
    desk.live.offer([row(2)])
    assert desk.offered() == []
    desk.clock.advance(0.1)
    desk.live.offer([row(3)])
    assert [message["rows"] for message in desk.offered()] == [[shown(3)]]


def test_more_rows_than_a_message_holds_are_the_newest_of_them() -> None:
    desk = Desk(1)
    desk.live.offer([row(number, body=f'"{"x" * 49_000}"') for number in range(1, 6)])
    (message,) = desk.offered()
    assert ([one[0] for one in message["rows"]], message["stored"]) == ([5, 4], 5)


def test_row_that_no_message_holds_does_not_keep_the_others_back() -> None:
    desk = Desk(1)
    desk.live.offer([row(1), row(2, body=f'"{"é" * (MOST_BYTES // 2)}"')])
    (message,) = desk.offered()
    assert ([one[0] for one in message["rows"]], message["stored"]) == ([1], 2)


@pytest.mark.parametrize("failure", [Unavailable("the job queue cannot be reached"), RuntimeError("no such queue")])
def test_queue_that_fails_fails_nothing_and_is_left_alone_for_a_minute(failure: Exception) -> None:
    desk = Desk(1)
    desk.queues.failure = failure
    desk.live.offer([row(1)])
    desk.queues.failure = None
    reads = desk.watchers.reads
    desk.clock.advance(59)
    desk.live.offer([row(2)])
    assert (desk.watchers.reads, desk.offered()) == (reads, [])
    desk.clock.advance(1)
    desk.live.offer([row(3)])
    assert [message["rows"] for message in desk.offered()] == [[shown(3)]]


def test_store_of_who_watches_that_is_away_is_asked_once_a_minute() -> None:
    desk = Desk(1)
    desk.watchers.is_away = True
    for _ in range(10):
        desk.live.offer([row(1)])
        desk.clock.advance(5)
    assert (desk.watchers.reads, desk.offered()) == (1, [])


def test_end_of_an_app_is_offered_and_costs_its_removal_nothing_if_it_fails() -> None:
    desk = Desk()
    desk.live.end(4)
    assert desk.offered() == [{"type": "room_end", "app": 4}]
    desk.queues.failure = Unavailable("the job queue cannot be reached")
    desk.live.end(4)
    assert desk.offered() == []
