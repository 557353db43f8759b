"""The burn-down of many trials side by side, week after week, in whole numbers; trials that are done leave the arrays.

One week finishes x * c / history * focus tasks: x is drawn from the throughput samples, c people work. A constant team
counts down whole units of progress. A changing team is looked up by the share done, half a percent at a time, so that
its progress is kept as a whole number of 1 / (200 T) of the T tasks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Protocol

import numpy as np

from chalicelib.sim.chance import Bits, Drawn, urn_of_samples
from chalicelib.sim.cost import most_weeks
from chalicelib.sim.lattice import Floats, Ints
from chalicelib.sim.project import TEAM_SCALE, Plan, capped, divisor_of, most_tasks
from chalicelib.sim.ramp import people_by_percent

# How often a long block asks whether it is to go on: every few hundredths of a second.
_WEEKS_PER_BEAT = 256
# Finished trials are carried along until they are this share, which costs less than moving the others each week.
_MOST_DONE = 0.25
# Effort is counted in coarser units where the smallest would make more than about this many.
_MOST_EFFORTS = 1_000_000

Beat = Callable[[], None]


class Crew(Protocol):
    """The team of a project, put to work on many trials at once."""

    # People in one unit of effort, times weeks.
    unit: Fraction

    def burn_down(self, tasks: Ints, bits: Bits, beat: Beat) -> tuple[Ints, Ints]:
        """(weeks, effort) of each trial, shape of `tasks`; 0 for 0 tasks. `beat` is called now and then, may raise."""


def crew(project: Plan) -> Crew:
    """The team of a normalised project, whose `cost.trials_work` is finite; else whole numbers would overflow."""
    return _ConstantTeam(project) if project.team.is_constant else _ChangingTeam(project)


class _ConstantTeam:
    def __init__(self, project: Plan) -> None:
        divisor = divisor_of(project.throughput)
        step = project.team.progress_per_sample() * project.team.high * divisor
        self._parts, self._per_step = step.denominator, step.numerator
        most = max(1, self._needed(most_tasks(project)))
        # Capped, so everything fits a narrow type.
        samples = capped(project.throughput, divisor, most)
        self._urn, self._fastest = urn_of_samples(samples), samples[-1][0]
        self._type = np.dtype("i2" if most < 1 << 15 else "i4" if most < 1 << 31 else "i8")
        self.unit = Fraction(project.team.high, TEAM_SCALE)

    def _needed(self, tasks: int) -> int:
        return -(-tasks * self._parts // self._per_step)

    def burn_down(self, tasks: Ints, bits: Bits, beat: Beat) -> tuple[Ints, Ints]:
        needed = -(-tasks * self._parts // self._per_step)
        weeks = np.zeros(tasks.size, dtype=np.int64)
        live = np.flatnonzero(needed > 0)
        left: Drawn = needed[live].astype(self._type)
        # No trial can be done before its work divided by the best week.
        surely, week = (int(left.min(initial=1)) - 1) // self._fastest, 0
        spent = np.full(live.size, surely + 1, dtype=np.int64)
        while live.size:
            np.subtract(left, self._urn.draw(bits, left.size), out=left, casting="same_kind")
            week += 1
            if week % _WEEKS_PER_BEAT == 0:
                beat()
            if week <= surely:
                continue
            np.maximum(left, 0, out=left)
            is_open = left > 0
            spent += is_open
            if np.count_nonzero(is_open) <= (1 - _MOST_DONE) * live.size:
                weeks[live] = spent
                kept = np.flatnonzero(is_open)
                live, left, spent = live[kept], left[kept], spent[kept]
        return weeks, weeks


class _ChangingTeam:
    def __init__(self, project: Plan) -> None:
        team, people = project.team, people_by_percent(project.team)
        divisor, person = divisor_of(project.throughput), math.gcd(*people)
        step = team.progress_per_sample() * divisor * person
        self._parts, self._per_step = step.denominator, 200 * step.numerator
        self._urn = urn_of_samples(tuple((value // divisor, count) for value, count in project.throughput))
        # Index i is for i / 2 to (i + 1) / 2 percent, with the half percent of the rounding added; nobody at the end.
        curve = [people[min(index // 2, 99)] // person for index in range(201)]
        self._curve: Floats = np.array([*curve, 0], dtype=np.float64)
        self._grain = math.ceil(most_weeks(project) * max(curve)) // _MOST_EFFORTS + 1
        self.unit = Fraction(person * self._grain, TEAM_SCALE)

    def burn_down(self, tasks: Ints, bits: Bits, beat: Beat) -> tuple[Ints, Ints]:
        weeks, effort = np.zeros(tasks.size, dtype=np.int64), np.zeros(tasks.size, dtype=np.int64)
        live = np.flatnonzero(tasks > 0)
        # Whole numbers below 2**53, with which float64 computes exactly. So is the quotient: it is a whole number or
        # at least 1 / whole away from one, which is more than its rounding error.
        whole = (tasks[live] * self._parts).astype(np.float64)
        done = whole.copy()
        spent, lasted, week = np.zeros(live.size), np.zeros(live.size), 0
        while live.size:
            people = self._curve.take((done / whole).astype(np.intp), mode="clip")
            is_open = people > 0
            if np.count_nonzero(is_open) <= (1 - _MOST_DONE) * live.size:
                weeks[live], effort[live] = lasted, spent
                kept = np.flatnonzero(is_open)
                live, whole, done, people = live[kept], whole[kept], done[kept], people[kept]
                lasted, spent, is_open = lasted[kept], spent[kept], is_open[kept]
            lasted += is_open
            spent += people
            done += self._per_step * people * self._urn.draw(bits, live.size)
            week += 1
            if week % _WEEKS_PER_BEAT == 0:
                beat()
        return weeks, (2 * effort + self._grain) // (2 * self._grain)
