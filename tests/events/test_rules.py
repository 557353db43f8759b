"""Rule sheets: what is refused before it judges an event, and which rules mean the same."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.errors import FieldError
from chalicelib.events.rule_checks import MOST_RULES, check
from chalicelib.events.rules import Condition, Rule, RuleSheet, tidy
from tests.events.sheets import rule, sheet

TYPES = "text, integer, float, number, boolean, date, datetime, array, object, enum"


def problems(*rules: Rule) -> list[tuple[str, str]]:
    return [(error.pointer, error.detail) for error in check(sheet(*rules))]


def test_sheet_that_states_everything_is_accepted() -> None:
    condition = {"if_field": "a", "operator": "in", "if_value": ["x", 1], "then_field": "n", "then_type": "string"}
    rules = [
        rule("a", "String", pattern="^x", min_length=0, max_length=5, enum=["x", ""], pii="hash", condition=condition),
        rule("n", "number", minimum=-1, maximum=2.5, enum=[1, 2.0], nullable=True, required=True),
        rule("rows", "array", min_items=0, max_items=3),
        rule("rows[]", "object"),
        rule("rows[].x", "enum", enum=[1, True, "x"], pii="drop"),
        Rule(event="other", path="a", type="datetime"),
    ]
    assert problems(*rules) == []


@pytest.mark.parametrize(
    ("said", "field", "reason"),
    [
        ({"event": " "}, "event", "must not be blank"),
        ({"event": "x" * 201}, "event", "must have at most 200 characters, got 201"),
        ({"path": "a..b"}, "path", "must have a name before each . and [], got 'a..b'"),
        ({"path": "x" * 501}, "path", "must have at most 500 characters, got 501"),
        ({"type": "uuid"}, "type", f"must be one of {TYPES}, got 'uuid'"),
        ({"type": ""}, "type", f"must be one of {TYPES}, got ''"),
        ({"type": "integer", "pattern": "x"}, "pattern", "must be left out for type integer: it is for text"),
        ({"minimum": 1}, "minimum", "must be left out for type text: it is for integer, float, number"),
        ({"min_items": 1}, "min_items", "must be left out for type text: it is for array"),
        ({"pattern": "x" * 501}, "pattern", "must have at most 500 characters, got 501"),
        ({"min_length": -1}, "min_length", "must be 0 to 1000000, got -1"),
        ({"max_length": 1_000_001}, "max_length", "must be 0 to 1000000, got 1000001"),
        ({"min_length": 3, "max_length": 2}, "max_length", "must be at least min_length (3), got 2"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, "maximum", "must be at least minimum (3), got 2"),
        ({"type": "integer", "maximum": 1e31}, "maximum", "must be -1e+30 to 1e+30, got 1e+31"),
        ({"type": "integer", "maximum": 10**400}, "maximum", f"must be -1e+30 to 1e+30, got 1{'0' * 59}..."),
        ({"type": "float", "minimum": float("nan")}, "minimum", "must be -1e+30 to 1e+30, got nan"),
        ({"type": "enum"}, "enum", "must have at least 1 value for type enum, got 0"),
        ({"type": "boolean", "enum": [True]}, "enum", "must be left out for type boolean: it is for text, integer, "
         "float, number, enum"),
        ({"enum": [5]}, "enum", "must have values of type text, got 5"),
        ({"enum": [" "]}, "enum", "must have values of type text, got ' '"),
        ({"type": "integer", "enum": [True]}, "enum", "must have values of type integer, got True"),
        ({"type": "enum", "enum": list(range(1001))}, "enum", "must have at most 1000 values, got 1001"),
        ({"enum": ["x" * 501]}, "enum", "must have values of at most 500 characters, got 501"),
        ({"type": "enum", "enum": [float("inf")]}, "enum", "must have finite numbers only, got inf"),
    ],
)  # fmt: skip
def test_rule_is_refused_with_the_value_and_the_bound(said: dict[str, Any], field: str, reason: str) -> None:
    wanted = {"event": "e", "path": "a", "type": "text", **said}
    assert problems(msgspec.convert(wanted, Rule)) == [(f"/rules/0/{field}", reason)]


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", "a{1001}", "[z-a]"])
def test_pattern_that_re2_does_not_know_is_refused(pattern: str) -> None:
    ((pointer, reason),) = problems(rule("a", pattern=pattern))
    assert pointer == "/rules/0/pattern"
    assert reason.startswith("must be an RE2 pattern (")


@pytest.mark.parametrize(
    ("said", "field", "reason"),
    [
        ({"if_field": ""}, "if_field", "must have a name before each . and [], got ''"),
        ({"then_field": "a[0]"}, "then_field", "must have [] for each element of an array and no other brackets, got "
         "'a[0]'"),
        ({"then_type": "uuid"}, "then_type", f"must be one of {TYPES}, got 'uuid'"),
        ({"then_type": "enum"}, "then_type", "must not be enum, whose values a condition cannot state"),
        ({"operator": "like"}, "operator", "must be one of eq, ne, in, not_in, gt, gte, lt, lte, exists, absent, got "
         "'like'"),
        ({"if_value": None}, "if_value", "must be a text, a number, true or false for eq, got None"),
        ({"if_value": ["x"]}, "if_value", "must be a text, a number, true or false for eq, got ('x',)"),
        ({"operator": "in"}, "if_value", "must be a list of 1 to 1000 values for in, got 'x'"),
        ({"operator": "in", "if_value": []}, "if_value", "must be a list of 1 to 1000 values for in, got ()"),
        ({"operator": "lt", "if_value": True}, "if_value", "must be a number or a text for lt, got True"),
        ({"operator": "exists"}, "if_value", "must be left out for exists, got 'x'"),
        ({"if_value": "x" * 501}, "if_value", "must have at most 500 characters, got 501"),
        ({"operator": "in", "if_value": [float("inf")]}, "if_value", "must be finite, got inf"),
    ],
)  # fmt: skip
def test_condition_is_refused_with_the_value_and_the_bound(said: dict[str, Any], field: str, reason: str) -> None:
    condition = {"if_field": "b", "if_value": "x", **said}
    assert problems(rule("a", condition=condition)) == [(f"/rules/0/condition/{field}", reason)]


def test_all_problems_are_listed() -> None:
    assert [pointer for pointer, _ in problems(rule("a[", "x", event=""), rule("b", min_length=-1, pattern="("))] == [
        "/rules/0/event",
        "/rules/0/path",
        "/rules/0/type",
        "/rules/1/pattern",
        "/rules/1/min_length",
    ]


def test_second_rule_for_a_field_is_refused() -> None:
    assert problems(rule("Card Name"), rule("b"), rule("payload.card_name")) == [
        ("/rules/2/path", "must be there once for each event, got 'card_name' again")
    ]


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ([rule("u"), rule("u.n")], ("/rules/0/type", "must be object, which 'u.n' is in, got text")),
        ([rule("a[].b"), rule("a", "object")], ("/rules/1/type", "must be array, which 'a[].b' is in, got object")),
        (
            [rule("a[].b"), rule("a.c")],
            ("/rules/1/path", "must not make both an object and an array of 'a', got 'a.c'"),
        ),
    ],
)
def test_rules_that_cannot_both_hold_are_refused(rules: list[Rule], problem: tuple[str, str]) -> None:
    assert problems(*rules) == [problem]


def test_sheet_of_too_many_rules_is_refused() -> None:
    rules = tuple(Rule(event="e", path=f"f{n}", type="boolean") for n in range(MOST_RULES + 1))
    assert check(RuleSheet(rules=rules)) == [FieldError("/rules", "must have at most 20000 rules, got 20001")]


def test_rules_that_mean_the_same_are_equal_once_they_are_tidied() -> None:
    one = rule(
        "a.b", min_length=None, condition={"if_field": "x", "operator": "eq", "if_value": 1, "then_type": "text"}
    )
    other = Rule(
        event=" ORDER ",
        path=" payload.a.b",
        type="String",
        min_length=1,
        condition=Condition(if_field="payload.x", operator="EQ", if_value=1, then_type="STRING"),
    )
    assert sheet(other) == sheet(one)
    assert sheet(rule("a", "array", min_items=1)) == sheet(rule("a", "array"))
    assert tidy(sheet(other)) == sheet(other)


def test_condition_of_the_old_form_is_equality() -> None:
    old = {"if_field": "a", "if_value": "x", "then_field": "b", "then_type": "text"}
    assert msgspec.convert(old, Condition).operator == "eq"


def test_sheet_is_the_same_after_json() -> None:
    before = sheet(rule("a", "number", minimum=1, maximum=2.0, enum=[1, 2.0]), rule("b", "enum", enum=[True, 1, "x"]))
    after = msgspec.json.decode(msgspec.json.encode(before), type=RuleSheet)
    assert repr(after) == repr(before)
