"""Point forecasts in words; the bounds and the points are the old service's."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.sim.accuracy.report import Rating, Ratings
from chalicelib.sim.replay.error_metrics import ErrorMetrics

_WORDS: tuple[Rating, ...] = ("excellent", "good", "acceptable", "poor")
# Up to these, in %.
_MAPE = (10.0, 20.0, 50.0)
# From these on.
_ACCURACY = (80.0, 60.0, 40.0)
_R_SQUARED = (0.9, 0.7, 0.5)
_POINTS = (6.0, 4.0, 2.0)


def rate(metrics: ErrorMetrics) -> Ratings:
    """The ratings of metrics with at least one positive actual."""
    assert metrics.mape is not None
    assert metrics.accuracy_rate is not None
    mape = _word(-metrics.mape, [-bound for bound in _MAPE])
    accuracy, fit = _word(metrics.accuracy_rate, _ACCURACY), _word(metrics.r_squared, _R_SQUARED)
    points = _rank(mape) + max(0, _rank(accuracy) - 1) + max(0, _rank(fit) - 1)
    return Ratings(mape=mape, accuracy_rate=accuracy, r_squared=fit, overall=_word(points, _POINTS))


def _word(value: float, bounds: Sequence[float]) -> Rating:
    """The word of the first bound that is reached."""
    return _WORDS[next((index for index, bound in enumerate(bounds) if value >= bound), len(bounds))]


def _rank(word: Rating) -> int:
    """3 for excellent, 0 for poor."""
    return len(_WORDS) - 1 - _WORDS.index(word)
