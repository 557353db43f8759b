"""Weekly throughput as a Weibull law instead of the past weeks themselves; without numpy and without the C library.

The busy weeks are fitted and the idle ones kept as they are: fitting them too would call for ln 0, and leaving them
out (as the reference's port does) makes ten weeks with four idle ones half as fast again as they were. `exp` and `log`
are computed here from the four basic operations, because those of C libraries differ in the last bit between machines
and a seed is to give the same answer on all of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from msgspec import Struct

# Weights of a law made here sum to this, a power of two, so that a draw needs no rejection.
TOTAL_WEIGHT_BITS = 48
TOTAL_WEIGHT = 1 << TOTAL_WEIGHT_BITS
# With fewer weeks than this above half a task the law says nothing of use: the samples are too far from it.
LEAST_BUSY = 1e-4
# Beyond these the law is as good as a single value, or has no mean that anyone would believe.
LEAST_SHAPE, MOST_SHAPE = 0.05, 1_000.0
# The tail beyond this chance is put on the last value.
TAIL = 1e-12
# Up to here every whole number of tasks a week is a value of its own; beyond, values are 1/256 of themselves apart.
_FINE, _PER_DOUBLING = 2_048, 256
_LN2 = 0.6931471805599453


class Weibull(Struct, frozen=True):
    """P(x > t) = busy * exp(-(t / scale) ** shape); scale in tasks a week, busy = share of the weeks above 0."""

    shape: float
    scale: float
    busy: float

    def above(self, tasks: float) -> float:
        """Chance of a week with more than `tasks`, which is above 0."""
        return self.busy * _exp(-_exp(self.shape * (_log(tasks) - _log(self.scale))))


def fit(samples: Sequence[tuple[float, int]]) -> Weibull | None:
    """The law of greatest likelihood for the positive samples, location 0; None without two distinct ones.

    samples: (tasks a week, number of weeks), each value once, ascending. The shape k solves
    sum(x**k ln x) / sum(x**k) - 1 / k = mean(ln x), whose left side rises with k; it is kept within LEAST_SHAPE and
    MOST_SHAPE. Source: Cohen, Technometrics 7 (1965) 579. Cost: about ten passes over the distinct samples.
    """
    busy = [(value, count) for value, count in samples if value > 0]
    if len(busy) < 2:
        return None
    weeks, largest = sum(count for _, count in busy), busy[-1][0]
    # Logarithms of x / largest: all at most 0, so that no power overflows.
    logs = [(_log(value / largest), count) for value, count in busy]
    shape = _shape(logs, math.fsum(log * count for log, count in logs) / weeks)
    mean_power = math.fsum(count * _exp(shape * log) for log, count in logs) / weeks
    scale = largest * _exp(_log(mean_power) / shape)
    return Weibull(shape, scale, weeks / sum(count for _, count in samples))


def _shape(logs: list[tuple[float, int]], mean_log: float) -> float:
    """Newton's method, with bisection where a step leaves the bracket."""
    low, high, shape = LEAST_SHAPE, MOST_SHAPE, 1.0
    for _ in range(100):
        powers = [count * _exp(shape * log) for log, count in logs]
        total = math.fsum(powers)
        mean = math.fsum(p * log for p, (log, _) in zip(powers, logs, strict=True)) / total
        square = math.fsum(p * log * log for p, (log, _) in zip(powers, logs, strict=True)) / total
        excess = mean - 1 / shape - mean_log
        low, high = (low, shape) if excess > 0 else (shape, high)
        step = excess / (square - mean * mean + 1 / (shape * shape))
        following = shape - step if low < shape - step < high else (low + high) / 2
        if abs(following - shape) <= 1e-12 * shape:
            return following
        shape = following
    return shape


def weekly_law(law: Weibull, enough: int) -> list[tuple[int, int]] | None:
    """The law rounded to whole tasks: (tasks a week, weight), ascending, with weights that sum to TOTAL_WEIGHT.

    P(k) = F(k + 1/2) - F(k - 1/2), P(0) with the idle weeks. `enough`: tasks a week that finish any backlog of the
    project, more is as good as that. None when less than LEAST_BUSY of the weeks would finish a task, in which case
    a project might all but never end. Cost: one law value for each of at most 4,500 values.
    """
    if law.above(0.5) < LEAST_BUSY:
        return None
    weights = []
    above = TOTAL_WEIGHT
    for value, border in _values(max(1, enough)):
        left = 0 if border is None else math.floor(law.above(border) * TOTAL_WEIGHT)
        if left < TAIL * TOTAL_WEIGHT:
            left = 0
        if above > left:
            weights.append((value, above - left))
        above = left
        if not left:
            break
    return weights


def _values(last: int) -> Iterator[tuple[int, float | None]]:
    """Each value from 0 to `last`, and the border to the next one."""
    value = 0
    while value < last:
        following = min(last, value + max(1, value // _PER_DOUBLING if value >= _FINE else 1))
        yield value, (value + following) / 2
        value = following
    yield last, None


def _log(x: float) -> float:
    """ln x for x > 0, to about 1e-15: 2 artanh((m - 1) / (m + 1)) of the mantissa m in 0.7 .. 1.4."""
    mantissa, exponent = math.frexp(x)
    if mantissa < 0.7071067811865476:
        mantissa, exponent = 2 * mantissa, exponent - 1
    ratio = (mantissa - 1) / (mantissa + 1)
    square, series = ratio * ratio, 0.0
    for divisor in (23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1):
        series = series * square + 1 / divisor
    return 2 * ratio * series + exponent * _LN2


def _exp(x: float) -> float:
    """e ** x, to a relative 1e-13 (1e-15 near 0), for x kept within -700 .. 700, below which it is 0.

    Taylor's series for what the multiples of ln 2 leave of x.
    """
    x = min(x, 700.0)
    if x < -700:
        return 0.0
    halvings = math.floor(x / _LN2 + 0.5)
    rest, series = x - halvings * _LN2, 1.0
    for divisor in range(15, 0, -1):
        series = 1 + rest * series / divisor
    return math.ldexp(series, halvings)
