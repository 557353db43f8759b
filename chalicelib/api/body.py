"""Request bodies: bytes in, a checked struct out, or every broken rule at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, TypeVar

import msgspec

from chalicelib.api.http import Call
from chalicelib.errors import FieldError, InvalidRequest, TooLarge, UnsupportedMedia
from chalicelib.nesting import MAX_DEPTH, is_too_deep

T = TypeVar("T", bound=msgspec.Struct)

# What a caller can read and mend in one go.
MAX_ERRORS = 50
_TABLE = "text/csv"
# Parameters of the routes themselves, which are no fields of a request.
_OF_THE_ROUTE = frozenset({"strict", "save"})
_SWITCH = {"": False, "0": False, "false": False, "1": True, "true": True}


def read_body(call: Call, type_: type[T], *, lenient: bool = False, raw_field: str = "") -> tuple[T, tuple[str, ...]]:
    """The body as `type_`, and warnings about unknown fields where they are ignored (`lenient`, no `?strict=1`).

    With `raw_field`, a body of type text/csv is that field, and the others are read from the query. Raises TooLarge,
    UnsupportedMedia or InvalidRequest.
    """
    raw = parse(call, raw_field)
    # As many as are told: each is compared with all that is known, and a body may have hundreds of thousands.
    unknown = list(islice(_unknown(raw, _shape(type_), ""), MAX_ERRORS))
    ignore = lenient and not is_on(call, "strict")
    errors = [] if ignore else [FieldError(pointer, f"is not known{hint}") for pointer, hint in unknown]
    try:
        value = _convert(raw, type_)
    except msgspec.ValidationError as error:
        from chalicelib.api.refusal import list_errors

        errors += list_errors(raw, type_) or [FieldError("", str(error))]
    if errors:
        raise InvalidRequest(errors[:MAX_ERRORS])
    return value, tuple(f"{pointer} is not known and was ignored{hint}" for pointer, hint in unknown)


def is_on(call: Call, name: str) -> bool:
    """Whether the switch in the query is on; what is neither yes nor no is refused, lest a slip deletes something."""
    text = call.query.get(name, "").lower()  # Python's clients write True
    if text not in _SWITCH:
        raise _refused(f"{name} must be one of {', '.join(filter(None, _SWITCH))}, got {text[:20]!r}")
    return _SWITCH[text]


def parse(call: Call, raw_field: str = "") -> Any:  # any JSON value
    """What the body says: JSON, or a table as it is where there is a field for it; raises as `read_body` does."""
    if not raw_field or media_of(call) != _TABLE:
        return parse_json(call)
    check_length(call)
    try:
        text = call.body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(f"a table must be sent as UTF-8, byte {error.start} is not") from None
    query = {name: _number(value) for name, value in call.query.items() if name not in _OF_THE_ROUTE}
    return query | {raw_field: text}


def parse_json(call: Call) -> Any:  # any JSON value
    """The body's JSON value; raises TooLarge, UnsupportedMedia or InvalidRequest."""
    check_length(call)
    media = media_of(call)
    if media not in ("application/json", "text/plain") and not media.endswith("+json"):
        raise UnsupportedMedia(f"the body must be application/json or JSON as text/plain, got {media}")
    if not call.body.strip():
        raise InvalidRequest([FieldError("", "a JSON body is required")])
    try:
        raw = msgspec.json.decode(call.body)
    except RecursionError:
        raise _refused(f"the body must not be nested deeper than {MAX_DEPTH} levels") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refused(_name_constant(call.body) or str(error)) from None
    if is_too_deep(raw):
        raise _refused(f"the body must not be nested deeper than {MAX_DEPTH} levels")
    return raw


def media_of(call: Call) -> str:
    """The type of the body without its parameters; JSON where none is said."""
    return call.headers.get("content-type", "application/json").split(";")[0].strip().lower()


def check_length(call: Call) -> None:
    """Raises TooLarge."""
    limit = call.runtime.settings.body_limit
    if len(call.body) > limit:
        raise TooLarge(f"the body must be at most {limit} bytes, got {len(call.body)}")


def _number(text: str) -> str | int:
    """A whole number in a query as such; the fields that take one have no other form there."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text


def _convert(raw: object, type_: type[T]) -> T:
    try:
        return msgspec.convert(raw, type_)
    except msgspec.ValidationError:
        # 50.0 is a whole number to JSON Schema and to clients whose numbers are all floats, but not to msgspec.
        return msgspec.convert(_whole(raw), type_)


def _whole(raw: object) -> object:
    match raw:
        case dict():
            return {name: _whole(value) for name, value in raw.items()}
        case list():
            return [_whole(value) for value in raw]
        case float() if raw.is_integer():
            return int(raw)
        case _:
            return raw


def _refused(detail: str) -> InvalidRequest:
    return InvalidRequest([FieldError("", detail)])


def _name_constant(body: bytes) -> str | None:
    """Names NaN or Infinity, which are not JSON but which many encoders write."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a number that JSON knows")

    try:
        json.loads(body, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        return str(error) if "is not a number that JSON knows" in str(error) else None
    return None


class Shape(msgspec.Struct, frozen=True):
    """What of a type matters for finding unknown fields: the fields of an object, or the item of a list."""

    fields: dict[str, Shape | None] | None = None
    item: Shape | None = None


def _unknown(raw: object, shape: Shape | None, pointer: str) -> Iterator[tuple[str, str]]:
    """The pointer of each unknown field with a hint such as `; did you mean "x"?`."""
    if shape is None:
        return
    if shape.item is not None and isinstance(raw, list):
        for index, value in enumerate(raw):
            yield from _unknown(value, shape.item, f"{pointer}/{index}")
    if shape.fields is not None and isinstance(raw, dict):
        for name, value in raw.items():
            if name in shape.fields:
                yield from _unknown(value, shape.fields[name], f"{pointer}/{escape(name)}")
            else:
                yield f"{pointer}/{escape(name)}", _hint(name, list(shape.fields))


def escape(name: str) -> str:
    """A name as one reference token of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _hint(name: str, known: list[str]) -> str:
    import difflib

    lowered = {field.lower().replace("_", ""): field for field in known}
    close = difflib.get_close_matches(name.lower().replace("_", ""), lowered, n=1, cutoff=0.75)
    return f'; did you mean "{lowered[close[0]]}"?' if close else ""


@cache
def _shape(type_: type[msgspec.Struct]) -> Shape | None:
    from msgspec import inspect

    def look(info: inspect.Type) -> Shape | None:
        match info:
            case inspect.StructType():
                return Shape(fields={field.encode_name: look(field.type) for field in info.fields})
            case inspect.ListType() | inspect.VarTupleType():
                item = look(info.item_type)
                return Shape(item=item) if item else None
            case inspect.UnionType():
                return next((shape for member in info.types if (shape := look(member))), None)
            case inspect.Metadata():
                return look(info.type)
            case _:
                return None

    return look(inspect.type_info(type_))
