"""Ridge auto-regression: a week follows from the weeks just before it, as far as the series shows that it does.

Hoerl and Kennard, Ridge Regression, 1970; the penalty is chosen by the generalised cross-validation of Golub, Heath
and Wahba, 1979. Weeks to come are simulated from the residuals (Efron and Tibshirani, An Introduction to the
Bootstrap, 1993, section 8.5).
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from chalicelib.sim.forecasters.predictive import Draws, Predictive, pick
from chalicelib.sim.lattice import Floats, Ints

_MOST_LAGS = 4
# Candidates for the penalty, in weeks: so many more weeks that would show no dependence at all.
_PENALTIES = np.array([1.0, 4.0, 16.0, 64.0, 256.0])
# Roots of the recursion beyond this are pulled in, so that no simulated path explodes; 0.95 halves in 14 weeks.
_LARGEST_ROOT = 0.95


class _Sums(Struct, frozen=True, eq=False):
    """Means and centred products of the weeks before each origin; lags (origins, lags), across their square."""

    count: Ints
    week: Floats
    lags: Floats
    squares: Floats
    across: Floats
    products: Floats


class _Fit(Struct, frozen=True, eq=False):
    """week + coefficients . (lags - their mean), and the factor of the residuals; coefficients (origins, lags)."""

    means: _Sums
    coefficients: Floats
    inflation: Floats


class RidgeAutoregression:
    """Lags 1 .. min(4, (weeks - 1) / 3) at each origin, so that at least half of the degrees of freedom are left.

    The intercept is not penalised. Cost: 1 ms for a thousand weeks and 60 origins.
    """

    def __init__(self, series: Floats) -> None:
        # Less the first week, so that sums of squares lose no digits to a level; known at every origin.
        self._first, self._series = series[0], series - series[0]

    def predictive(self, origins: Ints) -> Predictive:
        """The forecast plus each residual of the fit to the weeks before the origin."""
        values = np.zeros((origins.size, self._series.size))
        counted = np.zeros(values.shape, dtype=np.bool_)
        orders = _orders(origins)
        for order in np.unique(orders).tolist():
            rows = np.flatnonzero(orders == order)
            values[rows, order:], counted[rows, order:] = self._predict(order, origins[rows])
        return Predictive.even(values, counted)

    def paths(self, draws: Draws) -> Floats:
        """Residuals are drawn with replacement; the coefficients are those of a recursion that settles."""
        end = np.array([self._series.size])
        order = int(_orders(end)[0])
        lagged, fit = _lagged(self._series, order), _fit(self._series, order, end)
        errors = pick(_residuals(self._series, lagged[:-1], fit)[0], draws)
        coefficients = _settled(fit.coefficients[0])
        level = fit.means.week[0] - (coefficients * fit.means.lags[0]).sum()
        values, recent = np.empty(draws.shape), [np.full(draws.shape[0], lag) for lag in lagged[-1]]
        for week in range(draws.shape[1]):
            ahead = level + sum(share * lag for share, lag in zip(coefficients, recent, strict=True))
            values[:, week] = np.maximum(-self._first, ahead + errors[:, week])
            recent = [values[:, week], *recent[:-1]]
        futures: Floats = np.maximum(0.0, values + self._first)
        return futures

    def _predict(self, order: int, origins: Ints) -> tuple[Floats, NDArray[np.bool_]]:
        """Both of shape (origins, weeks - order)."""
        lagged, fit = _lagged(self._series, order), _fit(self._series, order, origins)
        change = (fit.coefficients * (lagged[origins - order] - fit.means.lags)).sum(axis=1)
        ahead = (self._first + fit.means.week + change)[:, np.newaxis]
        values = np.maximum(0.0, ahead + _residuals(self._series, lagged[:-1], fit))
        return values, np.arange(order, self._series.size) < origins[:, np.newaxis]


def _orders(origins: Ints) -> Ints:
    return np.minimum(_MOST_LAGS, (origins - 1) // 3)


def _lagged(series: Floats, order: int) -> Floats:
    """Shape (weeks - order + 1, order): before each week from `order` on, and before the next one, the newest first."""
    return np.lib.stride_tricks.sliding_window_view(series, order)[:, ::-1]


def _fit(series: Floats, order: int, origins: Ints) -> _Fit:
    """Along the axes of the lags' covariance a penalty divides each coefficient: d / (d + penalty)."""
    sums = _sums(series, order, origins)
    spread, axes = np.linalg.eigh(sums.across)
    spread = np.maximum(0.0, spread)
    along = np.einsum("oij,oi->oj", axes, sums.products)
    # Shape (origins, penalties, axes). Without any spread there is nothing to divide and nothing to fit.
    average = (spread.mean(axis=1) / sums.count)[:, np.newaxis, np.newaxis]
    damped = spread[:, np.newaxis] + _PENALTIES[:, np.newaxis] * average
    damped[damped == 0] = 1.0
    slopes, freedom = along[:, np.newaxis] / damped, 1 + (spread[:, np.newaxis] / damped).sum(axis=2)
    explained = (slopes * (2 * along[:, np.newaxis] - slopes * spread[:, np.newaxis])).sum(axis=2)
    left = 1 - freedom / sums.count[:, np.newaxis]
    chosen = np.argmin(np.maximum(0.0, sums.squares[:, np.newaxis] - explained) / np.square(left), axis=1)
    every = np.arange(origins.size)
    coefficients = np.einsum("oij,oj->oi", axes, slopes[every, chosen])
    return _Fit(sums, coefficients, 1 / np.sqrt(left[every, chosen]))


def _sums(series: Floats, order: int, origins: Ints) -> _Sums:
    """Running sums, of which each origin reads its own: all origins cost as much as the last."""
    lagged, weeks, count = _lagged(series, order)[:-1], series[order:], origins - order
    last = count - 1
    week = np.cumsum(weeks)[last] / count
    lags = np.cumsum(lagged, axis=0)[last] / count[:, np.newaxis]
    across = np.cumsum(lagged[:, :, np.newaxis] * lagged[:, np.newaxis], axis=0)[last]
    return _Sums(
        count,
        week,
        lags,
        np.cumsum(np.square(weeks))[last] - count * np.square(week),
        across - count[:, np.newaxis, np.newaxis] * lags[:, :, np.newaxis] * lags[:, np.newaxis],
        np.cumsum(lagged * weeks[:, np.newaxis], axis=0)[last] - (count * week)[:, np.newaxis] * lags,
    )


def _residuals(series: Floats, lagged: Floats, fit: _Fit) -> Floats:
    """Shape (origins, weeks - order): of each week under each origin's fit, larger by the degrees of freedom used."""
    level = fit.means.week - (fit.coefficients * fit.means.lags).sum(axis=1)
    fitted = level[:, np.newaxis] + np.einsum("op,wp->ow", fit.coefficients, lagged)
    residuals: Floats = (series[-lagged.shape[0] :] - fitted) * fit.inflation[:, np.newaxis]
    return residuals


def _settled(coefficients: Floats) -> Floats:
    """The coefficients with every root of the recursion at most _LARGEST_ROOT: lag i times the factor to the i."""
    order = coefficients.size
    companion = np.vstack((coefficients, np.eye(order - 1, order)))
    largest = float(np.abs(np.linalg.eigvals(companion)).max())
    factor = min(1.0, _LARGEST_ROOT / largest) if largest > 0 else 1.0
    return coefficients * factor ** np.arange(1, order + 1)
