"""Reports on how saved forecasts turned out, as they go over the wire. No numpy. Errors are actual - forecast."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.sim.accuracy.coverage import LevelCoverage
from chalicelib.sim.replay.error_metrics import Bias, ErrorMetrics

Rating = Literal["excellent", "good", "acceptable", "poor"]
Direction = Literal["improving", "worsening", "stable", "insufficient_data"]
PointForecast = Literal["p50", "p85", "mixed"]


class Coverage(Struct, frozen=True, kw_only=True):
    """How often each percentile held; read this before all else, for it is what a percentile promises."""

    p50: LevelCoverage
    p85: LevelCoverage
    p95: LevelCoverage


class Trend(Struct, frozen=True, kw_only=True):
    """Whether forecasts get better, in the order in which their work ended; only the size of errors counts."""

    error_trend: Annotated[
        float | None, Meta(description="Weeks by which |error| grows from one forecast to the next; null below 3.")
    ]
    trend_direction: Annotated[
        Direction,
        Meta(
            description="improving: |error| falls. stable: over the whole series it moves by at most 10 % of its mean. "
            "insufficient_data: fewer than 3 forecasts."
        ),
    ]
    recent_mape: Annotated[float | None, Meta(description="Of the last 3; null with fewer than 4 forecasts.")]
    historical_mape: Annotated[float | None, Meta(description="Of all before them.")]
    performance_change: Annotated[
        float | None, Meta(description="recent_mape less historical_mape, in percentage points; below 0 is better.")
    ]
    performance_trend: Annotated[
        Direction, Meta(description="stable: the two differ by at most 10 % of historical_mape.")
    ]


class Ratings(Struct, frozen=True, kw_only=True):
    """The point forecasts in words."""

    mape: Annotated[Rating, Meta(description="excellent to 10 %, good to 20 %, acceptable to 50 %, else poor.")]
    accuracy_rate: Annotated[Rating, Meta(description="excellent from 80 %, good from 60 %, acceptable from 40 %.")]
    r_squared: Annotated[Rating, Meta(description="excellent from 0.9, good from 0.7, acceptable from 0.5.")]
    overall: Annotated[
        Rating,
        Meta(
            description="By points: MAPE 3, 2, 1, 0; the others 2 for excellent, 1 for good. excellent from 6 of 7, "
            "good from 4, acceptable from 2."
        ),
    ]


class Issue(Struct, frozen=True, kw_only=True):
    """Something that speaks against trusting the report or the forecasts."""

    severity: Literal["warning", "medium", "high"]
    type: Literal[
        "insufficient_data",
        "invalid_actuals",
        "extreme_outliers",
        "consistent_overforecast",
        "consistent_underforecast",
        "high_variability",
        "low_correlation",
    ]
    message: str


class RecentComparison(Struct, frozen=True, kw_only=True):
    """One forecast beside what came of it."""

    forecast_id: int
    forecast_name: str
    project_name: str
    created_at: Annotated[datetime, Meta(description="When the forecast was saved.")]
    ended: Annotated[date, Meta(description="Day of completion, else that of the record.")]
    point_forecast: Annotated[PointForecast, Meta(description="Which percentile forecasted_weeks is.")]
    forecasted_weeks: float
    actual_weeks: float
    error_pct: Annotated[float, Meta(description="error_weeks in % of actual_weeks.")]


class Comparison(RecentComparison, frozen=True, kw_only=True):
    """The same with everything that the report rests on."""

    error_weeks: Annotated[float, Meta(description="actual_weeks - forecasted_weeks: positive where it took longer.")]
    p50_weeks: float | None
    p85_weeks: float | None
    p95_weeks: float | None
    backlog: int | None
    notes: str | None


class DateRange(Struct, frozen=True, kw_only=True):
    """When the first and the last of the compared forecasts ended."""

    first: date
    last: date


class ReportSummary(Struct, frozen=True, kw_only=True):
    """What the report rests on."""

    total_comparisons: int
    date_range: DateRange


class AccuracyReport(Struct, frozen=True, kw_only=True):
    """How saved forecasts turned out: whether their percentiles held, then errors of a point forecast."""

    coverage: Coverage
    point_forecast: Annotated[
        PointForecast, Meta(description="What the metrics take for the forecast: p50 where there is one, else p85.")
    ]
    notes: Annotated[list[str], Meta(description="How to read the figures.")]
    metrics: ErrorMetrics
    time_series_metrics: Trend
    quality_ratings: Ratings
    issues: list[Issue]
    recommendations: list[str]
    comparisons: Annotated[list[Comparison], Meta(description="In the order in which their work ended, oldest first.")]
    summary: ReportSummary


class ProjectAccuracy(Struct, frozen=True, kw_only=True):
    """The point forecasts of one project."""

    mape: float
    accuracy_rate: float
    count: int
    bias: Bias


class DashboardSummary(Struct, frozen=True, kw_only=True):
    """What the dashboard rests on."""

    total_comparisons: int
    total_projects: Annotated[int, Meta(description="Projects with at least 2 comparisons.")]
    overall_quality: Rating


class Dashboard(Struct, frozen=True, kw_only=True):
    """How saved forecasts turned out, at a glance; with fewer than 2 of them only `message` is there."""

    has_data: bool
    message: Annotated[str | UnsetType, Meta(description="Why there is nothing to show.")] = UNSET
    coverage: Coverage | UnsetType = UNSET
    point_forecast: PointForecast | UnsetType = UNSET
    notes: list[str] | UnsetType = UNSET
    overall_metrics: ErrorMetrics | UnsetType = UNSET
    quality_ratings: Ratings | UnsetType = UNSET
    project_metrics: Annotated[
        dict[str, ProjectAccuracy] | UnsetType,
        Meta(description="By name, for projects with at least 2 comparisons; of one name the id is added."),
    ] = UNSET
    recent_comparisons: Annotated[
        list[RecentComparison] | UnsetType, Meta(description="The last 10, newest first.")
    ] = UNSET
    summary: DashboardSummary | UnsetType = UNSET
