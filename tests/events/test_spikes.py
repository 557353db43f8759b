"""Spikes: which windows are judged, what is usual, and what is clearly more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chalicelib.events.spikes import is_spike, usual, windows


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-01T{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "first", "beyond"),
    [
        ("10:17:00", "09:15:00", "10:15:00"),
        ("10:16:59.999", "09:00:00", "10:00:00"),
        ("10:31:59", "09:15:00", "10:15:00"),
        ("01:02:00", "00:00:00", "01:00:00"),
    ],
)
def test_last_four_windows_are_judged_two_minutes_after_their_end(now: str, first: str, beyond: str) -> None:
    assert windows(at(now)) == (at(first), at(beyond))


@pytest.mark.parametrize(
    ("before", "median"),
    [
        ([], 0.0),
        # Of 96 windows the median is between the 48th and the 49th.
        ([7] * 47, 0.0),
        ([7] * 48, 3.5),
        ([7] * 49, 7.0),
        (list(range(96)), 47.5),
    ],
)
def test_usual_is_the_median_of_a_day_with_its_empty_windows(before: list[int], median: float) -> None:
    assert usual(before) == median


@pytest.mark.parametrize(
    ("count", "normal", "factor", "floor", "spikes"),
    [
        (30, 10.0, 3.0, 20, False),
        (31, 10.0, 3.0, 20, True),
        (20, 0.0, 3.0, 20, False),
        (21, 0.0, 3.0, 20, True),
        (8, 2.5, 3.0, 1, True),
        (7, 2.5, 3.0, 1, False),
        # As binary fractions 1.1 times 30 would be more than 33, and 4.35 times 100 less than 435.
        (33, 30.0, 1.1, 1, False),
        (435, 100.0, 4.35, 1, False),
        (436, 100.0, 4.35, 1, True),
    ],
)
def test_spike_is_above_the_floor_and_above_the_factor(
    count: int, normal: float, factor: float, floor: int, spikes: bool
) -> None:
    assert is_spike(count, normal, factor=factor, floor=floor) is spikes
