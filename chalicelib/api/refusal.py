"""All errors of a refused body, from its JSON Schema; loaded only when a body is refused, for it costs 100 ms."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from chalicelib.api.body import MAX_ERRORS, escape
from chalicelib.errors import FieldError

_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def list_errors(raw: object, type_: type[msgspec.Struct]) -> list[FieldError]:
    """Every rule of the type's schema that the value breaks, at most MAX_ERRORS, in the order of the body."""
    validator = Draft202012Validator(msgspec.json.schema(type_))
    return [_explain(error) for error in islice(_leaves(validator.iter_errors(raw)), MAX_ERRORS)]


def _leaves(errors: Iterable[ValidationError]) -> Iterable[ValidationError]:
    for error in errors:
        if error.validator == "anyOf" and error.context:
            # An optional field: the branch that says more than "is not null" is the one that was meant.
            meant = [inner for inner in error.context if inner.validator_value != "null"]
            # Of several, the one whose type the value has.
            fitting = [inner for inner in meant if inner.validator != "type" or inner.path]
            yield from fitting or meant or [error]
        else:
            yield error


def _explain(error: ValidationError) -> FieldError:
    path = [str(part) for part in error.absolute_path]
    if error.validator == "required":
        # One error of the validator per missing name, told in the form "'name' is a required property".
        path.append(error.message.split("'")[1])
        detail = "is required"
    else:
        detail = _detail(error)
    return FieldError("".join(f"/{escape(part)}" for part in path), detail)


def _detail(error: ValidationError) -> str:
    bound: Any = error.validator_value  # whatever the keyword takes
    instance: Any = error.instance
    got = _show(instance)
    match error.validator:
        case "type":
            return f"must be {_types(bound)}, got {got}"
        case "minimum":
            return f"must be at least {bound}, got {got}"
        case "maximum":
            return f"must be at most {bound}, got {got}"
        case "exclusiveMinimum":
            return f"must be more than {bound}, got {got}"
        case "exclusiveMaximum":
            return f"must be less than {bound}, got {got}"
        case "minItems" | "maxItems":
            side = "least" if error.validator == "minItems" else "most"
            return f"must have at {side} {bound} items, got {len(instance)}"
        case "minLength" | "maxLength":
            side = "least" if error.validator == "minLength" else "most"
            return f"must have at {side} {bound} characters, got {len(instance)}"
        case "enum":
            return f"must be one of {', '.join(map(_show, bound))}, got {got}"
        case _:
            return error.message


def _types(names: Any) -> str:  # a name or a list of names, as JSON Schema allows
    return " or ".join(_TYPES[name] for name in ([names] if isinstance(names, str) else names))


def _show(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."
