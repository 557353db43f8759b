"""Rule sheets as JSON Schema (draft 2020-12): one document with a definition for each event.

Other tools refuse nothing by it that the sheet accepts, if names are spelled as in the sheet; they accept some of what
the sheet refuses. What JSON Schema has no word for stands in keywords that begin with `x-`, so that a document that is
imported again is the same sheet.
"""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib.events.rules import Rule, RuleSheet
from chalicelib.events.tree import Node, grow

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# The type, where JSON Schema has a wider one only: float and date.
X_TYPE = "x-type"
X_PII = "x-pii"
# An object as in a rule; other tools do not know it.
X_CONDITION = "x-condition"
# Of what is only on the way to rules: false.
X_RULE = "x-rule"
# Of array elements, which JSON Schema has no other place for.
X_REQUIRED = "x-required"
# A text that is not blank.
NOT_BLANK = [{"pattern": r"\S"}]

NAME_OF_TYPE = {
    "text": "string",
    "integer": "integer",
    "float": "number",
    "number": "number",
    "boolean": "boolean",
    "date": "string",
    "datetime": "string",
    "array": "array",
    "object": "object",
}
KEYWORD_OF_BOUND = {
    "pattern": "pattern",
    "minimum": "minimum",
    "maximum": "maximum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_items": "minItems",
    "max_items": "maxItems",
}

_Schema = dict[str, Any]  # JSON


def write_schema(sheet: RuleSheet) -> _Schema:
    """The document of a tidied sheet without problems, in which definitions have the names of events."""
    by_event: dict[str, list[Rule]] = {}
    for rule in sheet.rules:
        by_event.setdefault(rule.event, []).append(rule)
    events = {event: {"type": "object", **_write_below(grow(rules))} for event, rules in by_event.items()}
    return {"$schema": DIALECT, "$defs": events}


def _write_node(node: Node) -> _Schema:
    schema = _write_rule(node.rule) if node.rule else _write_way(node)
    return schema | _write_below(node)


def _write_way(node: Node) -> _Schema:
    if node.kind == "array":
        return {"type": "array", "minItems": 1, X_RULE: False}
    return {"type": "object", X_RULE: False}


def _write_below(node: Node) -> _Schema:
    """Leaves out what is only there because a condition wants it."""
    if node.element and node.element.kind:
        return {"items": _write_node(node.element) | _write_required(node.element)}
    children = [child for child in node.children.values() if child.kind]
    if not children:
        return {}
    properties = {child.name: _write_node(child) for child in children}
    required = [child.name for child in children if child.is_required]
    return {"properties": properties, "required": required} if required else {"properties": properties}


def _write_required(element: Node) -> _Schema:
    return {X_REQUIRED: True} if element.rule and element.rule.required else {}


def _write_rule(rule: Rule) -> _Schema:
    schema = _write_type(rule)
    if rule.enum:
        schema["enum"] = [*rule.enum, *([None] if rule.nullable else [])]
    for field, keyword in KEYWORD_OF_BOUND.items():
        if (bound := getattr(rule, field)) is not None:
            schema[keyword] = bound
    if rule.type == "text" and not rule.allows_blank:
        schema["allOf"] = NOT_BLANK
    if rule.type == "array":
        schema.setdefault("minItems", 1)
    if rule.pii:
        schema[X_PII] = rule.pii
    if rule.condition:
        schema[X_CONDITION] = msgspec.to_builtins(rule.condition)
    return schema


def _write_type(rule: Rule) -> _Schema:
    if rule.type == "enum":
        return {}
    name = NAME_OF_TYPE[rule.type]
    schema: _Schema = {"type": [name, "null"] if rule.nullable else name}
    if rule.type in ("float", "date"):
        schema[X_TYPE] = rule.type
    if rule.type == "datetime":
        schema["format"] = "date-time"
    return schema
