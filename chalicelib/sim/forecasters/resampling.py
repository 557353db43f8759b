"""The four models of a series of weeks: all weeks alike, the recent ones alike, smoothing, and auto-regression."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chalicelib.sim.forecasters.autoregression import RidgeAutoregression
from chalicelib.sim.forecasters.predictive import Draws, Forecaster, Predictive, pick
from chalicelib.sim.forecasters.smoothing import DampedSmoothing
from chalicelib.sim.lattice import Floats, Ints

# The recent window is the last third of the weeks, so that it says something of its own, but at least as many as give
# a spread and at most a quarter of a year, in which a team may count as one.
_WINDOW_SHARE, _SHORTEST_WINDOW, _LONGEST_WINDOW = 3, 5, 12


class Bootstrap:
    """Every week is like one of all past weeks, drawn independently (Efron, 1979), as in the other engines."""

    def __init__(self, series: Floats) -> None:
        self._series = series

    def predictive(self, origins: Ints) -> Predictive:
        """All weeks before the origin."""
        return _weeks(self._series, np.zeros_like(origins), origins)

    def paths(self, draws: Draws) -> Floats:
        """Futures of independent weeks."""
        return pick(self._series, draws)


class RecentWindow:
    """Every week is like one of the last third of the weeks, 5 to 12 of them.

    So few weeks leave their own mean in doubt, which a path has to carry on: each week it draws joins the window that
    its next week is drawn from. This is the predictive law of the Bayesian bootstrap (Rubin, 1981), as Polya's urn.
    """

    def __init__(self, series: Floats) -> None:
        self._series = series

    def predictive(self, origins: Ints) -> Predictive:
        """The weeks of the window that ends before the origin."""
        return _weeks(self._series, origins - _window(origins), origins)

    def paths(self, draws: Draws) -> Floats:
        """Futures of the window; the further ahead, the more the paths differ in their mean."""
        count, horizon = draws.shape
        size = int(_window(np.array([self._series.size]))[0])
        urns = np.empty((count, size + horizon))
        urns[:, :size] = self._series[-size:]
        for week in range(horizon):
            urns[:, size + week] = urns[np.arange(count), pick(np.arange(size + week), draws[:, week])]
        return urns[:, size:]


# The first is the one that the others have to beat.
FORECASTERS: dict[str, Callable[[Floats], Forecaster]] = {
    "bootstrap": Bootstrap,
    "recent": RecentWindow,
    "smoothing": DampedSmoothing,
    "ridge": RidgeAutoregression,
}


def _weeks(series: Floats, starts: Ints, ends: Ints) -> Predictive:
    place = np.arange(series.size)
    counted = (place >= starts[:, np.newaxis]) & (place < ends[:, np.newaxis])
    return Predictive.even(np.broadcast_to(series, counted.shape), counted)


def _window(weeks: Ints) -> Ints:
    return np.clip(weeks // _WINDOW_SHARE, _SHORTEST_WINDOW, _LONGEST_WINDOW)
