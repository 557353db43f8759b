"""Names of events and fields, and the paths that lead to a field: `a.b`, `items[].price`, `rows[][]`.

Names are compared folded: events trimmed and in lower case, fields in lower case with underscores for blanks, so that
`Card Name` and `card_name` are one field. What is shown keeps the case of the sheet.
"""

from __future__ import annotations

import re

from msgspec import Struct

# The step from an array to each of its elements; no field can have this name.
EACH = "[]"
MOST_STEPS = 16
# Where an event's fields are, and how many sheets write their paths.
_ROOT = "payload"
_NUMBER = re.compile(r"\[\d+\]")


class Path(Struct, frozen=True):
    """Steps from the payload to a field, as shown and folded; `fault` is why a text is no path, which has no steps."""

    names: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    fault: str | None = None

    @property
    def text(self) -> str:
        """The path as it is shown, which reads back as the same path."""
        text = write_path(self.names)
        return f"{_ROOT}.{text}" if len(self.names) > 1 and fold_key(self.names[0]) == _ROOT else text


def fold_event(name: str) -> str:
    """The name by which events are compared."""
    return name.strip().lower()


def fold_key(name: str) -> str:
    """The name by which the fields of an object are compared."""
    return name.lower().replace(" ", "_")


def fold_elements(key: str) -> str:
    """A path that leads to one element of an array as one that leads to all: items[3].price is items[].price."""
    return _NUMBER.sub(EACH, key)


def read_path(text: str) -> Path:
    """The steps that a text stands for; a leading `payload.` is dropped. Cost: linear in its length."""
    names: list[str] = []
    parts = text.strip().split(".")
    if len(parts) > 1 and fold_key(parts[0].strip()) == _ROOT:
        del parts[0]
    for part in parts:
        name, brackets, rest = part.strip().partition("[")
        name, arrays = name.strip(), (brackets + rest).replace(" ", "")
        if not name:
            return Path(fault=f"must have a name before each . and [], got {text!r}")
        if "]" in name or arrays != EACH * (len(arrays) // 2):
            return Path(fault=f"must have [] for each element of an array and no other brackets, got {text!r}")
        names += [name, *[EACH] * (len(arrays) // 2)]
    if len(names) > MOST_STEPS:
        return Path(fault=f"must have at most {MOST_STEPS} steps, got {len(names)}")
    return Path(tuple(names), tuple(map(fold_key, names)))


def write_path(names: tuple[str, ...], behind: str = "") -> str:
    """The text of a path, or of one that goes on behind another."""
    text = behind
    for name in names:
        text += name if name == EACH or not text else f".{name}"
    return text


def count_shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many steps lead to the innermost array element that both paths go through."""
    shared = 0
    for place, (left, right) in enumerate(zip(one, other, strict=False), start=1):
        if left != right:
            break
        if left == EACH:
            shared = place
    return shared
