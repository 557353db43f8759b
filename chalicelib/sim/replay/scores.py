"""How well predictive laws foretold what happened: proper scores, which honesty alone makes small, and coverage.

Gneiting and Raftery, Strictly Proper Scoring Rules, Prediction, and Estimation, 2007. Scores are in the units of the
actual values, 0 is perfect and smaller is better.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from chalicelib.sim.lattice import NOISE, Floats


def pinball_loss(actual: ArrayLike, quantiles: ArrayLike, levels: ArrayLike) -> Floats:
    """The mean over the levels of p * (actual - q) where the actual is above the quantile, else (1 - p) * (q - actual).

    Shapes: actual (...,), quantiles (..., levels), levels (levels,), within 0..1; answers (...,), or () for one actual.
    Over evenly spaced levels twice the loss nears the CRPS. Source: Koenker and Bassett, Regression Quantiles, 1978.
    """
    above = np.asarray(actual, dtype=np.float64)[..., np.newaxis] - np.asarray(quantiles, dtype=np.float64)
    shares = np.asarray(levels, dtype=np.float64)
    loss: Floats = np.maximum(shares * above, (shares - 1) * above).mean(axis=-1)
    return loss


def crps_of_sample(actual: float, values: ArrayLike, weights: ArrayLike) -> float:
    """The continuous ranked probability score of weighted values: the integral of (F(x) - 1{x >= actual})**2.

    Shapes: values (k,), in any order, k >= 1; weights (k,), >= 0, with a sum above 0. Exact: F is a step function.
    For one value it is the absolute error. Source: Hersbach, Decomposition of the CRPS, 2000. Cost: k log k.
    """
    given, shares = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    steps, reached = given[order], np.cumsum(shares[order])
    ends = np.concatenate(([min(actual, steps[0])], steps, [max(actual, steps[-1])]))
    heights = np.concatenate(([0.0], reached / reached[-1]))
    below = np.clip(actual, ends[:-1], ends[1:]) - ends[:-1]
    above = np.diff(ends) - below
    return float((below * np.square(heights) + above * np.square(1 - heights)).sum())


def crps_of_law(actual: float, points: ArrayLike, mass: ArrayLike) -> float:
    """The ranked probability score of a law on whole numbers: the sum over all k of (F(k) - 1{k >= actual})**2.

    Shapes: points (k,), whole, gaps allowed; mass (k,), >= 0, with a sum above 0. Between whole numbers neither F nor
    the indicator moves, so the sum is the integral. Source: Czado, Gneiting and Held, 2009. Cost: k log k.
    """
    return crps_of_sample(actual, points, mass)


def weighted_quantiles(values: ArrayLike, weights: ArrayLike, levels: ArrayLike) -> Floats:
    """For each level p the smallest value up to which the weights reach the share p of their sum.

    Shapes: values and weights (..., k), levels (levels,); answers (..., levels). Weights are >= 0 with a sum above 0,
    levels above NOISE and at most 1; a value without weight is never the answer. Cost: k (log k + levels) a row.
    """
    given, shares = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    order = np.argsort(given, axis=-1, kind="stable")
    reached = np.cumsum(np.take_along_axis(shares, order, axis=-1), axis=-1)
    needed = (np.asarray(levels, dtype=np.float64) - NOISE) * reached[..., -1:]
    places = (reached[..., np.newaxis, :] < needed[..., np.newaxis]).sum(axis=-1)
    return np.take_along_axis(given, np.take_along_axis(order, places, axis=-1), axis=-1)


def coverage(actuals: ArrayLike, bounds: ArrayLike) -> float:
    """The share of the actuals, 0..1, that are at or below their bounds; for honest P85 about 0.85, more with ties.

    Shapes: both (k,), k >= 1.
    """
    return float(np.mean(np.asarray(actuals) <= np.asarray(bounds)))
