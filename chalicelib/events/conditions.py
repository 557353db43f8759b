"""Conditions: if one field is like this, then another one must be there, not empty, and of a type.

Both fields are looked for below the innermost array element that their paths share. Where a path goes on through an
array of its own, any element decides the `if`, and every element must hold the `then`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import ge, gt, le, lt
from typing import Any

from msgspec import Struct

from chalicelib.events.bounds import key_of
from chalicelib.events.paths import EACH, fold_key
from chalicelib.events.results import HIDDEN
from chalicelib.events.rules import Compat, Condition, Scalar
from chalicelib.events.tree import Link
from chalicelib.events.types import Fits, fitting, is_number, is_scalar

# A value in, ABSENT if the field is not there.
Meets = Callable[[Any], bool]


class Absent:
    """What stands for a field that is not there."""


ABSENT = Absent()

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {"gt": gt, "gte": ge, "lt": lt, "lte": le}
_WORDS = {
    "eq": "is",
    "ne": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "gt": "is more than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "exists": "is there",
    "absent": "is absent",
}


class Requirement(Struct, frozen=True):
    """A condition, ready to judge the element of an array, or the payload, that its fields are in."""

    if_keys: tuple[str, ...]
    then_keys: tuple[str, ...]
    meets: Meets
    fits: Fits | None
    # Empty where any type will do.
    then_type: str
    # What is said of an event that breaks it, and more exactly.
    sentence: str
    comment: str

    def broken_by(self, value: Any, folded: Mapping[str, Any]) -> Any:  # any JSON value
        """The value because of which it does not hold, ABSENT if that is missing; itself if it holds.

        `value` is the element, `folded` its fields by folded names if it is an object.
        """
        if not any(map(self.meets, _start(value, folded, self.if_keys))):
            return self
        found = _start(value, folded, self.then_keys)
        return next((each for each in found if not self._is_wanted(each)), self)

    def _is_wanted(self, value: Any) -> bool:
        if value is ABSENT or value is None or value == "":
            return False
        return self.fits is None or self.fits(value)


def require(link: Link, event: str, compat: Compat) -> Requirement:
    """A condition that has passed its check, ready to judge."""
    condition = link.condition
    type_ = link.then_type or ""
    return Requirement(
        if_keys=link.if_path.keys,
        then_keys=link.then_path.keys,
        meets=_meets(condition),
        fits=fitting(type_, event, integer_for_float=compat.integer_for_float) if type_ else None,
        then_type=type_,
        sentence=f"{link.target} is wanted because of {condition.if_field}",
        comment=f"must be there{f' as {type_}' if type_ else ''} when {_write(condition, is_hidden=link.is_if_hidden)}",
    )


def _meets(condition: Condition) -> Meets:
    operator, wanted = condition.operator, condition.if_value
    if operator == "absent":
        return lambda value: value is ABSENT or value is None
    if operator == "exists":
        return lambda value: value is not ABSENT and value is not None
    if operator in _COMPARISONS:
        return _comparing(_COMPARISONS[operator], wanted)
    listed = frozenset(map(key_of, wanted if isinstance(wanted, tuple) else (wanted,)))
    is_wanted = operator in ("eq", "in")
    return lambda value: _is_there(value) and (is_scalar(value) and key_of(value) in listed) is is_wanted


def _comparing(compare: Callable[[Any, Any], bool], bound: Any) -> Meets:
    """Numbers are compared with numbers and texts with texts; nothing else meets."""
    if isinstance(bound, str):
        return lambda value: type(value) is str and compare(value, bound)
    return lambda value: is_number(value) and compare(value, bound)


def _is_there(value: Any) -> bool:
    return value is not ABSENT and value is not None


def _start(value: Any, folded: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[Any]:
    if not keys or keys[0] == EACH:
        return _find(value, keys, 0)
    return _find(folded.get(keys[0], ABSENT), keys, 1)


def _find(value: Any, keys: tuple[str, ...], at: int) -> Iterator[Any]:
    """The values at the end of the steps, at least one; ABSENT where they lead nowhere."""
    if at == len(keys):
        yield value
    elif keys[at] != EACH:
        yield from _find(_get(value, keys[at]), keys, at + 1)
    elif type(value) is list and value:
        for each in value:
            yield from _find(each, keys, at + 1)
    else:
        yield ABSENT


def _get(value: Any, key: str) -> Any:
    if type(value) is not dict:
        return ABSENT
    # Of names that are folded alike the last one counts.
    return next((value[name] for name in reversed(value) if fold_key(name) == key), ABSENT)


def _write(condition: Condition, *, is_hidden: bool) -> str:
    words = f"{condition.if_field} {_WORDS[condition.operator]}"
    value = condition.if_value
    if value is None:
        return words
    if is_hidden:
        return f"{words} {HIDDEN}"
    values: tuple[Scalar, ...] = value if isinstance(value, tuple) else (value,)
    return f"{words} {', '.join(str(each).lower() if isinstance(each, bool) else str(each) for each in values[:10])}"
