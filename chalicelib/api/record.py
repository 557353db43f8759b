"""The body of something that is kept, as the tables take it: days as ISO text, names that say something, no NUL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from chalicelib.api.body import MAX_ERRORS, escape, read_body
from chalicelib.api.http import Call
from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.sim.dates import ACCEPTED, read_date

T = TypeVar("T", bound=msgspec.Struct)

# Fields with these names are days, in every body.
_DAYS = frozenset({"start_date", "target_end_date", "deadline_date", "actual_completion_date"})
_NAME = "name"


def read_record(call: Call, type_: type[T]) -> tuple[T, list[str] | msgspec.UnsetType]:
    """The body as `type_`, and warnings about unknown fields for the answer; raises as `read_body` does."""
    record, warnings = read_body(call, type_, lenient=True)
    changes: dict[str, str | None] = {}
    errors: list[FieldError] = []
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if isinstance(value, str) and (name in _DAYS or name == _NAME):
            changes[name], broken = _name(value) if name == _NAME else _day(name, value)
            errors += broken
    # JSON has one way to write the character, so that few bodies have to be walked through.
    if rb"\u0000" in call.body:
        errors += _nul(msgspec.to_builtins(record), "")
    if errors:
        raise InvalidRequest(errors[:MAX_ERRORS])
    return msgspec.structs.replace(record, **changes), list(warnings) or msgspec.UNSET


def _day(name: str, text: str) -> tuple[str | None, list[FieldError]]:
    """A day as ISO text, None for an empty one."""
    if not text.strip():
        return None, []
    day = read_date(text)
    if day is None:
        return None, [FieldError(f"/{name}", f"must be a date like {ACCEPTED}, got {text!r}")]
    return day.isoformat(), []


def _name(text: str) -> tuple[str, list[FieldError]]:
    return text.strip(), [] if text.strip() else [FieldError(f"/{_NAME}", "must not be blank")]


def _nul(value: Any, pointer: str) -> Iterator[FieldError]:  # any JSON value
    """Where a text or a name has the character NUL, which Postgres cannot store."""
    match value:
        case str() if "\0" in value:
            yield FieldError(pointer, "must not contain the character NUL")
        case dict():
            for name, each in value.items():
                if "\0" in name:
                    yield FieldError(f"{pointer}/{escape(name)}", "must not have the character NUL in its name")
                yield from _nul(each, f"{pointer}/{escape(name)}")
        case list() | tuple():
            for index, each in enumerate(value):
                yield from _nul(each, f"{pointer}/{index}")
