"""The sampler: below the rate all bodies are kept, above it about as many as the rate, always of the same events."""

from __future__ import annotations

import pytest

from chalicelib.events.sampling import Sampler


def kept(sampler: Sampler, count: int, *, most: int, now_s: float = 0.0, prefix: str = "m") -> list[str]:
    ids = [f"{prefix}-{number}" for number in range(count)]
    return [each for each in ids if sampler.keeps(each, most=most, now_s=now_s)]


def test_all_are_kept_up_to_the_rate() -> None:
    sampler = Sampler()
    assert [len(kept(sampler, 50, most=50, now_s=60.0 * minute)) for minute in range(3)] == [50, 50, 50]


def test_none_is_kept_of_a_rate_of_none() -> None:
    assert kept(Sampler(), 1_000, most=0) == []


@pytest.mark.parametrize(("count", "most"), [(1_000, 100), (20_000, 1_000), (5_000, 4_000)])
def test_about_the_rate_is_kept_of_each_minute_after_the_first(count: int, most: int) -> None:
    sampler = Sampler()
    kept(sampler, count, most=most)
    for minute in (1, 2, 3):
        found = len(kept(sampler, count, most=most, now_s=60.0 * minute, prefix=str(minute)))
        # A share of so many by chance: within five standard deviations.
        assert abs(found - most) < 5 * most**0.5


def test_first_minute_of_a_burst_keeps_some_more() -> None:
    # The rate, and of each further event the rate's share of those so far: 100 (1 + ln 10) = 330.
    assert 250 < len(kept(Sampler(), 1_000, most=100)) < 410


def test_same_events_are_kept_again() -> None:
    one, other = Sampler(), Sampler()
    for sampler in (one, other):
        kept(sampler, 1_000, most=100)
    assert kept(one, 1_000, most=100, now_s=60.0) == kept(other, 1_000, most=100, now_s=60.0)


def test_minute_after_a_quiet_one_begins_anew() -> None:
    sampler = Sampler()
    kept(sampler, 10_000, most=10)
    assert len(kept(sampler, 10, most=10, now_s=120.0)) == 10


def test_clock_that_goes_back_begins_anew() -> None:
    sampler = Sampler()
    kept(sampler, 10_000, most=10, now_s=600.0)
    assert len(kept(sampler, 10, most=10, now_s=60.0)) == 10
