"""How far single figures were from what happened: one sign, error = actual - forecast, throughout.

Hyndman and Koehler, Another Look at Measures of Forecast Accuracy, 2006. A positive error is a forecast that was too
low. No numpy: the lists hold a thousand pairs at most.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import Annotated

from msgspec import Meta, Struct

# A forecast counts as accurate up to this share of the actual; the reference project's bound.
ACCURATE = 0.20

_Percent = Annotated[float | None, Meta(description="Over the pairs with a positive actual, in %; null without any.")]


class PointErrors(Struct, frozen=True, kw_only=True):
    """Errors of paired forecasts and actuals; error = actual - forecast."""

    pairs: Annotated[int, Meta(description="Pairs of a forecast and what happened.")]
    percent_pairs: Annotated[int, Meta(description="Pairs with a positive actual, which the percentages rest on.")]
    mae: Annotated[float, Meta(description="Mean absolute error.")]
    rmse: Annotated[float, Meta(description="Root of the mean squared error.")]
    median_ae: Annotated[float, Meta(description="Median absolute error.")]
    bias: Annotated[float, Meta(description="Mean error; positive where forecasts are too low.")]
    min_error: float
    max_error: float
    std_error: Annotated[float, Meta(description="Population standard deviation of the errors.")]
    over_count: Annotated[int, Meta(description="Pairs with the actual above the forecast.")]
    under_count: Annotated[int, Meta(description="Pairs with the actual below the forecast.")]
    r_squared: Annotated[
        float,
        Meta(
            description="1 - squared errors / squared deviations of the actuals from their mean; 0 when all are "
            "equal, below 0 when the mean would have been the better forecast."
        ),
    ]
    mape: Annotated[_Percent, Meta(description="Mean of |error| / actual, in %.")]
    smape: Annotated[_Percent, Meta(description="Mean of 2 |error| / (|actual| + |forecast|), in %, 0 to 200.")]
    mpe: Annotated[_Percent, Meta(description="Mean of error / actual, in %.")]
    median_ape: Annotated[_Percent, Meta(description="Median of |error| / actual, in %.")]
    accuracy_rate: Annotated[
        _Percent, Meta(description="Share of pairs with |error| at most 20 % of the actual, in %.")
    ]


def point_errors(forecasts: Sequence[float], actuals: Sequence[float]) -> PointErrors:
    """The errors of at least one pair; both lists equally long, finite, in the same unit, which is the errors' unit.

    Pairs with an actual of 0 or less are left out of the percentages alone. Raises ValueError for lists of different
    lengths, and statistics.StatisticsError, a ValueError too, for empty ones. Cost: n log n.
    """
    pairs = list(zip(actuals, forecasts, strict=True))
    errors = [actual - forecast for actual, forecast in pairs]
    sizes = [abs(error) for error in errors]
    squares = math.fsum(error * error for error in errors)
    positive = [pair for pair in pairs if pair[0] > 0]
    shares = [(actual - forecast) / actual for actual, forecast in positive]
    return PointErrors(
        pairs=len(pairs),
        percent_pairs=len(positive),
        mae=statistics.fmean(sizes),
        rmse=math.sqrt(squares / len(pairs)),
        median_ae=statistics.median(sizes),
        bias=statistics.fmean(errors),
        min_error=min(errors),
        max_error=max(errors),
        std_error=statistics.pstdev(errors),
        over_count=sum(error > 0 for error in errors),
        under_count=sum(error < 0 for error in errors),
        r_squared=_r_squared(squares, actuals),
        mape=_percent(statistics.fmean, [abs(share) for share in shares]),
        smape=_percent(statistics.fmean, [_symmetric(actual, forecast) for actual, forecast in positive]),
        mpe=_percent(statistics.fmean, shares),
        median_ape=_percent(statistics.median, [abs(share) for share in shares]),
        accuracy_rate=_percent(statistics.fmean, [abs(share) <= ACCURATE for share in shares]),
    )


def _r_squared(squares: float, actuals: Sequence[float]) -> float:
    mean = statistics.fmean(actuals)
    total = math.fsum((actual - mean) ** 2 for actual in actuals)
    return 1 - squares / total if total > 0 else 0.0


def _symmetric(actual: float, forecast: float) -> float:
    return 2 * abs(actual - forecast) / (abs(actual) + abs(forecast))


def _percent(average: Callable[[Sequence[float]], float], shares: Sequence[float]) -> float | None:
    return 100 * average(shares) if shares else None
