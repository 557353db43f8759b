"""The law of the lead time that delays the start of a project."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from chalicelib.sim.calendar import DAYS_PER_WEEK
from chalicelib.sim.cost import LOOK_UP
from chalicelib.sim.lattice import Floats, Law, certain, empirical, sums_of_draws, trim
from chalicelib.sim.pace import Pace
from chalicelib.sim.project import LEAD_TIME_SCALE, Samples


class LeadTime(Struct, frozen=True, eq=False):
    """Lead time of a trial in whole days, and the start delay in whole weeks, or periods of another length.

    Each is rounded half up by itself.
    """

    days: Law
    weeks: Law


def lead_time(samples: Samples, pace: Pace, period_days: int = DAYS_PER_WEEK) -> LeadTime:
    """The law of the average of n lead times, n uniform on round(0.1 m) .. round(0.9 m), both half up.

    samples: (tenths of a day, count) pairs, may be empty (no delay). With fewer than five samples n = 0 occurs and
    means no lead time: the reference model's answer, kept although n >= 1 would be more sensible.
    Cost: 0.9 m convolutions.
    """
    if not samples:
        return LeadTime(certain(0), certain(0))
    one, total = empirical(samples), sum(count for _, count in samples)
    fewest, most = (total + 5) // 10, (9 * total + 5) // 10
    longest = (one.end - 1) // LEAD_TIME_SCALE + 1
    days, weeks = np.zeros(longest + 2), np.zeros(longest // period_days + 3)
    if fewest == 0:
        days[0] = weeks[0] = 1.0
    for count, draws in sums_of_draws(one, most, pace):
        pace.advance(LOOK_UP * days.size)
        if count >= fewest:
            days += _rounded_mean(draws, count * LEAD_TIME_SCALE, days.size)
            weeks += _rounded_mean(draws, count * LEAD_TIME_SCALE * period_days, weeks.size)
    outcomes = most - fewest + 1
    return LeadTime(trim(Law(0, days / outcomes)), trim(Law(0, weeks / outcomes)))


def _rounded_mean(total: Law, divisor: int, size: int) -> Floats:
    """Mass of round(total / divisor) at 0 .. size - 1."""
    below = np.concatenate(([0.0], np.cumsum(total.mass)))
    # total / divisor >= k - 1/2, solved for the whole number.
    needed = -(-(2 * np.arange(size + 1, dtype=np.int64) - 1) * divisor // 2)
    at_least: Floats = below[-1] - below[np.clip(needed - total.start, 0, total.mass.size)]
    return at_least[:-1] - at_least[1:]
