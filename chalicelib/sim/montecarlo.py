"""The laws of a project from random trials: for projects whose exact laws cost too much, and as a check of those.

Trials are drawn in blocks that fit the processor's cache; a block depends on the seed and its number alone. Only
histograms are kept, so a million trials need no more memory than ten thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from msgspec import Struct

from chalicelib.errors import TooLarge
from chalicelib.sim.backlog import rounded_triangular
from chalicelib.sim.chance import Bits, Urn, urn, urn_of_law, urn_of_range, urn_of_samples
from chalicelib.sim.cost import EXACT_LIMIT, TRIALS_PER_BLOCK, trials_work
from chalicelib.sim.crew import crew
from chalicelib.sim.dependencies import delay, late_points, steps_per_day
from chalicelib.sim.histogram import Histogram
from chalicelib.sim.lattice import Ints
from chalicelib.sim.laws import Laws
from chalicelib.sim.leadtime import LeadTime
from chalicelib.sim.pace import Pace
from chalicelib.sim.project import LEAD_TIME_SCALE, SAMPLE_SCALE, Impact, Plan, Samples

# Draws for averages that are held at once: rows of a block are cut up beyond that.
_MOST_DRAWS = 1 << 19


def simulate(project: Plan, trials: int, *, seed: int, progress: Callable[[float, str], None]) -> Laws:
    """The laws of a normalised project as counted in `trials` random trials.

    `progress` gets the share of the trials that are done, and a stage, after each block and within long ones; what it
    raises is passed on. Raises TooLarge above EXACT_LIMIT. Late dependencies are drawn one by one, on the lattice of
    their exact law, and the law of their sum that stands in the answer is that one. Cost: `cost.trials_work`.
    """
    work = trials_work(project, trials)
    if work > EXACT_LIMIT:
        raise TooLarge(f"work must be at most {EXACT_LIMIT} cell updates for random trials, this needs about {work}")
    progress(0.0, "delays")
    late = delay(project.dependencies, Pace(lambda _fraction, _stage: progress(0.0, "delays"), 1.0))
    model, counts = _Model(project), _Counts()
    for block, first in enumerate(range(0, trials, TRIALS_PER_BLOCK)):
        beat = partial(progress, first / trials, "trials")
        beat()
        counts.add(model.draw(Bits(seed, block), min(TRIALS_PER_BLOCK, trials - first), beat))
    return Laws(
        weeks=counts.weeks.law(),
        effort=counts.effort.law(model.crew.unit),
        tasks=counts.tasks.law(),
        lead_time=LeadTime(counts.lead_days.law(), counts.lead_weeks.law()),
        delay=late,
    )


class _Trials(Struct, frozen=True, eq=False):
    """The trials of one block, each of shape (trials,)."""

    weeks: Ints
    effort: Ints
    tasks: Ints
    lead_days: Ints
    lead_weeks: Ints


class _Counts:
    def __init__(self) -> None:
        self.weeks, self.effort, self.tasks = Histogram(), Histogram(), Histogram()
        self.lead_days, self.lead_weeks = Histogram(), Histogram()

    def add(self, trials: _Trials) -> None:
        for name, histogram in vars(self).items():
            histogram.add(getattr(trials, name))


class _Model:
    """Everything about a project that is drawn, ready to be drawn from."""

    def __init__(self, project: Plan) -> None:
        self._project = project
        self._backlog = urn_of_range(project.backlog_low, project.backlog_high)
        self._impacts = [(impact.probability, _impact_urn(impact)) for impact in project.impacts]
        total = sum(count for _, count in project.lead_times)
        self._lead_times = _Average(project.lead_times, (total + 5) // 10, (9 * total + 5) // 10)
        total = sum(count for _, count in project.split_rates)
        self._split_rates = _Average(project.split_rates, 1, 3 * total)
        steps = steps_per_day(project.dependencies)
        self._steps_per_week = project.calendar.cadence_days * steps
        self._dependencies = [(each, urn(*late_points(each, steps))) for each in project.dependencies]
        self.crew = crew(project)

    def draw(self, bits: Bits, size: int, beat: Callable[[], None]) -> _Trials:
        """`size` trials from a stream of random bits."""
        tasks = self._tasks(bits, size)
        weeks, effort = self.crew.burn_down(tasks, bits, beat)
        lead_days = lead_weeks = np.zeros(size, dtype=np.int64)
        if self._project.lead_times:
            total, count = self._lead_times.draw(bits, size)
            lead_days = _rounded(total, count * LEAD_TIME_SCALE)
            lead_weeks = _rounded(total, count * LEAD_TIME_SCALE * self._project.calendar.cadence_days)
        return _Trials(weeks + lead_weeks + self._delay_weeks(bits, size), effort, tasks, lead_days, lead_weeks)

    def _tasks(self, bits: Bits, size: int) -> Ints:
        planned = self._backlog.draw(bits, size).astype(np.int64)
        for probability, impacts in self._impacts:
            hit = np.flatnonzero(bits.happens(probability, size))
            planned[hit] += impacts.draw(bits, hit.size)
        if not self._project.split_rates:
            return planned
        total, count = self._split_rates.draw(bits, size)
        return _rounded(planned * total, count * SAMPLE_SCALE)

    def _delay_weeks(self, bits: Bits, size: int) -> Ints:
        """Whole weeks of delay; a delay within a smooth range stands for the cell around it, as in `Delay`."""
        steps, smooth = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.bool_)
        for each, delays in self._dependencies:
            late = np.flatnonzero(bits.happens(1 - each.on_time_probability, size))
            steps[late] += delays.draw(bits, late.size)
            smooth[late] |= not each.delay_impact_distribution
        weeks = -(-steps // self._steps_per_week)
        border = np.flatnonzero(smooth & (steps % self._steps_per_week == 0))
        weeks[border] += bits.happens(0.5, border.size)
        return weeks


def _impact_urn(impact: Impact) -> Urn:
    if impact.mode is None:
        return urn_of_range(impact.low, impact.high)
    law = rounded_triangular(impact.low, impact.mode, impact.high)
    return urn_of_law(law.start, law.mass)


class _Average:
    """The sum of n samples drawn with replacement, n itself uniform from `fewest` to `most`."""

    def __init__(self, samples: Samples, fewest: int, most: int) -> None:
        if samples:
            self._counts, self._samples = urn_of_range(fewest, most), urn_of_samples(samples)
        self._rows = max(1, _MOST_DRAWS // max(1, most))

    def draw(self, bits: Bits, size: int) -> tuple[Ints, Ints]:
        """(sum, n) of each trial, both of shape (size,)."""
        counts = self._counts.draw(bits, size).astype(np.int64)
        sums = np.zeros(size, dtype=np.int64)
        for first in range(0, size, self._rows):
            some = counts[first : first + self._rows]
            ends = np.cumsum(some)
            below = np.zeros(int(ends[-1]) + 1, dtype=np.int64)
            np.cumsum(self._samples.draw(bits, int(ends[-1])), out=below[1:])
            sums[first : first + self._rows] = below[ends] - below[ends - some]
        return sums, counts


def _rounded(total: Ints, divisor: Ints) -> Ints:
    """total / divisor, rounded half up; 0 where the divisor is 0."""
    divisor = np.maximum(divisor, 1)
    return (2 * total + divisor) // (2 * divisor)
