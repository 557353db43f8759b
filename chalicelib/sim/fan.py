"""The burn-down fan: how many tasks are open at the end of each calendar week, with which chance.

The weeks before the start (lead time, late dependencies) pass without progress. Exact, from the laws of `remaining`;
where that costs too much or trials were asked for, counted in trials of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from chalicelib.sim.chance import Bits, urn_of_law, urn_of_samples
from chalicelib.sim.history import Calendar
from chalicelib.sim.lattice import NOISE, Ints
from chalicelib.sim.pace import Pace
from chalicelib.sim.project import Plan
from chalicelib.sim.ramp import people_by_percent
from chalicelib.sim.remaining import open_tasks, work_of_week
from chalicelib.sim.result import BurnDown, BurnDownWeek

LEVELS = (0.05, 0.25, 0.50, 0.75, 0.95)
MOST_ROWS = 120
# Cell updates of an exact fan, 0.6 ns each.
EXACT_LIMIT = 1_500_000_000
MOST_TRIALS, FEWEST_TRIALS = 10_000, 1_000
# Weeks of all trials together, and what one of them costs in cell updates.
TRIALS_LIMIT, WORK_OF_TRIAL_WEEK = 50_000_000, 20.0
# Keeps these draws apart from those of the engine's trials, which have the same seed.
_STREAM = 0x46414E


def burn_down_fan(project: Plan, calendar: Calendar, *, is_exact: bool, seed: int, pace: Pace) -> BurnDown | None:
    """Quantiles of the open tasks from the start until 95 % of the cases are done; None if that takes too long.

    A task that is begun counts as open. Beyond MOST_ROWS weeks the rows are thinned evenly and the last one is kept.
    is_exact: from laws if they can be afforded, else from trials with `seed`; false: from trials. Cost: at most
    EXACT_LIMIT cell updates or TRIALS_LIMIT weeks of trials.
    """
    if is_exact and work_of_fan(project, calendar) <= EXACT_LIMIT:
        return BurnDown(method="exact", weeks=_by_laws(project, calendar, pace))
    trials = min(MOST_TRIALS, TRIALS_LIMIT // (calendar.p95 + 1))
    if trials < FEWEST_TRIALS:
        return None
    return BurnDown(method="monte_carlo", weeks=list(_by_trials(project, calendar, _Trials(trials, seed), pace)))


def work_of_fan(project: Plan, calendar: Calendar) -> float:
    """About the cell updates of an exact fan; cheap, nothing is built."""
    rows = min(calendar.idle.mass.size, MOST_ROWS)
    weeks = calendar.p95 - calendar.idle.start + 1
    return weeks * (rows * calendar.tasks.end + work_of_week(project, calendar.tasks))


def _by_laws(project: Plan, calendar: Calendar, pace: Pace) -> list[BurnDownWeek]:
    weeks = np.append(np.arange(0, calendar.p95, _stride(calendar), dtype=np.int64), calendar.p95)
    # within[i, x] = P(at most x tasks are open at the end of week weeks[i]).
    within = np.zeros((weeks.size, calendar.tasks.end))
    idle = np.concatenate((np.zeros(calendar.idle.start), calendar.idle.mass, np.zeros(calendar.p95 + 1)))
    # Before its first week of work a project is as it was at the start.
    waiting = 1 - np.cumsum(idle)[weeks] + idle[weeks]
    cells = work_of_week(project, calendar.tasks)
    for worked, at_most in enumerate(open_tasks(project, calendar.tasks)):
        share = waiting if worked == 0 else np.where(weeks >= worked, idle[np.maximum(weeks - worked, 0)], 0.0)
        rows = np.flatnonzero(share)
        within[rows] += share[rows, None] * at_most
        pace.advance(cells + rows.size * at_most.size)
        if worked + calendar.idle.start >= calendar.p95:
            break
    quantiles = [np.searchsorted(row, np.array(LEVELS) - NOISE) for row in within]
    return [_week(*each) for each in zip(weeks.tolist(), quantiles, strict=True)]


def _stride(calendar: Calendar) -> int:
    """Weeks from one row to the next."""
    return max(1, -(-calendar.p95 // (MOST_ROWS - 1)))


def _week(week: int, quantiles: Ints) -> BurnDownWeek:
    p5, p25, p50, p75, p95 = quantiles.tolist()
    return BurnDownWeek(week=week, p5=p5, p25=p25, p50=p50, p75=p75, p95=p95)


class _Trials(Struct, frozen=True):
    count: int
    seed: int


def _by_trials(project: Plan, calendar: Calendar, trials: _Trials, pace: Pace) -> Iterator[BurnDownWeek]:
    bits, count = Bits(trials.seed, _STREAM), trials.count
    tasks = urn_of_law(calendar.tasks.start, calendar.tasks.mass).draw(bits, count).astype(np.int64)
    idle = urn_of_law(calendar.idle.start, calendar.idle.mass).draw(bits, count).astype(np.int64)
    samples, people = urn_of_samples(project.throughput), np.array(people_by_percent(project.team))
    unit, stride = project.team.progress_per_sample(), _stride(calendar)
    # Progress in samples times people; `needed` of it finishes a trial.
    needed = -(-tasks * unit.denominator // unit.numerator)
    done, ranks = np.zeros(count, dtype=np.int64), np.ceil(np.array(LEVELS) * count).astype(np.int64) - 1
    for week in itertools.count():
        if week % stride == 0 or week >= calendar.p95:
            finished = done * unit.numerator // unit.denominator
            row = _week(week, np.sort(np.where(done < needed, tasks - finished, 0))[ranks])
            yield row
            if week >= calendar.p95 and row.p95 == 0:
                return
        percent = np.minimum((100 * done / np.maximum(needed, 1) + 0.5).astype(np.int64), 99)
        done += np.where((week >= idle) & (done < needed), samples.draw(bits, count) * people[percent], 0)
        pace.advance(WORK_OF_TRIAL_WEEK * count)
