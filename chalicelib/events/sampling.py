"""Which valid events keep their body where an app sends more than it wants to keep: about so many of each minute."""

from __future__ import annotations

import hashlib

_MINUTE_S = 60
_PLACES = 2**64


class Sampler:
    """Counts one app's valid events by the minute and keeps the bodies of a share of them.

    The share follows from the minute before, or from the present one where that has more already. Which events it is
    follows from their message ids, so the same ones would be kept again. In the first minute of a burst more are kept
    than in the next ones: of ten times the rate 3.3 times as many.
    """

    def __init__(self) -> None:
        self._minute = self._before = self._count = 0

    def keeps(self, message_id: str, *, most: int, now_s: float) -> bool:
        """Whether this event keeps its body, so that about `most` of a minute do; counts it."""
        minute = int(now_s // _MINUTE_S)
        if minute != self._minute:
            self._before = self._count if minute == self._minute + 1 else 0
            self._minute, self._count = minute, 0
        self._count += 1
        expected = max(self._before, self._count)
        return expected <= most or _place(message_id) * expected < most * _PLACES


def _place(message_id: str) -> int:
    """Where an id falls, from 0 to _PLACES, in no order that a sender can see."""
    return int.from_bytes(hashlib.blake2b(message_id.encode(errors="surrogatepass"), digest_size=8).digest())
