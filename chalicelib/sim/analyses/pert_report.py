"""The answer to a question about the cost of a backlog, from the law of the total."""

from __future__ import annotations

import itertools
import statistics

from msgspec import UNSET, structs

from chalicelib.sim.analyses.pert import Pert, Total, total
from chalicelib.sim.analyses.pert_inputs import CostRequest
from chalicelib.sim.analyses.pert_result import (
    CostAnalysis,
    CostCurve,
    CostHistogram,
    CostPercentiles,
    CostResults,
    CostRisk,
    Skew,
)
from chalicelib.sim.analyses.series import read_series
from chalicelib.sim.project import round_half_up

BARS = 50
SHOWN = 1_000
# Stand for the least and the most: a law of a sum has both ends where nothing ever is.
_RARE = 1e-6
_LEVELS = (0.10, 0.25, 0.50, 0.75, 0.85, 0.90, 0.95)
_SYMMETRIC = 0.05


def analyse(request: CostRequest) -> CostAnalysis:
    """The answer to a request that has passed `pert_inputs.check`. The same on every call: nothing is drawn."""
    factor = request.team_efficiency
    item = Pert(request.optimistic, request.most_likely, request.pessimistic)
    law = total(item, request.backlog)
    # The law is scaled and not the estimates, which rounding could make equal.
    law = structs.replace(law, floor=law.floor * factor, width=law.width * factor)
    results = _results(request, item, law)
    return CostAnalysis(simulation_results=results, risk_metrics=_risk(request, item, results, law), warnings=[])


def _results(request: CostRequest, item: Pert, law: Total) -> CostResults:
    p10, p25, p50, p75, p85, p90, p95 = law.quantiles(_LEVELS)
    least, most = law.quantiles([_RARE, 1 - _RARE])
    samples = read_series(request.tp_samples, "").values
    average, factor = request.avg_cost_per_item, request.team_efficiency
    deviation = item.relative_deviation * item.width * factor
    return CostResults(
        total_costs=law.quantiles((place + 0.5) / SHOWN for place in range(SHOWN)),
        percentiles=CostPercentiles(p10=p10, p25=p25, p50=p50, p75=p75, p85=p85, p90=p90, p95=p95),
        mean=request.backlog * item.mean * factor,
        std=request.backlog**0.5 * deviation,
        min=least,
        max=most,
        alpha=item.alpha,
        beta=item.beta,
        pert_mean_per_item=item.mean * factor,
        pert_std_per_item=deviation,
        histogram=_histogram(law, least, most, request.n_simulations),
        cumulative=_curve(law),
        prob_below_avg=law.chances_up_to([average * request.backlog])[0] if average else None,
        n_simulations=request.n_simulations,
        backlog=request.backlog,
        optimistic=item.low * factor,
        most_likely=item.mode * factor,
        pessimistic=item.high * factor,
        original_optimistic=request.optimistic,
        original_most_likely=request.most_likely,
        original_pessimistic=request.pessimistic,
        team_size=request.team_size,
        team_efficiency=factor,
        avg_throughput_per_contributor=statistics.fmean(samples) / request.team_size if samples else None,
    )


def _histogram(law: Total, least: float, most: float, trials: int) -> CostHistogram:
    width = (most - least) / BARS
    edges = [least + width * bar for bar in range(BARS + 1)]
    # What is rarer than the ends belongs to the outermost bars, so that all bars make the total.
    reached = [0.0, *law.chances_up_to(edges[1:-1]), 1.0]
    within = [round_half_up(chance * trials) for chance in reached]
    return CostHistogram(
        counts=[upper - lower for lower, upper in itertools.pairwise(within)],
        bin_centers=[edge + width / 2 for edge in edges[:-1]],
        bin_edges=edges,
    )


def _curve(law: Total) -> CostCurve:
    probabilities = [place / 100 for place in range(1, 100)]
    return CostCurve(costs=law.quantiles(probabilities), probabilities=probabilities)


def _risk(request: CostRequest, item: Pert, results: CostResults, law: Total) -> CostRisk:
    budget = request.budget
    return CostRisk(
        coefficient_of_variation=100 * results.std / results.mean,
        range=results.max - results.min,
        iqr=results.percentiles.p75 - results.percentiles.p25,
        skewness_indicator=_skew(item.skewness / request.backlog**0.5),
        budget=budget or UNSET,
        prob_over_budget=1 - law.chances_up_to([budget])[0] if budget else UNSET,
        expected_overrun=law.overrun(budget) if budget else UNSET,
    )


def _skew(skewness: float) -> Skew:
    if abs(skewness) < _SYMMETRIC:
        return "Symmetric"
    return "Right-skewed" if skewness > 0 else "Left-skewed"
