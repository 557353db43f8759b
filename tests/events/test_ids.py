"""Task ids of events: what was signed is read, and nothing else."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.events.ids import Receipt, is_event, read, sign

SECRET = b"a secret of the tests"
receipts = st.builds(Receipt, st.integers(1, 2**62), st.text(max_size=100), st.integers(0, 2**52))


@given(receipts)
def test_id_says_which_event_it_is_of(receipt: Receipt) -> None:
    task_id = sign(receipt, SECRET)
    assert is_event(task_id)
    assert read(task_id, SECRET) == receipt


@given(receipts, st.data())
def test_id_that_was_changed_says_nothing(receipt: Receipt, data: st.DataObject) -> None:
    task_id = sign(receipt, SECRET)
    place = data.draw(st.integers(4, len(task_id) - 2))
    other = data.draw(st.sampled_from("aB9-_"))
    changed = task_id[:place] + other + task_id[place + 1 :]
    assert (read(changed, SECRET) is None) == (changed != task_id)


@given(st.text(max_size=60))
def test_any_other_text_says_nothing(text: str) -> None:
    assert read(f"evt.{text}", SECRET) is None


def test_id_of_another_secret_says_nothing() -> None:
    assert read(sign(Receipt(1, "m", 2), b"another"), SECRET) is None


def test_id_can_stand_in_an_address() -> None:
    assert re.fullmatch(r"[\w.-]+", sign(Receipt(2**40, "a/b?c#ü" * 10, 1_800_000_000_000), SECRET))
