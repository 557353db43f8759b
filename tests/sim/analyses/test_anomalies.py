"""Samples that stand apart, by each of the three fences."""

from __future__ import annotations

import pytest

from chalicelib.sim.analyses.anomalies import Method, fence

# Sorted: 1 4 4 5 5 5 6 6 20; quartiles 4 and 6, median 5, distances from it 0 0 0 1 1 1 1 4 15.
SAMPLES = [5, 4, 6, 5, 20, 4, 6, 5, 1]


def test_quartile_fence() -> None:
    found = fence(SAMPLES)
    assert (found.lower, found.upper, found.reach) == (1.0, 9.0, 1.5)
    assert [value for value in SAMPLES if found.excludes(value)] == [20]
    assert (found.score(20), found.score(1), found.score(5)) == (7.0, 1.5, 0.0)


def test_median_fence() -> None:
    found = fence(SAMPLES, "mad")
    assert found.upper == pytest.approx(5 + 3.5 * 1.4826)
    assert [value for value in SAMPLES if found.excludes(value)] == [20]
    assert found.score(20) == pytest.approx(15 / 1.4826)


def test_deviation_fence_cannot_be_left_by_few_samples() -> None:
    # Ten samples: the furthest that one can be is 9 / sqrt(10) = 2.85 deviations.
    assert not any(fence([0] * 9 + [1_000], "zscore").excludes(value) for value in (0, 1_000))
    found = fence([0] * 20 + [21], "zscore")
    # Mean 1, variance 20.
    assert (found.upper, found.excludes(21)) == pytest.approx((1 + 3 * 20**0.5, True))


@pytest.mark.parametrize("method", ["iqr", "mad"])
def test_without_spread_every_other_value_stands_apart_unmeasured(method: Method) -> None:
    found = fence([0.1] * 8 + [7], method)
    assert (found.excludes(7), found.excludes(0.1), found.score(7)) == (True, False, None)
