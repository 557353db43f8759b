"""How far the percentiles would move had other weeks been observed: the error that comes with a short history.

Weeks are drawn with replacement from the history, as many as it has, and the law of the duration is solved again for
each such history. The spread of the percentiles over them is the interval: Efron's percentile bootstrap (Efron and
Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). Tasks, lead times and delays keep their laws.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import msgspec
import numpy as np
from msgspec import Struct

from chalicelib.sim.calendar import DAYS_PER_WEEK, WorkCalendar
from chalicelib.sim.chance import Bits, urn_of_samples
from chalicelib.sim.dependencies import delay_weeks
from chalicelib.sim.lattice import Floats, Law, add
from chalicelib.sim.laws import Laws
from chalicelib.sim.pace import Pace
from chalicelib.sim.project import Plan, Samples
from chalicelib.sim.result import HistoryInterval, WeeksInterval
from chalicelib.sim.sweep import course, percentiles, work_of

MOST_RESAMPLES, FEWEST_RESAMPLES = 200, 20
LEVELS = (0.50, 0.85, 0.95)
# This share of the resampled histories is cut off at either end, which leaves 95 %.
TAIL = 0.025
# Cell updates of all resamples together: at most about 1 s of CPU, mostly half of that.
WORK_LIMIT = 400_000_000
# Keeps these draws apart from those of the trials, which have the same seed.
_STREAM = 0x48495354


def observed(samples: Samples) -> Samples:
    """The law of a week for which every observed week is equally likely."""
    return samples


class History(Struct, frozen=True):
    """The observed weeks, the seed of the draws, and how the law of a week follows from weeks, in how much work."""

    samples: Samples
    seed: int
    throughput_of: Callable[[Samples], Samples] = observed
    work: float = 0.0


class Calendar(Struct, frozen=True, eq=False):
    """The laws of the task count and of the weeks that are not work, and P95 of all weeks, which tells the cost."""

    tasks: Law
    idle: Law
    p95: int

    @staticmethod
    def of(laws: Laws, period_days: int = DAYS_PER_WEEK) -> Calendar:
        """From the laws of either engine; those of trials hold counts."""
        idle = add(laws.lead_time.weeks, delay_weeks(laws.delay, period_days))
        return Calendar(_shares(laws.tasks), _shares(idle), laws.weeks.quantiles([0.95])[0])


def history_interval(project: Plan, calendar: Calendar, history: History, pace: Pace) -> HistoryInterval | None:
    """The 95 % intervals of P50, P85 and P95 of the weeks; None if fewer than FEWEST_RESAMPLES can be afforded.

    A resample without a finished task never ends: it counts as infinitely long, and so does one that is not solved
    within 2 * WORK_LIMIT, which takes weeks many times slower than the history's. An upper end among these is None.
    The same arguments give the same answer on any machine. Cost: about WORK_LIMIT cell updates at most, 2.5 ns each.
    """
    count = affordable(project, calendar, history.work)
    if not count:
        return None
    moving = [each for each in _resamples(history, count) if each[-1][0] > 0]
    values, chances = _side_by_side([history.throughput_of(each) for each in moving])
    shared = course(calendar.tasks, msgspec.structs.replace(project, throughput=values), calendar.idle)
    solved = percentiles(shared, chances, LEVELS, pace=pace, most_work=2.0 * WORK_LIMIT)
    endless = np.full((count - len(moving), len(LEVELS)), math.inf)
    p50, p85, p95 = np.sort(np.concatenate((solved, endless)), axis=0).T
    if math.isinf(p95[0]):
        return None
    return HistoryInterval(
        resamples=count,
        never_done=count - len(moving),
        p50=_interval(p50, project.calendar),
        p85=_interval(p85, project.calendar),
        p95=_interval(p95, project.calendar),
    )


def affordable(project: Plan, calendar: Calendar, work_of_history: float = 0.0) -> int:
    """How many resamples WORK_LIMIT allows; 0 for fewer than FEWEST_RESAMPLES.

    Told from sizes and not by a clock, so that a request always gets the same number.
    """
    weeks = max(1, calendar.p95 - calendar.idle.start + 1)
    more, first = work_of(calendar.tasks, project, idle=calendar.idle, weeks=weeks)
    count = math.floor((WORK_LIMIT - first) / (more + work_of_history))
    return min(count, MOST_RESAMPLES) if count >= FEWEST_RESAMPLES else 0


def _shares(law: Law) -> Law:
    return Law(law.start, law.mass / law.mass.sum())


def _resamples(history: History, count: int) -> list[Samples]:
    """`count` histories, each as many weeks as the observed one, drawn from it with replacement; quickest first."""
    weeks = sum(seen for _, seen in history.samples)
    drawn = urn_of_samples(history.samples).draw(Bits(history.seed, _STREAM), count * weeks)
    found = [tuple(sorted(Counter(row).items())) for row in drawn.reshape(count, weeks).tolist()]
    return sorted(found, key=_finished, reverse=True)


def _finished(samples: Samples) -> int:
    return sum(value * times for value, times in samples)


def _side_by_side(histories: list[Samples]) -> tuple[Samples, Floats]:
    """All values of the histories, ascending, and the chance of each in each; shape (histories, values)."""
    values = sorted({value for each in histories for value, _ in each})
    place = {value: index for index, value in enumerate(values)}
    chances = np.zeros((len(histories), len(values)))
    for row, each in zip(chances, histories, strict=True):
        for value, weight in each:
            row[place[value]] = weight
    return tuple((value, 1) for value in values), chances / chances.sum(axis=1, keepdims=True)


def _interval(weeks: Floats, calendar: WorkCalendar) -> WeeksInterval:
    """The middle 95 % of ascending weeks."""
    cut = math.floor(TAIL * weeks.size)
    low, last = int(weeks[cut]), float(weeks[weeks.size - 1 - cut])
    high = None if math.isinf(last) else int(last)
    return WeeksInterval(
        low=low,
        high=high,
        low_date=calendar.day_after(low),
        high_date=None if high is None else calendar.day_after(high),
    )
