"""Token epochs as a process remembers them."""

from __future__ import annotations

from collections.abc import Callable

# Seconds that an epoch is remembered: revoked tokens may work this long in a process that has just seen the user, and
# a user costs one read per process in this time.
REMEMBERED_S = 30
# Users that one process remembers, about 2 MB; beyond it everything is forgotten and read anew.
_MOST = 10_000


class Epochs:
    """Answers users' epochs from memory, reading each at most once in REMEMBERED_S seconds."""

    def __init__(self, read: Callable[[str], int]) -> None:
        self._read = read
        self._known: dict[str, tuple[int, float]] = {}

    def of(self, user_id: str, *, now_s: float) -> int:
        """The user's epoch, at most REMEMBERED_S old; raises what reading raises: an unknown epoch admits nobody."""
        epoch, read_s = self._known.get(user_id, (0, float("-inf")))
        if now_s - read_s < REMEMBERED_S:
            return epoch
        epoch = self._read(user_id)
        self.remember(user_id, epoch, now_s=now_s)
        return epoch

    def remember(self, user_id: str, epoch: int, *, now_s: float) -> None:
        """Takes note of an epoch that was read or raised just now."""
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[user_id] = (epoch, now_s)
