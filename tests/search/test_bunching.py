"""Counts near a threshold, judged by hand and against chance."""

from __future__ import annotations

import random

import pytest

from chalicelib.search.bunching import BunchingRequest, Threshold, describe_bunching, zones


def judged(*counts: int) -> Threshold:
    """A threshold of 1000 pesos with so many awards far below, below, at, above and far above."""
    found = describe_bunching(
        BunchingRequest(thresholds=(1_000.0,)), {(0, zone): count for zone, count in enumerate(counts, 1)}, 3
    )
    return found.thresholds[0]


def test_windows_are_as_wide_below_as_above_and_the_threshold_is_a_zone_of_its_own() -> None:
    (found,) = zones(BunchingRequest(thresholds=(1_000.0,), window=5.0))
    assert found.edges == (90_000, 95_000, 100_000, 100_001, 105_001, 110_001)


def test_even_counts_are_as_expected() -> None:
    found = judged(100, 100, 700, 100, 100)
    assert (found.expected_below, found.excess_below, found.z_score, found.p_value) == (100.0, 0.0, 0.0, 0.5)
    assert (found.at, found.is_unusual) == (700, False)


def test_slope_of_the_outer_windows_is_expected_of_the_inner_ones_too() -> None:
    # A density that halves from window to window: 800, 400, (at) 200, 100; the outer two are to each other as 8 to 1.
    found = judged(799, 400, 0, 200, 99)
    assert found.expected_below == pytest.approx(400, abs=0.6)
    assert not found.is_unusual


def test_many_just_below_are_unusual_and_many_just_above_are_not() -> None:
    crowd = judged(100, 220, 0, 60, 100)
    # Half of 280 is expected; the variance is that of the binomial, 70, and that of the share, which is estimated.
    assert (crowd.expected_below, crowd.excess_below) == (140.0, 80.0)
    assert crowd.z_score == pytest.approx(80 / (70 + 70**2 * 2 / 100.5 / 9) ** 0.5, abs=0.01)
    assert (crowd.p_value, crowd.is_unusual) == (0.0, True)
    assert not judged(100, 60, 0, 220, 100).is_unusual


def test_few_awards_are_never_unusual() -> None:
    few = judged(5, 19, 0, 0, 5)
    assert (few.z_score, few.p_value, few.is_unusual) == (3.99, 0.0, False)


def test_threshold_without_awards_near_it_says_so() -> None:
    found = judged(0, 0, 4, 0, 0)
    assert (found.z_score, found.p_value, found.is_unusual, found.expected_below) == (None, None, False, 0.0)


def test_amounts_without_a_threshold_are_called_unusual_about_as_often_as_said() -> None:
    rng = random.Random(7)
    unusual = 0
    for _ in range(2_000):
        # A density that falls by a fifth from window to window, 100 awards in the first one.
        counts = [sum(rng.random() < 0.2 for _ in range(round(500 * 0.8**window))) for window in range(4)]
        unusual += judged(counts[0], counts[1], 0, *counts[2:]).is_unusual
    # One in a hundred, give or take three standard errors.
    assert 5 <= unusual <= 34
