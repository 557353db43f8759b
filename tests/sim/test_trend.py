"""The trend of throughput: what is found, and how often one is seen where there is none."""

from __future__ import annotations

import math
from random import Random

import pytest

from chalicelib.sim.trend import Trend, trend
from tests.sim.cases import answer


def test_rise_is_found_with_its_halves() -> None:
    found = trend([1, 2, 3, 4, 5, 6, 7, 8, 9])
    # S = 36 pairs, variance 9 * 8 * 23 / 18 = 92, z = 35 / 9.5917.
    assert found is not None
    assert (found.older_mean, found.newer_mean) == (2.5, 7.0)
    assert found.p_value == pytest.approx(math.erfc(35 / math.sqrt(184)))


def test_ties_lessen_the_variance() -> None:
    # S = 4 * 4 = 16; 8 * 7 * 21 = 1176 less two ties of 4 * 3 * 13 = 312 leaves 864 / 18 = 48.
    found = trend([1, 1, 1, 1, 2, 2, 2, 2])
    assert found == Trend(1.0, 2.0, math.erfc(15 / math.sqrt(96)))


@pytest.mark.parametrize("samples", [[1, 2, 3, 4, 5, 6, 7], [5] * 30, [3, 8, 2, 7, 4, 6, 5, 5, 4, 6]])
def test_few_weeks_equal_weeks_and_mixed_weeks_have_no_trend(samples: list[float]) -> None:
    assert trend(samples) is None


@pytest.mark.parametrize("count", [8, 12, 24, 60])
@pytest.mark.parametrize("highest", [1, 3, 12])
def test_unchanging_team_is_rarely_told_of_a_trend(count: int, highest: int) -> None:
    draw = Random(count * 100 + highest)
    alarms = sum(trend([draw.randint(0, highest) for _ in range(count)]) is not None for _ in range(1_000))
    # 5 % and three deviations of such a count.
    assert alarms <= 71


def test_direction_is_told_in_words() -> None:
    faster = answer(tpSamples=[1, 2, 2, 3, 4, 5, 6, 8]).warnings
    assert any("rose from 2 to 5.75" in each and "too late" in each for each in faster)
    slower = answer(tpSamples=[8, 6, 5, 4, 3, 2, 2, 1]).warnings
    assert any("fell from 5.75 to 2" in each and "too early" in each for each in slower)
