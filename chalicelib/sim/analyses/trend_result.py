"""The answer to a question about the trend of a team as it goes over the wire. No numpy."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.sim.analyses.anomalies import Method

Direction = Literal["improving", "declining", "stable"]
Severity = Literal["critical", "high", "medium", "low"]
AlertType = Literal["degradation", "volatility", "anomaly", "stagnation", "seasonality", "improvement"]
Scenario = Literal["conservative", "moderate", "optimistic"]

_TwoDecimals = "To 2 decimals."


class TrendFacts(Struct, frozen=True, kw_only=True):
    """Whether the metric changes over time."""

    trend_direction: Annotated[
        Direction,
        Meta(description="stable unless is_significant. improving is more throughput, but shorter lead times."),
    ]
    trend_strength: Annotated[float, Meta(description="Size of the correlation with time, 0 to 1.")]
    trend_coefficient: Annotated[float, Meta(description="Slope of the least-squares line, per sample.")]
    trend_pvalue: Annotated[float, Meta(description="Two-sided t test of the slope.")]
    mann_kendall_tau: Annotated[
        float | None, Meta(description="Kendall's tau-b, -1 to 1: rises less falls; null when all samples are equal.")
    ]
    mann_kendall_pvalue: Annotated[
        float, Meta(description="Two-sided, with correction for ties; counted out exactly below 8 samples.")
    ]
    recent_avg: Annotated[float, Meta(description="Mean of the newer half; the middle sample is in it.")]
    historical_avg: Annotated[float, Meta(description="Mean of the older half.")]
    change_pct: Annotated[
        float | None, Meta(description="recent_avg over historical_avg, less 1, in %; null when the older half is 0.")
    ]
    is_significant: Annotated[
        bool, Meta(description="Whether mann_kendall_pvalue is below 0.05: chance alone does not explain the order.")
    ]
    confidence_level: Annotated[float, Meta(description="1 - mann_kendall_pvalue.")]
    slope_confidence_interval: Annotated[
        tuple[float, float], Meta(description="95 % interval of trend_coefficient by Student's t.")
    ]
    volatility: Annotated[float, Meta(description="Population standard deviation / mean; 0 when the mean is 0.")]
    higher_is_better: bool
    trend_line: Annotated[list[float], Meta(description=f"The line at each sample. {_TwoDecimals}")]


class SeasonPatterns(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Traits of what repeats; empty when nothing does."""

    dominant_period: int | UnsetType = UNSET
    peak_count: Annotated[int | UnsetType, Meta(description="Samples at the highest place of the pattern.")] = UNSET
    trough_count: Annotated[int | UnsetType, Meta(description="Samples at the lowest place of the pattern.")] = UNSET
    sprint_cycle_candidate: Annotated[
        bool | UnsetType, Meta(description="Whether the period is 2, 3 or 4, as sprints are.")
    ] = UNSET
    end_period_drop: Annotated[
        bool | UnsetType, Meta(description="Whether the last place of the pattern is its lowest one.")
    ] = UNSET


class Seasonality(Struct, frozen=True, kw_only=True):
    """Whether the metric repeats itself."""

    has_seasonality: Annotated[
        bool,
        Meta(
            description="Whether the autocorrelation at some period, seen at least three times, is more than chance "
            "explains (5 %, adjusted for the number of periods that were looked at)."
        ),
    ]
    period: Annotated[int | None, Meta(description="Samples after which it repeats; null when it does not.")]
    seasonal_strength: Annotated[float, Meta(description="Autocorrelation of the ranks at the period; 0 without one.")]
    seasonality_confidence: Annotated[float, Meta(description="1 - p of the likeliest period, adjusted.")]
    dominant_periods: Annotated[list[int], Meta(description="All significant periods, `period` first.")]
    peak_indices: Annotated[list[int], Meta(description="Samples at the highest place of the pattern.")]
    trough_indices: Annotated[list[int], Meta(description="Samples at the lowest place of the pattern.")]
    seasonal_pattern: Annotated[
        list[float],
        Meta(description=f"Deviation from the trend at each place of a period, oldest sample first. {_TwoDecimals}"),
    ]
    deseasonalized_data: Annotated[list[float], Meta(description=f"Samples less the pattern. {_TwoDecimals}")]
    patterns: SeasonPatterns


class Anomalies(Struct, frozen=True, kw_only=True):
    """Samples that stand apart from the others."""

    anomalies_count: int
    anomaly_indices: list[int]
    anomaly_values: list[float]
    anomaly_scores: Annotated[
        list[float | None],
        Meta(
            description="How far beyond the quartiles (or from the centre), in interquartile ranges (or deviations); "
            "null when most samples are equal, so that there is nothing to measure with."
        ),
    ]
    method_used: Method
    threshold: Annotated[float, Meta(description="Scores above it stand apart.")]
    upper_bound: float
    lower_bound: float
    recent_anomaly: Annotated[bool, Meta(description="Whether one of the last three samples stands apart.")]
    latest_anomaly_score: Annotated[float | None, Meta(description="Of the newest one that does; null for none.")]


class Projection(Struct, frozen=True, kw_only=True):
    """What the next ten samples would be if the metric improved: a what-if, not a forecast."""

    scenario_name: Scenario
    improvement_rate: Annotated[float, Meta(description="Improvement reached by the tenth sample: 0.05, 0.1 or 0.15.")]
    projected_values: list[float]
    time_to_target: Annotated[float | None, Meta(description="Always null: a target cannot be given.")]
    lower_bound: Annotated[list[float], Meta(description="Lower end of a 95 % interval of single samples, at least 0.")]
    upper_bound: Annotated[list[float], Meta(description="Upper end of the same.")]
    notes: str


class Alert(Struct, frozen=True, kw_only=True):
    """Something that a team lead should know."""

    severity: Severity
    alert_type: AlertType
    message: str
    metric: str
    current_value: float
    expected_value: float
    deviation_pct: Annotated[
        float | None, Meta(description="current_value over expected_value, less 1, in %; null when that is 0.")
    ]
    recommendation: str


class MetricSummary(Struct, frozen=True, kw_only=True):
    """The metric in three words."""

    overall_status: Direction
    is_healthy: Annotated[bool, Meta(description="Neither declining nor with an alert that is high or critical.")]
    requires_attention: Annotated[bool, Meta(description="Some alert is high or critical.")]


class MetricFacts(Struct, frozen=True, kw_only=True):
    """All about one series of samples."""

    metric_name: str
    data_points: int
    trend: TrendFacts
    seasonality: Annotated[Seasonality | None, Meta(description="null with fewer than 8 samples.")]
    anomalies: Anomalies
    projections: list[Projection]
    alerts: Annotated[list[Alert], Meta(description="Most severe first.")]
    summary: MetricSummary
    higher_is_better: bool


class Metric(MetricFacts, frozen=True, kw_only=True):
    """All about one series of samples, and which one it is."""

    metric_key: Literal["throughput", "lead_time"]
    display_name: str


class TrendAnalysis(MetricFacts, frozen=True, kw_only=True):
    """The first metric, throughput if it was sent, and then all of them."""

    metrics: list[Metric]
    warnings: Annotated[list[str], Meta(description="What was not used, and what makes the answer less certain.")]
