"""What the next samples would be if a metric improved by 5, 10 or 15 %. No numpy."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from chalicelib.sim.analyses.regression import Line
from chalicelib.sim.analyses.students_t import two_sided_quantile
from chalicelib.sim.analyses.trend_result import Projection, Scenario

STEPS = 10
# The old service's scenarios.
RATES: tuple[tuple[Scenario, float], ...] = (("conservative", 0.05), ("moderate", 0.10), ("optimistic", 0.15))
_LEVEL = 0.95


def project(samples: Sequence[float], line: Line, *, is_trend: bool, higher_is_better: bool) -> list[Projection]:
    """The three scenarios after at least three samples, oldest first; `line` is their least-squares line.

    They begin at today's level, which is the end of the line where there is a trend and else the mean, and improve in
    equal steps. The interval is that of one new sample around the level (prediction interval by Student's t): the noise
    of the past stays as it is.
    """
    count = len(samples)
    if is_trend:
        level, deviation, freedom = max(0.0, line.at(count - 1)), line.deviation, count - 2
    else:
        level, deviation, freedom = statistics.mean(samples), statistics.stdev(samples), count - 1
    reach = two_sided_quantile(_LEVEL, freedom) * deviation * math.sqrt(1 + 1 / count)
    sign = 1 if higher_is_better else -1
    return [_scenario(name, rate, level=level, reach=reach, sign=sign) for name, rate in RATES]


def _scenario(name: Scenario, rate: float, *, level: float, reach: float, sign: int) -> Projection:
    values = [level * (1 + sign * rate * step / STEPS) for step in range(1, STEPS + 1)]
    return Projection(
        scenario_name=name,
        improvement_rate=rate,
        projected_values=values,
        time_to_target=None,
        lower_bound=[max(0.0, value - reach) for value in values],
        upper_bound=[value + reach for value in values],
        notes=f"If it {'rose' if sign > 0 else 'fell'} by {100 * rate:.0f} % over the next {STEPS} samples, in "
        f"equal steps from today's level of {level:.3g}.",
    )
