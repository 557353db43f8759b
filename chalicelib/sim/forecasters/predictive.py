"""What the forecasters have in common: the law of the next week as a weighted sample, and the draws behind a path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from chalicelib.sim.lattice import Floats, Ints
from chalicelib.sim.replay.scores import weighted_quantiles

Number = TypeVar("Number", np.float64, np.int64)

# Uniform on 0 .. 2**32 - 1, shape (paths, horizon).
Draws = NDArray[np.uint32]


class Predictive(Struct, frozen=True, eq=False):
    """For each origin a weighted sample of what the week at the origin may finish.

    An origin t is the index of the week that is foretold, from the weeks before t alone. Both arrays have the shape
    (origins, k); values are >= 0 where they weigh something, and the weights of a row sum to 1.
    """

    values: Floats
    weights: Floats

    @staticmethod
    def even(values: Floats, counted: NDArray[np.bool_]) -> Predictive:
        """All counted values of a row weigh alike; both of shape (origins, k), at least one counted in a row."""
        return Predictive(values, counted / counted.sum(axis=1, keepdims=True))

    def means(self) -> Floats:
        """Shape (origins,)."""
        means: Floats = (self.values * self.weights).sum(axis=1)
        return means

    def quantiles(self, levels: Floats) -> Floats:
        """Shape (origins, levels)."""
        return weighted_quantiles(self.values, self.weights, levels)


class Forecaster(Protocol):
    """A model of one series of weeks, oldest first; made from that series, at least FEWEST_TRAINED long."""

    def predictive(self, origins: Ints) -> Predictive:
        """The laws of the weeks at `origins`, shape (origins,), each FEWEST_TRAINED .. weeks, as known before them."""
        ...

    def paths(self, draws: Draws) -> Floats:
        """Futures after the last week, shape (paths, horizon), >= 0; each value is fed back to the model."""
        ...


def pool(laws: Sequence[Predictive], weights: Floats) -> Predictive:
    """The linear pool: each law's sample, weighted; weights of shape (origins, laws), a row sums to 1.

    Its CRPS is at most the weighted mean of theirs. Source: Stone, The Opinion Pool, 1961.
    """
    shares = [law.weights * share[:, np.newaxis] for law, share in zip(laws, weights.T, strict=True)]
    return Predictive(np.concatenate([law.values for law in laws], axis=1), np.concatenate(shares, axis=1))


def pick(values: NDArray[Number], draws: Draws) -> NDArray[Number]:
    """Shape of `draws`: values, shape (k,), with replacement. No value is favoured by more than 2**-32.

    Source: Lemire, Fast Random Integer Generation in an Interval, 2019, without the refusals.
    """
    picked: NDArray[Number] = values[(draws.astype(np.uint64) * np.uint64(values.size)) >> np.uint64(32)]
    return picked
