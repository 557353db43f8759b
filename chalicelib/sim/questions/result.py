"""Answers to when, how many and whether a deadline holds, as they go over the wire. No numpy.

Names that the old service had are kept. Its days are d/m/Y; ISO days stand beside them. Weeks are calendar weeks from
the start, days off included.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.sim.fields import SavedFields
from chalicelib.sim.forecasters.result import Blend, MaybeStats, ModelResult
from chalicelib.sim.result import (
    Confidence,
    DurationRow,
    EngineName,
    HistoryInterval,
    InputStats,
    Percentiles,
    PercentileStats,
)

_DayMonthYear = Annotated[str | None, Meta(description="d/m/Y; null where there is no such day.")]
_Weeks = Annotated[float, Meta(description="Calendar weeks, to one decimal.")]
_MaybeWeeks = Annotated[float | None, Meta(description="Calendar weeks, to one decimal; null beyond the horizon.")]
_AtLeast = Annotated[int, Meta(description="At least so many items with the chance in the name: p85 is the safer one.")]


class WhenView(Struct, frozen=True, kw_only=True):
    """When the backlog is done, from the history itself."""

    backlog: int
    start_date: str
    date_p50: _DayMonthYear
    date_p85: _DayMonthYear
    date_p95: _DayMonthYear
    weeks_p50: _Weeks
    weeks_p85: _Weeks
    weeks_p95: _Weeks
    percentile_stats: PercentileStats


class MlFields(Struct, frozen=True, kw_only=True):
    """Which forecasters spoke, and with which say."""

    forecast_method: str
    ml_models: Annotated[list[ModelResult], Meta(description="Best first, by mean absolute error.")]
    blend: Blend


class MlDuration(MlFields, frozen=True, kw_only=True):
    """What the forecasters say of a duration."""

    percentile_stats: MaybeStats
    unfinished_share: Annotated[
        float, Meta(description="Share of the futures that are not done as far as the forecasters look, 0 to 1.")
    ]


class MlWhenView(MlDuration, frozen=True, kw_only=True):
    """When the backlog is done, from the forecasters."""

    backlog: int
    start_date: str
    date_p50: _DayMonthYear
    date_p85: _DayMonthYear
    date_p95: _DayMonthYear
    weeks_p50: _MaybeWeeks
    weeks_p85: _MaybeWeeks
    weeks_p95: _MaybeWeeks


class AnswerFields(SavedFields, frozen=True, kw_only=True):
    """What every answer says about how it was found."""

    project_name: str | None
    engine: EngineName
    engine_reason: str
    seed: Annotated[int, Meta(description="Sent again it gives the same answer.")]
    assumptions: Annotated[list[str], Meta(description="What was taken for granted, in plain words.")]
    warnings: Annotated[list[str], Meta(description="What speaks against trusting it, in plain words.")]


class WhenResult(AnswerFields, frozen=True, kw_only=True):
    """When a backlog will be done."""

    monte_carlo: WhenView
    machine_learning: Annotated[MlWhenView | None, Meta(description="null with fewer than 8 samples.")]
    confidence: Confidence
    percentiles: Annotated[Percentiles[int], Meta(description="Duration in weeks, or in periods of the cadence.")]
    dates: Annotated[Percentiles[str | None] | None, Meta(description="ISO day of each percentile.")]
    distribution: Annotated[list[DurationRow], Meta(description="Law of the duration; see `/api/simulate`.")]
    history_interval: HistoryInterval | None


class ItemRow(Struct, frozen=True, kw_only=True):
    """One bar of the distribution of the number of items."""

    items: Annotated[int, Meta(description="Number of items; of a merged row the smallest.")]
    probability: float
    at_least: Annotated[float, Meta(description="Chance of so many or more.")]


class ItemsConfidence(Struct, frozen=True, kw_only=True):
    """The answer at confidenceLevel, in one line."""

    level: Annotated[float, Meta(description="In %.")]
    items: Annotated[int, Meta(description="At least so many with this confidence.")]


class ItemsView(Struct, frozen=True, kw_only=True):
    """How many items are finished in the time, from the history itself."""

    start_date: str
    end_date: str
    days: int
    weeks: Annotated[float, Meta(description="The time in weeks, or in periods of the cadence; days off left out.")]
    items_p50: _AtLeast
    items_p85: _AtLeast
    items_p95: _AtLeast
    items_mean: float
    distribution: Annotated[list[ItemRow], Meta(description="At most 300 rows; neighbours are merged beyond that.")]


class MlItemsView(MlFields, frozen=True, kw_only=True):
    """How many items are finished in the time, from the forecasters."""

    start_date: str
    end_date: str
    days: int
    weeks: float
    items_p50: _AtLeast
    items_p85: _AtLeast
    items_p95: _AtLeast
    items_mean: float


class HowManyResult(AnswerFields, frozen=True, kw_only=True):
    """How many items will be finished. An 85 % chance means at least so many, not at most."""

    monte_carlo: ItemsView
    machine_learning: Annotated[
        MlItemsView | None, Meta(description="null with fewer than 8 samples, or beyond 520 periods.")
    ]
    confidence: ItemsConfidence


class ItemsIn30Days(Struct, frozen=True, kw_only=True):
    """How many items are finished in the 30 days from the start, waiting times left out."""

    start_date: str
    end_date: str
    days: int
    weeks: float
    items_mean: float
    probability_table: list[ProbabilityRow]


class ProbabilityRow(Struct, frozen=True, kw_only=True):
    """At least `items` with a chance of `probability` %."""

    probability: int
    items: int


class DeadlineMonteCarlo(Struct, frozen=True, kw_only=True):
    """The deadline, from the history itself."""

    start_date: str
    deadline_date: str
    start_date_raw: Annotated[str, Meta(description="ISO day.")]
    deadline_date_raw: Annotated[str, Meta(description="ISO day.")]
    probability_met: Annotated[float, Meta(description="Chance that everything is done by the deadline, 0 to 1.")]
    can_meet_deadline: Annotated[bool, Meta(description="Whether that chance is at least 85 %.")]
    weeks_to_deadline: _Weeks
    projected_weeks_p50: _Weeks
    projected_weeks_p85: _Weeks
    projected_weeks_p95: _Weeks
    completion_date_p50: _DayMonthYear
    completion_date_p85: _DayMonthYear
    completion_date_p95: _DayMonthYear
    backlog: Annotated[int, Meta(description="Items before risks and split rates.")]
    items_possible_p50: _AtLeast
    items_possible_p85: _AtLeast
    items_possible_p95: _AtLeast
    items_method: Annotated[EngineName, Meta(description="How the items were found, of which there may be more.")]
    projected_work_p50: Annotated[int, Meta(description="items_possible_p50, at most the backlog.")]
    projected_work_p85: int
    projected_work_p95: int
    scope_completion_pct: Annotated[int, Meta(description="projected_work_p85 in % of the backlog, at most 100.")]
    scope_completion_pct_raw: Annotated[float, Meta(description="items_possible_p85 in % of the backlog.")]
    deadline_completion_pct: Annotated[int, Meta(description="The next field, at most 100.")]
    deadline_completion_pct_raw: Annotated[
        float, Meta(description="Weeks of p85 in % of the weeks to the deadline; 100 if the deadline is over.")
    ]
    projected_effort_p50: Annotated[int, Meta(description="Person-weeks, simulated, rounded.")]
    projected_effort_p85: int
    projected_effort_p95: int
    percentile_stats: PercentileStats
    input_stats: InputStats
    items_forecast_30_days: ItemsIn30Days


class DeadlineMachineLearning(MlDuration, frozen=True, kw_only=True):
    """The deadline, from the forecasters; everything but the throughput is as in the other view."""

    start_date: str
    deadline_date: str
    probability_met: float
    can_meet_deadline: bool
    weeks_to_deadline: _Weeks
    projected_weeks_p50: _MaybeWeeks
    projected_weeks_p85: _MaybeWeeks
    projected_weeks_p95: _MaybeWeeks
    backlog: int
    projected_work_p85: Annotated[int, Meta(description="At least so much with a chance of 85 %, at most the backlog.")]
    projected_effort_p85: Annotated[int | None, Meta(description="Person-weeks at the pace of the other view.")]
    scope_completion_pct: int
    deadline_completion_pct: int


class Consensus(Struct, frozen=True, kw_only=True):
    """Whether the two views agree."""

    both_agree: Annotated[bool, Meta(description="Same outcome, and p85 close.")]
    deadline_outcome_match: Annotated[bool, Meta(description="Whether both say the same about the deadline.")]
    weeks_close: Annotated[bool, Meta(description="p85 less than 4 weeks or 20 % of their mean apart.")]
    difference_weeks: Annotated[float | None, Meta(description="Between the two p85; null if one is unknown.")]
    percentage_difference: float | None
    mc_more_conservative: Annotated[bool, Meta(description="Whether the history itself gives the later p85.")]
    recommendation: str
    explanation: str


class Cost(Struct, frozen=True, kw_only=True):
    """What an effort costs; amounts in the currency of the request, which stands before formatted ones."""

    effort_person_weeks: float
    total_cost: float
    formatted_total: str
    formatted_per_week: Annotated[str, Meta(description="Of the whole team at work.")]
    formatted_per_month: Annotated[str, Meta(description="4.33 weeks.")]
    formatted_per_year: Annotated[str, Meta(description="52 weeks.")]


class CostPercentiles(Struct, frozen=True, kw_only=True):
    """Costs that are not exceeded with the chance in the name."""

    p50: Cost
    p85: Cost
    p95: Cost


class CostView(Struct, frozen=True, kw_only=True):
    """The costs of one view."""

    cost_p50: Cost
    cost_p85: Cost
    cost_p95: Cost
    cost_percentiles: CostPercentiles
    effort_p50: float
    effort_p85: float
    effort_p95: float


class TeamInfo(Struct, frozen=True, kw_only=True):
    """Who is paid for."""

    team_size: float
    avg_contributors: Annotated[float, Meta(description="Expected effort / expected weeks of work.")]
    cost_per_week: Annotated[float, Meta(description="Of one person.")]


class CostAnalysis(Struct, frozen=True, kw_only=True):
    """What the work costs."""

    currency: str
    monte_carlo: CostView
    machine_learning: Annotated[CostView | None, Meta(description="null where the forecasters see no end.")]
    formula: str
    explanation: str
    team_info: TeamInfo


class DeadlineResult(AnswerFields, frozen=True, kw_only=True):
    """Whether a deadline holds; the figures of the view from the history stand at the top once more."""

    probability_met: Annotated[
        float, Meta(description="P(deadline met): chance that everything is done by the deadline, 0 to 1.")
    ]
    deadline_date: Annotated[str, Meta(description="d/m/Y.")]
    start_date: Annotated[str, Meta(description="d/m/Y.")]
    can_meet_deadline: bool
    weeks_to_deadline: float
    projected_weeks_p50: float
    projected_weeks_p85: float
    projected_work_p85: int
    projected_effort_p85: int
    backlog: int
    scope_completion_pct: int
    deadline_completion_pct: int
    percentile_stats: PercentileStats
    dates: Annotated[Percentiles[str | None] | None, Meta(description="ISO day by which all is done, by chance.")]
    monte_carlo: DeadlineMonteCarlo
    machine_learning: Annotated[DeadlineMachineLearning | None, Meta(description="null with fewer than 8 samples.")]
    consensus: Annotated[Consensus | None, Meta(description="null where there is one view alone.")]
    cost_analysis: CostAnalysis
    distribution: Annotated[list[DurationRow], Meta(description="Law of the duration; see `/api/simulate`.")]
    history_interval: HistoryInterval | None
