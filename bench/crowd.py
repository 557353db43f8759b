"""Users who each submit a forecast and poll until its result is there, again and again until the time is up.

A process of its own: the front door is a thread of the bench, and clients must not share an interpreter with it.
`python -m bench.crowd '<Orders as JSON>'` prints a Record as JSON. Nothing is tried twice: an answer other than 2xx, or
none, fails the job it belongs to.
"""

from __future__ import annotations

import asyncio
import math
import random
import sys
import time
from typing import Any

import aiohttp
import msgspec

TRIALS = 10_000
# Between two looks at a task, and before a user goes on after a failure, unless the answer has a Retry-After.
POLL_S = 1.0
JOB_DEADLINE_S, ANSWER_DEADLINE_S = 60.0, 40.0
MAX_ROUNDS = 30
# Connections that idle for longer are not used again: gunicorn closes them after 5 s.
_KEEP_ALIVE_S = 3.0
SPLIT_RATES = [1.0, 1.1, 1.2, 1.3]


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What a crowd is to do."""

    url: str
    users: int
    seconds: float  # after which no new job is begun
    first: int  # number of the first job; a job's request follows from its number


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one job went: with a result, or with the sort of its failure."""

    number: int
    result_s: float | None = None  # from before the submit until the result was read
    median_weeks: float | None = None  # as forecast
    failure: str = ""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a crowd has seen."""

    outcomes: list[Outcome]
    submits_s: list[float]  # of the submits that were accepted
    statuses: dict[str, int]  # answers by what was asked and status, as in "POST 202"
    wall_s: float  # from the first submit to the last answer
    cpu_s: float  # of the clients themselves


class _Failed(Exception):
    """The job has failed; `pause_s` is how long the server asks to stay away."""

    def __init__(self, sort: str, pause_s: float = POLL_S) -> None:
        super().__init__(sort)
        self.pause_s = pause_s


def forecast(number: int) -> dict[str, Any]:  # a JSON object
    """The request of that job: about the same work for each number, and (tried up to 60,000) no two alike."""
    rng = random.Random(number)
    return {
        "projectName": f"Project {number}",
        "tpSamples": [rng.randint(3, 15) for _ in range(48)],
        "numberOfTasks": rng.randint(40, 60),
        "splitRateSamples": SPLIT_RATES,
        "totalContributors": 5,
        "numberOfSimulations": TRIALS,
        "seed": number,
    }


class Crowd:
    """The users of one step."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._outcomes: list[Outcome] = []
        self._submits_s: list[float] = []
        self._statuses: dict[str, int] = {}

    async def work(self) -> Record:
        """Let all users work, and tell what they saw."""
        began, cpu = time.perf_counter(), time.process_time()
        self._end = began + self._orders.seconds
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S)
        timeout = aiohttp.ClientTimeout(total=ANSWER_DEADLINE_S)
        async with aiohttp.ClientSession(self._orders.url, connector=connector, timeout=timeout) as self._http:
            await asyncio.gather(*(self._use(user) for user in range(self._orders.users)))
        wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
        return Record(
            outcomes=self._outcomes, submits_s=self._submits_s, statuses=self._statuses, wall_s=wall_s, cpu_s=cpu_s
        )

    async def _use(self, user: int) -> None:
        await asyncio.sleep(POLL_S * user / self._orders.users)  # people do not all click at once
        for turn in range(MAX_ROUNDS):
            number = self._orders.first + turn * self._orders.users + user
            try:
                self._outcomes.append(await self._run(number))
            except _Failed as failed:
                self._outcomes.append(Outcome(number=number, failure=str(failed)))
                await asyncio.sleep(failed.pause_s)
            if time.perf_counter() >= self._end:
                return

    async def _run(self, number: int) -> Outcome:
        request = forecast(number)
        began = time.perf_counter()
        task, pause_s = await self._call("POST", "/api/async/simulate", request)
        self._submits_s.append(time.perf_counter() - began)
        while True:
            await asyncio.sleep(pause_s)
            seen, pause_s = await self._call("GET", task["poll_url"])
            result_s = time.perf_counter() - began
            if seen["state"] == "SUCCESS":
                return Outcome(number=number, result_s=result_s, median_weeks=_median_weeks(request, seen))
            if seen["state"] in ("FAILURE", "REVOKED"):
                raise _Failed(f"ended as {seen['state']}: {seen.get('error')}")
            if result_s > JOB_DEADLINE_S:
                raise _Failed(f"{seen['state']} after {JOB_DEADLINE_S:.0f} s")

    async def _call(self, method: str, path: str, body: object = None) -> tuple[dict[str, Any], float]:  # JSON
        """The answer, and how many seconds to wait before the next look."""
        try:
            async with self._http.request(method, path, json=body) as answer:
                content = await answer.read()
                status, pause_s = answer.status, float(answer.headers.get("Retry-After", POLL_S))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _Failed(f"{method}: no answer, {type(error).__name__}") from None
        key = f"{method} {status}"
        self._statuses[key] = self._statuses.get(key, 0) + 1
        if not 200 <= status < 300:
            raise _Failed(f"{key}: {_detail(content)}", pause_s)
        document: dict[str, Any] = msgspec.json.decode(content)
        return document, pause_s


def _detail(content: bytes) -> str:
    try:
        document = msgspec.json.decode(content)
        return str(document.get("detail") or document.get("message") or document)[:200]
    except (msgspec.DecodeError, AttributeError):
        return content[:200].decode(errors="replace")


def _median_weeks(request: dict[str, Any], seen: dict[str, Any]) -> float:
    """The forecast's median; fails the job when its percentiles cannot be right."""
    levels = seen["result"]["percentiles"]
    values = [levels.get(name) for name in ("p50", "p85", "p95")]
    tasks, samples = request["numberOfTasks"], request["tpSamples"]
    fewest = math.ceil(tasks * min(SPLIT_RATES) / max(samples))
    most = math.ceil(tasks * max(SPLIT_RATES) / min(samples))
    if not all(isinstance(value, int | float) for value in values):
        raise _Failed(f"wrong result: percentiles {levels}")
    if not fewest <= values[0] <= values[1] <= values[2] <= most:
        raise _Failed(f"wrong result: {values} weeks, possible are {fewest} to {most}")
    return float(values[0])


if __name__ == "__main__":
    orders = msgspec.json.decode(sys.argv[1], type=Orders)
    print(msgspec.json.encode(asyncio.run(Crowd(orders).work())).decode())
