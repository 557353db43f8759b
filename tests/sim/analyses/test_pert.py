"""The law of a summed cost: integrals done by hand, the moments, and trials drawn one by one."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest

from chalicelib.sim.analyses.pert import STEPS, Pert, total
from chalicelib.sim.analyses.pert_inputs import CostRequest, check
from chalicelib.sim.analyses.pert_report import analyse
from chalicelib.sim.analyses.pert_result import CostAnalysis

# alpha = beta = 3: density 30 x^2 (1 - x)^2, distribution 10 x^3 - 15 x^4 + 6 x^5, variance 1 / 28.
SYMMETRIC = Pert(0, 0.5, 1)


def test_shape_is_that_of_pert() -> None:
    item = Pert(3, 5, 10)
    assert (item.alpha, item.beta) == pytest.approx((1 + 8 / 7, 1 + 20 / 7))
    # (3 + 20 + 10) / 6 and sqrt(alpha beta / 7) / 6 of the width.
    assert item.mean == pytest.approx(5.5)
    assert item.relative_deviation == pytest.approx(math.sqrt(15 / 7 * 27 / 7 / 7) / 6)
    assert (SYMMETRIC.skewness, SYMMETRIC.relative_deviation) == pytest.approx((0.0, math.sqrt(1 / 28)))


@pytest.mark.parametrize("cost", [0.05, 0.25, 0.5, 0.8])
def test_one_item_has_the_beta_law(cost: float) -> None:
    expected = 10 * cost**3 - 15 * cost**4 + 6 * cost**5
    assert total(SYMMETRIC, 1).chances_up_to([cost]) == [pytest.approx(expected, abs=1e-6)]


def test_sum_of_two_is_the_double_integral() -> None:
    # P(X + Y <= 1/2) = 211 / 7168, P(X + Y <= 3/4) = 191727 / 1048576, by the polynomials above.
    found = total(SYMMETRIC, 2).chances_up_to([0.5, 0.75, 1.0])
    assert found == pytest.approx([211 / 7168, 191727 / 1048576, 0.5], abs=1e-6)


def test_mean_overrun_is_the_integral_beyond_the_budget() -> None:
    # The integral of (x - 1/2) 30 x^2 (1 - x)^2 from 1/2 to 1 is 5 / 64.
    assert total(SYMMETRIC, 1).overrun(0.5) == pytest.approx(5 / 64, abs=1e-6)
    assert total(SYMMETRIC, 1).overrun(0) == pytest.approx(0.5)
    assert total(SYMMETRIC, 1).overrun(2) == 0.0


def test_nothing_is_cheaper_or_dearer_than_all_items_at_an_end() -> None:
    law = total(Pert(3, 5, 10), 2)
    assert law.chances_up_to([5.9, 6.0, 20.0, 20.1]) == [0.0, 0.0, 1.0, 1.0]
    low, high = law.quantiles([0, 1])
    assert 6 <= low < high <= 20


@pytest.mark.parametrize("item", [Pert(3, 5, 10), Pert(0, 0.01, 1), Pert(0, 0.99, 1), Pert(1e6, 2e6, 2.1e6)])
@pytest.mark.parametrize("count", [1, 3, 40, 9_999])
def test_moments_are_those_of_independent_items(item: Pert, count: int) -> None:
    above = total(item, count).above
    assert above.mean() == pytest.approx(count * item.relative_mean, rel=1e-6)
    assert above.deviation() == pytest.approx(math.sqrt(count) * item.relative_deviation, rel=1e-5)
    skewness = float((above.mass * ((above.points() / STEPS - above.mean()) / above.deviation()) ** 3).sum())
    assert skewness == pytest.approx(item.skewness / math.sqrt(count), abs=1e-4)


@pytest.mark.parametrize("item", [Pert(3, 5, 10), Pert(0, 0.05, 1), Pert(0, 0.9, 1)])
@pytest.mark.parametrize("count", [1, 2, 7, 60])
def test_percentiles_agree_with_trials(item: Pert, count: int) -> None:
    trials = 100_000
    drawn = np.random.default_rng(count).beta(item.alpha, item.beta, size=(trials, count)).sum(axis=1)
    costs = np.sort(count * item.low + (item.high - item.low) * drawn)
    levels = np.array([0.05, 0.25, 0.5, 0.85, 0.95, 0.99])
    reached = np.searchsorted(costs, total(item, count).quantiles(levels.tolist())) / trials
    # Four deviations of a share.
    assert np.all(np.abs(reached - levels) < 4 * np.sqrt(levels * (1 - levels) / trials))


def request(**changes: Any) -> CostRequest:
    body = {"optimistic": 3000, "mostLikely": 5000, "pessimistic": 10_000, "backlog": 50} | changes
    return msgspec.convert(body, CostRequest)


def answer(**changes: Any) -> CostAnalysis:
    assert check(request(**changes)) == []
    return analyse(request(**changes))


def test_answer_says_the_moments_of_the_total() -> None:
    found = answer().simulation_results
    assert (found.mean, found.pert_mean_per_item) == pytest.approx((275_000, 5_500))
    assert found.pert_std_per_item == pytest.approx(7_000 * math.sqrt(15 / 7 * 27 / 7 / 7) / 6)
    assert found.std == pytest.approx(found.pert_std_per_item * math.sqrt(50))
    assert (found.alpha, found.beta) == pytest.approx((15 / 7, 27 / 7))
    # Close to normal at fifty items: the mean and 1.0364 deviations.
    assert found.percentiles.p85 == pytest.approx(found.mean + 1.0364 * found.std, rel=0.001)


def test_team_efficiency_scales_every_cost_and_throughput_none() -> None:
    plain = answer(tpSamples="4, 6", teamSize=2).simulation_results
    assert (plain.team_efficiency, plain.avg_throughput_per_contributor, plain.team_size) == (1.0, 2.5, 2.0)
    assert plain.percentiles == answer().simulation_results.percentiles
    half = answer(teamEfficiency=0.5).simulation_results
    assert (half.optimistic, half.most_likely, half.pessimistic) == (1500, 2500, 5000)
    assert (half.original_optimistic, half.original_most_likely, half.original_pessimistic) == (3000, 5000, 10_000)
    assert half.mean == pytest.approx(plain.mean / 2)
    assert half.percentiles.p85 == pytest.approx(plain.percentiles.p85 / 2)
    assert half.total_costs == pytest.approx([cost / 2 for cost in plain.total_costs])


def test_budget_is_compared_with_the_law() -> None:
    found = answer(budget=275_000, avgCostPerItem=5_500)
    risk = found.risk_metrics
    below = found.simulation_results.prob_below_avg
    assert below is not None
    assert isinstance(risk.prob_over_budget, float)
    assert risk.prob_over_budget + below == pytest.approx(1)
    # A little more than half of a right-skewed total is below its mean; the overrun is about std / sqrt(2 pi).
    assert 0.5 < below < 0.53
    assert risk.expected_overrun == pytest.approx(found.simulation_results.std / math.sqrt(2 * math.pi), rel=0.01)


@pytest.mark.parametrize("changes", [{}, {"budget": 0, "avgCostPerItem": 0}, {"budget": None}])
def test_without_a_budget_nothing_is_said_of_one(changes: dict[str, Any]) -> None:
    found = msgspec.to_builtins(answer(**changes))
    assert sorted(found["risk_metrics"]) == ["coefficient_of_variation", "iqr", "range", "skewness_indicator"]
    assert found["simulation_results"]["prob_below_avg"] is None


@pytest.mark.parametrize(
    ("changes", "skew"),
    [
        ({"backlog": 1}, "Right-skewed"),
        ({"backlog": 1, "mostLikely": 9_000}, "Left-skewed"),
        ({"backlog": 1, "mostLikely": 6_500}, "Symmetric"),
        ({"backlog": 2_000}, "Symmetric"),
    ],
)
def test_many_items_make_the_total_symmetric(changes: dict[str, Any], skew: str) -> None:
    assert answer(**changes).risk_metrics.skewness_indicator == skew


def test_histogram_and_curve_are_the_same_law() -> None:
    found = answer(nSimulations=20_000).simulation_results
    bars = found.histogram
    assert (len(bars.counts), len(bars.bin_centers), len(bars.bin_edges)) == (50, 50, 51)
    assert (sum(bars.counts), min(bars.counts) >= 0) == (20_000, True)
    assert (bars.bin_edges[0], bars.bin_edges[-1]) == pytest.approx((found.min, found.max))
    mean = sum(count * cost for count, cost in zip(bars.counts, bars.bin_centers, strict=True)) / 20_000
    assert mean == pytest.approx(found.mean, rel=1e-3)
    curve = dict(zip(found.cumulative.probabilities, found.cumulative.costs, strict=True))
    assert (curve[0.5], curve[0.85]) == (found.percentiles.p50, found.percentiles.p85)


def test_total_costs_are_a_thousand_that_stand_for_the_law() -> None:
    costs = answer(nSimulations=1_000_000).simulation_results.total_costs
    found = answer().simulation_results
    assert (len(costs), costs) == (1_000, sorted(costs))
    assert sum(costs) / 1_000 == pytest.approx(found.mean, rel=1e-5)
    assert costs[499] < found.percentiles.p50 < costs[500]


def test_largest_answer_is_small_and_the_same_each_time() -> None:
    largest = {"optimistic": 1e11 / 3, "mostLikely": 2e12 / 3, "pessimistic": 9.99e11, "backlog": 9_999}
    first = msgspec.json.encode(answer(**largest, nSimulations=10_000_000, budget=1e15))
    assert len(first) < 200_000
    assert first == msgspec.json.encode(answer(**largest, nSimulations=10_000_000, budget=1e15))


@pytest.mark.parametrize(
    "body",
    [
        {"optimistic": 1.0, "mostLikely": 1.0000000000000002, "pessimistic": 1.0000000000000004, "teamEfficiency": 0.3},
        {"optimistic": 0, "mostLikely": 5e-324, "pessimistic": 1e-6, "budget": 1e-9, "backlog": 1},
        {"optimistic": 999_999_999_999.9, "mostLikely": 999_999_999_999.95, "pessimistic": 1e12, "backlog": 9_999},
    ],
)
def test_closest_estimates_are_answered_in_numbers(body: dict[str, Any]) -> None:
    found = answer(**body).simulation_results
    assert all(math.isfinite(cost) for cost in [*found.total_costs, found.std, *found.histogram.bin_edges])
    assert found.min <= found.percentiles.p50 <= found.max


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"mostLikely": 3000}, [("/mostLikely", "must be more than optimistic (3000), got 3000")]),
        ({"pessimistic": 4000}, [("/pessimistic", "must be more than mostLikely (5000), got 4000")]),
        (
            {"optimistic": 9000, "pessimistic": 1},
            [
                ("/mostLikely", "must be more than optimistic (9000), got 5000"),
                ("/pessimistic", "must be more than mostLikely (5000), got 1"),
            ],
        ),
        ({"tpSamples": "1 two"}, [("/tpSamples", "number 2 must be a number, got 'two'")]),
    ],
)
def test_estimates_out_of_order_are_refused_with_both(changes: dict[str, Any], errors: list[tuple[str, str]]) -> None:
    assert [(error.pointer, error.detail) for error in check(request(**changes))] == errors
