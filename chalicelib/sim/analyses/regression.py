"""A straight line through a series of samples: least squares, with how sure its slope is. No numpy."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from msgspec import Struct

from chalicelib.sim.analyses.students_t import chance_within, two_sided_quantile


class Line(Struct, frozen=True):
    """value = start + slope x place, with places 0, 1, .. for the samples, oldest first.

    correlation: of the samples with their places, -1..1, 0 when all are equal. deviation: standard deviation of the
    samples around the line, with count - 2 degrees of freedom.
    """

    start: float
    slope: float
    slope_error: float
    correlation: float
    deviation: float
    count: int

    def at(self, place: float) -> float:
        """The line's value at a place."""
        return self.start + self.slope * place

    def p_value(self) -> float:
        """How often a slope this steep comes of chance: two-sided t test, for normal deviations from the line."""
        if self.slope == 0:
            return 1.0
        t = abs(self.slope) / self.slope_error if self.slope_error > 0 else math.inf
        return 1 - chance_within(t, self.count - 2)

    def slope_interval(self, level: float) -> tuple[float, float]:
        """The interval that holds the true slope with the chance `level`, under the same condition."""
        reach = two_sided_quantile(level, self.count - 2) * self.slope_error
        return self.slope - reach, self.slope + reach


def fit(samples: Sequence[float]) -> Line:
    """The least-squares line through at least three samples. Cost: linear."""
    count = len(samples)
    middle, mean = (count - 1) / 2, statistics.mean(samples)
    across = count * (count * count - 1) / 12
    slope = math.fsum((place - middle) * (value - mean) for place, value in enumerate(samples)) / across
    up = math.fsum((value - mean) ** 2 for value in samples)
    left = math.fsum((value - mean - slope * (place - middle)) ** 2 for place, value in enumerate(samples))
    deviation = math.sqrt(left / (count - 2))
    return Line(
        start=mean - slope * middle,
        slope=slope,
        slope_error=deviation / math.sqrt(across),
        correlation=slope * math.sqrt(across / up) if up > 0 else 0.0,
        deviation=deviation,
        count=count,
    )
