"""The pieces of work that are priced: what clients send, and which functions run until it is done."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from bench.kinds import PROJECT
from localstack.demo import APP

BASIC = {"tpSamples": [5, 6, 7, 8, 5, 6, 4, 7, 9, 6, 8, 5], "numberOfTasks": 50, "totalContributors": 5}
_WORDS = ("road", "school", "bridge", "supply", "repair", "delivery", "construction", "flood", "building", "medical")
_NUMBERS = itertools.count()


class Functions(Protocol):
    """The app's functions, as bench.cost_process runs them."""

    def request(self, step: str, method: str, resource: str, body: object = None, **parts: str) -> Any: ...

    def work(self, queue: str, count: int = 1) -> None: ...

    def store(self, count: int) -> None: ...

    def push(self) -> None: ...

    def sweep(self) -> None: ...


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work; `act` does it once."""

    name: str
    events: int
    rounds: int
    act: Callable[[Functions], None]


def event() -> dict[str, Any]:
    """An event of some 450 bytes; with what is found about it a row has 1.3 KB."""
    number = next(_NUMBERS)
    return {
        "eventName": "purchase",
        "messageId": str(uuid.uuid4()),
        "sessionId": f"s-{number:016x}",
        "userId": number,
        "payload": {
            "orderId": f"O-{number}",
            "total": 120.5,
            "currency": "EUR",
            "coupon": "none",
            "items": [{"sku": f"S-{number % 997}-{place}", "price": 40.25} for place in range(3)],
        },
    }


def singles(count: int) -> Callable[[Functions], None]:
    """So many requests of one event each, which one invocation of the worker stores."""

    def act(functions: Functions) -> None:
        for _ in range(count):
            functions.request("submit", "POST", "/api/logs/{app_id}", event(), app_id=APP)
        functions.work("events", count)

    return act


def batch(size: int) -> Callable[[Functions], None]:
    """One request of so many events; nobody asks what became of it."""

    def act(functions: Functions) -> None:
        functions.request("submit", "POST", "/api/logs/{app_id}/batch", [event() for _ in range(size)], app_id=APP)
        functions.push()
        functions.work("events")
        functions.push()

    return act


def job(path: str, queue: str, body: Callable[[], dict[str, Any]]) -> Callable[[Functions], None]:
    """A job of an account that is asked for three times: twice before it has run, and once for its result."""

    def act(functions: Functions) -> None:
        task = functions.request("submit", "POST", path, body())["task_id"]
        functions.push()
        for _ in range(2):
            functions.request("poll", "GET", "/api/tasks/{task_id}", task_id=task)
        functions.work(queue)
        functions.push()
        done = functions.request("result", "GET", "/api/tasks/{task_id}", task_id=task)
        if done["state"] != "SUCCESS":
            raise SystemExit(f"{path}: {done}")

    return act


def _question() -> dict[str, Any]:
    """Each of other words than the ones before, for answers are kept."""
    number = next(_NUMBERS)
    words = _WORDS[number % 10], _WORDS[number // 10 % 10]
    return {"keywords": [" && ".join(words)], "value_range": {"min": number}}


def _forecast(body: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    return lambda: body


SCENARIOS = (
    Scenario(name="single event, 1 an invocation", events=1, rounds=150, act=singles(1)),
    Scenario(name="single events, 10 an invocation", events=10, rounds=30, act=singles(10)),
    Scenario(name="single events, 100 an invocation", events=100, rounds=5, act=singles(100)),
    Scenario(name="worker alone, 1,000 events", events=1_000, rounds=4, act=lambda functions: functions.store(1_000)),
    Scenario(name="batch of 10 events", events=10, rounds=60, act=batch(10)),
    Scenario(name="batch of 100 events", events=100, rounds=20, act=batch(100)),
    Scenario(
        name="basic forecast", events=0, rounds=30, act=job("/api/async/simulate", "simulations", _forecast(BASIC))
    ),
    Scenario(
        name="full forecast", events=0, rounds=10, act=job("/api/async/simulate", "simulations", _forecast(PROJECT))
    ),
    Scenario(name="search", events=0, rounds=20, act=job("/api/async/contracts/search", "searches", _question)),
    Scenario(name="a minute's sweep", events=0, rounds=20, act=lambda functions: functions.sweep()),
    Scenario(name="charts", events=0, rounds=20, act=job("/api/async/contracts/analytics", "searches", _question)),
)
