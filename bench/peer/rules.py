"""Rules of the peer: each field of an event's payload held against its type, as the old system did."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_TYPES: dict[str, Any] = {  # by a rule's name for it, what a value must be
    "text": lambda value: isinstance(value, str) and bool(value.strip()),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, float),
    "boolean": lambda value: isinstance(value, bool),
    "date": lambda value: isinstance(value, str) and _DATE.fullmatch(value) is not None,
}
_NAMES = {bool: "boolean", int: "integer", float: "float", str: "text", list: "array", dict: "object"}
_EXTRA = "Extra key present in the log"

Rule = tuple[str, str]  # path and type
Result = dict[str, object]  # JSON


def judge(event_name: str, body: dict[str, Any], rules: Sequence[Rule]) -> tuple[str, list[Result]]:
    """The event's status, and what is said of each of its fields."""
    payload = body.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    said = [each for path, kind in rules for each in _field(payload, path, kind)]
    known = {path.partition("[].")[0].partition(".")[0] for path, _ in rules}
    said += [(key, value, "EXTRA", _EXTRA) for key, value in payload.items() if key not in known]
    results: list[Result] = [
        {
            "eventName": event_name,
            "key": key,
            "value": value,
            "expectedType": kind,
            "receivedType": _NAMES.get(type(value), "null"),
            "validationStatus": status,
            "comment": "",
        }
        for key, value, kind, status in said
    ]
    return ("valid" if all(each[3] in ("Valid", _EXTRA) for each in said) else "invalid"), results


def _field(payload: dict[str, Any], path: str, kind: str) -> Iterator[tuple[str, object, str, str]]:
    """Key, value, expected type and status of what a rule finds: one, or one for each element of an array."""
    array, is_array, inner = path.partition("[].")
    if not is_array:
        value: Any = payload
        for key in path.split("."):
            if not isinstance(value, dict) or key not in value:
                yield path, None, kind, "Payload not present in the log"
                return
            value = value[key]
        yield path, value, kind, _status(value, kind)
        return
    elements = payload.get(array)
    if array not in payload:
        yield path, None, kind, "Payload not present in the log"
    elif not isinstance(elements, list):
        yield path, elements, "array", "Invalid/Wrong datatype/value"
    elif not elements:
        yield path, elements, "array", "Payload value is Empty"
    else:
        for place, element in enumerate(elements):
            value = element.get(inner) if isinstance(element, dict) else None
            yield f"{array}[{place}].{inner}", value, kind, _status(value, kind)


def _status(value: object, kind: str) -> str:
    if value is None or value == "":
        return "Payload value is Empty"
    fits = _TYPES.get(kind, lambda _: False)
    return "Valid" if fits(value) else "Invalid/Wrong datatype/value"
