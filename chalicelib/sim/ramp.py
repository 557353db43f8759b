"""How many people work at each percent of completion (the S-curve of the reference model)."""

from __future__ import annotations

import math

from chalicelib.sim.project import TEAM_SCALE, Team, round_half_up
from chalicelib.sim.statistics import percentile

STEP = 0.1


def contributors_by_percent(low: float, high: float, ramp_percent: int) -> tuple[float, ...]:
    """People at 0, 1, .. 99 % complete: from `low` up to `high` over the ramp, and down again over the last ramp.

    low, high: people, low <= high; ramp_percent: 0..50. Values are whole except where low or high itself shows
    through. Source: ProjectForecaster 1.5, `calculateContributorsDistribution`. The steps of 0.1 are added up in
    float64 on purpose: the reference does so and then often misses `high` (1..5 ends at 4.9), which moves values.
    Cost: linear in (high - low) / STEP, 5 ms at 10,000 people.
    """
    sizes = _sizes(low, high)

    def at(position: float) -> float:
        return min(high, max(low, round_half_up(percentile(sizes, position))))

    curve: list[float] = []
    for index in range(100):
        if index < ramp_percent:
            curve.append(at(index / ramp_percent))
        elif index < 100 - ramp_percent:
            curve.append(high)
        else:
            curve.append(at((100 - index) / ramp_percent))
    return tuple(curve)


def people_by_percent(team: Team) -> list[int]:
    """The same for a team, in hundredths of people."""
    curve = contributors_by_percent(team.low / TEAM_SCALE, team.high / TEAM_SCALE, team.ramp_percent)
    return [round_half_up(size * TEAM_SCALE) for size in curve]


def _sizes(low: float, high: float) -> list[float]:
    sizes = []
    size = low
    while size <= high and math.isfinite(size):
        sizes.append(size)
        size += STEP
    return sizes
