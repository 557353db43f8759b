"""The Mann-Kendall test: counted by hand for few samples, by its formula for more."""

from __future__ import annotations

import math

import pytest

from chalicelib.sim.kendall import Kendall, rank_test
from chalicelib.sim.trend import trend


@pytest.mark.parametrize(
    ("samples", "score", "p_value"),
    [
        # All of n! orders, of which two are as one-sided: rising and falling.
        ([1, 2, 3], 3, 2 / 6),
        ([3, 2, 1], -3, 2 / 6),
        ([1, 2, 3, 4, 5], 10, 2 / 120),
        # S is 0 at least in every order.
        ([1, 3, 3, 1], 0, 1.0),
    ],
)
def test_few_samples_are_counted_out(samples: list[float], score: int, p_value: float) -> None:
    found = rank_test(samples)
    assert (found.score, found.p_value) == pytest.approx((score, p_value))


def test_ties_are_counted_out_too() -> None:
    # Of the six orders 112 (S = 2) and 211 (S = -2) come twice each, 121 (S = 0) twice.
    assert rank_test([1, 1, 2]) == Kendall(2, 2 / math.sqrt(3 * 2), 4 / 6)


def test_more_samples_have_the_normal_law() -> None:
    # S = 28, variance 8 * 7 * 21 / 18 = 196 / 3, continuity 1.
    found = rank_test([1, 2, 3, 4, 5, 6, 7, 8])
    assert (found.score, found.tau) == (28, 1.0)
    assert found.p_value == pytest.approx(math.erfc(27 / math.sqrt(2 * 196 / 3)))


@pytest.mark.parametrize("count", [2, 7, 8, 30])
def test_equal_samples_have_no_direction(count: int) -> None:
    assert rank_test([5] * count) == Kendall(0, None, 1.0)


@pytest.mark.parametrize(
    "samples", [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 1, 1, 2, 2, 2, 2], [9, 8, 8, 7, 5, 5, 3, 1, 2]]
)
def test_p_value_is_that_of_the_trend_warning_of_a_forecast(samples: list[float]) -> None:
    warned = trend(samples)
    assert warned is not None
    assert rank_test(samples).p_value == pytest.approx(warned.p_value, abs=1e-15)
