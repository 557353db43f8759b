"""What an exact answer costs, in CPU milliseconds, against a loop over trials in the same run.

Run: python -m bench.exact. With --limits also a few large projects, for EXACT_LIMIT and SYNC_LIMIT (minutes).
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from chalicelib.sim.burndown import burn_down
from chalicelib.sim.cost import estimate
from chalicelib.sim.forecast import forecast
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.lattice import certain
from chalicelib.sim.pace import Pace
from chalicelib.sim.project import plan

SAMPLES = [5, 6, 7, 8, 5, 6, 4, 7, 9, 6, 8, 5]
TRIALS = 100_000

BASIC: dict[str, Any] = {"tpSamples": SAMPLES, "numberOfTasks": 50, "totalContributors": 5}
EVERYTHING: dict[str, Any] = {
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
    "2,000 tasks, ramp": {**EVERYTHING, "risks": [], "splitRateSamples": [], "numberOfTasks": 2_000},
    "400 tasks, everything": {**EVERYTHING, "numberOfTasks": 400},
    "1,000 tasks, everything": {**EVERYTHING, "numberOfTasks": 1_000},
    "60 split rates": {**BASIC, "splitRateSamples": [round(0.8 + i * 0.037, 3) for i in range(60)]},
    "1,000 lead times": {**BASIC, "ltSamples": [(i * 37 % 600) / 10 for i in range(1_000)]},
    "50 dependencies": {**BASIC, "dependencies": [{"delay_impact_days": 100}] * 50},
    "one busy week in 200": {**BASIC, "tpSamples": [0] * 199 + [3], "numberOfTasks": 500},
}


def silent(_fraction: float, _stage: str) -> None:
    """A progress report that nobody reads."""


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
    request = msgspec.convert(BASIC, SimulateRequest)
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


def answer(body: dict[str, Any]) -> object:
    """Request to complete answer."""
    return forecast(msgspec.convert(body, SimulateRequest), progress=silent)


def main() -> None:
    law, loop = cpu_ms(duration_law, 201), cpu_ms(trial_loop, 3)
    print(f"duration law, basic        {law:10.3f} ms   (bar 1 ms)")
    print(f"{TRIALS} trials in a loop    {loop:10.1f} ms   ratio {loop / law:,.0f} (bar 1,000)")
    for name, body, rounds, bar in (("basic", BASIC, 51, 400), ("everything", EVERYTHING, 11, 2_000)):
        spent = cpu_ms(partial(answer, body), rounds)
        print(f"forecast, {name:<16} {spent:10.2f} ms   (bar {bar} ms)")
    for name, body in LARGE.items() if "--limits" in sys.argv else ():
        work = estimate(msgspec.convert(body, SimulateRequest))
        spent = cpu_ms(partial(answer, body), 1)
        print(f"{name:<26} {spent:10.0f} ms   estimate {work:.2e}, {1e6 * spent / work:.2f} ns per update")


if __name__ == "__main__":
    main()
