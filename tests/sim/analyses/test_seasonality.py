"""What repeats: found where it does, and seldom where it does not."""

from __future__ import annotations

from random import Random

import pytest

from chalicelib.sim.analyses.seasonality import find_season


def test_alternating_weeks_repeat_every_two() -> None:
    found = find_season([1, 9] * 6)
    assert found is not None
    assert (found.periods[0], found.confidence > 0.99) == (2, True)
    # -4 and 4 around a line that rises by 24 / 143 a sample, which is taken off: half of it at either place.
    assert found.pattern == pytest.approx((-4 + 12 / 143, 4 - 12 / 143))


def test_long_cycle_is_told_as_the_cycle_and_not_as_its_multiple() -> None:
    found = find_season([2, 4, 9, 4] * 9)
    assert found is not None
    assert found.periods[0] == 4
    assert found.pattern == pytest.approx((-2.75, -0.75, 4.25, -0.75), abs=0.2)


@pytest.mark.parametrize("samples", [[5.0] * 20, [0.1 * week for week in range(30)], [0.0] * 8, [week**2 for week in range(40)]])  # fmt: skip  # noqa: E501
def test_equal_and_rising_weeks_do_not_repeat(samples: list[float]) -> None:
    found = find_season(samples)
    assert found is not None
    assert (found.periods, found.strength, found.pattern) == ((), 0.0, ())


def test_fewer_than_eight_samples_say_nothing() -> None:
    assert find_season([1, 9] * 3 + [1]) is None
    assert find_season([1, 9] * 4) is not None


def test_period_must_have_been_seen_three_times() -> None:
    twice = [1, 2, 3, 4, 5, 6, 30, 8] * 2
    found = find_season(twice)
    assert found is not None
    assert 8 not in found.periods


@pytest.mark.parametrize("count", [8, 12, 24, 60])
@pytest.mark.parametrize("power", [1, 4])
def test_unchanging_team_is_rarely_told_of_a_period(count: int, power: int) -> None:
    # The fourth power has a few weeks that are many times larger than the others.
    draw = Random(count)
    histories = [[draw.random() ** power for _ in range(count)] for _ in range(500)]
    alarms = sum(1 for each in histories if (found := find_season(each)) and found.periods)
    # 7 % and three deviations of such a count.
    assert alarms <= 52
