"""How many items a team finishes in a time: the law of their number, for "how many" and for what is done by a day.

The items of k whole periods are the sum of k draws from the history. A period that is begun counts by its share: each
of its items falls within it with that chance, as if items were finished at any time of the period alike. Histories with
fractions of items count by the share itself.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from msgspec import Struct

from chalicelib.sim.chance import Bits, urn_of_law, urn_of_samples
from chalicelib.sim.lattice import NOISE, Floats, Ints, Law, add, certain, convolve, empirical, mixture, trim
from chalicelib.sim.pace import Pace
from chalicelib.sim.project import SAMPLE_SCALE, Plan, Samples, divisor_of
from chalicelib.sim.ramp import people_by_percent
from chalicelib.sim.result import EngineName

# Cells of the largest law that is convolved: 32 MB, about a second. Beyond that trials are drawn.
MOST_CELLS = 4_000_000
# Draws of all trials together, and trials at most and at least.
_MOST_DRAWS, _MOST_TRIALS, _FEWEST_TRIALS = 50_000_000, 100_000, 1_000
_DRAWS_PER_BLOCK = 1 << 20
# Points of a law that was counted; finer ones are put together.
_MOST_POINTS = 1_000_000
# Items of a period up to which its begun part is a binomial law; above, the share itself is as good.
_MOST_THINNED = 2_000
# Keeps these draws apart from those of the engine's trials, which have the same seed.
_STREAM = 0x4954454D


class Items(Struct, frozen=True, eq=False):
    """The law of the whole items that are finished, the mean with fractions of items, and how both were found."""

    law: Law
    mean: float
    method: EngineName

    def at_least(self, level: float) -> int:
        """The most items that are finished, or more, with a chance of at least `level` (0..1)."""
        reached = np.cumsum(self.law.mass[::-1])[::-1] / self.law.mass.sum()
        kept = np.flatnonzero(reached >= level - NOISE)
        return self.law.start + int(kept[-1]) if kept.size else 0

    def chance_of(self, items: int) -> float:
        """P(at least so many)."""
        first = max(0, items - self.law.start)
        return float(min(1.0, self.law.mass[first:].sum() / self.law.mass.sum()))


class Wait(Struct, frozen=True, eq=False):
    """The periods that pass before work begins (a law on whole periods), and the seed of trials."""

    idle: Law
    seed: int


def items_in(project: Plan, periods: float, wait: Wait, pace: Pace) -> Items:
    """The items that a constant team finishes within `periods` (>= 0, may have a fraction), however many there are.

    Exact while the law has at most MOST_CELLS cells, else counted in trials with the seed. The backlog of the project
    is not looked at. Cost: log2(periods) convolutions, and one for each period of the wait.
    """
    whole, share = _split(periods)
    divisor = _divisor(project.throughput, share)
    last = project.throughput[-1][0]
    # Told from the ends: such laws may be too large to be written down.
    if (last // divisor + 1 + math.ceil(last * share / divisor) + 1) * (whole + 1) > MOST_CELLS:
        return _counted(project, (whole, share), wait)
    unit = project.team.progress_per_sample() * project.team.high * divisor
    week = empirical(tuple((value // divisor, count) for value, count in project.throughput))
    begun = _begun_period(project.throughput, share, divisor)
    # Where work begins after the time is over, nothing is done, not even in the period that is begun.
    late = float(wait.idle.mass[max(0, whole + 1 - wait.idle.start) :].sum())
    total = add(begun, _after_wait(week, whole, wait.idle, pace)) if late < 1 else certain(0)
    return _items(mixture([(1.0, total), (late, certain(0))]) if 0 < late < 1 else total, unit, "exact")


def items_of_backlog(project: Plan, periods: float, tasks: Law, wait: Wait) -> Items:
    """The items that a team which grows and shrinks has finished of its backlog after `periods`, from seeded trials.

    Such a team is known only as far as its backlog goes, so the number is at most the backlog. Cost: trials x periods.
    """
    whole, share = _split(periods)
    trials = _trials(whole + 1)
    bits = Bits(wait.seed, _STREAM)
    counts = urn_of_law(tasks.start, tasks.mass / tasks.mass.sum()).draw(bits, trials).astype(np.int64)
    idle = urn_of_law(wait.idle.start, wait.idle.mass / wait.idle.mass.sum()).draw(bits, trials).astype(np.int64)
    samples, people = urn_of_samples(project.throughput), np.array(people_by_percent(project.team))
    unit = project.team.progress_per_sample()
    needed = -(-counts * unit.denominator // unit.numerator)
    done = np.zeros(trials, dtype=np.int64)
    for week in range(whole + (share > 0)):
        percent = np.minimum((100 * done / np.maximum(needed, 1) + 0.5).astype(np.int64), 99)
        progress = samples.draw(bits, trials) * people[percent] * (share if week == whole else 1.0)
        done += np.where(week >= idle, progress, 0).astype(np.int64)
    finished = np.where(done < needed, done * unit.numerator // unit.denominator, counts)
    law = Law(0, np.bincount(finished).astype(np.float64) / trials)
    return Items(law, float(finished.mean()), "monte_carlo")


def _split(periods: float) -> tuple[int, float]:
    """Whole periods and the share of the one that is begun; a rounding error does not begin one."""
    whole = math.floor(periods + 1e-9)
    share = periods - whole
    return whole, share if share > 1e-9 else 0.0


def _divisor(samples: Samples, share: float) -> int:
    """The divisor of the lattice that holds the whole periods and the begun one."""
    divisor = divisor_of(samples)
    if share == 0:
        return divisor
    if _is_thinned(samples, divisor):
        return SAMPLE_SCALE
    return math.gcd(divisor, *(_part(value, share) for value, _ in samples))


def _is_thinned(samples: Samples, divisor: int) -> bool:
    """Whether the items of a begun period are few and whole, so that each can be kept or not."""
    return divisor % SAMPLE_SCALE == 0 and samples[-1][0] <= _MOST_THINNED * SAMPLE_SCALE


def _part(value: int, share: float) -> int:
    return math.floor(value * share + 0.5)


def _begun_period(samples: Samples, share: float, divisor: int) -> Law:
    """The law of a begun period, on the lattice of `_divisor`."""
    if share == 0:
        return certain(0)
    if _is_thinned(samples, divisor):
        return _thinned(samples, share)
    return empirical(tuple((_part(value, share) // divisor, count) for value, count in samples))


def _thinned(samples: Samples, share: float) -> Law:
    """Each item of a drawn period is kept with the chance `share`: a mixture of binomial laws."""
    total = sum(count for _, count in samples)
    mass = np.zeros(samples[-1][0] // SAMPLE_SCALE + 1)
    for value, count in samples:
        items = value // SAMPLE_SCALE
        mass[: items + 1] += count / total * _binomial(items, share)
    return trim(Law(0, mass))


def _binomial(items: int, share: float) -> Floats:
    """P(0, 1, .. items of `items` are kept), from logarithms, which do not underflow."""
    kept = np.arange(items + 1)
    logs = np.array([math.lgamma(each + 1) for each in range(items + 1)])
    mass: Floats = np.exp(
        logs[items] - logs - logs[::-1] + kept * math.log(share) + (items - kept) * math.log1p(-share)
    )
    return mass


def _after_wait(week: Law, periods: int, idle: Law, pace: Pace) -> Law:
    """The sum of the draws of what is left of `periods` after a wait that leaves something; mass: P(such a wait)."""
    least = max(0, periods - (idle.end - 1))
    done, worked = _power(week, least), least
    mass = np.zeros((week.end - 1) * periods + 1)
    for wait in range(min(periods, idle.end - 1), idle.start - 1, -1):
        while worked < periods - wait:
            done, worked = add(done, week), worked + 1
            pace.advance(done.mass.size)
        mass[done.start : done.end] += idle.mass[wait - idle.start] * done.mass
    return trim(Law(0, mass))


def _power(week: Law, periods: int) -> Law:
    """The law of the sum of so many independent draws, by repeated squaring."""
    total, square, left = certain(0), week, periods
    while left:
        if left % 2:
            total = add(total, square)
        left //= 2
        if left:
            square = trim(Law(2 * square.start, convolve(square.mass, square.mass)))
    return total


def _items(total: Law, unit: Fraction, method: EngineName) -> Items:
    """The law of the whole items in `total`, whose points are `unit` items each."""
    points = total.points() * unit.numerator // unit.denominator
    start = int(points[0])
    mass = np.bincount(points - start, total.mass).astype(np.float64)
    return Items(Law(start, mass / mass.sum()), total.mean() * float(unit), method)


def _counted(project: Plan, periods: tuple[int, float], wait: Wait) -> Items:
    """The same from trials, for histories of too many different sums."""
    whole, share = periods
    bits, urn = Bits(wait.seed, _STREAM), urn_of_samples(project.throughput)
    trials, sums = _trials(whole + 1), []
    rows = max(1, _DRAWS_PER_BLOCK // (whole + 1))
    weights = np.append(np.ones(whole), share)
    waits = urn_of_law(wait.idle.start, wait.idle.mass / wait.idle.mass.sum())
    for first in range(0, trials, rows):
        size = min(rows, trials - first)
        drawn = urn.draw(bits, size * (whole + 1)).reshape(size, whole + 1)
        works = np.arange(whole + 1) >= waits.draw(bits, size).astype(np.int64)[:, None]
        sums.append((drawn * weights * works).sum(axis=1))
    pace = float(project.team.progress_per_sample() * project.team.high)
    return _histogram(np.concatenate(sums) * pace)


def _histogram(finished: Floats) -> Items:
    items: Ints = np.floor(finished + 1e-9).astype(np.int64)
    low, grain = int(items.min()), int(np.ptp(items)) // _MOST_POINTS + 1
    mass = np.zeros((int(np.ptp(items)) // grain) * grain + 1)
    np.add.at(mass, (items - low) // grain * grain, 1 / items.size)
    return Items(Law(low, mass), float(finished.mean()), "monte_carlo")


def _trials(periods: int) -> int:
    return max(_FEWEST_TRIALS, min(_MOST_TRIALS, _MOST_DRAWS // periods))
