"""Draws: evenly spread, and the same on every machine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chalicelib.sim.chance import Bits, urn_of_law, urn_of_range, urn_of_samples

DRAWS = 400_000


def deviations(drawn: Any, chances: dict[int, float]) -> dict[int, float]:
    """By how many standard deviations the count of each value is off; a value without a chance fails at once."""
    found, counts = np.unique(drawn, return_counts=True)
    seen = dict(zip(found.tolist(), counts.tolist(), strict=True))
    assert set(seen) <= set(chances)
    return {
        value: abs(seen.get(value, 0) - DRAWS * p) / max(1e-9, (DRAWS * p * (1 - p)) ** 0.5)
        for value, p in chances.items()
    }


@pytest.mark.parametrize("size", [1, 2, 12, 129, 256, 257, 1000, 65_536])
def test_every_value_of_a_range_comes_up_as_often(size: int) -> None:
    drawn = urn_of_range(7, 6 + size).draw(Bits(1, 0), DRAWS)
    off = deviations(drawn, dict.fromkeys(range(7, 7 + size), 1 / size))
    # Chi-squared with size - 1 degrees of freedom, of which this is six standard deviations.
    assert abs(sum(each * each for each in off.values()) - size + 1) <= 6 * (2 * size) ** 0.5


@pytest.mark.parametrize("seen", [1, 50])
def test_sample_comes_up_in_proportion_to_how_often_it_was_seen(seen: int) -> None:
    samples = ((0, 3 * seen), (5, seen), (70_000, 2 * seen))
    chances = {0: 0.5, 5: 1 / 6, 70_000: 1 / 3}
    assert max(deviations(urn_of_samples(samples).draw(Bits(2, 0), DRAWS), chances).values()) < 5


def test_weights_of_a_law_are_kept_by_the_alias_method() -> None:
    mass = np.array([0.1, 0.0, 0.4, 0.25, 0.05, 0.2])
    chances = {3: 0.1, 5: 0.4, 6: 0.25, 7: 0.05, 8: 0.2}
    assert max(deviations(urn_of_law(3, mass).draw(Bits(3, 0), DRAWS), chances).values()) < 5


@pytest.mark.parametrize("probability", [0.0, 0.005, 0.5, 1.0])
def test_event_happens_with_its_probability(probability: float) -> None:
    happened = Bits(5, 0).happens(probability, DRAWS).astype(np.int64)
    assert max(deviations(happened, {0: 1 - probability, 1: probability}).values()) < 5


def test_draws_of_a_seed_are_these_numbers() -> None:
    assert Bits(42, 0).words(2).tolist() == [607877528894555031, 6338024872074868750]
    assert urn_of_range(1, 12).draw(Bits(42, 0), 12).tolist() == [8, 4, 12, 9, 5, 2, 4, 9, 3, 9, 1, 10]
    assert urn_of_range(1, 300).draw(Bits(42, 0), 6).tolist() == [272, 260, 93, 60, 203, 109]
    assert urn_of_law(1, np.array([0.25, 0.5, 0.25])).draw(Bits(42, 0), 6).tolist() == [3, 3, 3, 1, 1, 2]
    assert urn_of_law(1, np.array([0.3, 0.5, 0.2])).draw(Bits(42, 1), 6).tolist() == [1, 2, 2, 1, 2, 2]


def test_blocks_and_seeds_have_streams_of_their_own() -> None:
    first = {tuple(Bits(seed, block).words(2).tolist()) for seed in range(20) for block in range(20)}
    assert len(first) == 400
