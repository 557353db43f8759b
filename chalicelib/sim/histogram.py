"""How often each whole number was seen, without keeping what was seen."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from chalicelib.sim.lattice import Ints, Law


class Histogram:
    """Counts of whole numbers >= 0, from the smallest seen to the largest."""

    def __init__(self) -> None:
        self._start = 0
        self._counts: Ints = np.zeros(0, dtype=np.int64)

    def add(self, values: Ints) -> None:
        """Counts `values`, shape (values,), at least one. Cost: linear in them and in their range."""
        first, end = int(values.min()), int(values.max()) + 1
        self._cover(first, end)
        if end - first <= 8 * values.size:
            self._counts[first - self._start : end - self._start] += np.bincount(values - first)
        else:
            found, counts = np.unique(values, return_counts=True)
            self._counts[found - self._start] += counts

    def law(self, unit: Fraction = Fraction(1)) -> Law:
        """The share of each number as its probability; at least one was seen."""
        return Law(self._start, self._counts / self._counts.sum(), unit)

    def _cover(self, first: int, end: int) -> None:
        """Makes room for first .. end - 1, and for as many again where that was not enough."""
        if not self._counts.size:
            self._start = first
        start, stop = self._start, self._start + self._counts.size
        if start <= first and end <= stop:
            return
        low, high = min(first, start), max(end, stop)
        counts = np.zeros(high - low, dtype=np.int64)
        counts[start - low : stop - low] = self._counts
        self._start, self._counts = low, counts
