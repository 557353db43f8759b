"""Rule sheets: what the fields of an app's events must be, in the shape in which sheets are stored and sent.

A sheet is tidied when it comes in, so that rules that mean the same are equal: names folded, types by their proper
names, and nothing stated that holds anyway.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from chalicelib.events.paths import fold_event, read_path

FieldType = Literal[
    "text", "integer", "float", "number", "boolean", "date", "datetime", "array", "object", "enum"
]  # fmt: skip
TYPES: tuple[FieldType, ...] = get_args(FieldType)
Operator = Literal["eq", "ne", "in", "not_in", "gt", "gte", "lt", "lte", "exists", "absent"]
OPERATORS: tuple[Operator, ...] = get_args(Operator)
Pii = Literal["hash", "drop"]
Scalar = str | int | float | bool

_ALIASES = {"string": "text"}
# What a text and an array must have at least, unless the rule says otherwise.
LEAST = 1


class Condition(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """If one field is like this, then another one must be there, not empty, and of a type.

    Where both are in the same array, the condition holds for each of its elements. A field that is null counts as
    absent.
    """

    if_field: Annotated[str, Meta(description="Path of the field that is looked at.")]
    operator: Annotated[
        str,
        Meta(
            description="How it is compared: eq (the default), ne, in, not_in, gt, gte, lt, lte, exists, absent. A "
            "field that is absent meets absent only."
        ),
    ] = "eq"
    if_value: Annotated[
        Scalar | tuple[Scalar, ...] | None,
        Meta(
            description="What it is compared with: a list for in and not_in, a number or a text for gt, gte, lt and "
            "lte, nothing for exists and absent."
        ),
    ] = None
    then_field: Annotated[
        str | None, Meta(description="Path of the field that must be there; the rule's own field by default.")
    ] = None
    then_type: Annotated[
        str | None,
        Meta(description="Type that it must have, any but enum; if left out it only must be there and not empty."),
    ] = None


class Rule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a field of an event must be."""

    event: Annotated[str, Meta(description="Name of the event, in any case.")]
    path: Annotated[str, Meta(description="Path of the field in the payload: a, a.b, items[].price, tags[].")]
    type: Annotated[
        str,
        Meta(
            description="text (also: string), integer, float (a number written with a fraction), number, boolean, "
            "date (YYYY-MM-DD HH:MM:SS), datetime (RFC 3339), array, object or enum."
        ),
    ]
    required: Annotated[bool, Meta(description="Whether the field must be there.")] = False
    nullable: Annotated[bool, Meta(description="Whether null is allowed.")] = False
    pattern: Annotated[
        str | None, Meta(description="RE2 pattern that is found somewhere in a text; ^ and $ bind it to the ends.")
    ] = None
    minimum: Annotated[int | float | None, Meta(description="Smallest number that is allowed.")] = None
    maximum: Annotated[int | float | None, Meta(description="Largest number that is allowed.")] = None
    min_length: Annotated[
        int | None,
        Meta(description="Fewest characters of a text. 0 allows blank texts, which are refused otherwise."),
    ] = None
    max_length: Annotated[int | None, Meta(description="Most characters of a text.")] = None
    min_items: Annotated[
        int | None,
        Meta(description="Fewest elements of an array. 0 allows empty arrays, which are refused otherwise."),
    ] = None
    max_items: Annotated[int | None, Meta(description="Most elements of an array.")] = None
    enum: Annotated[
        tuple[Scalar, ...], Meta(description="The values that are allowed; 1 and 1.0 are one, 1 and true are not.")
    ] = ()
    pii: Annotated[
        Pii | None,
        Meta(description="For personal data: hash keeps a salted hash of the value, drop keeps nothing."),
    ] = None
    condition: Annotated[Condition | None, Meta(description="What else must hold.")] = None

    @property
    def allows_blank(self) -> bool:
        """Whether an empty text may stand there."""
        return self.min_length == 0 or "" in self.enum

    @property
    def allows_no_items(self) -> bool:
        """Whether an empty array may stand there."""
        return self.min_items == 0


class RuleSheet(Struct, frozen=True, kw_only=True):
    """All rules of an app, in the order in which they are shown."""

    rules: Annotated[tuple[Rule, ...], Meta(description="One rule for each field of each event.")] = ()


class Compat(Struct, frozen=True, kw_only=True):
    """Two choices of an older validator that clients may rely on."""

    optional_absent_is_invalid: Annotated[
        bool, Meta(description="Whether an event is invalid where a field is absent that is not required.")
    ] = False
    integer_for_float: Annotated[bool, Meta(description="Whether a float may be written without a fraction.")] = False


def tidy(sheet: RuleSheet) -> RuleSheet:
    """The sheet as it is stored; checks, compiled sheets and differences expect it like this."""
    return RuleSheet(rules=tuple(map(tidy_rule, sheet.rules)))


def tidy_rule(rule: Rule) -> Rule:
    """The rule with folded names and without what holds anyway; what cannot be read stays as it is."""
    type_ = _tidy_type(rule.type)
    return msgspec.structs.replace(
        rule,
        event=fold_event(rule.event),
        path=_tidy_path(rule.path),
        type=type_,
        min_length=None if type_ == "text" and rule.min_length == LEAST else rule.min_length,
        min_items=None if type_ == "array" and rule.min_items == LEAST else rule.min_items,
        condition=rule.condition and _tidy_condition(rule.condition),
    )


def _tidy_condition(condition: Condition) -> Condition:
    return msgspec.structs.replace(
        condition,
        if_field=_tidy_path(condition.if_field),
        operator=condition.operator.strip().lower(),
        then_field=None if condition.then_field is None else _tidy_path(condition.then_field),
        then_type=None if condition.then_type is None else _tidy_type(condition.then_type),
    )


def _tidy_type(name: str) -> str:
    folded = name.strip().lower()
    return _ALIASES.get(folded, folded)


def _tidy_path(text: str) -> str:
    return read_path(text).text or text.strip()
