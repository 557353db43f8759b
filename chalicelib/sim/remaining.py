"""How many tasks are open after each week of work, with which chance; exact.

The same two methods as for the duration. A constant team has done the sum of w draws after w weeks, and what is open
follows from the law of that sum and the law of the task count. A changing team is followed forwards, state by state.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from chalicelib.sim.cost import FFT_COST, STEP_OVERHEAD
from chalicelib.sim.lattice import TINY, Floats, Ints, Law, certain, convolve, empirical, trim
from chalicelib.sim.passage import RARE, Batch, batches
from chalicelib.sim.project import Plan, capped, divisor_of
from chalicelib.sim.sweep import pacing_of


def open_tasks(project: Plan, tasks: Law) -> Iterator[Floats]:
    """P(at most 0, 1, 2, .. tasks are open), shape (most tasks + 1,), after 0, 1, 2, .. weeks of work, without end.

    A task that is begun is open. Cost of a week: see `work_of_week`.
    """
    return _constant(project, tasks) if project.team.is_constant else _changing(project, tasks)


def work_of_week(project: Plan, tasks: Law) -> float:
    """About the cell updates of one week, 0.6 ns each; cheap, nothing is built."""
    unit = float(pacing_of(project).unit)
    if project.team.is_constant:
        return STEP_OVERHEAD + FFT_COST * (tasks.end / unit + 2 * tasks.end)
    lengths = tasks.points()[tasks.mass > RARE] / unit + 1
    return STEP_OVERHEAD + 4 * float(lengths.sum()) * len(project.throughput)


def _constant(project: Plan, tasks: Law) -> Iterator[Floats]:
    unit, most, kinds = pacing_of(project).unit, tasks.end - 1, tasks.mass.size
    needed = np.array([-(-count * unit.denominator // unit.numerator) for count in range(most + 1)])
    divisor = divisor_of(project.throughput)
    week, done = empirical(capped(project.throughput, divisor, max(1, int(needed[-1])))), certain(0)
    while True:
        below = np.concatenate(([0.0], np.cumsum(done.mass)))
        reached = 1 - below[np.clip(needed - done.start, 0, done.mass.size)]
        # P(at most x open) = sum over task counts t of P(t) * P(at least t - x done).
        at_least = np.concatenate((reached[::-1], np.ones(kinds - 1)))
        yield convolve(at_least, tasks.mass)[kinds - 1 : kinds + most]
        # What is done beyond the last task is of no interest.
        kept = done.mass[: max(1, int(needed[-1]) - done.start)]
        done = trim(Law(done.start + week.start, convolve(kept, week.mass)))


def _changing(project: Plan, tasks: Law) -> Iterator[Floats]:
    pacing = pacing_of(project)
    counts = tasks.points()[(tasks.points() > 0) & (tasks.mass > RARE)]
    followed, first = [], 0
    for batch in batches(tasks, pacing):
        last = first + batch.begins.size
        followed.append(_follow(batch, _open_in_state(batch, counts[first:last], pacing.unit), tasks.end))
        first = last
    without_any = max(0.0, 1.0 - float(tasks.mass[tasks.points() > 0].sum()))
    while True:
        mass = np.zeros(tasks.end)
        mass[0] = without_any
        for each in followed:
            mass += next(each)
        yield np.cumsum(mass)


def _open_in_state(batch: Batch, counts: Ints, unit: Fraction) -> Ints:
    """Tasks not finished in each state; shape (rows * columns,)."""
    left = np.arange(batch.people.size, dtype=np.int64) // batch.columns
    column = np.arange(batch.people.size, dtype=np.int64) % batch.columns
    done = np.maximum(batch.begins[column] // batch.columns - left, 0)
    finished = done * unit.numerator // unit.denominator
    return np.where(left > 0, counts[column] - finished, 0)


def _follow(batch: Batch, open_tasks: Ints, size: int) -> Iterator[Floats]:
    """P(0, 1, .. size - 1 tasks are open) after 0, 1, 2, .. weeks, for the task counts of the batch together."""
    states = batch.people.size
    chance: Floats = np.bincount(batch.begins, batch.weights, minlength=states).astype(np.float64)
    while True:
        yield np.bincount(open_tasks, chance, minlength=size).astype(np.float64)
        live = np.flatnonzero(chance > TINY)
        following = np.zeros(states)
        for moves, share in zip(batch.targets, batch.chances.tolist(), strict=True):
            following += np.bincount(moves[live], chance[live] * share, minlength=states)
        chance = following
