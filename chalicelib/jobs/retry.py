"""How long a job waits before its next attempt, and a message before it comes again."""

from __future__ import annotations

FIRST_S = 5
# SQS can hide a message for longer, but an outage that lasts is noticed by then.
LONGEST_S = 900
# A queue hands a message out 1,000 times before it takes it for dead: with pauses of so long for three days.
_LONGEST_OUTAGE_S = 300


def delay_s(tries: int, fraction: float) -> int:
    """Seconds before attempt `tries + 1`: doubling from FIRST_S to LONGEST_S, of which `fraction` (0..1) decides half.

    The random half keeps the jobs of one outage from coming back all at once ("equal jitter", AWS Architecture
    Blog, "Exponential Backoff And Jitter", 2015).
    """
    longest = min(LONGEST_S, FIRST_S * 2.0 ** (tries - 1))
    return max(1, round(longest * (1 + fraction) / 2))


def outage_s(receive_count: int) -> int:
    """Seconds until a delivery that met an outage comes again: about as long as the outage has lasted."""
    return min(_LONGEST_OUTAGE_S, FIRST_S << min(receive_count - 1, 10))
