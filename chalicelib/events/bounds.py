"""What a rule asks of a value that is there: its type, then its bounds; one function of the value for each rule.

The reasons hold no values, so that they may be shown of personal data, and are made before the first event comes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.events.patterns import compile_pattern
from chalicelib.events.rules import Compat, Rule, Scalar
from chalicelib.events.types import DAY_EVENT, Fits, fitting, is_any_text

# A JSON value that is neither null nor empty in, why it is invalid out, or None.
Fault = Callable[[Any], str | None]

_MOST_LISTED = 10


def fits_of(rule: Rule, *, integer_for_float: bool) -> Fits:
    """Which values are of the rule's type."""
    if rule.type == "text" and rule.allows_blank:
        return is_any_text
    return fitting(rule.type, rule.event, integer_for_float=integer_for_float)


def fault_of(rule: Rule, compat: Compat) -> Fault:
    """Why a value breaks the rule, of a rule that has passed its check."""
    fits = fits_of(rule, integer_for_float=compat.integer_for_float)
    wrong_type = _ask_for(rule.type, rule.event)
    bounds = _bounds(rule)
    if not bounds:
        return lambda value: None if fits(value) else wrong_type

    def fault(value: Any) -> str | None:
        if not fits(value):
            return wrong_type
        for holds, reason in bounds:
            if not holds(value):
                return reason
        return None

    return fault


def key_of(value: Scalar | None) -> tuple[bool, Scalar | None]:
    """What values are equal by: 1 and 1.0 are, 1 and true are not."""
    return isinstance(value, bool), value


def _ask_for(type_: str, event: str) -> str:
    if type_ == "date":
        return "must be a date as YYYY-MM-DD" if event == DAY_EVENT else "must be a date as YYYY-MM-DD HH:MM:SS"
    return {
        "text": "must be a text that is not blank",
        "integer": "must be a number without a fraction",
        "float": "must be a number with a fraction",
        "number": "must be a number",
        "boolean": "must be true or false",
        "datetime": "must be a time as 2024-12-31T23:59:59Z",
        "array": "must be an array",
        "object": "must be an object",
        "enum": "must be one of the listed values",
    }[type_]


def _bounds(rule: Rule) -> tuple[tuple[Fits, str], ...]:
    found = [*_number_bounds(rule), *_size_bounds(rule)]
    if rule.pattern is not None:
        found.append((compile_pattern(rule.pattern), f"must match {rule.pattern}"))
    if rule.enum:
        listed = frozenset(map(key_of, rule.enum))
        found.append((lambda value: key_of(value) in listed, _listed(rule.enum)))
    return tuple(found)


def _number_bounds(rule: Rule) -> list[tuple[Fits, str]]:
    found: list[tuple[Fits, str]] = []
    if (least := rule.minimum) is not None:
        found.append((lambda value: value >= least, f"must be at least {least}"))
    if (most := rule.maximum) is not None:
        found.append((lambda value: value <= most, f"must be at most {most}"))
    return found


def _size_bounds(rule: Rule) -> list[tuple[Fits, str]]:
    found: list[tuple[Fits, str]] = []
    for least, most, unit in (
        (rule.min_length, rule.max_length, "characters"),
        (rule.min_items, rule.max_items, "items"),
    ):
        if least:
            found.append((_at_least(least), f"must have at least {least} {unit}"))
        if most is not None:
            found.append((_at_most(most), f"must have at most {most} {unit}"))
    return found


def _at_least(count: int) -> Fits:
    return lambda value: len(value) >= count


def _at_most(count: int) -> Fits:
    return lambda value: len(value) <= count


def _listed(values: tuple[Scalar, ...]) -> str:
    shown = ", ".join(map(_write, values[:_MOST_LISTED]))
    return f"must be one of {shown}{', ...' if len(values) > _MOST_LISTED else ''}"


def _write(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
