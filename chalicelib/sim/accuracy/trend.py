"""Whether forecasts get better with time. Only the size of an error counts: a signed slope says nothing of accuracy."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from chalicelib.sim.accuracy.report import Comparison, Direction, Trend

# A line through two points is no trend.
_MIN_TREND = 3
# The newest forecasts, which are held against all before them.
_RECENT = 3
# A change of less than this share of the mean is none.
_STABLE = 0.10


def find_trend(compared: Sequence[Comparison]) -> Trend:
    """The trend of comparisons in the order in which their work ended, oldest first. Cost: linear.

    The slope is that of least squares over 0, 1, 2 ...: forecasts are counted, not days.
    """
    sizes = [abs(each.error_weeks) for each in compared]
    shares = [abs(each.error_pct) for each in compared]
    slope = statistics.linear_regression(range(len(sizes)), sizes).slope if len(sizes) >= _MIN_TREND else None
    older = shares[:-_RECENT]
    recent, historical = (statistics.fmean(shares[-_RECENT:]), statistics.fmean(older)) if older else (None, None)
    change = None if recent is None or historical is None else recent - historical
    return Trend(
        error_trend=slope,
        trend_direction=_direction(None if slope is None else slope * (len(sizes) - 1), statistics.fmean(sizes)),
        recent_mape=recent,
        historical_mape=historical,
        performance_change=change,
        performance_trend=_direction(change, historical or 0.0),
    )


def _direction(change: float | None, usual: float) -> Direction:
    if change is None:
        return "insufficient_data"
    if abs(change) <= _STABLE * usual:
        return "stable"
    return "improving" if change < 0 else "worsening"
