"""Random whole numbers that are bit for bit the same on any machine: raw bits, mapped by whole-number arithmetic.

NumPy keeps the raw stream of a bit generator and of `SeedSequence` for ever, but not what `Generator` makes of it
(NEP 19). So only raw bits are drawn here, and no floating-point function stands between them and a trial.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chalicelib.sim.lattice import Floats, Ints
from chalicelib.sim.project import Samples
from chalicelib.sim.weibull import TOTAL_WEIGHT, TOTAL_WEIGHT_BITS

Words = NDArray[np.uint64]
# Any integers; the narrowest type that holds the values of an urn, because narrow arrays are added fastest.
Drawn = NDArray[np.integer]

_BYTE, _WORD16 = 1 << 8, 1 << 16


class Bits:
    """A stream of random bits: SFC64, the fastest of NumPy's generators, seeded for one block of trials."""

    def __init__(self, seed: int, block: int) -> None:
        self._source = np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(block,)))

    def words(self, count: int) -> Words:
        """Shape (count,), 64 bits each."""
        return np.asarray(self._source.random_raw(count), dtype=np.uint64)

    def octets(self, count: int) -> bytes:
        """At least `count` bytes, in the same order on machines of either byte order."""
        return self.words(-(-count // 8)).astype("<u8", copy=False).tobytes()

    def happens(self, probability: float, count: int) -> NDArray[np.bool_]:
        """Shape (count,): true with `probability`, exact to 2**-64."""
        bound = int(Fraction(probability) * (1 << 64))
        return self.words(count) < np.uint64(bound) if bound < 1 << 64 else np.ones(count, dtype=np.bool_)


class Urn(Protocol):
    """Holds whole numbers, each with a weight, and draws them with replacement."""

    def draw(self, bits: Bits, count: int) -> Drawn:
        """Shape (count,), independent; do not write to it. Unbiased: bits that would favour a value are refused."""


def urn(values: Ints, weights: Ints) -> Urn:
    """An urn with values >= 0 and whole weights > 0, both of shape (values,).

    The weights sum to at most 65,536, or to TOTAL_WEIGHT exactly. Up to 256 a draw takes 8 bits of the stream, up to
    65,536 16 bits, and 64 bits beyond. Cost: linear in the values.
    """
    values, weights = values[weights > 0], weights[weights > 0]
    reduced = weights // np.gcd.reduce(weights)
    total = int(reduced.sum())
    narrow = values.astype(np.min_scalar_type(int(values.max())) if int(values.max()) < 1 << 31 else np.int64)
    if total <= _BYTE:
        return _ByteUrn(np.repeat(narrow, reduced))
    if total <= _WORD16:
        return _Word16Urn(np.repeat(narrow, reduced))
    return _AliasUrn(narrow, weights)


def urn_of_samples(samples: Samples) -> Urn:
    """An urn with each sample as often as it was seen."""
    return urn(*(np.array(column, dtype=np.int64) for column in zip(*samples, strict=True)))


def urn_of_range(low: int, high: int) -> Urn:
    """An urn with every whole number from low to high once; at most 65,536 of them."""
    return urn(np.arange(low, high + 1, dtype=np.int64), np.ones(high + 1 - low, dtype=np.int64))


def urn_of_law(start: int, mass: Floats) -> Urn:
    """An urn with start, start + 1, .. in proportion to `mass`, which sums to 1; each exact to 2**-48."""
    weights = np.floor(mass * TOTAL_WEIGHT).astype(np.int64)
    weights[np.argmax(weights)] += TOTAL_WEIGHT - int(weights.sum())
    return urn(np.arange(start, start + mass.size, dtype=np.int64), weights)


class _ByteUrn:
    """Maps bytes to values and refuses the highest ones in one pass, by `bytes.translate`."""

    def __init__(self, slots: Drawn) -> None:
        usable = _BYTE // slots.size * slots.size
        self._values = None if slots.dtype == np.uint8 else slots
        index = np.resize(np.arange(slots.size) if self._values is not None else slots, usable).astype(np.uint8)
        self._table = index.tobytes() + bytes(_BYTE - usable)
        self._refused = bytes(range(usable, _BYTE))

    def draw(self, bits: Bits, count: int) -> Drawn:
        wanted = _wanted(count, len(self._refused) / _BYTE)
        while len(kept := bits.octets(wanted).translate(self._table, self._refused)) < count:
            pass
        drawn = np.frombuffer(kept, dtype=np.uint8, count=count)
        return drawn if self._values is None else self._values.take(drawn)


class _Word16Urn:
    """Draws 16 bits a value."""

    def __init__(self, slots: Drawn) -> None:
        self._slots = slots
        self._usable = _WORD16 // slots.size * slots.size

    def draw(self, bits: Bits, count: int) -> Drawn:
        wanted = _wanted(count, 1 - self._usable / _WORD16)
        while True:
            raw = np.frombuffer(bits.octets(2 * wanted), dtype="<u2")
            kept = raw if self._usable == _WORD16 else raw[raw < self._usable]
            if kept.size >= count:
                return self._slots.take(kept[:count].astype(np.int32) % self._slots.size)


def _wanted(count: int, refused: float) -> int:
    """How many to draw so that `count` are left but for one time in billions: six deviations more than expected."""
    expected = count / (1 - refused)
    return int(expected + 6 * (expected * refused) ** 0.5) + 8 if refused else count


class _AliasUrn:
    """Vose's alias method (1991) in whole numbers: a column by the high bits, one of its two values by the low ones."""

    def __init__(self, values: Drawn, weights: Ints) -> None:
        columns = 1 << int(values.size - 1).bit_length()
        self._capacity_bits = TOTAL_WEIGHT_BITS - columns.bit_length() + 1
        capacity, filled = 1 << self._capacity_bits, [*weights.tolist(), *[0] * (columns - values.size)]
        other = list(range(columns))
        poor = [column for column, weight in enumerate(filled) if weight < capacity]
        rich = [column for column, weight in enumerate(filled) if weight > capacity]
        while poor:
            column, giver = poor.pop(), rich[-1]
            other[column] = giver
            filled[giver] -= capacity - filled[column]
            if filled[giver] <= capacity:
                rich.pop()
            if filled[giver] < capacity:
                poor.append(giver)
        padded = np.resize(values, columns)
        self._bounds = np.array(filled, dtype=np.uint64)
        self._pairs = np.stack([padded[other], padded])

    def draw(self, bits: Bits, count: int) -> Drawn:
        words = bits.words(count) >> np.uint64(64 - TOTAL_WEIGHT_BITS)
        columns = (words >> np.uint64(self._capacity_bits)).astype(np.intp)
        low = words & np.uint64((1 << self._capacity_bits) - 1)
        drawn: Drawn = self._pairs[(low < self._bounds[columns]).view(np.int8), columns]
        return drawn
