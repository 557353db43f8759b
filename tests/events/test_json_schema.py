"""Rule sheets as JSON Schema: what is written means the same to other tools, and reads back as the same sheet."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from chalicelib.errors import FieldError
from chalicelib.events.json_schema import X_CONDITION, X_PII, X_REQUIRED, X_TYPE, write_schema
from chalicelib.events.json_schema_import import Imported, read_document, read_event_schema
from chalicelib.events.judge import compile_sheet
from chalicelib.events.rules import Rule, RuleSheet
from tests.events.payloads import payloads
from tests.events.sheets import EVENT, rule, sheet
from tests.events.strategies import sheets

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NOT_BLANK = [{"pattern": r"\S"}]


def read(properties: dict[str, Any], required: list[str] | None = None) -> Imported:  # any JSON
    return read_event_schema(EVENT, {"type": "object", "properties": properties, "required": required or []})


def problems(properties: dict[str, Any], required: list[str] | None = None) -> list[tuple[str, str]]:
    return [(error.pointer, error.detail) for error in read(properties, required).problems]


def test_sheet_is_written_as_a_definition_for_each_event() -> None:
    condition = {"if_field": "n", "operator": "ne", "if_value": 1}
    one = sheet(
        rule("a", required=True, pattern="^x", pii="hash"),
        rule("n", "float", nullable=True, minimum=0, condition=condition),
        rule("u.at", "datetime", required=True),
        rule("rows[].k", "enum", enum=["x", 1], nullable=True),
        rule("tags", "array", min_items=0),
        rule("tags[]", min_length=0, required=True),
        Rule(event="other", path="d", type="date"),
    )
    assert write_schema(one) == {
        "$schema": DIALECT,
        "$defs": {
            "order": {
                "type": "object",
                "properties": {
                    "a": {"type": "string", "pattern": "^x", "allOf": NOT_BLANK, "x-pii": "hash"},
                    "n": {"type": ["number", "null"], "x-type": "float", "minimum": 0, "x-condition": condition},
                    "tags": {
                        "type": "array",
                        "minItems": 0,
                        "items": {"type": "string", "minLength": 0, "x-required": True},
                    },
                    "u": {
                        "type": "object",
                        "x-rule": False,
                        "properties": {"at": {"type": "string", "format": "date-time"}},
                        "required": ["at"],
                    },
                    "rows": {
                        "type": "array",
                        "minItems": 1,
                        "x-rule": False,
                        "items": {
                            "type": "object",
                            "x-rule": False,
                            "properties": {"k": {"enum": ["x", 1, None]}},
                        },
                    },
                },
                "required": ["a", "u"],
            },
            "other": {"type": "object", "properties": {"d": {"type": "string", "x-type": "date"}}},
        },
    }


def test_schema_of_one_event_is_read() -> None:
    schema = {
        "type": "object",
        "additionalProperties": True,
        "properties": {
            "name": {"type": "string", "maxLength": 5},
            "kind": {"const": "x"},
            "count": {"type": ["integer", "null"], "maximum": 3},
            "user": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
            "rows": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
            "at": {"type": "string", "format": "date-time"},
        },
        "required": ["name"],
    }
    assert read_event_schema(EVENT, schema) == Imported(
        sheet(
            rule("name", min_length=0, max_length=5, required=True),
            rule("kind", "enum", enum=["x"]),
            rule("count", "integer", nullable=True, maximum=3),
            rule("user", "object"),
            rule("user.id", "integer", required=True),
            rule("rows", "array", min_items=0),
            rule("rows[]", min_length=0, enum=["a", "b"]),
            rule("at", "datetime"),
        ),
        (),
        (),
    )


def test_what_restricts_nothing_is_noted() -> None:
    schema = {"title": "Order", "properties": {"a": {"type": "boolean", "description": "whether", "default": True}}}
    assert read_event_schema(EVENT, schema) == Imported(
        sheet(rule("a", "boolean")),
        (),
        (
            FieldError("/title", "is not kept"),
            FieldError("/properties/a/description", "is not kept"),
            FieldError("/properties/a/default", "is not kept"),
        ),
    )


CANNOT = "must be left out: a rule sheet cannot say it"
NAMES = "string, integer, number, boolean, array, object"


@pytest.mark.parametrize(
    ("schema", "pointer", "reason"),
    [
        ({"type": "integer", "multipleOf": 2}, "/multipleOf", CANNOT),
        ({"type": "number", "exclusiveMinimum": 2}, "/exclusiveMinimum", CANNOT),
        ({"type": "array", "uniqueItems": True}, "/uniqueItems", CANNOT),
        ({"type": "string", "if": {}}, "/if", CANNOT),
        ({"type": "integer", "x-rule": True}, "/x-rule", CANNOT),
        ({"$ref": "#/$defs/x", "type": "integer"}, "/$ref", CANNOT),
        ({"type": "string", "format": "email"}, "/format", "must be date-time beside type string, got 'email'"),
        ({"type": ["string", "integer"]}, "/type", f"must be one of {NAMES}, alone or with null, got "
         "['string', 'integer']"),
        ({"type": "uuid"}, "/type", f"must be one of {NAMES}, alone or with null, got 'uuid'"),
        ({"properties": {}}, "/type", f"must be one of {NAMES}, alone or with null, got None"),
        ({"type": "string", "allOf": [{"minLength": 1}]}, "/allOf",
         f"must be left out, or {NOT_BLANK} beside type string"),
        ({"type": "integer", "minLength": 1}, "/minLength", "must be left out for type integer: it is for text"),
        ({"type": "string", "pattern": "(?=a)"}, "/pattern", "must be an RE2 pattern (invalid perl operator: (?=), got "
         "'(?=a)'"),
        ({"type": "object", "additionalProperties": False}, "/additionalProperties",
         "must be true: keys that are not in a sheet make none invalid"),
        ({"type": "object", "required": ["x"]}, "/required", "must have names of properties only, got 'x'"),
        ({"type": "object", "required": True}, "/required", "must be a list of names, got True"),
        ({"type": "object", "properties": {"a.b": {}}}, "/properties/a.b",
         "must have a name without . [ ] and without blanks around, got 'a.b'"),
        ({"type": "string", "enum": "x"}, "/enum", "must be a list of values and without const, got 'x'"),
        ({"type": "string", "enum": ["x"], "const": "x"}, "/enum", "must be a list of values and without const, got "
         "['x']"),
        ({"type": "string", "x-type": "float"}, "/x-type", "must be float beside number or date beside string, got "
         "'float'"),
        ({"type": "string", "x-required": True}, "/x-required", "must be true or false, and only beside items"),
        ({"type": "string", "x-condition": {"iff": 1}}, "/x-condition",
         "must be an object of if_field, operator, if_value, then_field, then_type"),
        ({"type": "string", "minLength": 1.5}, "", "must have keywords of the types of JSON Schema: Expected `int | "
         "null`, got `float` - at `$.min_length`"),
        ({"type": "object", "x-rule": False}, "", "must be an object, or an array of minItems 1, with rules in it, for "
         "x-rule false"),
        (True, "", "must be an object, got True"),
    ],
)  # fmt: skip
def test_what_a_sheet_cannot_say_is_a_problem(schema: Any, pointer: str, reason: str) -> None:
    assert (f"/properties/a~1b{pointer}", reason) in problems({"a/b": schema})


def test_way_that_is_required_otherwise_than_what_is_in_it_is_a_problem() -> None:
    way = {"type": "object", "x-rule": False, "properties": {"n": {"type": "integer"}}}
    assert problems({"u": way}, ["u"]) == [("/properties/u", "must be required as what is in it is, for x-rule false")]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [(5, ""), ({}, "/$defs"), ({"$defs": []}, "/$defs"), ({"$defs": {"e": 5}}, "/$defs/e"),
     ({"$defs": {"e": {}}}, "/$defs/e/properties"), ({"$defs": {"e": {"type": "array"}}}, "/$defs/e/type"),
     ({"definitions": {}}, "/definitions")],
)  # fmt: skip
def test_document_that_is_none_is_a_problem(document: object, pointer: str) -> None:
    assert read_document(document).problems[0].pointer == pointer


def test_schema_that_is_too_deep_is_a_problem() -> None:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(500):
        schema = {"type": "object", "properties": {"a": schema}}
    assert problems({"a": schema})[0][1] == "must have a type, at most 16 levels down"


def by_path(one: RuleSheet) -> list[str]:
    return sorted(map(repr, one.rules))


@given(sheets())
def test_sheet_reads_back_as_it_was_written(one: RuleSheet) -> None:
    document = msgspec.json.decode(msgspec.json.encode(write_schema(one)))
    imported = read_document(document)
    assert imported.problems == ()
    assert imported.notes == ()
    assert by_path(imported.sheet) == by_path(one)


@settings(max_examples=200)
@given(st.data(), sheets(most=4, with_conditions=False))
def test_other_tools_agree(data: st.DataObject, one: RuleSheet) -> None:
    document = write_schema(one)
    Draft202012Validator.check_schema(document)
    compiled = compile_sheet(one)
    for event, schema in document["$defs"].items():
        payload = data.draw(payloads(one, event))
        is_valid = compiled.judge(event, payload).status == "valid"
        is_valid_there = Draft202012Validator(schema).is_valid(payload)
        types = {each.type for each in one.rules if each.event == event}
        # These are narrower than what JSON Schema has words for.
        is_exact = types.isdisjoint(("integer", "float", "date", "datetime"))
        assert is_valid_there if is_valid else not (is_exact and is_valid_there)


JSON = st.recursive(
    st.sampled_from([None, True, False, 0, 1.5, "string", "object", "array", "x", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "properties",
                    "items",
                    "required",
                    "enum",
                    "x-rule",
                    "minItems",
                    "$defs",
                    "a",
                    "const",
                    "pattern",
                    "minimum",
                    "maxLength",
                    "format",
                    "allOf",
                    "additionalProperties",
                    "$schema",
                    "title",
                    X_TYPE,
                    X_PII,
                    X_CONDITION,
                    X_REQUIRED,
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(JSON)
@example({"type": None, "required": [[]]})
def test_no_document_raises(document: object) -> None:
    for imported in (
        read_document(document),
        read_event_schema("e", document),
        read_document({"$defs": {"e": document}}),
    ):
        assert imported.problems or imported.sheet.rules
