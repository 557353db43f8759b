"""The answer to a question about a list of risks as it goes over the wire. No numpy."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Priority = Literal["HIGH", "MEDIUM", "LOW"]


class RiskRow(Struct, frozen=True, kw_only=True):
    """One risk, measured and ranked."""

    index: Annotated[int, Meta(description="Its place in the request, from 0.")]
    description: str | None
    likelihood: Annotated[float, Meta(description="Chance that it happens, as a probability, 0 to 1.")]
    low_impact: Annotated[int, Meta(description="Fewest tasks that it adds.")]
    medium_impact: Annotated[float, Meta(description="Most likely tasks; half-way from low to high when not sent.")]
    high_impact: Annotated[int, Meta(description="Most tasks that it adds.")]
    expected_impact: Annotated[float, Meta(description="likelihood x (low + medium + high) / 3, in tasks.")]
    p85_impact: Annotated[
        float,
        Meta(
            description="likelihood x (medium + 0.85 (high - medium)), in tasks: a measure of the old service. It "
            "is no percentile, and the sum over the risks is none either; `total_impact` has those."
        ),
    ]
    priority: Annotated[
        Priority,
        Meta(
            description="HIGH: ranked among the first 30 % of the risks (rounded up), MEDIUM: among the first 70 %, "
            "else LOW. A risk that is expected to add nothing is LOW."
        ),
    ]
    rank: Annotated[int, Meta(description="1 for the largest expected impact; equal ones share the better rank.")]
    share_of_total: Annotated[float, Meta(description="Part of total_expected_impact, 0 to 1.")]


class TotalImpact(Struct, frozen=True, kw_only=True):
    """The tasks that all risks together add, from their exact joint law; the risks are independent."""

    mean: Annotated[
        float,
        Meta(
            description="Mean of the law. It differs from total_expected_impact by the rounding to whole tasks where "
            "a mediumImpact was sent."
        ),
    ]
    p50: Annotated[int, Meta(description="Not exceeded with a chance of 50 %.")]
    p85: Annotated[int, Meta(description="Not exceeded with a chance of 85 %.")]
    p95: Annotated[int, Meta(description="Not exceeded with a chance of 95 %.")]
    chance_of_any: Annotated[float, Meta(description="Chance that at least one task is added.")]


class RiskDelay(Struct, frozen=True, kw_only=True):
    """The same in weeks at the mean throughput. How uneven the weeks are is not in it: a forecast tells that."""

    mean_throughput: Annotated[float, Meta(description="Tasks a week.")]
    expected_weeks: float
    p50_weeks: float
    p85_weeks: float
    p95_weeks: float
    expected_share_of_baseline: Annotated[
        float | None, Meta(description="expected_weeks / baselineDurationWeeks; null without that.")
    ]


class RiskSummary(Struct, frozen=True, kw_only=True):
    """The risks, largest first, and what they come to together."""

    risk_summaries: Annotated[list[RiskRow], Meta(description="By rank; equal ones in the order of the request.")]
    total_expected_impact: Annotated[float, Meta(description="Sum of the expected impacts, in tasks.")]
    high_priority_count: int
    total_impact: TotalImpact
    delay: Annotated[
        RiskDelay | None, Meta(description="null without tpSamples, and when nothing was finished in any of the weeks.")
    ]
    recommendations: Annotated[list[str], Meta(description="What to do about them, most useful first.")]
    warnings: Annotated[list[str], Meta(description="Fields that were not known and have been ignored.")]
