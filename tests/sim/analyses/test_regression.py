"""The least-squares line against hand-worked numbers, and Student's t against printed tables."""

from __future__ import annotations

import math

import pytest

from chalicelib.sim.analyses.regression import fit
from chalicelib.sim.analyses.students_t import chance_within, two_sided_quantile


def test_line_through_three_samples() -> None:
    # Mean 7/3, slope 3/2; deviations from the line 1/6, -1/3, 1/6, so their squares make 1/6.
    line = fit([1, 2, 4])
    assert (line.slope, line.at(1)) == pytest.approx((1.5, 7 / 3))
    assert line.deviation == pytest.approx(math.sqrt(1 / 6))
    assert line.slope_error == pytest.approx(math.sqrt(1 / 12))
    assert line.correlation == pytest.approx(1.5 / math.sqrt(14 / 6))
    # One degree of freedom is the Cauchy law: t = 1.5 * sqrt(12), reach 12.7062 slope errors.
    assert line.p_value() == pytest.approx(1 - 2 / math.pi * math.atan(1.5 * math.sqrt(12)))
    assert line.slope_interval(0.95) == pytest.approx((1.5 - 3.667965, 1.5 + 3.667965))


def test_samples_on_a_line_leave_no_doubt() -> None:
    line = fit([2, 4, 6, 8, 10])
    assert (line.slope, line.deviation, line.p_value()) == (2.0, 0.0, 0.0)
    assert line.slope_interval(0.95) == (2.0, 2.0)


@pytest.mark.parametrize("samples", [[5, 5, 5], [0.1] * 9, [0] * 4])
def test_equal_samples_have_no_slope(samples: list[float]) -> None:
    line = fit(samples)
    assert (line.slope, line.correlation, line.p_value()) == (0.0, 0.0, 1.0)


# Two-sided 95 % and 99 % of printed tables.
TABLE = [(1, 12.706, 63.657), (2, 4.303, 9.925), (3, 3.182, 5.841), (5, 2.571, 4.032), (10, 2.228, 3.169), (30, 2.042, 2.750), (120, 1.980, 2.617)]  # fmt: skip  # noqa: E501


@pytest.mark.parametrize(("freedom", "t95", "t99"), TABLE)
def test_quantiles_are_those_of_the_table(freedom: int, t95: float, t99: float) -> None:
    assert two_sided_quantile(0.95, freedom) == pytest.approx(t95, abs=5e-4)
    assert two_sided_quantile(0.99, freedom) == pytest.approx(t99, abs=5e-4)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 100, 998])
def test_chance_and_quantile_are_inverse(freedom: int) -> None:
    assert chance_within(two_sided_quantile(0.9, freedom), freedom) == pytest.approx(0.9)
    assert (chance_within(0, freedom), chance_within(math.inf, freedom)) == pytest.approx((0.0, 1.0))


def test_many_degrees_of_freedom_are_all_but_normal() -> None:
    assert chance_within(1.96, 998) == pytest.approx(math.erf(1.96 / math.sqrt(2)), abs=3e-4)
