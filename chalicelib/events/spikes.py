"""Spikes: quarters of an hour in which clearly more events were invalid than usual."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median

WINDOW = timedelta(minutes=15)
# What is usual is the median of so many windows before one: a day of them.
TRAILING = 96
# Windows that are judged, the last one and those before it, for what came late: an hour of them.
JUDGED = 4
# An event has its row within seconds; a window is over for us when its last ones have been stored and counted.
GRACE = timedelta(minutes=2)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def windows(now: datetime) -> tuple[datetime, datetime]:
    """The beginning of the first window to judge, and that of the first one that is not over yet."""
    beyond = now - GRACE - (now - GRACE - _EPOCH) % WINDOW
    return beyond - JUDGED * WINDOW, beyond


def usual(before: Sequence[int]) -> float:
    """The median of the windows before one, of which those that are not given had nothing; at most TRAILING."""
    return float(median([*before, *[0] * (TRAILING - len(before))]))


def is_spike(count: int, usual: float, *, factor: float, floor: int) -> bool:
    """Whether a window's count is above the floor and above so many times the usual: exactly as many is not."""
    return count > floor and count > Decimal(str(factor)) * Decimal(str(usual))
