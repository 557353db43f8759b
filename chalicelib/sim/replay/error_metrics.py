"""The error metrics of the old service under their old names, with the one sign of this one: actual - forecast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.sim.replay.point_errors import PointErrors, point_errors

# One sort of error has to be so many times as frequent as the other to be called a bias; the old service's.
BIASED = 1.5

Bias = Literal["overforecasting", "underforecasting", "balanced"]


class ErrorMetrics(Struct, frozen=True, kw_only=True):
    """Errors of forecasts as single figures; error = actual - forecast, so a positive one took longer than forecast."""

    mae: Annotated[float, Meta(description="Mean absolute error.")]
    rmse: Annotated[float, Meta(description="Root of the mean squared error.")]
    mape: Annotated[float | None, Meta(description="Mean of |error| / actual in %; null without a positive actual.")]
    mpe: Annotated[float | None, Meta(description="Mean of error / actual in %: its sign is the bias.")]
    median_ape: float | None
    r_squared: Annotated[float, Meta(description="1 - squared errors / variance of the actuals; 0 if all are equal.")]
    accuracy_rate: Annotated[float | None, Meta(description="Share with |error| at most 20 % of the actual, in %.")]
    n_samples: int
    min_error: float
    max_error: float
    std_error: Annotated[float, Meta(description="Population standard deviation of the errors.")]
    overforecast_count: Annotated[int, Meta(description="Forecasts above what happened: too long, or too many.")]
    underforecast_count: Annotated[int, Meta(description="Forecasts below what happened: too short, or too few.")]
    bias_direction: Annotated[Bias, Meta(description="Which of the two is more than 1.5 times as frequent.")]


def error_metrics(forecasts: Sequence[float], actuals: Sequence[float]) -> ErrorMetrics:
    """The metrics of at least one pair; see `point_errors`."""
    found = point_errors(forecasts, actuals)
    return ErrorMetrics(
        mae=found.mae,
        rmse=found.rmse,
        mape=found.mape,
        mpe=found.mpe,
        median_ape=found.median_ape,
        r_squared=found.r_squared,
        accuracy_rate=found.accuracy_rate,
        n_samples=found.pairs,
        min_error=found.min_error,
        max_error=found.max_error,
        std_error=found.std_error,
        overforecast_count=found.under_count,
        underforecast_count=found.over_count,
        bias_direction=_bias(found),
    )


def _bias(found: PointErrors) -> Bias:
    if found.under_count > BIASED * found.over_count:
        return "overforecasting"
    if found.over_count > BIASED * found.under_count:
        return "underforecasting"
    return "balanced"
