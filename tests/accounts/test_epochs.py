"""Token epochs as a process remembers them."""

from __future__ import annotations

import pytest

from chalicelib.accounts.epochs import Epochs
from chalicelib.errors import Unavailable


class Stored:
    """Epochs as a store would answer them, with what was asked."""

    def __init__(self) -> None:
        self.epoch = 3
        self.asked: list[str] = []

    def read(self, user_id: str) -> int:
        self.asked.append(user_id)
        return self.epoch


def test_epoch_is_read_once_in_30_s_per_user() -> None:
    stored = Stored()
    epochs = Epochs(stored.read)
    assert [epochs.of("7", now_s=100), epochs.of("7", now_s=129.9), epochs.of("8", now_s=129.9)] == [3, 3, 3]
    assert stored.asked == ["7", "8"]


def test_raised_epoch_is_seen_after_30_s() -> None:
    stored = Stored()
    epochs = Epochs(stored.read)
    epochs.of("7", now_s=100)
    stored.epoch = 4
    assert [epochs.of("7", now_s=129.9), epochs.of("7", now_s=130)] == [3, 4]


def test_remembered_epoch_is_answered_without_a_read() -> None:
    stored = Stored()
    epochs = Epochs(stored.read)
    epochs.remember("7", 5, now_s=100)
    assert epochs.of("7", now_s=101) == 5
    assert stored.asked == []


def test_epoch_that_cannot_be_read_is_not_made_up() -> None:
    def away(user_id: str) -> int:
        raise Unavailable("the key store cannot be reached")

    epochs = Epochs(away)
    epochs.remember("7", 5, now_s=100)
    with pytest.raises(Unavailable):
        epochs.of("7", now_s=130)


def test_memory_is_bounded() -> None:
    stored = Stored()
    epochs = Epochs(stored.read)
    for user in range(10_001):
        epochs.of(str(user), now_s=100)
    epochs.of("0", now_s=100)
    assert stored.asked[-1] == "0"
    assert len(stored.asked) == 10_002
