"""Samples that stand apart from the others, by a fence on either side. No numpy: the lists hold a thousand values."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from chalicelib.sim.statistics import percentile

Method = Literal["iqr", "zscore", "mad"]

# Normal samples: the median absolute deviation is 1 / 1.4826 of the standard deviation.
_MAD_TO_DEVIATION = 1.4826
_SLACK = 1e-12


class Fence(Struct, frozen=True):
    """Samples below `low` - `reach` x `scale` or above `high` + `reach` x `scale` stand apart."""

    low: float
    high: float
    scale: float
    reach: float

    @property
    def lower(self) -> float:
        return self.low - self.reach * self.scale

    @property
    def upper(self) -> float:
        return self.high + self.reach * self.scale

    def excludes(self, value: float) -> bool:
        """Whether the value stands apart. Without any spread every value that differs does."""
        # Quartiles between equal samples may differ from them by rounding.
        return value < self.lower - _SLACK * abs(self.lower) or value > self.upper + _SLACK * abs(self.upper)

    def score(self, value: float) -> float | None:
        """How many scales the value is beyond `low` or `high`; 0 between them, None without any spread."""
        beyond = max(self.low - value, value - self.high, 0.0)
        return beyond / self.scale if self.scale > 0 else None


def fence(samples: Sequence[float], method: Method = "iqr") -> Fence:
    """The fence around at least one sample. Cost: n log n.

    iqr: 1.5 interquartile ranges beyond the quartiles (Tukey, Exploratory Data Analysis, 1977); zscore: 3 standard
    deviations from the mean, which fewer than 11 samples cannot leave; mad: 3.5 deviations from the median, told from
    the median absolute deviation (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993).
    """
    return _FENCES[method](samples)


def _iqr(samples: Sequence[float]) -> Fence:
    ordered = sorted(samples)
    low, high = percentile(ordered, 0.25), percentile(ordered, 0.75)
    return Fence(low, high, max(0.0, high - low), 1.5)


def _zscore(samples: Sequence[float]) -> Fence:
    mean = statistics.mean(samples)
    return Fence(mean, mean, statistics.pstdev(samples), 3.0)


def _mad(samples: Sequence[float]) -> Fence:
    median = statistics.median(samples)
    return Fence(median, median, _MAD_TO_DEVIATION * statistics.median(abs(each - median) for each in samples), 3.5)


_FENCES: dict[Method, Callable[[Sequence[float]], Fence]] = {"iqr": _iqr, "zscore": _zscore, "mad": _mad}
