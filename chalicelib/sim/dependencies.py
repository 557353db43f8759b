"""The law of the calendar delay that late dependencies cause, and the summary of it that a client reads.

The delay of a trial is the sum over the dependencies of 0 if on time, else: one of the listed delays; without a list
uniform on 0.7 .. 1.3 times the typical delay; without that uniform on 5 .. 15 days. All are independent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from msgspec import Struct

from chalicelib.sim.calendar import DAYS_PER_WEEK
from chalicelib.sim.cost import FFT_COST
from chalicelib.sim.inputs import Dependency
from chalicelib.sim.lattice import Floats, Ints, Law, convolve, trim
from chalicelib.sim.pace import Pace
from chalicelib.sim.project import round_half_up
from chalicelib.sim.result import CriticalDependency, DependencyAnalysis, Percentiles

UNKNOWN_DELAY_DAYS = (5.0, 15.0)
SPREAD = (0.7, 1.3)
WEIGHTS = {"LOW": 0.5, "MEDIUM": 1.0, "HIGH": 2.0, "CRITICAL": 3.0}
# Lattice steps a day: hundredths, and tenths once the longest possible delay passes this many days.
_LONG_DAYS = 10_000.0


class Delay(Struct, frozen=True, eq=False):
    """Law of the summed delay: `listed` holds the outcomes without a continuous part, `smooth` the others.

    Both are masses on 0 .. n lattice steps of a day and sum to 1 together. They are kept apart because a point of
    `smooth` stands for the interval around it: at a whole week half of it is still within that week.
    """

    steps_per_day: int
    listed: Floats
    smooth: Floats

    @property
    def days(self) -> Law:
        """The delay in days."""
        return trim(Law(0, self.listed + self.smooth, Fraction(1, self.steps_per_day)))


def delay(dependencies: tuple[Dependency, ...], pace: Pace) -> Delay:
    """The law of the summed delay in days.

    Listed delays are exact to a lattice step of 0.01 day (0.1 when the longest sum passes 10,000 days). A uniform
    delay becomes equally likely points in the middle of cells two steps wide; its ends are moved to the nearest step,
    and the probability of a week is off by less than 1e-6 for ends on the lattice, else by about step / width.
    Cost: lattice points times dependencies, small lists.
    """
    steps = steps_per_day(dependencies)
    listed, smooth = np.ones(1), np.zeros(1)
    for each in dependencies:
        late, on_time = 1 - each.on_time_probability, each.on_time_probability
        points, counts = late_points(each, steps)
        mass = np.bincount(points, counts) / counts.sum()
        if each.delay_impact_distribution:
            delayed, smoothed = convolve(listed, mass), convolve(smooth, mass)
        else:
            delayed, smoothed = np.zeros(1), convolve(_added(listed, smooth), mass)
        listed = _added(on_time * listed, late * delayed)
        smooth = _added(on_time * smooth, late * smoothed)
        pace.advance(FFT_COST * (listed.size + smooth.size))
    return Delay(steps, *_same_size(listed, smooth))


def steps_per_day(dependencies: tuple[Dependency, ...]) -> int:
    """Lattice steps of a day for the sum of these delays."""
    return 100 if sum(longest_days(each) for each in dependencies) <= _LONG_DAYS else 10


def late_points(dependency: Dependency, steps: int) -> tuple[Ints, Ints]:
    """The delays of a late dependency, in lattice steps, and the weight of each; both of shape (delays,)."""
    listed = dependency.delay_impact_distribution
    if listed:
        return np.unique_counts(np.array([round_half_up(days * steps) for days in listed], dtype=np.int64))
    typical = dependency.delay_impact_days
    low, high = (SPREAD[0] * typical, SPREAD[1] * typical) if typical > 0 else UNKNOWN_DELAY_DAYS
    first, cells = round_half_up(low * steps), max(1, round_half_up((high - low) * steps / 2))
    return first + 1 + 2 * np.arange(cells, dtype=np.int64), np.ones(cells, dtype=np.int64)


def longest_days(dependency: Dependency) -> float:
    """The longest delay that the dependency can cause."""
    if dependency.delay_impact_distribution:
        return max(dependency.delay_impact_distribution)
    return SPREAD[1] * dependency.delay_impact_days or UNKNOWN_DELAY_DAYS[1]


def delay_weeks(law: Delay, period_days: int = DAYS_PER_WEEK) -> Law:
    """The law of ceil(days / 7), the whole weeks that the delay adds, or of periods of another length."""
    week = period_days * law.steps_per_day
    points = np.arange(law.listed.size)
    in_week = -(-points // week)
    count = int(in_week[-1]) + 2
    mass: Floats = np.bincount(in_week, law.listed + law.smooth, minlength=count).astype(np.float64)
    # Half of a smooth point on the border belongs to the week after it.
    border = points[points % week == 0]
    spill: Floats = np.bincount(in_week[border], law.smooth[border] / 2, minlength=count).astype(np.float64)
    return trim(Law(0, mass - spill + np.concatenate(([0.0], spill[:-1]))))


def analyse(dependencies: tuple[Dependency, ...], law: Delay) -> DependencyAnalysis:
    """What the dependencies mean for the project; at least one dependency."""
    days = law.days
    on_time = math.prod(each.on_time_probability for each in dependencies)
    expected, late = days.mean(), 1 - on_time
    variation = days.deviation() / expected if expected > 0 else 0.0
    score = 100 * (
        0.4 * late + 0.3 * min(expected / 30, 1) + 0.2 * min(variation, 1) + 0.1 * min(len(dependencies) / 10, 1)
    )
    ranked = sorted(dependencies, key=_weighted_delay, reverse=True)
    return DependencyAnalysis(
        total_dependencies=len(dependencies),
        on_time_probability=on_time,
        one_in=1 / on_time if on_time > 0 else None,
        expected_delay_days=expected,
        delay_percentiles=_when_late(law, on_time),
        critical_dependencies=[_critical(each) for each in ranked[:5]],
        risk_score=round(score, 1),
        risk_level=("LOW", "MEDIUM", "HIGH", "CRITICAL")[sum(score >= bound for bound in (25, 50, 75))],
        advice=list(_advice(ranked, on_time, expected)),
    )


def _added(left: Floats, right: Floats) -> Floats:
    left, right = _same_size(left, right)
    return left + right


def _same_size(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    size = max(left.size, right.size)
    return np.pad(left, (0, size - left.size)), np.pad(right, (0, size - right.size))


def _when_late(law: Delay, on_time: float) -> Percentiles[float] | None:
    """Percentiles of the delay given that some dependency is late."""
    if on_time >= 1:
        return None
    mass = law.listed + law.smooth
    mass[0] = max(0.0, mass[0] - on_time)
    late = trim(Law(0, mass, Fraction(1, law.steps_per_day)))
    return Percentiles.of([point / law.steps_per_day for point in late.quantiles(Percentiles.LEVELS)])


def _advice(ranked: list[Dependency], on_time: float, expected: float) -> Iterator[str]:
    """What to do about it, most useful first; `ranked` by weighted delay."""
    worst = ranked[0]
    if _weighted_delay(worst) == 0:
        yield "No dependency is expected to delay the project."
        return
    late = 1 - worst.on_time_probability
    share = late * _typical_days(worst) / expected if expected > 0 else 0.0
    yield (
        f"Begin with {worst.name or worst.target_project or worst.id or 'the first one listed'}: it is late in "
        f"{100 * late:.0f} % of the cases and makes {100 * min(share, 1):.0f} % of the expected delay."
    )
    if expected >= DAYS_PER_WEEK:
        yield f"Allow {expected:.0f} days for late dependencies; the forecast already holds them."
    if on_time < 0.5:
        yield f"Some dependency is late in {100 * (1 - on_time):.0f} % of the cases: do not plan on none being late."


def _weighted_delay(dependency: Dependency) -> float:
    weight = WEIGHTS.get(dependency.criticality.upper(), WEIGHTS["MEDIUM"])
    return (1 - dependency.on_time_probability) * _typical_days(dependency) * weight


def _typical_days(dependency: Dependency) -> float:
    listed = dependency.delay_impact_distribution
    if listed:
        return sum(listed) / len(listed)
    return dependency.delay_impact_days or sum(UNKNOWN_DELAY_DAYS) / 2


def _critical(dependency: Dependency) -> CriticalDependency:
    return CriticalDependency(
        id=dependency.id,
        name=dependency.name,
        on_time_probability=dependency.on_time_probability,
        typical_delay_days=_typical_days(dependency),
        criticality=dependency.criticality.upper(),
        weighted_delay_days=_weighted_delay(dependency),
    )
