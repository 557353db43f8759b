"""Probability laws on evenly spaced points, and the sums of independent ones.

Points are integers times a rational unit, so that two ways to the same total meet in the same cell; probabilities
are float64. What is dropped on the way is far below the 1e-9 to which answers are checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from chalicelib.sim.cost import DENSE_COST, FFT_COST, STEP_OVERHEAD, convolution_work, shifts_work
from chalicelib.sim.pace import Pace
from chalicelib.sim.project import Samples

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Ends of a law lighter than this are cut. With the rounding of the FFT, a thousand sums keep their total to 1e-11.
TINY = 1e-17
# Rounding noise of a cumulative sum; a quantile must not move a whole point for it.
NOISE = 1e-12
# Below this many products np.convolve beats any bookkeeping.
_SMALL = 20_000


class Law(Struct, frozen=True, eq=False):
    """P(value = (start + i) * unit) = mass[i]; `mass` has shape (points,), is >= 0 and sums to 1 within 1e-9."""

    start: int
    mass: Floats
    unit: Fraction = Fraction(1)

    @property
    def end(self) -> int:
        """One past the last lattice point."""
        return self.start + self.mass.size

    def points(self) -> Ints:
        """The lattice points as integers, without the unit."""
        return np.arange(self.start, self.end, dtype=np.int64)

    def mean(self) -> float:
        """Expected value, in units of `unit` times one."""
        # Not the dot product, whose order of summation differs between machines.
        return float((self.mass * self.points()).sum()) / float(self.mass.sum()) * float(self.unit)

    def deviation(self) -> float:
        """Standard deviation."""
        points = self.points() * float(self.unit)
        variance = float(self.mass @ np.square(points - self.mean())) / float(self.mass.sum())
        return float(np.sqrt(max(0.0, variance)))

    def chance_up_to(self, point: int) -> float:
        """P(value <= point * unit)."""
        within = float(self.mass[: max(0, point + 1 - self.start)].sum()) / float(self.mass.sum())
        return min(1.0, within)

    def quantiles(self, levels: Iterable[float]) -> list[int]:
        """For each level p in 0..1 the smallest lattice point k with P(value <= k * unit) >= p."""
        reached = np.cumsum(self.mass)
        wanted = np.fromiter(levels, dtype=np.float64) * reached[-1] - NOISE
        # Cells of zero probability before the first real one must not be an answer.
        first = int(np.argmax(self.mass > NOISE))
        found = np.minimum(np.searchsorted(reached, wanted, side="left"), self.mass.size - 1)
        return [self.start + max(first, int(index)) for index in found]


def certain(point: int) -> Law:
    """The law of a value that is always `point`."""
    return Law(point, np.ones(1))


def uniform(low: int, high: int) -> Law:
    """Every whole number from low to high with the same probability."""
    count = high - low + 1
    return Law(low, np.full(count, 1 / count))


def empirical(samples: Samples) -> Law:
    """The law of one draw from the samples; (value, count) pairs, no value before a smaller one, at least one.

    Memory: one cell for each whole number from the first value to the last.
    """
    start, total = samples[0][0], sum(count for _, count in samples)
    mass = np.zeros(samples[-1][0] - start + 1)
    for value, count in samples:
        mass[value - start] += count / total
    return Law(start, mass)


def mixture(parts: Iterable[tuple[float, Law]]) -> Law:
    """The law that follows each part with its probability; all parts have the same unit. At least one part."""
    kept = list(parts)
    start, end = min(law.start for _, law in kept), max(law.end for _, law in kept)
    mass = np.zeros(end - start)
    for probability, law in kept:
        mass[law.start - start : law.end - start] += probability * law.mass
    return Law(start, mass, kept[0][1].unit)


def add(left: Law, right: Law) -> Law:
    """The law of the sum of two independent values on the same lattice."""
    return trim(Law(left.start + right.start, convolve(left.mass, right.mass), left.unit))


def trim(law: Law) -> Law:
    """The law without its ends where no cell reaches TINY."""
    if law.mass[0] > TINY and law.mass[-1] > TINY:
        return law
    kept = np.flatnonzero(law.mass > TINY)
    if not kept.size:
        return law
    first, last = int(kept[0]), int(kept[-1]) + 1
    return Law(law.start + first, law.mass[first:last], law.unit)


def sums_of_draws(one: Law, most: int, pace: Pace) -> Iterator[tuple[int, Law]]:
    """(n, law of the sum of n independent draws) for n = 1 .. most, each from the one before."""
    total, taps = one, int(np.count_nonzero(one.mass))
    for count in range(1, most + 1):
        if count > 1:
            pace.advance(convolution_work(total.mass.size, one.mass.size, taps) + STEP_OVERHEAD)
            total = add(total, one)
        yield count, total


def convolve(left: Floats, right: Floats) -> Floats:
    """Mass of the sum of two independent laws, shape (left + right - 1,), by the cheapest of three methods.

    Absolute error below 1e-15 by any method. Cost: see `cost.convolution_work`.
    """
    if left.size * right.size <= _SMALL:
        return np.convolve(left, right)
    large, small = (left, right) if left.size >= right.size else (right, left)
    taps = np.flatnonzero(small)
    cells = left.size + right.size - 1
    shifts, dense = shifts_work(large.size, taps.size), large.size * small.size * DENSE_COST
    if cells * FFT_COST < min(shifts, dense):
        return _by_transform(large, small)
    if dense <= shifts:
        return np.convolve(large, small)
    out = np.zeros(cells)
    for tap in taps:
        out[tap : tap + large.size] += small[tap] * large
    return out


def _by_transform(left: Floats, right: Floats) -> Floats:
    cells = left.size + right.size - 1
    length = 1 << (cells - 1).bit_length()
    # In place: these are the largest arrays of all.
    product: NDArray[Any] = np.fft.rfft(left, length)
    product *= np.fft.rfft(right, length)
    return np.maximum(np.fft.irfft(product, length)[:cells], 0.0)
