"""How many events of an app one process takes: a bucket that fills by and by."""

from __future__ import annotations

# Of what has filled by and by.
_ROUNDING = 1e-6


class Bucket:
    """Holds `burst` events at most, and `rate` more each second."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._held = self._burst
        self._filled_s = 0.0

    def take(self, count: int, *, now_s: float) -> float:
        """Takes so many events, at most a burst; or takes none, and answers after how many seconds to ask again."""
        self._held = min(self._burst, self._held + max(0.0, now_s - self._filled_s) * self._rate)
        self._filled_s = max(now_s, self._filled_s)
        wanted = min(float(count), self._burst)
        if wanted <= self._held + _ROUNDING:
            self._held = max(0.0, self._held - wanted)
            return 0.0
        return (wanted - self._held) / self._rate
