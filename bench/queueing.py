"""Events between the queue and Postgres, simulated: how late rows are, how full invocations are, what keeps up.

A discrete-event simulation of what stands between SQS and a row: an event source mapping hands up to `batch` messages
to a worker, as many at a time as it may have; the worker does what it does itself and then asks Postgres, whose
processors are shared by all that ask (processor sharing). Its inputs are service times that were measured, and tests
hold it against the formulas for M/M/c and M/D/1.

    python -m bench.queueing --check           held against the local stack, some three minutes
    python -m bench.queueing --from COST.json  what limits 10, 100 and 1,000 times the reference load, from a file that
                                               `python -m bench.cost --json COST.json` has written
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import math
import statistics
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random

import msgspec

# AWS, "Configuring scaling behavior for SQS event source mappings": five invocations at first, 300 more a minute.
FIRST, MORE_PER_S = 5, 300 / 60


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """An event source mapping of a queue."""

    batch: int
    window_s: float = 0.0
    # MaximumConcurrency.
    concurrency: int


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of an invocation that stores n events: `base + n * each`, of its own and of Postgres's processors."""

    own_base_s: float
    own_each_s: float = 0.0
    database_base_s: float = 0.0
    database_each_s: float = 0.0
    # What the own time is multiplied with, drawn anew for each invocation; of mean 1.
    factors: tuple[float, ...] = (1.0,)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; lags are of events, from their arrival until they are stored."""

    p50_s: float
    p95_s: float
    p99_s: float
    mean_s: float
    # From a message's readiness to the beginning of its invocation.
    mean_wait_s: float
    events_per_invocation: float
    # Of the time from the first arrival to the last end.
    busy_workers: float
    busy_database: float
    seconds: float
    # After the last arrival, until nothing was left.
    drained_after_s: float


class Shared:
    """So many processors, shared equally by all work that is there; one piece uses one of them at most."""

    def __init__(self, processors: float) -> None:
        self._processors = processors
        self._left: dict[int, float] = {}
        self._at_s = 0.0
        self.used_s = 0.0

    def add(self, key: int, seconds: float, now_s: float) -> None:
        self._advance(now_s)
        self._left[key] = seconds

    def take_done(self, now_s: float) -> list[int]:
        """What has ended by now."""
        self._advance(now_s)
        done = [key for key, left in self._left.items() if left <= 1e-9]
        for key in done:
            del self._left[key]
        return done

    def next_s(self) -> float:
        """When the next piece ends if nothing is added; infinite where there is none."""
        if not self._left:
            return math.inf
        return self._at_s + min(self._left.values()) / self._pace()

    def _pace(self) -> float:
        return min(1.0, self._processors / len(self._left))

    def _advance(self, now_s: float) -> None:
        if self._left:
            done = (now_s - self._at_s) * self._pace()
            self.used_s += done * len(self._left)
            self._left = {key: left - done for key, left in self._left.items()}
        self._at_s = now_s


class _Message(msgspec.Struct, frozen=True):
    arrived_s: float
    ready_s: float
    events: int


class Simulation:
    """One run."""

    def __init__(self, mapping: Mapping, service: Service, processors: float, random: Random) -> None:
        self._mapping, self._service, self._random = mapping, service, random
        self._database = Shared(processors)
        self._heap: list[tuple[float, int, str, object]] = []
        self._count = 0
        self._waiting: deque[_Message] = deque()
        self._behind_since_s: float | None = None
        self._running: dict[int, tuple[float, list[_Message]]] = {}
        self._lags: list[tuple[float, int]] = []
        self._waits: list[float] = []
        self._busy_s = 0.0
        self._began = 0

    def run(self, arrivals: Iterable[tuple[float, int]], delay_s: Callable[[], float] = lambda: 0.0) -> Outcome:
        """Arrivals are times and numbers of events; each message can be taken after a delay of its own."""
        came = sorted(arrivals)
        for arrived_s, events in came:
            ready_s = arrived_s + delay_s()
            self._plan(ready_s, "ready", _Message(arrived_s, ready_s, events))
        ended_s = 0.0
        while self._heap or self._running:
            by_database_s = self._database.next_s()
            if not self._heap or by_database_s <= self._heap[0][0]:
                now_s = by_database_s
                for key in self._database.take_done(now_s):
                    self._end(key, now_s)
                    ended_s = now_s
            else:
                now_s, _, what, given = heapq.heappop(self._heap)
                if what == "ready":
                    assert isinstance(given, _Message)
                    self._waiting.append(given)
                elif what == "asks":
                    assert isinstance(given, int)
                    ended_s = max(ended_s, self._ask(given, now_s))
            self._dispatch(now_s)
        return self._outcome(came[0][0], came[-1][0], ended_s)

    def _plan(self, at_s: float, what: str, given: object = None) -> None:
        self._count += 1
        heapq.heappush(self._heap, (at_s, self._count, what, given))

    def _dispatch(self, now_s: float) -> None:
        mapping = self._mapping
        while self._waiting and len(self._running) < self._limit(now_s):
            full_at_s = self._waiting[0].ready_s + mapping.window_s
            if len(self._waiting) < mapping.batch and now_s < full_at_s - 1e-9:
                self._plan(full_at_s, "look")
                break
            taken = [self._waiting.popleft() for _ in range(min(mapping.batch, len(self._waiting)))]
            self._begin(taken, now_s)
        if not self._waiting:
            self._behind_since_s = None
        elif self._behind_since_s is None:
            self._behind_since_s = now_s
        elif len(self._running) >= self._limit(now_s) < mapping.concurrency:
            self._plan(now_s + 1 / MORE_PER_S, "look")

    def _limit(self, now_s: float) -> int:
        """Invocations at a time, of which there are more the longer messages have had to wait."""
        more = 0.0 if self._behind_since_s is None else MORE_PER_S * (now_s - self._behind_since_s)
        return min(self._mapping.concurrency, max(FIRST + int(more), len(self._running)))

    def _begin(self, taken: list[_Message], now_s: float) -> None:
        self._count += 1
        self._began += 1
        self._running[self._count] = now_s, taken
        self._waits += [now_s - message.ready_s for message in taken]
        events = sum(message.events for message in taken)
        factor = self._random.choice(self._service.factors)
        own_s = (self._service.own_base_s + events * self._service.own_each_s) * factor
        self._plan(now_s + own_s, "asks", self._count)

    def _ask(self, key: int, now_s: float) -> float:
        events = sum(message.events for message in self._running[key][1])
        seconds = self._service.database_base_s + events * self._service.database_each_s
        if seconds > 0:
            self._database.add(key, seconds, now_s)
            return 0.0
        self._end(key, now_s)
        return now_s

    def _end(self, key: int, now_s: float) -> None:
        began_s, messages = self._running.pop(key)
        self._busy_s += now_s - began_s
        self._lags += [(now_s - message.arrived_s, message.events) for message in messages]

    def _outcome(self, first_s: float, last_s: float, ended_s: float) -> Outcome:
        lags = [lag_s for lag_s, events in self._lags for _ in range(events)]
        cuts = statistics.quantiles(lags, n=100, method="inclusive")
        seconds = max(ended_s - first_s, 1e-9)
        return Outcome(
            p50_s=cuts[49],
            p95_s=cuts[94],
            p99_s=cuts[98],
            mean_s=statistics.fmean(lags),
            mean_wait_s=statistics.fmean(self._waits),
            events_per_invocation=len(lags) / self._began,
            busy_workers=self._busy_s / seconds,
            busy_database=self._database.used_s / seconds,
            seconds=seconds,
            drained_after_s=ended_s - last_s,
        )


def poisson(rate: float, count: int, random: Random, events: int = 1) -> list[tuple[float, int]]:
    """So many arrivals of so many events each, at random: `rate` events a second."""
    at_s, found = 0.0, []
    for _ in range(count):
        at_s += random.expovariate(rate / events)
        found.append((at_s, events))
    return found


def steady(rate: float, count: int) -> list[tuple[float, int]]:
    """So many arrivals of one event each, equally far apart."""
    return [(place / rate, 1) for place in range(count)]


def lognormal(random: Random, median: float, p99: float) -> Callable[[], float]:
    """Draws of a lognormal law with this median and 99th percentile."""
    sigma = math.log(p99 / median) / 2.3263
    return lambda: random.lognormvariate(math.log(median), sigma)


def by_quantiles(random: Random, points: Sequence[tuple[float, float]]) -> Callable[[], float]:
    """Draws of the law with these quantiles, straight between them; the first is at 0 and the last at 1."""

    def draw() -> float:
        share = random.random()
        for (low, at_low), (high, at_high) in itertools.pairwise(points):
            if share <= high:
                return at_low + (at_high - at_low) * (share - low) / (high - low)
        return points[-1][1]

    return draw


def share_that_waits(servers: int, load: float) -> float:
    """Erlang's C: of M/M/c at a load of so many servers' work, the share of arrivals that find all servers busy."""
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.queueing")
    parser.add_argument("--check", action="store_true", help="hold the simulation against the local stack")
    parser.add_argument("--from", dest="cost", type=Path, metavar="FILE", help="what bench.cost --json has written")
    said = parser.parse_args(arguments)
    if said.check:
        from bench import queueing_check

        return queueing_check.main()
    if said.cost is None:
        parser.error("--check or --from FILE is needed")
    from bench import queueing_scale
    from bench.cost_report import Inputs

    inputs = msgspec.json.decode(said.cost.read_bytes(), type=Inputs)
    print(queueing_scale.limits_table(inputs), queueing_scale.simulated_table(inputs), sep="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
