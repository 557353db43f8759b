"""The Mann-Kendall test: whether values rise or fall in the order of time, whatever their shape.

S = pairs that rise less pairs that fall. Below 8 values its law is counted out; from there it is taken as normal with
correction for ties and continuity. Sources: Kendall, Rank Correlation Methods, 1975; Gilbert, Statistical Methods for
Environmental Pollution Monitoring, 1987, section 16.4.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

# Up to here all orders of the values are looked at: 7! = 5,040. The normal law is too quiet for so few.
_MOST_COUNTED = 7


class Kendall(Struct, frozen=True):
    """score: S. tau: tau-b, -1..1, None when all values are equal. p_value: two-sided, 1 when all are equal."""

    score: int
    tau: float | None
    p_value: float


def rank_test(samples: Sequence[float]) -> Kendall:
    """The test of at least two samples, oldest first. Cost: n log n comparisons; below 8 samples n! n log n."""
    count = len(samples)
    pairs = count * (count - 1) // 2
    tied = sum(size * (size - 1) // 2 for size in Counter(samples).values())
    score = _rises_less_falls(samples)
    if pairs == tied:
        return Kendall(0, None, 1.0)
    p_value = _counted(samples, score) if count <= _MOST_COUNTED else _approximate(samples, score)
    # The time has no ties.
    return Kendall(score, score / math.sqrt(pairs * (pairs - tied)), p_value)


def _counted(samples: Sequence[float], score: int) -> float:
    """The share of all orders of the samples that are at least as one-sided."""
    orders = [abs(_rises_less_falls(order)) >= abs(score) for order in itertools.permutations(samples)]
    return sum(orders) / len(orders)


def _approximate(samples: Sequence[float], score: int) -> float:
    count = len(samples)
    ties = sum(size * (size - 1) * (2 * size + 5) for size in Counter(samples).values())
    variance = (count * (count - 1) * (2 * count + 5) - ties) / 18
    return math.erfc(max(0, abs(score) - 1) / math.sqrt(2 * variance))


def _rises_less_falls(samples: Sequence[float]) -> int:
    earlier: list[float] = []
    score = 0
    for value in samples:
        place = bisect.bisect_left(earlier, value)
        above = bisect.bisect_right(earlier, value, lo=place)
        score += place - (len(earlier) - above)
        earlier.insert(above, value)
    return score
