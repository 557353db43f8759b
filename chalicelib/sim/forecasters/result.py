"""What the forecasters answer as it goes over the wire; the names are those of the old service. No numpy."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.sim.fields import SavedFields
from chalicelib.sim.forecasters.model_score import ModelScore
from chalicelib.sim.forecasters.stability import RiskLevel, Stability
from chalicelib.sim.result import EngineName, InputStats, Percentiles, PercentileStats

METHOD = "Four forecasters, weighted by their walk-forward pinball loss"

_Percent = Annotated[float | None, Meta(description="In %, over weeks that were not idle; null without any.")]


class ModelResult(Struct, frozen=True, kw_only=True):
    """How one forecaster did on past weeks, each foretold from the weeks before it alone."""

    model: str
    weight: Annotated[float, Meta(description="Its say in the forecast, 0 to 1; all weights make 1.")]
    mae: Annotated[float, Meta(description="Mean absolute error in tasks a week.")]
    rmse: Annotated[float, Meta(description="Root mean squared error in tasks a week.")]
    mae_percent: Annotated[float | None, Meta(description="mae in % of the mean week; null if nothing was finished.")]
    r2: Annotated[float, Meta(description="1 - squared errors / variance; below 0 the mean would have done better.")]
    mape: _Percent
    smape: _Percent
    median_ae: float
    pinball: Annotated[float, Meta(description="Mean pinball loss of its quantiles: what weights follow from.")]
    coverage_p85: Annotated[float, Meta(description="Share of weeks at or below its 85th percentile, 0 to 1.")]
    n_forecasts: Annotated[int, Meta(description="Weeks foretold.")]


class EnsembleSteps(Struct, frozen=True, kw_only=True):
    """The week to come, the one after it, and so on: tasks finished in each, by all forecasters together."""

    mean: list[float]
    median: list[float]
    p10: list[float]
    p25: list[float]
    p75: list[float]
    p90: list[float]
    std: Annotated[list[float], Meta(description="Standard deviation of the week, not between the forecasters.")]


class Blend(Struct, frozen=True, kw_only=True):
    """How the forecasters were put together."""

    weights: Annotated[dict[str, float], Meta(description="The say of each forecaster, 0 to 1.")]
    fell_back: Annotated[bool, Meta(description="Whether the bootstrap answers alone because the others were worse.")]
    note: Annotated[str, Meta(description="The comparison with the bootstrap in plain words.")]
    held_out_weeks: Annotated[int, Meta(description="Weeks on which the mixture was compared with the bootstrap.")]
    pinball_ensemble: Annotated[float, Meta(description="Mean pinball loss of the mixture on the held-out weeks.")]
    pinball_bootstrap: Annotated[float, Meta(description="The same of the bootstrap; the mixture may have 1.02 x it.")]


class MaybeStats(Struct, frozen=True, kw_only=True):
    """Percentiles of the duration in calendar weeks; null where it is longer than the forecasters look ahead."""

    p10: float | None
    p25: float | None
    p50: float | None
    p75: float | None
    p85: float | None
    p90: float | None
    p95: float | None


class RiskAssessment(Struct, frozen=True, kw_only=True):
    """Whether the weeks are steady enough for forecasters to have learned from them."""

    risk_level: RiskLevel
    volatility_cv: Annotated[float, Meta(description="Standard deviation / mean; a signal above 0.5.")]
    trend_deviation_pct: Annotated[
        float, Meta(description="Recent mean against that of all, in %; beyond 30 a signal.")
    ]
    outlier_pct: Annotated[float, Meta(description="Weeks far from the median, in %; a signal above 15.")]
    recommend_monte_carlo: Annotated[bool, Meta(description="True where the level is HIGH.")]
    warning: Annotated[str | None, Meta(description="What to do about it; null where the level is LOW.")]
    reasons: Annotated[list[str], Meta(description="One sentence for each signal.")]


class WalkForward(Struct, frozen=True, kw_only=True):
    """One forecaster on past weeks, each foretold from the weeks before it alone."""

    mae: float
    rmse: float
    r2: float
    mape: _Percent
    smape: _Percent
    median_ae: float
    n_forecasts: int


class MlForecastResult(SavedFields, frozen=True, kw_only=True):
    """The next weeks as the forecasters see them."""

    forecasts: Annotated[
        dict[str, list[float]], Meta(description="Mean of each of the next weeks by forecaster, and of all together.")
    ]
    ensemble_stats: EnsembleSteps
    total: Annotated[TotalItems, Meta(description="Of all these weeks together.")]
    dates: Annotated[
        list[str | None] | None, Meta(description="ISO day on which each week begins; null without a start.")
    ]
    model_results: Annotated[list[ModelResult], Meta(description="Best first, by mean absolute error.")]
    risk_assessment: RiskAssessment
    walk_forward: Annotated[dict[str, WalkForward], Meta(description="The same errors by forecaster.")]
    blend: Blend
    seed: int
    warnings: list[str]


class TotalItems(Struct, frozen=True, kw_only=True):
    """Items of all the weeks together: at least so many with the chance in the name."""

    p50: int
    p85: int
    p95: int
    mean: float


class SimpleMonteCarlo(Struct, frozen=True, kw_only=True):
    """The duration of a backlog from the history itself."""

    percentile_stats: PercentileStats
    mean: Annotated[float, Meta(description="Weeks.")]
    std: Annotated[float, Meta(description="Standard deviation of the duration in weeks.")]
    input_stats: InputStats
    engine: EngineName


class MlDurationView(Struct, frozen=True, kw_only=True):
    """The duration of a backlog from the forecasters."""

    percentile_stats: MaybeStats
    unfinished_share: Annotated[
        float, Meta(description="Share of the futures that are not done as far as the forecasters look, 0 to 1.")
    ]
    forecast_method: str
    blend: Blend


class McThroughputResult(SavedFields, frozen=True, kw_only=True):
    """When a backlog is done, by one team that goes on as it was."""

    percentile_stats: PercentileStats
    mean: Annotated[float, Meta(description="Weeks.")]
    std: Annotated[float, Meta(description="Standard deviation of the duration in weeks.")]
    input_stats: InputStats
    machine_learning: Annotated[MlDurationView | None, Meta(description="null with fewer than 8 samples.")]
    dates: Annotated[Percentiles[str | None] | None, Meta(description="ISO day of each percentile.")]
    engine: EngineName
    seed: int
    warnings: list[str]


class MlSteps(Struct, frozen=True, kw_only=True):
    """What the forecasters say, under the names of the combined forecast."""

    forecasts: dict[str, list[float]]
    ensemble: EnsembleSteps
    risk_assessment: RiskAssessment
    model_results: list[ModelResult]
    walk_forward: dict[str, WalkForward]
    duration: MlDurationView


class CombinedResult(SavedFields, frozen=True, kw_only=True):
    """Both forecasts beside each other."""

    ml: MlSteps
    monte_carlo: SimpleMonteCarlo
    dates: Annotated[Percentiles[str | None] | None, Meta(description="ISO day of each percentile of the duration.")]
    seed: int
    warnings: list[str]


def model_result(score: ModelScore) -> ModelResult:
    """The score of a forecaster under the old names."""
    errors = score.errors
    return ModelResult(
        model=score.name,
        weight=score.weight,
        mae=errors.mae,
        rmse=errors.rmse,
        mae_percent=score.mae_pct,
        r2=errors.r_squared,
        mape=errors.mape,
        smape=errors.smape,
        median_ae=errors.median_ae,
        pinball=score.pinball,
        coverage_p85=score.coverage_p85,
        n_forecasts=errors.pairs,
    )


def assessment(found: Stability) -> RiskAssessment:
    """The stability of the weeks under the old names."""
    return RiskAssessment(
        risk_level=found.risk_level,
        volatility_cv=found.cv,
        trend_deviation_pct=100 * found.recent_shift,
        outlier_pct=100 * found.outlier_share,
        recommend_monte_carlo=found.risk_level == "HIGH",
        warning=None if found.risk_level == "LOW" else found.recommendation,
        reasons=found.reasons,
    )
