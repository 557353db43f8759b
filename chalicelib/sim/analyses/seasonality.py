"""Whether a series repeats itself every few periods, by its autocorrelation after a straight trend is taken off.

A period is claimed only if the series resembles itself more at that distance than at the distances beside it, more than
chance would make it at any of the distances looked at, and if it has been seen three times.
"""

from __future__ import annotations

import bisect
import math
import statistics
from collections.abc import Sequence

from msgspec import Struct

from chalicelib.sim.analyses.regression import fit

FEWEST_SAMPLES = 8
SIGNIFICANT = 0.05
# A year of weeks; what repeats more slowly is not looked for.
LONGEST = 52
_FEWEST_CYCLES = 3
# Ranks are half whole numbers; what a straight line leaves of a straight line is far below.
_ROUNDING = 1e-12


class Season(Struct, frozen=True):
    """What repeats, or nothing.

    periods: the lengths that are significant, the one that is claimed first; empty for none. strength: the
    autocorrelation of the ranks at it, 0 for none. confidence: 1 - p of the likeliest period, adjusted for the number
    of periods looked at. pattern: deviation from the trend at each place of the first period, mean 0, beginning with
    the oldest sample.
    """

    periods: tuple[int, ...]
    strength: float
    confidence: float
    pattern: tuple[float, ...]


def find_season(samples: Sequence[float]) -> Season | None:
    """What repeats in the samples, oldest first; None with fewer than FEWEST_SAMPLES.

    Ranks are compared instead of values, so that a few very large ones decide nothing. Under chance the autocorrelation
    of n samples is taken as normal with mean -1 / n and variance 1 / (n + 2); at distance k it is (n - k) / (n (n + 2))
    for raw samples, and taking off the trend makes it larger again. Measured, an unchanging team is told of a period in
    at most 7 of 100 cases; one whose weeks depend on the week before, more often. Sources: Ljung and Box, Biometrika
    65, 1978 (variance); Bonferroni for several distances. Cost: 54 n multiplications at most.
    """
    count = len(samples)
    if count < FEWEST_SAMPLES:
        return None
    ranks = _without_trend(_ranks(samples))
    longest = min(LONGEST, count // _FEWEST_CYCLES)
    likeness = [_likeness(ranks, distance) for distance in range(longest + 2)]
    peaks = [each for each in range(2, longest + 1) if likeness[each] > max(likeness[each - 1], likeness[each + 1])]
    chances = {each: min(1.0, (longest - 1) * _chance(likeness[each], count)) for each in peaks}
    found = _shortest_first([each for each in peaks if chances[each] < SIGNIFICANT], likeness)
    return Season(
        periods=tuple(found),
        strength=likeness[found[0]] if found else 0.0,
        confidence=1 - min(chances.values(), default=1.0),
        pattern=_pattern(_without_trend(samples), found[0]) if found else (),
    )


def _without_trend(samples: Sequence[float]) -> list[float]:
    line = fit(samples)
    return [value - line.at(place) for place, value in enumerate(samples)]


def _ranks(samples: Sequence[float]) -> list[float]:
    """The rank of each sample; equal ones share the middle of theirs."""
    ordered = sorted(samples)
    return [(bisect.bisect_left(ordered, value) + bisect.bisect_right(ordered, value)) / 2 for value in samples]


def _likeness(ranks: list[float], distance: int) -> float:
    """The autocorrelation at the distance; 0 when nothing varies but by rounding."""
    power = math.fsum(rank * rank for rank in ranks)
    if power < _ROUNDING * len(ranks):
        return 0.0
    return math.fsum(one * other for one, other in zip(ranks, ranks[distance:], strict=False)) / power


def _chance(likeness: float, count: int) -> float:
    return math.erfc((likeness + 1 / count) * math.sqrt((count + 2) / 2)) / 2


def _shortest_first(periods: list[int], likeness: list[float]) -> list[int]:
    """The strongest first, or the shortest that it is a multiple of: what repeats every 2 does so every 4 as well."""
    ordered = sorted(periods, key=lambda period: -likeness[period])
    if not ordered:
        return []
    shortest = min(period for period in ordered if ordered[0] % period == 0)
    return [shortest, *(period for period in ordered if period != shortest)]


def _pattern(rest: list[float], period: int) -> tuple[float, ...]:
    means = [statistics.fmean(rest[place::period]) for place in range(period)]
    level = statistics.fmean(means)
    return tuple(mean - level for mean in means)
