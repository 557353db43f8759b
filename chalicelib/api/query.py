"""Query strings as checked structs, by the same rules as bodies, and their description."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import msgspec

from chalicelib.api.body import MAX_ERRORS, read_body
from chalicelib.api.http import Call
from chalicelib.api.route import Param
from chalicelib.errors import FieldError, InvalidRequest

T = TypeVar("T", bound=msgspec.Struct)
# What a field of these types is when it is written as a text.
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def read_query(call: Call, type_: type[T], check: Callable[[T], list[FieldError]]) -> T:
    """The parameters of the query; empty ones are as good as missing, unknown ones are ignored unless `strict=1`.

    Raises InvalidRequest naming every parameter that is wrong.
    """
    fields = _fields(type_)
    said = {
        name: _value(text, fields.get(name, {}))
        for name, text in call.query.items()
        if text.strip() and name != "strict"
    }
    as_body = msgspec.structs.replace(call, body=msgspec.json.encode(said), headers={})
    try:
        request, _ = read_body(as_body, type_, lenient=True)
    except InvalidRequest as error:
        raise _named(error.errors) from None
    errors = check(request)
    if errors:
        raise _named(errors)
    return request


def query_params(type_: type[msgspec.Struct]) -> tuple[Param, ...]:
    """The published description of the parameters."""
    return tuple(
        Param(name=name, where="query", summary=field["description"], values=tuple(_keyword(field, "enum") or ()))
        for name, field in _fields(type_).items()
    )


def _named(errors: list[FieldError] | tuple[FieldError, ...]) -> InvalidRequest:
    """The errors of a query, which has no places to point at."""
    return InvalidRequest(
        [FieldError("", f"{error.pointer.lstrip('/')} {error.detail}") for error in errors[:MAX_ERRORS]]
    )


def _value(text: str, field: dict[str, Any]) -> object:
    """The parameter as its field takes it; a text that is no such value is refused as what it is."""
    match _keyword(field, "type"):
        case "integer" if text.isascii() and text.removeprefix("-").isdecimal() and len(text) <= 18:
            return int(text)
        case "boolean":
            return _BOOLEANS.get(text.lower(), text)
        case _:
            return text


def _keyword(field: dict[str, Any], keyword: str) -> Any:  # whatever the keyword takes
    """A keyword of the field's schema, or of what the field is if it is not null."""
    branches = [field, *field.get("anyOf", ())]
    return next((branch[keyword] for branch in branches if branch.get(keyword, "null") != "null"), None)


@cache
def _fields(type_: type[msgspec.Struct]) -> dict[str, dict[str, Any]]:
    """The schemas of the fields by name."""
    fields: dict[str, dict[str, Any]] = msgspec.json.schema(type_)["$defs"][type_.__name__]["properties"]
    return fields
