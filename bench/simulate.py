"""What a forecast costs, in CPU milliseconds, against a plain loop over trials written here, in the same run.

Run: python -m bench.simulate. JSON on the standard output; exit code 1 when a bar is missed. With --limits also a few
large projects, which EXACT_LIMIT, SYNC_LIMIT and the parts of `cost.trials_work` were read from (minutes).
"""

from __future__ import annotations

import random
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from chalicelib.sim.burndown import burn_down
from chalicelib.sim.cost import estimate, trials_work
from chalicelib.sim.forecast import forecast
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.lattice import certain
from chalicelib.sim.montecarlo import simulate
from chalicelib.sim.pace import Pace
from chalicelib.sim.project import plan

SAMPLES = [5, 6, 7, 8, 5, 6, 4, 7, 9, 6, 8, 5]
TRIALS = 100_000
MANY_TRIALS = 1_000_000

BASIC: dict[str, Any] = {"tpSamples": SAMPLES, "numberOfTasks": 50, "totalContributors": 5}
FULL: dict[str, Any] = {
    **BASIC,
    "minContributors": 2,
    "maxContributors": 5,
    "sCurveSize": 20,
    "ltSamples": [3, 5, 8, 13, 2, 7, 9, 4, 6, 11, 21, 5, 8, 10],
    "splitRateSamples": [1.1, 1.2, 1, 1.3, 1.15],
    "risks": [
        {"likelihood": 50, "lowImpact": 3, "highImpact": 8},
        {"likelihood": 20, "lowImpact": 5, "highImpact": 15},
    ],
}
LARGE: dict[str, dict[str, Any]] = {
    "2,000 tasks, ramp": {**FULL, "risks": [], "splitRateSamples": [], "numberOfTasks": 2_000},
    "400 tasks, everything": {**FULL, "numberOfTasks": 400},
    "1,000 tasks, everything": {**FULL, "numberOfTasks": 1_000},
    "60 split rates": {**BASIC, "splitRateSamples": [round(0.8 + i * 0.037, 3) for i in range(60)]},
    "1,000 lead times": {**BASIC, "ltSamples": [(i * 37 % 600) / 10 for i in range(1_000)]},
    "50 dependencies": {**BASIC, "dependencies": [{"delay_impact_days": 100}] * 50},
    "one busy week in 200": {**BASIC, "tpSamples": [0] * 199 + [3], "numberOfTasks": 50},
}


class Row(msgspec.Struct, kw_only=True):
    """One measurement; `bar` is what it is to stay below (`is_least`: reach)."""

    name: str
    value: float
    unit: str
    bar: float
    is_least: bool = False
    is_met: bool = False

    def __post_init__(self) -> None:
        self.is_met = self.value >= self.bar if self.is_least else self.value <= self.bar


def silent(_fraction: float, _stage: str) -> None:
    """A progress report that nobody reads."""


def read(body: dict[str, Any]) -> SimulateRequest:
    return msgspec.convert(body, SimulateRequest)


def cpu_ms(work: Callable[[], object], rounds: int) -> float:
    """CPU milliseconds of one call: the median over `rounds`, so that a busy neighbour does not decide."""
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        spent.append(1000 * (time.process_time() - began))
    return sorted(spent)[rounds // 2]


def duration_law() -> object:
    """Request to law of the duration, as a caller would ask for it."""
    request = read(BASIC)
    return burn_down(certain(request.number_of_tasks), plan(request), Pace(silent, 1.0)).weeks


def trial_loop() -> list[int]:
    """The same question answered by drawing week after week, trial after trial."""
    draw, weeks = random.Random(1).choice, []
    for _ in range(TRIALS):
        left, count = 50, 0
        while left > 0:
            left -= draw(SAMPLES)
            count += 1
        weeks.append(count)
    return weeks


def draw_trials(body: dict[str, Any], trials: int) -> object:
    """Request to the laws that so many random trials give."""
    return simulate(plan(read(body)), trials, seed=1, progress=silent)


def answer(body: dict[str, Any]) -> object:
    """Request to complete answer."""
    return forecast(read(body), progress=silent)


def extra_memory_mb(body: dict[str, Any]) -> float:
    """The most that MANY_TRIALS hold at once, as tracemalloc counts it, arrays of numpy included."""
    tracemalloc.start()
    draw_trials(body, MANY_TRIALS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def measure() -> list[Row]:
    law, loop = cpu_ms(duration_law, 201), cpu_ms(trial_loop, 3)
    basic, full = (cpu_ms(partial(draw_trials, body, TRIALS), 15) for body in (BASIC, FULL))
    return [
        Row(name="exact law of the duration, basic", value=law, unit="ms", bar=1),
        Row(name="per-trial loop / exact law", value=loop / law, unit="x", bar=1_000, is_least=True),
        Row(name="100,000 trials, basic", value=basic, unit="ms", bar=30),
        Row(name="100,000 trials, full", value=full, unit="ms", bar=60),
        Row(name="per-trial loop / trials, basic", value=loop / basic, unit="x", bar=1, is_least=True),
        Row(name="extra memory of 1,000,000 trials, basic", value=extra_memory_mb(BASIC), unit="MB", bar=100),
        Row(name="extra memory of 1,000,000 trials, full", value=extra_memory_mb(FULL), unit="MB", bar=100),
        Row(name="answer, exact, basic", value=cpu_ms(partial(answer, BASIC), 21), unit="ms", bar=400),
        Row(name="answer, exact, full", value=cpu_ms(partial(answer, FULL), 5), unit="ms", bar=2_000),
        *[
            Row(name=f"answer, monte_carlo, {name}", value=cpu_ms(partial(answer, body), 5), unit="ms", bar=2_000)
            for name, body in (
                ("basic", {**BASIC, "engine": "monte_carlo", "numberOfSimulations": TRIALS}),
                ("full", {**FULL, "engine": "monte_carlo", "numberOfSimulations": TRIALS}),
            )
        ],
    ]


def measure_limits() -> dict[str, dict[str, float]]:
    """Nanoseconds per cell update of the estimates, which are to be 1 to 3.5."""
    out: dict[str, dict[str, float]] = {}
    for name, body in LARGE.items():
        request = read(body)
        for engine, work, run in (
            ("exact", estimate(request), partial(answer, {**body, "engine": "exact", "historyInterval": False})),
            ("monte_carlo", trials_work(plan(request), TRIALS), partial(draw_trials, body, TRIALS)),
        ):
            spent = cpu_ms(run, 1)
            out[f"{name}, {engine}"] = {"ms": spent, "estimate": work, "ns_per_update": 1e6 * spent / work}
    return out


def main() -> None:
    rows = measure()
    told: dict[str, Any] = {"bench": "simulate", "times": "CPU, medians", "memory": "tracemalloc peak", "rows": rows}
    if "--limits" in sys.argv:
        told["limits"] = measure_limits()
    print(msgspec.json.format(msgspec.json.encode(told)).decode())
    sys.exit(0 if all(row.is_met for row in rows) else 1)


if __name__ == "__main__":
    main()
