"""The answer to a question about the cost of a backlog as it goes over the wire. No numpy."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Skew = Literal["Right-skewed", "Left-skewed", "Symmetric"]


class CostPercentiles(Struct, frozen=True, kw_only=True):
    """Total costs that are not exceeded with the chance in the name: p85 is enough in 85 % of the cases."""

    p10: float
    p25: float
    p50: float
    p75: float
    p85: float
    p90: float
    p95: float


class CostHistogram(Struct, frozen=True, kw_only=True):
    """The law of the total in 50 bars of equal width from `min` to `max`."""

    counts: Annotated[list[int], Meta(description="nSimulations shared out by probability.")]
    bin_centers: list[float]
    bin_edges: Annotated[list[float], Meta(description="One more than there are bars.")]


class CostCurve(Struct, frozen=True, kw_only=True):
    """The total cost that is not exceeded with each probability from 0.01 to 0.99."""

    costs: list[float]
    probabilities: list[float]


class CostResults(Struct, frozen=True, kw_only=True):
    """The law of the total cost."""

    total_costs: Annotated[
        list[float],
        Meta(
            description="1,000 totals, ascending, that stand for equal parts of the probability: the percentiles "
            "0.05, 0.15, .. 99.95. Not one for each simulation, for none is drawn."
        ),
    ]
    percentiles: CostPercentiles
    mean: float
    std: float
    min: Annotated[float, Meta(description="Undershot once in a million.")]
    max: Annotated[float, Meta(description="Exceeded once in a million.")]
    alpha: Annotated[float, Meta(description="1 + 4 (mostLikely - optimistic) / (pessimistic - optimistic).")]
    beta: Annotated[float, Meta(description="6 - alpha.")]
    pert_mean_per_item: Annotated[float, Meta(description="(optimistic + 4 mostLikely + pessimistic) / 6.")]
    pert_std_per_item: float
    histogram: CostHistogram
    cumulative: CostCurve
    prob_below_avg: Annotated[
        float | None, Meta(description="Chance that the total is at most avgCostPerItem x backlog; null without that.")
    ]
    n_simulations: Annotated[int, Meta(description="As sent.")]
    backlog: int
    optimistic: Annotated[float, Meta(description="Times team_efficiency, like the next two.")]
    most_likely: float
    pessimistic: float
    original_optimistic: Annotated[float, Meta(description="As sent, like the next two.")]
    original_most_likely: float
    original_pessimistic: float
    team_size: float
    team_efficiency: Annotated[
        float,
        Meta(
            description="As sent, 1 when missing: throughput does not change what an item costs, the estimate says it."
        ),
    ]
    avg_throughput_per_contributor: Annotated[
        float | None, Meta(description="Mean of tpSamples / teamSize; null without tpSamples.")
    ]


class CostRisk(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How uncertain the total is."""

    coefficient_of_variation: Annotated[float, Meta(description="std / mean in %.")]
    range: Annotated[float, Meta(description="max - min.")]
    iqr: Annotated[float, Meta(description="p75 - p25.")]
    skewness_indicator: Annotated[
        Skew, Meta(description="Symmetric: skewness between -0.05 and 0.05. Many items make any total symmetric.")
    ]
    budget: Annotated[float | UnsetType, Meta(description="As sent; only with a budget, like the next two.")] = UNSET
    prob_over_budget: Annotated[float | UnsetType, Meta(description="Chance that the total is more.")] = UNSET
    expected_overrun: Annotated[
        float | UnsetType, Meta(description="Mean of what is spent beyond it, 0 where it is kept.")
    ] = UNSET


class CostAnalysis(Struct, frozen=True, kw_only=True):
    """What the backlog costs."""

    simulation_results: CostResults
    risk_metrics: CostRisk
    warnings: Annotated[list[str], Meta(description="Fields that were not known and have been ignored.")]
