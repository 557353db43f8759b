"""The duration of one project under many throughput histories at once, only as far as its percentiles need.

The recurrence of `passage`, with a column for each history: they share the states and the moves between them and
differ in the chances of the moves, so that one pass over the states in whole arrays serves all of them.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct

from chalicelib.sim.cost import STEP_OVERHEAD, spread
from chalicelib.sim.lattice import NOISE, Floats, Ints, Law
from chalicelib.sim.pace import Pace
from chalicelib.sim.passage import BATCH_LOOK_UPS, Batch, Pacing, batches
from chalicelib.sim.project import Plan
from chalicelib.sim.ramp import people_by_percent

# A state this close to 0 or 1 counts as decided, and task counts rarer than this are left out: below 1e-6 in the
# chance of a week, far less than percentiles of a few hundred histories can show.
_DECIDED, _RARE = 1e-10, 1e-8
# Task counts of a changing team, each of which has states of its own.
_COUNTS = 32
_BAND = 10.0
# One product of the sum of idle and worked weeks, in cell updates; and the weeks for which room is made at first.
_IDLE_WORK, _PAGE = 0.1, 64
# Histories side by side: enough to hide the interpreter, few enough for the states to stay in the cache.
_STATES, _WIDEST, _NARROWEST = 500_000, 200, 8


class Course(Struct, frozen=True, eq=False):
    """What all histories share: states and moves by `batches`, and the law of the weeks that are not work."""

    batches: list[Batch]
    idle: Law


def course(tasks: Law, project: Plan, idle: Law) -> Course:
    """The course of the project; chances in `project.throughput` are not used, only its distinct samples."""
    pacing = pacing_of(project)
    if project.team.is_constant:
        return Course([_one_column(_without_rare(tasks), pacing)], idle)
    return Course(list(batches(_thinned(_without_rare(tasks)), pacing)), idle)


def pacing_of(project: Plan) -> Pacing:
    """The lattice of the project's progress; a constant team counts as one."""
    team = project.team
    if team.is_constant:
        return Pacing.of(project, [1], team.high)
    people = people_by_percent(team)
    unit = math.gcd(*people)
    return Pacing.of(project, [size // unit for size in people], unit)


def work_of(tasks: Law, project: Plan, *, idle: Law, weeks: int) -> tuple[float, float]:
    """About the cell updates of one more history that lasts `weeks`, and of the first; cheap, nothing is built."""
    law, unit, samples = _without_rare(tasks), float(pacing_of(project).unit), len(project.throughput)
    if project.team.is_constant:
        states, count = (law.end - 1) / unit + 1, 1.0
    else:
        law = _thinned(law)
        states = float((law.points()[law.mass > 0] / unit + 1).sum())
        count = 1 + states * samples / BATCH_LOOK_UPS
    steps = weeks * samples * count * STEP_OVERHEAD
    swept = samples * states * _band(project, weeks) + min(weeks, idle.mass.size) * _IDLE_WORK
    return weeks * swept + steps * min(1 / _NARROWEST, states / _STATES), steps


def percentiles(shared: Course, chances: Floats, levels: tuple[float, ...], *, pace: Pace, most_work: float) -> Floats:
    """Weeks at ascending `levels`, shape (histories, levels), for `chances` of shape (histories, samples).

    Histories should be sorted, quickest first, so that those solved together end together. Infinite where there is no
    answer within `most_work` cell updates in all (each history can make progress, or it runs up to there).
    """
    size = sum((batch.people.size for batch in shared.batches), start=1)
    width = min(_WIDEST, max(_NARROWEST, _STATES // size))
    found, spent = [], 0.0
    for first in range(0, len(chances), width):
        few = _Few(shared, chances[first : first + width], levels)
        while few.is_open and spent < most_work:
            work = few.step()
            pace.advance(work)
            spent += work
        found.append(few.weeks)
    return np.concatenate(found)


class _Few:
    """Some histories, followed week by week until their highest level is reached."""

    def __init__(self, shared: Course, chances: Floats, levels: tuple[float, ...]) -> None:
        self.weeks = np.full((len(chances), len(levels)), math.inf)
        self._levels = levels
        self._idle = shared.idle
        self._sweeps = [_Sweep(batch, chances) for batch in shared.batches]
        # Histories that are still swept, and P(work done) of each after each week: in pages, added as weeks go by.
        self._swept = np.arange(len(chances))
        self._done = np.zeros((_PAGE, len(chances)))
        self._week = 0

    @property
    def is_open(self) -> bool:
        return bool(np.isinf(self.weeks[:, -1]).any())

    def step(self) -> float:
        """One more week; its cell updates."""
        week, idle = self._week, self._idle
        if week == len(self._done):
            self._done = np.concatenate((self._done, np.zeros_like(self._done)))
        # Sound for a project without any task, too.
        self._done[week] = 1.0
        for sweep in self._sweeps:
            self._done[week] -= sweep.open_now()
        # P(idle + work <= week): the idle weeks take one share each of the latest weeks of work.
        first = max(0, week + 1 - idle.mass.size)
        within = idle.mass[week - first :: -1] @ self._done[first : week + 1]
        for index, level in enumerate(self._levels):
            reached = self._swept[within >= level - NOISE]
            self.weeks[reached, index] = np.minimum(self.weeks[reached, index], idle.start + week)
        self._week += 1
        self._leave_out_finished()
        return sum(sweep.advance() for sweep in self._sweeps) + (week + 1 - first) * self._swept.size * _IDLE_WORK

    def _leave_out_finished(self) -> None:
        """Copies the others, once they are the smaller half."""
        kept = np.flatnonzero(np.isinf(self.weeks[self._swept, -1]))
        if 0 < kept.size <= self._swept.size / 2:
            self._swept, self._done = self._swept[kept], self._done[:, kept]
            for sweep in self._sweeps:
                sweep.keep(kept)


class _Sweep:
    """The recurrence of one batch: P(work is open) in each state for each history, week after week."""

    def __init__(self, batch: Batch, chances: Floats) -> None:
        self._batch, self._chances = batch, chances
        self._reach = batch.reach
        self._now, self._then, self._part = (np.ones((batch.people.size, len(chances))) for _ in range(3))
        self._now[: batch.columns] = self._then[: batch.columns] = 0.0
        # Rows from low to high are undecided: those below are done, those above open.
        self._low = self._high = 1

    def open_now(self) -> Floats:
        """P(work is open) of each history, with its task count at random."""
        batch = self._batch
        first, last = np.searchsorted(batch.begins, np.array([self._low, self._high]) * batch.columns)
        undecided = batch.weights[first:last] @ self._now[batch.begins[first:last]]
        return np.asarray(undecided + batch.weights[last:].sum())

    def advance(self) -> float:
        """A week more; its cell updates."""
        batch, rows = self._batch, self._batch.people.size // self._batch.columns
        first, last = self._low * batch.columns, min(self._high + self._reach, rows) * batch.columns
        total, part = self._then[first:last], self._part[: last - first]
        total[:] = 0.0
        for moves, chances in zip(batch.targets, self._chances.T, strict=True):
            # Unbuffered only if it need not raise; no target is out of range.
            np.take(self._now, moves[first:last], axis=0, out=part, mode="clip")
            part *= chances
            total += part
        self._now, self._then = self._then, self._now
        self._narrow(first, last)
        looked_up = min(batch.begins.size, last - first) * len(self._chances)
        return len(batch.targets) * (total.size + STEP_OVERHEAD) + looked_up

    def _narrow(self, first: int, last: int) -> None:
        """Finds the undecided states; outside first..last nothing has changed."""
        band = self._now[first:last]
        alive = band.max(axis=1, initial=0.0) > _DECIDED
        low = first + int(alive.argmax()) if alive.any() else last
        doubtful = band.min(axis=1, initial=1.0)[::-1] < 1 - 10 * _DECIDED
        high = last - int(doubtful.argmax()) if doubtful.any() else first
        self._low, self._high = low // self._batch.columns, -(-high // self._batch.columns)
        done = slice(first, self._low * self._batch.columns)
        self._now[done] = self._then[done] = 0.0

    def keep(self, kept: Ints) -> None:
        """Goes on with some of the histories."""
        self._chances = self._chances[kept]
        self._now, self._then = self._now[:, kept], self._then[:, kept]
        self._part = self._part[:, : kept.size].copy()


def _without_rare(tasks: Law) -> Law:
    common = np.where(tasks.mass > _RARE, tasks.mass, 0.0)
    return Law(tasks.start, common / common.sum())


def _thinned(tasks: Law) -> Law:
    """At most _COUNTS task counts: each one between two of them is split so that the mean stays.

    The chance of a week is nearly straight between neighbours; it moves by less than 0.001.
    """
    step = -(-(tasks.mass.size - 1) // (_COUNTS - 1))
    if step <= 1:
        return tasks
    mass = np.zeros(-(-(tasks.mass.size - 1) // step) * step + 1)
    places = np.arange(tasks.mass.size)
    below, share = places // step * step, places % step / step
    np.add.at(mass, below, tasks.mass * (1 - share))
    np.add.at(mass, np.minimum(below + step, mass.size - 1), tasks.mass * share)
    return Law(tasks.start, mass)


def _band(project: Plan, weeks: int) -> float:
    """The share of the states that is undecided, on average over the weeks: 13 deviations of the work done."""
    # From the samples, not from their law, which may have a thousand million cells.
    draw = spread(project.throughput)
    return min(1.0, _BAND * draw.deviation / draw.mean / math.sqrt(weeks + 1) + 4 / (weeks + 1))


def _one_column(tasks: Law, pacing: Pacing) -> Batch:
    """All task counts in one column: a team that never changes does not ask how much is done."""
    unit = pacing.unit
    begins = [-(-count * unit.denominator // unit.numerator) for count in tasks.points().tolist()]
    left = np.arange(begins[-1] + 1, dtype=np.int64)
    targets = np.maximum(left - pacing.steps[:, None], 0)
    states, place = np.unique(np.array(begins), return_inverse=True)
    return Batch(
        1, np.ones_like(left), targets, pacing.chances, states, np.bincount(place, tasks.mass).astype(np.float64)
    )
