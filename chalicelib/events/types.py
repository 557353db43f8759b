"""The types of values: what fits them, what a value is called, and how it is shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

# An event whose dates are days, by an agreement of its senders that is older than the rules.
DAY_EVENT = "user_profile_push"
# Of a text that is shown.
MOST_SHOWN = 1000
# Python writes no integers of more than 4,300 digits.
_MOST_BITS = 3000
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d:"
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATE = re.compile(rf"\d{{4}}-\d\d-\d\d {_TIME}[0-5]\d", re.ASCII)
# RFC 3339, 5.6: second 60 is a leap second.
_DATETIME = re.compile(
    rf"\d{{4}}-\d\d-\d\d[Tt]{_TIME}(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
_LENGTH_OF_DAY = 10

# A JSON value in, whether it fits out.
Fits = Callable[[Any], bool]


def fitting(type_: str, event: str, *, integer_for_float: bool = False) -> Fits:
    """Which values fit a type; null and empty texts are judged before. Raises KeyError for an unknown type."""
    if type_ == "date" and event == DAY_EVENT:
        return is_day
    if type_ == "float" and integer_for_float:
        return is_number
    return _FITS[type_]


def name_type(value: Any) -> str:  # any JSON value
    """What a value is called, whatever was expected."""
    name = _NAMES.get(type(value), "unknown")
    return _name_text(value) if name == "text" else name


def show(value: Any) -> str:  # any JSON value
    """A value as text of a bounded length; of arrays and objects only the size, for they have fields of their own."""
    kind = type(value)
    if kind is str:
        return value if len(value) <= MOST_SHOWN else f"{value[:MOST_SHOWN]}…"
    if kind is float:
        return _show_float(value)
    if kind is int:
        return str(value) if value.bit_length() <= _MOST_BITS else f"integer of {value.bit_length()} bits"
    if kind is list:
        return f"[{len(value)} items]"
    if kind is dict:
        return f"{{{len(value)} fields}}"
    return _CONSTANTS.get(value, "")


def is_text(value: Any) -> bool:
    """A text that is not blank."""
    return type(value) is str and not value.isspace() and value != ""


def is_any_text(value: Any) -> bool:
    return type(value) is str


def is_integer(value: Any) -> bool:
    return type(value) is int


def is_float(value: Any) -> bool:
    """A number that was written with a fraction or an exponent."""
    return type(value) is float


def is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def is_boolean(value: Any) -> bool:
    return type(value) is bool


def is_date(value: Any) -> bool:
    """A moment of the calendar as YYYY-MM-DD HH:MM:SS."""
    return type(value) is str and _DATE.fullmatch(value) is not None and _is_calendar_day(value)


def is_day(value: Any) -> bool:
    """A day of the calendar as YYYY-MM-DD."""
    return type(value) is str and _DAY.fullmatch(value) is not None and _is_calendar_day(value)


def is_datetime(value: Any) -> bool:
    """A moment of the calendar by RFC 3339, which always has an offset."""
    return type(value) is str and _DATETIME.fullmatch(value) is not None and _is_calendar_day(value)


def is_array(value: Any) -> bool:
    return type(value) is list


def is_object(value: Any) -> bool:
    return type(value) is dict


def is_scalar(value: Any) -> bool:
    """What the values of an enum can be."""
    return type(value) in (str, int, float, bool)


_FITS: dict[str, Fits] = {
    "text": is_text,
    "integer": is_integer,
    "float": is_float,
    "number": is_number,
    "boolean": is_boolean,
    "date": is_date,
    "datetime": is_datetime,
    "array": is_array,
    "object": is_object,
    "enum": is_scalar,
}
_NAMES = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "float",
    str: "text",
    list: "array",
    dict: "object",
}
_CONSTANTS: dict[Any, str] = {None: "null", True: "true", False: "false"}


def _name_text(value: str) -> str:
    if len(value) < _LENGTH_OF_DAY or value[4] != "-":
        return "text"
    if is_date(value) or is_day(value):
        return "date"
    return "datetime" if is_datetime(value) else "text"


def _show_float(value: float) -> str:
    text = repr(value)
    # One decimal only: senders compare with amounts of money.
    return f"{text}0" if text[-2] == "." else text


def _is_calendar_day(value: str) -> bool:
    try:
        date.fromisoformat(value[:_LENGTH_OF_DAY])
    except ValueError:
        return False
    return True
