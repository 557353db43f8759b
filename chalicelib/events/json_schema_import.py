"""JSON Schema as rule sheets: what a sheet can say is read, and each keyword that it cannot is a problem.

Nothing is dropped silently: keywords that restrict nothing, such as descriptions, are listed as notes. Two things are
read more narrowly than JSON Schema means them: 1.0 is no integer, and a text that must have a character is not blank.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from chalicelib.errors import FieldError
from chalicelib.events.json_schema import (
    DIALECT,
    KEYWORD_OF_BOUND,
    NAME_OF_TYPE,
    NOT_BLANK,
    X_CONDITION,
    X_PII,
    X_REQUIRED,
    X_RULE,
    X_TYPE,
)
from chalicelib.events.paths import EACH, MOST_STEPS, Path, fold_key
from chalicelib.events.rule_checks import find_faults
from chalicelib.events.rules import Condition, Rule, RuleSheet, tidy_rule

_ANNOTATIONS = frozenset(
    ("$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly")
)
_BELOW = frozenset(("type", "properties", "required", "items", "additionalProperties"))
_OF_A_RULE = frozenset(
    (*_BELOW, "enum", "const", "format", "allOf", *KEYWORD_OF_BOUND.values(), X_TYPE, X_PII, X_CONDITION, X_REQUIRED)
)
_OF_A_WAY = frozenset((*_BELOW, "minItems", X_RULE))
_TYPE_OF_NAME = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean", "array": "array",
                 "object": "object"}  # fmt: skip
_SHOWN = 60


class Imported(Struct, frozen=True):
    """What schemas say: the sheet, tidied, if there are no problems; pointers are into the document."""

    sheet: RuleSheet
    problems: tuple[FieldError, ...]
    # What is not kept and restricts nothing.
    notes: tuple[FieldError, ...]


def read_document(document: object) -> Imported:
    """The sheet of a document whose `$defs` are events by their names; any JSON value will do."""
    reading = _Reading()
    schema = reading.expect_object(document, "")
    reading.expect_keywords(schema, "", frozenset(("$defs",)))
    events = reading.expect_object(schema.get("$defs", {}), "/$defs")
    if not events and not reading.problems:
        reading.refuse("/$defs", "must have at least 1 event, got 0")
    for event, each in events.items():
        reading.read_event(event, each, f"/$defs/{_escape(event)}")
    return reading.imported()


def read_event_schema(event: str, schema: object) -> Imported:
    """The sheet of one event, whose payload the schema describes; any JSON value will do."""
    reading = _Reading()
    reading.read_event(event, schema, "")
    return reading.imported()


class _Field(Struct, frozen=True):
    """A place of a schema, and what is known from above."""

    pointer: str
    event: str
    names: tuple[str, ...]
    is_required: bool


class _Reading:
    """What was found so far."""

    def __init__(self) -> None:
        self.problems: list[FieldError] = []
        self._notes: list[FieldError] = []
        self._rules: list[Rule] = []
        self._pointers: list[str] = []

    def imported(self) -> Imported:
        rules = tuple(map(tidy_rule, self._rules))
        faults = (
            FieldError(f"{self._pointers[fault.place]}{_keyword_of(fault.field)}", fault.reason)
            for fault in find_faults(rules)
        )
        return Imported(RuleSheet(rules=rules), (*self.problems, *faults), tuple(self._notes))

    def refuse(self, pointer: str, reason: str) -> None:
        self.problems.append(FieldError(pointer, reason))

    def expect_object(self, value: object, pointer: str) -> dict[str, Any]:  # JSON
        if isinstance(value, dict):
            return value
        self.refuse(pointer, f"must be an object, got {_shown(value)}")
        return {}

    def expect_keywords(self, schema: dict[str, Any], pointer: str, known: frozenset[str]) -> None:
        for keyword in schema:
            if keyword == "$schema" and schema[keyword] == DIALECT:
                continue
            if keyword in _ANNOTATIONS:
                self._notes.append(FieldError(f"{pointer}/{_escape(keyword)}", "is not kept"))
            elif keyword not in known:
                self.refuse(f"{pointer}/{_escape(keyword)}", "must be left out: a rule sheet cannot say it")

    def read_event(self, event: str, value: object, pointer: str) -> None:
        known, before = len(self.problems), len(self._rules)
        schema = self.expect_object(value, pointer)
        self.expect_keywords(schema, pointer, _BELOW - {"items"})
        if schema.get("type", "object") != "object":
            self.refuse(f"{pointer}/type", f"must be object, for it is about a payload, got {_shown(schema['type'])}")
        self._read_properties(schema, _Field(pointer, event, (), True))
        if len(self._rules) == before and len(self.problems) == known:
            self.refuse(f"{pointer}/properties", "must have at least 1 field, got 0")

    def _read_field(self, value: object, field: _Field) -> bool:
        """Reads what a schema says of a field and what is in it; whether it must be there."""
        schema = self.expect_object(value, field.pointer)
        if not schema or len(field.names) > MOST_STEPS:
            self.refuse(field.pointer, f"must have a type, at most {MOST_STEPS} levels down")
            return field.is_required
        if schema.get(X_RULE) is False:
            return self._read_way(schema, field)
        self.expect_keywords(schema, field.pointer, _OF_A_RULE)
        self._add_rule(schema, field)
        self._read_below(schema, field)
        return field.is_required

    def _read_way(self, schema: dict[str, Any], field: _Field) -> bool:
        """Reads what is on the way to rules without one of its own."""
        self.expect_keywords(schema, field.pointer, _OF_A_WAY)
        before = len(self._rules)
        is_wanted = self._read_below(schema, field)
        said = (schema.get("type"), schema.get("minItems"))
        if said not in (("object", None), ("array", 1)) or len(self._rules) == before:
            self.refuse(
                field.pointer, f"must be an object, or an array of minItems 1, with rules in it, for {X_RULE} false"
            )
        # Elements are not listed in any `required`.
        elif field.names[-1] != EACH and is_wanted != field.is_required:
            self.refuse(field.pointer, f"must be required as what is in it is, for {X_RULE} false")
        return is_wanted

    def _read_below(self, schema: dict[str, Any], field: _Field) -> bool:
        is_wanted = self._read_properties(schema, field)
        if "items" not in schema:
            return is_wanted
        pointer = f"{field.pointer}/items"
        element = schema["items"]
        is_ruled = isinstance(element, dict) and element.get(X_RULE) is not False
        is_required = isinstance(element, dict) and element.get(X_REQUIRED) is True if is_ruled else field.is_required
        return self._read_field(element, _Field(pointer, field.event, (*field.names, EACH), is_required)) or is_wanted

    def _read_properties(self, schema: dict[str, Any], field: _Field) -> bool:
        """Whether one of the fields must be there."""
        pointer = field.pointer
        if schema.get("additionalProperties", True) is not True:
            self.refuse(
                f"{pointer}/additionalProperties", "must be true: keys that are not in a sheet make none invalid"
            )
        properties = self.expect_object(schema.get("properties", {}), f"{pointer}/properties")
        required = schema.get("required", [])
        if not isinstance(required, list):
            self.refuse(f"{pointer}/required", f"must be a list of names, got {_shown(required)}")
            required = []
        for name in required:
            if not isinstance(name, str) or name not in properties:
                self.refuse(f"{pointer}/required", f"must have names of properties only, got {_shown(name)}")
        found = [
            self._read_property(name, each, field, is_required=name in required) for name, each in properties.items()
        ]
        return any(found)

    def _read_property(self, name: str, value: object, above: _Field, *, is_required: bool) -> bool:
        pointer = f"{above.pointer}/properties/{_escape(name)}"
        if not name or name != name.strip() or any(character in ".[]" for character in name):
            self.refuse(pointer, f"must have a name without . [ ] and without blanks around, got {_shown(name)}")
            return is_required
        return self._read_field(value, _Field(pointer, above.event, (*above.names, name), is_required))

    def _add_rule(self, schema: dict[str, Any], field: _Field) -> None:
        said: dict[str, Any] = {"event": field.event, "required": field.is_required}
        said["path"] = Path(field.names, tuple(map(fold_key, field.names))).text
        if X_REQUIRED in schema and (field.names[-1] != EACH or not isinstance(schema[X_REQUIRED], bool)):
            self.refuse(f"{field.pointer}/{X_REQUIRED}", "must be true or false, and only beside items")
        for keyword, reason in _read_rule(schema, said):
            self.refuse(f"{field.pointer}/{keyword}" if keyword else field.pointer, reason)
        if "type" not in said:
            return
        try:
            self._rules.append(msgspec.convert(said, Rule))
            self._pointers.append(field.pointer)
        except msgspec.ValidationError as error:
            self.refuse(field.pointer, f"must have keywords of the types of JSON Schema: {error}")


def _read_rule(schema: dict[str, Any], said: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Fills in what a rule says; yields keywords that it cannot say and why."""
    type_, is_nullable, fault = _read_type(schema)
    if fault:
        yield fault
        return
    said["type"] = type_
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        if not isinstance(values, list) or ("enum" in schema and "const" in schema):
            yield "enum", f"must be a list of values and without const, got {_shown(values)}"
            return
        is_nullable = is_nullable and None in values
        said["enum"] = [value for value in values if value is not None]
    said["nullable"] = is_nullable
    said |= {field: schema[keyword] for field, keyword in KEYWORD_OF_BOUND.items() if keyword in schema}
    if "allOf" in schema and (type_ != "text" or schema["allOf"] != NOT_BLANK):
        yield "allOf", f"must be left out, or {NOT_BLANK} beside type string"
    if type_ == "text" and "allOf" not in schema and "" not in said.get("enum", ()):
        said.setdefault("min_length", 0)
    if type_ == "array":
        said.setdefault("min_items", 0)
    if X_PII in schema:
        said["pii"] = schema[X_PII]
    if X_CONDITION in schema:
        said["condition"] = schema[X_CONDITION]
        if not isinstance(said["condition"], dict) or said["condition"].keys() - set(Condition.__struct_fields__):
            yield X_CONDITION, f"must be an object of {', '.join(Condition.__struct_fields__)}"


def _read_type(schema: dict[str, Any]) -> tuple[str, bool, tuple[str, str] | None]:
    """The type of a rule, whether null is allowed, and what is wrong instead."""
    stated = schema.get("type")
    names = stated if isinstance(stated, list) else [stated]
    is_nullable = "null" in names
    left = [name for name in names if name != "null"]
    if stated is None and ("enum" in schema or "const" in schema):
        return "enum", True, None
    if len(left) != 1 or not isinstance(left[0], str) or left[0] not in _TYPE_OF_NAME:
        reason = f"must be one of {', '.join(_TYPE_OF_NAME)}, alone or with null, got {_shown(stated)}"
        return "", False, ("type", reason)
    type_ = _TYPE_OF_NAME[left[0]]
    if "format" in schema:
        if type_ != "text" or schema["format"] != "date-time":
            return "", False, ("format", f"must be date-time beside type string, got {_shown(schema['format'])}")
        type_ = "datetime"
    if X_TYPE in schema:
        exact = schema[X_TYPE]
        if exact not in ("float", "date") or NAME_OF_TYPE[exact] != left[0]:
            return "", False, (X_TYPE, f"must be float beside number or date beside string, got {_shown(exact)}")
        type_ = exact
    return type_, is_nullable, None


def _keyword_of(field: str) -> str:
    if field == "path":
        return ""
    name = field.partition("/")[0]
    return f"/{ {'condition': X_CONDITION, 'enum': 'enum', **KEYWORD_OF_BOUND}.get(name, name) }"


def _escape(name: str) -> str:
    """A name as a step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
