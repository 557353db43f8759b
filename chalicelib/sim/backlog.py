"""The law of the number of tasks: planned backlog, plus risks, times the split rate, rounded."""

from __future__ import annotations

import numpy as np

from chalicelib.sim.cost import FFT_COST, LOOK_UP
from chalicelib.sim.lattice import Floats, Ints, Law, add, certain, empirical, mixture, sums_of_draws, trim, uniform
from chalicelib.sim.pace import Pace
from chalicelib.sim.project import SAMPLE_SCALE, Impact, Plan, Samples

# Rows of a block of (planned, tasks) pairs are chosen so that a block holds about this many.
_BLOCK = 1_000_000


def total_tasks(project: Plan, pace: Pace) -> Law:
    """The law of the task count of one trial, on whole tasks.

    Tasks = round((backlog + impacts) * split rate), half upwards, computed in whole numbers: in float64 up to 2.6 %
    of the trials land one task too low. Cost: the convolutions of the risks, then 3 m convolutions for m split
    rates plus 3 m * planned * tasks look-ups.
    """
    planned = uniform(project.backlog_low, project.backlog_high)
    for impact in project.impacts:
        planned = add(planned, impact_law(impact))
        pace.advance(FFT_COST * planned.mass.size)
    return split(planned, project.split_rates, pace) if project.split_rates else planned


def impact_law(impact: Impact) -> Law:
    """The law of the tasks that one risk adds: 0 unless it happens."""
    if impact.mode is None:
        size = uniform(impact.low, impact.high)
    else:
        size = rounded_triangular(impact.low, impact.mode, impact.high)
    return trim(mixture([(1 - impact.probability, certain(0)), (impact.probability, size)]))


def rounded_triangular(low: int, mode: float, high: int) -> Law:
    """The triangular law on low <= mode <= high, rounded half up: P(k) = F(k + 0.5) - F(k - 0.5), exact."""
    if low == high:
        return certain(low)
    edges = np.clip(np.arange(low, high + 2) - 0.5, low, high)
    # max(.., 1): a side of no width is never taken, but numpy computes both.
    rising = (edges - low) ** 2 / ((high - low) * max(mode - low, 1e-300))
    falling = 1 - (high - edges) ** 2 / ((high - low) * max(high - mode, 1e-300))
    below = np.where(edges < mode, rising, falling)
    return Law(low, np.diff(below))


def split(planned: Law, rates: Samples, pace: Pace) -> Law:
    """The law of round(planned * s), s = average of n rates drawn with replacement, n uniform on 1 .. 3 m."""
    one, most = empirical(rates), 3 * sum(count for _, count in rates)
    top = (planned.end * (one.end - 1) * 2 + SAMPLE_SCALE) // (2 * SAMPLE_SCALE)
    bottom = planned.start * one.start // SAMPLE_SCALE
    tasks = np.arange(bottom, top + 2, dtype=np.int64)
    at_least = np.zeros(tasks.size)
    for count, total in sums_of_draws(one, most, pace):
        at_least += _reaching(planned, tasks, count, total, pace)
    at_least /= most
    return trim(Law(int(tasks[0]), at_least[:-1] - at_least[1:]))


def _reaching(planned: Law, tasks: Ints, count: int, total: Law, pace: Pace) -> Floats:
    """P(round(planned * total / count) >= t) for each t of `tasks`."""
    below = np.concatenate(([0.0], np.cumsum(total.mass)))
    out = np.zeros(tasks.size)
    rows = max(1, _BLOCK // tasks.size)
    points = planned.points()
    for first in range(0, points.size, rows):
        some = points[first : first + rows, None]
        # planned * S / (count * scale) >= t - 1/2, solved for the whole number S.
        needed = -(-(2 * tasks - 1) * count * SAMPLE_SCALE // np.maximum(2 * some, 1))
        index = np.clip(needed - total.start, 0, total.mass.size)
        reached = np.where(some > 0, below[-1] - below[index], (tasks <= 0) * below[-1])
        out += planned.mass[first : first + rows] @ reached
        pace.advance(LOOK_UP * reached.size)
    return out
