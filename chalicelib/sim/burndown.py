"""How many weeks, and how much effort, it takes to burn down a backlog of random size; exact.

One week finishes x * c / history * focus tasks: x is drawn from the throughput samples, c people work. Progress is
counted in whole units of the greatest common divisor of all possible steps. Two methods:

- constant team: the work of w weeks is a w-fold convolution, P(weeks > w) = P(sum of w draws < tasks). One pass
  serves every task count at once.
- changing team: c depends on the share done, so each task count has its own recurrence; see `passage`.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from msgspec import Struct

from chalicelib.sim.cost import STEP_OVERHEAD, convolution_work
from chalicelib.sim.lattice import Floats, Law, convolve, empirical, trim
from chalicelib.sim.pace import Pace
from chalicelib.sim.passage import UNFINISHED, Pacing, batches, survival
from chalicelib.sim.project import TEAM_SCALE, Plan, capped, divisor_of
from chalicelib.sim.ramp import people_by_percent


class BurnDown(Struct, frozen=True, eq=False):
    """Weeks of work (unit 1), and effort in person-weeks on its own lattice."""

    weeks: Law
    effort: Law


def burn_down(tasks: Law, project: Plan, pace: Pace) -> BurnDown:
    """The laws of the weeks and of the effort to finish `tasks`; lead time is not part of either.

    At least one throughput sample is above 0, else it would never end. Cost for a constant team: weeks times one
    convolution; else levels * open states * samples for every task count.
    """
    if project.team.is_constant:
        return _constant(tasks, project, pace)
    return _changing(tasks, project, pace)


def _constant(tasks: Law, project: Plan, pace: Pace) -> BurnDown:
    people = project.team.high
    divisor = divisor_of(project.throughput)
    step = project.team.progress_per_sample() * people * divisor
    needed = [-(-count * step.denominator // step.numerator) for count in tasks.points().tolist()]
    one = empirical(capped(project.throughput, divisor, max(1, needed[-1])))
    # open_at[s] = P(a backlog is not finished by s units of progress).
    open_at = tasks.mass.sum() - np.cumsum(np.bincount(needed, weights=tasks.mass))
    weeks = _from_survival(_open_after_each_week(one, np.maximum(open_at[:-1], 0.0), pace))
    return BurnDown(weeks, Law(weeks.start, weeks.mass, Fraction(people, TEAM_SCALE)))


def _open_after_each_week(one: Law, open_at: Floats, pace: Pace) -> Floats:
    """P(weeks > w) for w = 0, 1, ..; open_at has shape (units of work,)."""
    start, mass, taps = 0, np.ones(1), int(np.count_nonzero(one.mass))
    open_after = []
    while True:
        end = min(start + mass.size, open_at.size)
        still_open = float(mass[: end - start] @ open_at[start:end]) if end > start else 0.0
        open_after.append(still_open)
        if still_open < UNFINISHED:
            return np.asarray(open_after)
        pace.advance(convolution_work(mass.size, one.mass.size, taps) + STEP_OVERHEAD)
        total = trim(Law(start + one.start, convolve(mass[: end - start], one.mass)))
        start, mass = total.start, total.mass


def _from_survival(open_after: Floats) -> Law:
    """The law whose P(value > k) is open_after[k]; what is left after the last is put on the next point."""
    at_least = np.concatenate(([1.0], open_after))
    mass = np.maximum(at_least - np.append(at_least[1:], 0.0), 0.0)
    return trim(Law(0, mass))


def _changing(tasks: Law, project: Plan, pace: Pace) -> BurnDown:
    people = people_by_percent(project.team)
    unit = math.gcd(*people)
    pacing = Pacing.of(project, [size // unit for size in people], unit)
    weeks, effort = np.zeros(0), np.zeros(0)
    for batch in batches(tasks, pacing):
        weeks = _sum(weeks, survival(batch, np.ones_like(batch.people), pace))
        effort = _sum(effort, survival(batch, batch.people, pace))
    spent = _from_survival(effort)
    return BurnDown(_from_survival(weeks), Law(spent.start, spent.mass, Fraction(unit, TEAM_SCALE)))


def _sum(left: Floats, right: Floats) -> Floats:
    out = np.zeros(max(left.size, right.size))
    out[: left.size] += left
    out[: right.size] += right
    return out
