"""Bodies at a bound of a request schema and one past it, derived from the schema alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Schema = dict[str, Any]  # a JSON Schema
Put = Callable[[Any], Any]  # a value of one field -> the whole body with it

NUMBERS = {"minimum": -1, "maximum": 1, "exclusiveMinimum": 1, "exclusiveMaximum": -1}
LENGTHS = {"minLength": -1, "maxLength": 1, "minItems": -1, "maxItems": 1}


class Bound(NamedTuple):
    """One bound of one field: a body just within it, one just outside, and where the refusal must point."""

    pointer: str
    keyword: str
    within: Any
    outside: Any


def bounds(schema: Schema, schemas: dict[str, Schema], body: Any) -> Iterator[Bound]:
    """Every bound of the fields of the body, of objects and lists in it, and of the objects in those lists."""
    yield from _Walk(schemas).fields(schema, body, "", lambda whole: whole, depth=1)


class _Walk:
    def __init__(self, schemas: dict[str, Schema]) -> None:
        self._schemas = schemas

    def fields(self, schema: Schema, body: Any, pointer: str, put: Put, *, depth: int) -> Iterator[Bound]:
        for name, field in schema.get("properties", {}).items():
            token = name.replace("~", "~0").replace("/", "~1")
            yield from self._field(field, body.get(name), f"{pointer}/{token}", _into_object(put, body, name), depth)

    def _field(self, schema: Schema, value: Any, pointer: str, put: Put, depth: int) -> Iterator[Bound]:
        for branch in self._branches(schema):
            yield from self._numbers(branch, pointer, put)
            yield from self._lengths(branch, value, pointer, put)
            if branch.get("type") == "array" and branch.get("items"):
                size = branch.get("minItems", 0) or 1
                rest = [self._sample(branch["items"])] * (size - 1)
                first = value[0] if value else self._sample(branch["items"])
                yield from self._field(branch["items"], first, f"{pointer}/0", _into_list(put, rest), depth)
            if branch.get("type") == "object" and depth:
                inner = value if isinstance(value, dict) else self._sample(branch)
                yield from self.fields(branch, inner, pointer, put, depth=depth - 1)

    def _numbers(self, schema: Schema, pointer: str, put: Put) -> Iterator[Bound]:
        whole = schema.get("type") == "integer"
        for keyword in NUMBERS.keys() & schema.keys():
            bound, sign = schema[keyword], NUMBERS[keyword]
            beside = bound + sign if whole else math.nextafter(bound, math.copysign(math.inf, sign))
            within, outside = (beside, bound) if keyword.startswith("exclusive") else (bound, beside)
            yield Bound(pointer, keyword, put(within), put(outside))

    def _lengths(self, schema: Schema, value: Any, pointer: str, put: Put) -> Iterator[Bound]:
        for keyword in LENGTHS.keys() & schema.keys():
            bound, beside = schema[keyword], schema[keyword] + LENGTHS[keyword]
            if keyword.endswith("Length"):
                yield Bound(pointer, keyword, put("x" * bound), put("x" * beside))
            else:
                item = value[0] if value else self._sample(schema["items"])
                yield Bound(pointer, keyword, put([item] * bound), put([item] * beside))

    def _branches(self, schema: Schema) -> list[Schema]:
        schema = self._resolve(schema)
        return [self._resolve(branch) for branch in schema.get("anyOf", [schema])]

    def _resolve(self, schema: Schema) -> Schema:
        return self._schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema

    def _sample(self, schema: Schema) -> Any:
        """Some value that the schema allows."""
        schema = self._branches(schema)[0]
        if "enum" in schema:
            return schema["enum"][0]
        match schema.get("type"):
            case "object":
                required = schema.get("required", [])
                return {name: self._sample(schema["properties"][name]) for name in required}
            case "array":
                return [self._sample(schema["items"])] * schema.get("minItems", 0)
            case "string":
                return "x" * schema.get("minLength", 0)
            case "integer":
                return schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
            case "number":
                lows = [schema[keyword] for keyword in ("minimum", "exclusiveMinimum") if keyword in schema] or [0]
                highs = [schema[keyword] for keyword in ("maximum", "exclusiveMaximum") if keyword in schema]
                return (max(lows) + min(highs or [max(lows) + 1])) / 2
            case "boolean":
                return False
            case _:
                return None


def _into_object(put: Put, body: Any, name: str) -> Put:
    return lambda value: put({**body, name: value})


def _into_list(put: Put, rest: list[Any]) -> Put:
    return lambda first: put([first, *rest])
