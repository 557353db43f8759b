"""How much one process takes from somebody in a time: buckets that fill by and by, of those who were seen last."""

from __future__ import annotations

from collections import OrderedDict
from math import floor

# Of what has filled by and by.
_ROUNDING = 1e-6


class Bucket:
    """Holds `burst` at most, and `rate` more each second."""

    __slots__ = ("_burst", "_filled_s", "_held", "_rate")

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._held = self._burst
        self._filled_s = 0.0

    def take(self, count: int, *, now_s: float) -> float:
        """Takes so many, at most a burst; or takes none, and answers after how many seconds to ask again."""
        self._held = min(self._burst, self._held + max(0.0, now_s - self._filled_s) * self._rate)
        self._filled_s = max(now_s, self._filled_s)
        wanted = min(float(count), self._burst)
        if wanted <= self._held + _ROUNDING:
            self._held = max(0.0, self._held - wanted)
            return 0.0
        return (wanted - self._held) / self._rate

    @property
    def left(self) -> int:
        """How many could be taken now."""
        return floor(self._held + _ROUNDING)

    @property
    def more_s(self) -> float:
        """The seconds until there is one more than `left`."""
        return (self.left + 1 - self._held) / self._rate


class Buckets:
    """A bucket for each key; who was not seen for longest is forgotten, and has a full one when seen again."""

    def __init__(self, rate: float, burst: int, *, most: int) -> None:
        """`most` is how many keys are remembered: each costs about 300 bytes."""
        self._rate = rate
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def of(self, key: str) -> Bucket:
        """The key's bucket."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self._rate, self._burst)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        return bucket
