"""The answer to a forecast request as it goes over the wire. No numpy: the API describes it without the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Generic, Literal, TypeVar

from msgspec import Meta, Struct

from chalicelib.sim.fields import SavedFields
from chalicelib.sim.inputs import Sampling

T = TypeVar("T")

EngineName = Literal["exact", "monte_carlo"]


class Percentiles(Struct, Generic[T], frozen=True, kw_only=True):
    """Values that the outcome does not exceed with the chance in the name: p85 holds in 85 % of the cases."""

    LEVELS: ClassVar[tuple[float, ...]] = (0.05, 0.10, 0.25, 0.50, 0.75, 0.85, 0.90, 0.95, 0.99)

    p5: T
    p10: T
    p25: T
    p50: T
    p75: T
    p85: T
    p90: T
    p95: T
    p99: T

    @classmethod
    def of(cls, values: Sequence[T]) -> Percentiles[T]:
        """From the values at LEVELS, in that order."""
        p5, p10, p25, p50, p75, p85, p90, p95, p99 = values
        return Percentiles(p5=p5, p10=p10, p25=p25, p50=p50, p75=p75, p85=p85, p90=p90, p95=p95, p99=p99)

    def values(self) -> list[T]:
        """The values in the order of LEVELS."""
        return [self.p5, self.p10, self.p25, self.p50, self.p75, self.p85, self.p90, self.p95, self.p99]


class PercentileStats(Struct, frozen=True, kw_only=True):
    """The old contract's percentiles of the duration."""

    p10: float
    p25: float
    p50: float
    p75: float
    p85: float
    p90: float
    p95: float


class DurationRow(Struct, frozen=True, kw_only=True):
    """One bar of the duration's distribution."""

    weeks: Annotated[int, Meta(description="Duration in calendar weeks; of a merged row the longest.")]
    probability: Annotated[float, Meta(description="Chance of this row.")]
    cumulative: Annotated[float, Meta(description="Chance to be done within `weeks`.")]


class Interval(Struct, frozen=True, kw_only=True):
    """A percentile of the duration, in calendar weeks, from random trials: the true one is within these ends."""

    low: int
    high: int


class TrialRow(Struct, frozen=True, kw_only=True):
    """How many of numberOfSimulations trials lasted this long, or would."""

    weeks: int
    trials: Annotated[
        int,
        Meta(
            description="monte_carlo: trials counted. exact: trials expected, rounded so that all rows make the total."
        ),
    ]


class TaskRow(Struct, frozen=True, kw_only=True):
    """One bar of the distribution of the task count."""

    tasks: Annotated[int, Meta(description="Number of tasks; of a merged row the largest.")]
    probability: float


class Tasks(Struct, frozen=True, kw_only=True):
    """Number of tasks to do: backlog, risks and split rate together."""

    mean: float
    percentiles: Percentiles[int]
    distribution: Annotated[list[TaskRow], Meta(description="At most 300 rows; neighbours are merged beyond that.")]


class Effort(Struct, frozen=True, kw_only=True):
    """Work in person-weeks; weeks of lead time or delay cost none."""

    mean: float
    percentiles: Percentiles[float]


_TABLE_NAMES = {
    "likelihood": "Likelihood",
    "duration": "Duration",
    "total_tasks": "TotalTasks",
    "effort": "Effort",
    "lead_time": "LT",
}


class LikelihoodRow(Struct, frozen=True, kw_only=True, rename=_TABLE_NAMES):
    """Values not exceeded with this likelihood. Each column is ranked on its own; a row is not one trial."""

    likelihood: Annotated[int, Meta(description="In %, 100 to 0 in steps of 5.")]
    duration: Annotated[
        int,
        Meta(
            description="Calendar weeks. An exact law has no longest case, so the rows 100 and 0 hold the values at "
            "1 - 1e-6 and 1e-6; of random trials, the longest and the shortest one."
        ),
    ]
    total_tasks: int
    effort: Annotated[int, Meta(description="Person-weeks, rounded.")]
    lead_time: Annotated[int, Meta(description="Average lead time in days, rounded.")]


class Confidence(Struct, frozen=True, kw_only=True):
    """The forecast at confidenceLevel, in one line."""

    level: Annotated[float, Meta(description="In %.")]
    weeks: int
    date: Annotated[str | None, Meta(description="Done by this day with this confidence; null without a start.")]


class SampleStats(Struct, frozen=True, kw_only=True):
    """Description of one list of samples."""

    count: int
    mean: float
    median: float
    mode: float
    std: Annotated[float, Meta(description="Population standard deviation.")]
    mad: Annotated[float, Meta(description="Mean absolute deviation from the mean.")]
    cv: Annotated[float, Meta(description="Coefficient of variation in %.")]
    min: float
    max: float
    range: float
    percentiles: Annotated[
        dict[str, float], Meta(description="Keys p10 p25 p50 p75 p85 p90 p95; lead times also p15 p98 p100.")
    ]


class Weibull(Struct, frozen=True, kw_only=True):
    """Straight line fit on a Weibull plot with median ranks (i - 0.3) / (n + 0.4)."""

    shape: float
    scale: float
    r2: float
    predicted_mean: float


class LeadTimeStats(SampleStats, frozen=True, kw_only=True):
    """Description of the lead times, with their outliers and a Weibull plot fit."""

    p98_to_p50: Annotated[float | None, Meta(description="p98 / p50; null when p50 is 0.")]
    iqr: Annotated[float, Meta(description="p75 - p25.")]
    above_6_means: int
    above_10_medians: int
    above_q3_fence: Annotated[int, Meta(description="Lead times above p75 + 1.5 iqr.")]
    weibull: Annotated[Weibull | None, Meta(description="null with fewer than two distinct positive lead times.")]


class InputStats(Struct, frozen=True, kw_only=True):
    """What the samples look like."""

    throughput: SampleStats
    lead_time: LeadTimeStats | None


class BacklogSummary(Struct, frozen=True, kw_only=True, rename="camel"):
    """The backlog as the forecast used it, and as it was sent."""

    low: Annotated[int, Meta(description="Fewest tasks before risks and split rate.")]
    high: Annotated[int, Meta(description="Most tasks before risks and split rate.")]
    number_of_tasks: int
    backlog_adjusted_min: float | None
    backlog_adjusted_max: float | None
    remaining_tasks: int | None
    completed_tasks: int | None


class CriticalDependency(Struct, frozen=True, kw_only=True):
    """A dependency that matters more than the others."""

    id: str | int | None
    name: str | None
    on_time_probability: float
    typical_delay_days: float
    criticality: str
    weighted_delay_days: Annotated[float, Meta(description="Chance to be late x typical delay x weight.")]


class DependencyAnalysis(Struct, frozen=True, kw_only=True):
    """What the dependencies add to the calendar."""

    total_dependencies: int
    on_time_probability: Annotated[float, Meta(description="Chance that no dependency is late.")]
    one_in: Annotated[float | None, Meta(description="1 / on_time_probability; null when that is 0.")]
    expected_delay_days: Annotated[float, Meta(description="Mean delay over all cases, in days.")]
    delay_percentiles: Annotated[
        Percentiles[float] | None,
        Meta(description="Delay in days given that at least one dependency is late; null when none can be."),
    ]
    critical_dependencies: Annotated[list[CriticalDependency], Meta(description="The five with most weighted delay.")]
    risk_score: Annotated[
        float,
        Meta(
            description="0 to 100: 0.4 x chance of a delay, 0.3 x expected delay / 30 days, 0.2 x its coefficient of "
            "variation, 0.1 x number of dependencies / 10, each part at most 1."
        ),
    ]
    risk_level: Annotated[str, Meta(description="LOW below 25, MEDIUM below 50, HIGH below 75, else CRITICAL.")]
    advice: Annotated[list[str], Meta(description="What to do about them, in plain words.")]


class WeeksInterval(Struct, frozen=True, kw_only=True):
    """Where a percentile of the duration lies in 95 % of the resampled histories."""

    low: Annotated[int, Meta(description="In calendar weeks.")]
    high: Annotated[
        int | None,
        Meta(description="null: no upper end, because too many resampled histories never finish, or far too late."),
    ]
    low_date: Annotated[str | None, Meta(description="ISO day of `low`; null without a start.")]
    high_date: Annotated[str | None, Meta(description="ISO day of `high`; null without a start or an upper end.")]


class HistoryInterval(Struct, frozen=True, kw_only=True):
    """The error that comes from a short history: 95 % intervals of the percentiles themselves.

    The weeks of the history are drawn anew with replacement, as many as there are, and the project is solved again.
    """

    resamples: Annotated[int, Meta(description="Number of resampled histories: 200, or fewer for a large project.")]
    never_done: Annotated[int, Meta(description="How many of them hold no finished task, so that they never finish.")]
    p50: WeeksInterval
    p85: WeeksInterval
    p95: WeeksInterval


class BurnDownWeek(Struct, frozen=True, kw_only=True):
    """Open tasks at the end of a week: not more than p95 of them with a chance of 95 %, and so on."""

    week: Annotated[int, Meta(description="Calendar weeks since the start; 0 is the start itself.")]
    p5: int
    p25: int
    p50: int
    p75: int
    p95: int


class BurnDown(Struct, frozen=True, kw_only=True):
    """The fan of the burn-down, until 95 % of the cases are done. A task that is begun counts as open."""

    method: Annotated[str, Meta(description="exact, or monte_carlo: counted in trials with the request's seed.")]
    weeks: Annotated[
        list[BurnDownWeek],
        Meta(description="A row a week, at most 121; a longer project has a row every few weeks, and the last one."),
    ]


_WIRE_NAMES = {
    "results_table": "resultsTable",
    "tp_error_rate": "tpErrorRate",
    "lt_error_rate": "ltErrorRate",
    "number_of_simulations": "numberOfSimulations",
    "project_name": "projectName",
}


class SimulateResult(SavedFields, frozen=True, kw_only=True, rename=_WIRE_NAMES):
    """The forecast."""

    engine: Annotated[
        EngineName, Meta(description="exact: computed without sampling. monte_carlo: counted in random trials.")
    ]
    engine_reason: Annotated[str, Meta(description="Why this engine answered, in plain words.")]
    sampling: Annotated[
        Sampling,
        Meta(description="Law of a week that was used: bootstrap also where weibull was asked for and nothing fits."),
    ]
    seed: Annotated[
        int,
        Meta(
            description="Sent again with engine monte_carlo it gives the same trials, whether it was chosen by the "
            "caller or here. The exact engine needs it for history_interval, and for a burn_down from trials."
        ),
    ]
    project_name: str | None
    number_of_simulations: Annotated[
        int, Meta(description="Trials drawn by monte_carlo; as sent by exact, which draws none.")
    ]
    mean_weeks: Annotated[float, Meta(description="Mean duration in calendar weeks.")]
    confidence: Confidence
    percentiles: Annotated[
        Percentiles[int], Meta(description="Duration in calendar weeks: the fewest with at least that chance.")
    ]
    percentile_intervals: Annotated[
        Percentiles[Interval] | None,
        Meta(
            description="95 % interval of each percentile for the number of trials drawn; null for exact, which has no "
            "such error. How far the history itself may mislead is not in it."
        ),
    ]
    percentile_stats: Annotated[PercentileStats, Meta(description="The same under the old contract's name.")]
    dates: Annotated[
        Percentiles[str | None] | None,
        Meta(description="ISO day of each percentile, start + weeks x 7 days; null without a start date."),
    ]
    distribution: Annotated[
        list[DurationRow],
        Meta(
            description="Law of the duration. Ends rarer than 1e-12 are added to the outermost rows; beyond 500 rows "
            "neighbouring weeks are merged, which keeps `cumulative` exact."
        ),
    ]
    history_interval: Annotated[
        HistoryInterval | None,
        Meta(description="null when historyInterval is false, or when it takes too long; `warnings` then says so."),
    ]
    burn_down: Annotated[BurnDown | None, Meta(description="null when it takes too long; `warnings` then says so.")]
    completion_times: Annotated[
        list[TrialRow], Meta(description="The distribution as numbers of trials; rows without any are left out.")
    ]
    tasks: Tasks
    effort: Effort
    results_table: list[LikelihoodRow]
    tp_error_rate: Annotated[int, Meta(description="Error rate of tpSamples in %: below 10 great, below 25 good.")]
    lt_error_rate: Annotated[int, Meta(description="Error rate of ltSamples in %.")]
    input_stats: InputStats
    backlog_summary: BacklogSummary
    dependency_analysis: Annotated[DependencyAnalysis | None, Meta(description="null without dependencies.")]
    assumptions: Annotated[list[str], Meta(description="What the forecast took for granted, in plain words.")]
    warnings: Annotated[list[str], Meta(description="What speaks against trusting it, in plain words.")]
