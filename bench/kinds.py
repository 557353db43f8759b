"""What each kind costs: CPU milliseconds of one run and bytes of its result, for its example and for a large request.

Run: python -m bench.kinds. One line a kind, with the ratio to a plain forecast of the same run; exit code 1 when a bar
is missed. `ping` and `slow` do nothing, `migrate_sqlite` needs a database: `tests/db` has its rows.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from chalicelib import kinds
from chalicelib.clock import Clock
from chalicelib.jobs.context import Unwatched
from chalicelib.jobs.kind import AnyKind

ROUNDS = 7
NOTHING_TO_MEASURE = {"ping", "slow", "migrate_sqlite"}
# Milliseconds of CPU that must hold, and for what.
BARS = {"ml_forecast large": 200.0, "throughput_import large": 2_000.0}
ROWS = 100_000
_RANDOM = random.Random(7)
YEAR = [_RANDOM.randint(0, 12) for _ in range(52)]
LONG = [_RANDOM.randint(0, 12) for _ in range(1_000)]
PROJECT: dict[str, Any] = {
    "tpSamples": YEAR,
    "numberOfTasks": 200,
    "totalContributors": 5,
    "minContributors": 2,
    "sCurveSize": 20,
    "risks": [{"likelihood": 20, "lowImpact": 3, "highImpact": 9}] * 5,
    "splitRateSamples": [1, 1.1, 1.3],
    "startDate": "2026-01-05",
}
BACKLOG: dict[str, Any] = {"tpSamples": YEAR, "backlog": 200, "startDate": "2026-01-05"}
LARGE: dict[str, dict[str, Any]] = {
    "simulate": PROJECT,
    "forecast_when": BACKLOG,
    "forecast_how_many": {"tpSamples": YEAR, "startDate": "2026-01-05", "endDate": "2028-01-03"},
    "deadline_analysis": BACKLOG | {"deadlineDate": "2026-12-28", "minContributors": 0.5, "sCurveSize": 20},
    "backtest": {"tpSamples": LONG, "backlog": 50, "method": "expanding_window"},
    "ml_forecast": {"tpSamples": LONG, "forecastSteps": 52},
    "mc_throughput": {"tpSamples": YEAR, "backlog": 2_000},
    "combined_forecast": {"tpSamples": LONG, "backlog": 500, "forecastSteps": 52},
    "forecast_features": {"tpSamples": YEAR, "features": [{"name": str(n), "low": 5, "high": 15} for n in range(50)]},
    "compare_scenarios": {
        "base": PROJECT | {"numberOfTasks": 50},
        "scenarios": [{"name": str(n), "changes": {"numberOfTasks": 40 + 5 * n}} for n in range(5)],
    },
    "sensitivity": {"base": PROJECT | {"numberOfTasks": 50}},
}


def table(rows: int) -> str:
    """An export of finished items with a start each."""
    days = [f"{2015 + n % 10}-{n % 12 + 1:02}-{n % 27 + 1:02}" for n in range(rows + 1)]
    lines = (f"A-{n},Item number {n},{days[n]},{days[n][:8]}{n % 27 + 2:02}" for n in range(rows))
    return "Key,Summary,Started,Closed\n" + "\n".join(lines)


def measure(run: Callable[[], msgspec.Struct]) -> tuple[float, int]:
    """(CPU milliseconds, median of ROUNDS, bytes of the result)."""
    run()
    spent, size = [], 0
    for _ in range(ROUNDS):
        began = time.process_time()
        result = run()
        spent.append(1000 * (time.process_time() - began))
        size = len(msgspec.json.encode(result))
    return sorted(spent)[ROUNDS // 2], size


class Parts:
    """What runs need of a composition root."""

    clock = Clock()


def main() -> None:
    registry = kinds.registry("local")
    plain, _ = measure(runner(registry.kinds["simulate"], registry.kinds["simulate"].example))
    print(f"{'kind':26} {'CPU ms':>9} {'x plain':>9} {'bytes':>9}  bar")
    missed = []
    for kind in registry:
        if kind.name in NOTHING_TO_MEASURE:
            continue
        body = LARGE.get(kind.name) or {"content": table(ROWS)}
        for name, request in ((kind.name, kind.example), (f"{kind.name} large", msgspec.convert(body, kind.request))):
            spent, size = measure(runner(kind, request))
            bar = BARS.get(name)
            is_missed = bar is not None and spent > bar
            missed += [name] if is_missed else []
            print(f"{name:26} {spent:9.1f} {spent / plain:9.1f} {size:9}  {_verdict(bar, is_missed)}")
    sys.exit(f"missed: {', '.join(missed)}" if missed else 0)


def runner(kind: AnyKind, request: msgspec.Struct) -> Callable[[], msgspec.Struct]:
    def run() -> msgspec.Struct:
        result = kind.run(request, Unwatched(Parts(), ""))
        assert isinstance(result, kind.result)
        return result

    return run


def _verdict(bar: float | None, is_missed: bool) -> str:
    return "" if bar is None else f"{bar:g} ms {'MISSED' if is_missed else 'met'}"


if __name__ == "__main__":
    main()
