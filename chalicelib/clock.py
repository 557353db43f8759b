"""The one source of time: aware UTC inside, RFC 3339 outside."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """The system's time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def utcnow(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)


class FixedClock(Clock):
    """A clock that stands still until it is told to move."""

    def __init__(self, now: float = 1_750_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now += seconds


def rfc3339(seconds: float) -> str:
    """`2026-01-31T12:00:00.000Z` for seconds since the epoch."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
