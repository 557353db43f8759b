"""What simulated weeks of throughput mean for a project: when it is done, and what is done by a day.

The weeks come from the forecasters of `ensemble`; everything else about the project (tasks, lead time, dependencies,
team) keeps its law, so that this view differs from the other one in the throughput alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from chalicelib.sim.chance import Bits, urn_of_law
from chalicelib.sim.forecasters.ensemble import Prediction, predict
from chalicelib.sim.lattice import NOISE, Floats, Ints, Law
from chalicelib.sim.project import SAMPLE_SCALE, Plan
from chalicelib.sim.ramp import people_by_percent

FEWEST_PERIODS, MOST_PERIODS = 26, 520
# Residue of float sums: less than a thousandth of a task, which is the finest sample.
_RESIDUE = 1e-6
# Keeps these draws apart from all others with the same seed.
_STREAM = 0x46555455


class Futures(Struct, frozen=True, eq=False):
    """The futures of a project, one in each place of the arrays, and who foretold them.

    periods: until done, infinite beyond the horizon; tasks: how many there are; idle: periods before work begins.
    """

    project: Plan
    prediction: Prediction
    periods: Floats
    tasks: Ints
    idle: Ints

    @property
    def unfinished(self) -> float:
        """Share of the futures in which the work is not done within the horizon."""
        return float(np.isinf(self.periods).mean())

    def quantile(self, level: float) -> int | None:
        """The fewest periods within which a share `level` of the futures is done; None beyond the horizon."""
        rank = max(0, math.ceil(level * self.periods.size - NOISE) - 1)
        found = float(np.partition(self.periods, rank)[rank])
        return None if math.isinf(found) else int(found)

    def chance_within(self, periods: int) -> float:
        """Share of the futures in which the work is done within so many periods."""
        return float((self.periods <= periods).mean())

    def work_within(self, periods: int, level: float) -> int:
        """At least so many tasks are done within so many periods in a share `level` of the futures."""
        paths = self.prediction.paths
        weeks = np.clip(periods - self.idle, 0, paths.shape[1])
        done = np.floor(_done_after(self.project, self.tasks, paths, weeks) + _RESIDUE)
        rank = min(done.size - 1, math.floor((1 - level) * done.size + NOISE))
        return int(np.partition(done, rank)[rank])


class Ahead(Struct, frozen=True, eq=False):
    """The laws of tasks and of idle periods, how far to look, and the seed."""

    tasks: Law
    idle: Law
    periods: int
    seed: int


def foretell(project: Plan, samples: tuple[float, ...], ahead: Ahead) -> Futures:
    """When the project is done if throughput goes on as the forecasters say.

    `samples`: at least ensemble_limits.FEWEST_SAMPLES, oldest first, else InvalidRequest. Looks twice as far as
    `ahead.periods`, within FEWEST_PERIODS..MOST_PERIODS. Cost: that of `predict`, and paths x periods.
    """
    horizon = min(MOST_PERIODS, max(FEWEST_PERIODS, 2 * ahead.periods))
    prediction = predict(samples, horizon=horizon, seed=ahead.seed)
    bits, count = Bits(ahead.seed, _STREAM), len(prediction.paths)
    tasks = _drawn(ahead.tasks, bits, count)
    idle = _drawn(ahead.idle, bits, count)
    return Futures(project, prediction, _weeks_of_work(project, tasks, prediction.paths) + idle, tasks, idle)


def items_ahead(project: Plan, prediction: Prediction, periods: float) -> Floats:
    """Items that a constant team finishes within `periods` in each future, ascending; at most the horizon's.

    A period that is begun counts by its share.
    """
    whole = min(math.floor(periods + _RESIDUE), prediction.paths.shape[1])
    share = periods - whole if whole < prediction.paths.shape[1] else 0.0
    done = prediction.paths[:, :whole].sum(axis=1)
    if share > _RESIDUE:
        done = done + share * prediction.paths[:, whole]
    return np.sort(done * _pace(project))


def _drawn(law: Law, bits: Bits, count: int) -> Ints:
    return urn_of_law(law.start, law.mass / law.mass.sum()).draw(bits, count).astype(np.int64)


def _pace(project: Plan) -> float:
    """Tasks of the project that a task of the history stands for, when the whole team works."""
    return float(project.team.progress_per_sample() * SAMPLE_SCALE * project.team.high)


def _weeks_of_work(project: Plan, tasks: Ints, paths: Floats) -> Floats:
    """Weeks until the tasks are done on each path; infinite where the path ends first."""
    weeks = np.where(tasks > 0, np.inf, 0.0)
    for week, done in enumerate(_progress(project, tasks, paths), start=1):
        weeks = np.where(np.isinf(weeks) & (done >= tasks - _RESIDUE), week, weeks)
        if not np.isinf(weeks).any():
            break
    return weeks


def _done_after(project: Plan, tasks: Ints, paths: Floats, weeks: Ints) -> Floats:
    """Tasks done on each path after its number of weeks; a team that grows and shrinks stops at its last task."""
    done = np.zeros(tasks.size)
    for week, progress in enumerate(_progress(project, tasks, paths), start=1):
        if week > weeks.max():
            break
        done = np.where(weeks >= week, progress, done)
    return done if project.team.is_constant else np.minimum(done, tasks)


def _progress(project: Plan, tasks: Ints, paths: Floats) -> Iterator[Floats]:
    """Tasks done on each path after one week, two, .."""
    team, done = project.team, np.zeros(tasks.size)
    people = np.array([team.high] * 100 if team.is_constant else people_by_percent(team))
    pace = float(team.progress_per_sample() * SAMPLE_SCALE)
    for finished in paths.T:
        percent = np.minimum((100 * done / np.maximum(tasks, 1) + 0.5).astype(np.int64), 99)
        done = done + finished * pace * people[percent]
        yield done
