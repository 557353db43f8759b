"""Scores against arithmetic by hand and against their definitions, summed point by point."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.sim.replay.scores import coverage, crps_of_law, crps_of_sample, pinball_loss, weighted_quantiles

few = settings(max_examples=60, deadline=None)
weighted = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), min_size=1, max_size=12)


@pytest.mark.parametrize(("actual", "loss"), [(10.0, 3.2), (6.0, 0.0), (1.0, 1.0)])
def test_pinball_loss_weighs_an_actual_above_by_the_level_and_one_below_by_the_rest(actual: float, loss: float) -> None:
    assert pinball_loss(actual, [6.0], [0.8]) == pytest.approx(loss)


def test_pinball_loss_is_the_mean_over_levels_of_each_row() -> None:
    found = pinball_loss([4.0, 0.0], [[2.0, 8.0], [2.0, 8.0]], [0.25, 0.75])
    # (0.25 * 2 + 0.25 * 4) / 2 and (0.75 * 2 + 0.25 * 8) / 2.
    assert found.tolist() == [0.75, 1.75]


def test_crps_of_one_value_is_the_absolute_error() -> None:
    assert crps_of_sample(3.0, [7.5], [2.0]) == 4.5
    assert crps_of_sample(7.5, [3.0], [0.1]) == 4.5


def test_crps_of_two_values_is_worked_out_by_hand() -> None:
    # F is 1/4 on 0..4: between 0 and 1 it should be 0, between 1 and 4 it should be 1.
    assert crps_of_sample(1.0, [4.0, 0.0], [3.0, 1.0]) == pytest.approx(1 / 16 + 3 * 9 / 16)


@few
@given(weighted, st.integers(-5, 40))
def test_crps_is_the_mean_distance_less_half_the_mean_difference(pairs: list[tuple[int, int]], actual: int) -> None:
    # E|X - y| - E|X - X'| / 2: Gneiting and Raftery, 2007, equation 21.
    total = sum(weight for _, weight in pairs)
    distance = sum(weight * abs(value - actual) for value, weight in pairs) / total
    difference = sum(v * w * abs(x - y) for x, v in pairs for y, w in pairs) / total**2
    values, weights = zip(*pairs, strict=True)
    assert crps_of_sample(actual, values, weights) == pytest.approx(distance - difference / 2, abs=1e-12)


@few
@given(weighted, st.integers(-5, 40))
def test_crps_of_a_law_sums_squares_over_all_whole_numbers(pairs: list[tuple[int, int]], actual: int) -> None:
    total = sum(weight for _, weight in pairs)
    expected = sum(
        (sum(weight for value, weight in pairs if value <= k) / total - (k >= actual)) ** 2 for k in range(-10, 50)
    )
    points, mass = zip(*pairs, strict=True)
    assert crps_of_law(actual, points, mass) == pytest.approx(expected, abs=1e-12)


def test_pinball_loss_over_many_levels_is_half_the_crps() -> None:
    values, levels = np.array([1.0, 2.0, 6.0, 7.0]), (np.arange(10_000) + 0.5) / 10_000
    loss = pinball_loss(3.0, weighted_quantiles(values, np.ones(4), levels), levels)
    assert 2 * float(loss) == pytest.approx(crps_of_sample(3.0, values, np.ones(4)), abs=1e-6)


@pytest.mark.parametrize(
    ("level", "value"), [(0.1, 2.0), (0.2, 2.0), (0.21, 5.0), (0.5, 5.0), (0.51, 9.0), (0.99, 9.0), (1.0, 9.0)]
)
def test_weighted_quantile_is_the_smallest_value_that_reaches_the_level(level: float, value: float) -> None:
    assert weighted_quantiles([9.0, 2.0, 5.0, 1.0], [5.0, 2.0, 3.0, 0.0], [level]).tolist() == [value]


def test_rounding_of_a_sum_does_not_move_a_quantile() -> None:
    # Twenty times 0.05, added one by one, is a little more than 1, so the first is a little less than 5 % of it.
    levels = [count / 20 for count in range(1, 21)]
    assert weighted_quantiles(range(20), [0.05] * 20, levels).tolist() == list(range(20))


def test_rows_of_quantiles_are_independent() -> None:
    values, weights = [[3.0, 1.0, 2.0], [10.0, 30.0, 20.0]], [[1.0, 1.0, 1.0], [0.0, 1.0, 0.0]]
    assert weighted_quantiles(values, weights, [0.3, 0.5, 1.0]).tolist() == [[1.0, 2.0, 3.0], [30.0] * 3]


def test_coverage_counts_actuals_at_or_below_their_bounds() -> None:
    assert coverage([1, 5, 7, 9], [2, 5, 6, 10]) == 0.75


def test_a_wrong_law_never_scores_better_on_average_than_the_true_one() -> None:
    true = [0.2, 0.5, 0.3]
    scores = [
        math.fsum(true[k] * crps_of_law(k, range(3), mass) for k in range(3))
        for mass in (true, [0.1, 0.6, 0.3], [0.3, 0.4, 0.3], [0.0, 1.0, 0.0])
    ]
    assert min(scores) == scores[0]
