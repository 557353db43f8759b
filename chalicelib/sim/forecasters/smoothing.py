"""Damped exponential smoothing: the level and the slope of the recent weeks, the slope dying away.

Gardner and McKenzie, Forecasting Trends in Time Series, 1985, in the error-correction form of Gardner, Exponential
Smoothing: The State of the Art - Part II, 2006: ahead = level + phi slope; level = ahead + alpha error; slope = phi
slope + alpha gamma error. Weeks to come are simulated from the errors that the model made so far.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from chalicelib.sim.forecasters.predictive import Draws, Predictive, pick
from chalicelib.sim.lattice import Floats, Ints

_ALPHAS = (0.05, 0.1, 0.2, 0.35, 0.6, 0.9)
# Trends: (gamma, phi). A slope that halves in 7, 3 weeks; a phi nearer to 1 is hardly a damping.
_TRENDS = tuple((gamma, phi) for gamma in (0.1, 0.3) for phi in (0.8, 0.9))
# Simple smoothing first, so that it wins ties.
_GRID = [(alpha, 0.0, 0.0) for alpha in _ALPHAS] + [(alpha, *trend) for alpha in _ALPHAS[1:-1] for trend in _TRENDS]
_ALPHA, _GAMMA, _PHI = (np.array(column) for column in zip(*_GRID, strict=True))
# How many numbers were chosen to suit the errors: alpha, or all three.
_FITTED = np.where(_GAMMA > 0, 3, 1)


class _Run(Struct, frozen=True, eq=False):
    """One pass over the series for all of the grid: forecasts (weeks + 1, grid), and the state at the end (grid,)."""

    ahead: Floats
    level: Floats
    slope: Floats


class DampedSmoothing:
    """The parameters are chosen anew at each origin, by the squared errors of the weeks before it alone.

    Cost: 5 us a week.
    """

    def __init__(self, series: Floats) -> None:
        self._run = _run(series)
        self._errors = series[1:, np.newaxis] - self._run.ahead[1:-1]
        self._squares = np.cumsum(np.square(self._errors), axis=0)

    def predictive(self, origins: Ints) -> Predictive:
        """The forecast plus each error made before the origin."""
        chosen = self._choose(origins)
        errors, counted = self._centred(origins, chosen)
        return Predictive.even(np.maximum(0.0, self._run.ahead[origins, chosen][:, np.newaxis] + errors), counted)

    def paths(self, draws: Draws) -> Floats:
        """Errors are drawn with replacement; from a week cut off at 0 the model learns what is left of its error."""
        end = np.array([self._errors.shape[0] + 1])
        chosen = self._choose(end)
        errors = pick(self._centred(end, chosen)[0][0], draws)
        alpha, gamma, phi = _ALPHA[chosen], _GAMMA[chosen], _PHI[chosen]
        level, slope = self._run.level[chosen], self._run.slope[chosen]
        values = np.empty(draws.shape)
        for week in range(draws.shape[1]):
            ahead = level + phi * slope
            values[:, week] = np.maximum(0.0, ahead + errors[:, week])
            learned = alpha * (values[:, week] - ahead)
            level, slope = ahead + learned, phi * slope + gamma * learned
        return values

    def _choose(self, origins: Ints) -> Ints:
        """Shape (origins,): the place in the grid with the least inflated squared error, the simplest of several."""
        inflated = self._squares[origins - 2] * np.square(_inflation(origins[:, np.newaxis], np.arange(_ALPHA.size)))
        places: Ints = np.argmin(inflated, axis=1)
        return places

    def _centred(self, origins: Ints, chosen: Ints) -> tuple[Floats, NDArray[np.bool_]]:
        """The errors less their mean, inflated, and which of them were made before the origin; (origins, weeks - 1).

        A mean error would be fed back with every week of a path and so add up to a drift.
        """
        counted = np.arange(1, self._errors.shape[0] + 1) < origins[:, np.newaxis]
        errors = self._errors[:, chosen].T
        means = (errors * counted).sum(axis=1) / (origins - 1)
        return (errors - means[:, np.newaxis]) * _inflation(origins, chosen)[:, np.newaxis], counted


def _run(series: Floats) -> _Run:
    """Starts from the first week without a slope; the level is the plain mean until 1 / weeks is below alpha."""
    ahead = np.empty((series.size + 1, _ALPHA.size))
    level, slope = np.full(_ALPHA.size, series[0]), np.zeros(_ALPHA.size)
    for week, value in enumerate(series.tolist()):
        ahead[week] = level + _PHI * slope
        error = value - ahead[week]
        level = ahead[week] + np.maximum(_ALPHA, 1 / (week + 1)) * error
        slope = _PHI * slope + _ALPHA * _GAMMA * error
    ahead[-1] = level + _PHI * slope
    return _Run(ahead, level, slope)


def _inflation(origins: Ints, chosen: Ints) -> Floats:
    """Errors that were made small by choice are smaller than those to come: by the degrees of freedom used up."""
    errors = origins - 1
    return np.sqrt(errors / (errors - _FITTED[chosen]))
