"""When a condition is met, and what it then asks for."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.events.rules import Rule
from tests.events.sheets import found, judge, rule

NOT_THERE: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("operator", "wanted", "met", "unmet"),
    [
        ("eq", "x", ["x"], ["y", "X", 1, None, ["x"]]),
        ("eq", 1, [1, 1.0], [True, "1", 2]),
        ("eq", True, [True], [1, "true", False]),
        ("ne", "x", ["y", 1, ["x"], {}], ["x", None]),
        ("in", ["x", 1], ["x", 1, 1.0], [True, "y", None]),
        ("not_in", ["x", 1], ["y", True, []], ["x", 1, None]),
        ("gt", 1, [2, 1.5], [1, "2", True, None]),
        ("gte", 1, [1, 1.0], [0, "x"]),
        ("lt", 1, [0, -0.5], [1, False]),
        ("lte", 1, [1], [1.5]),
        ("gt", "2024-01-01", ["2024-01-02"], ["2023-12-31", 2025]),
        ("exists", None, [0, "", False, []], [None]),
        ("absent", None, [None], [0, "", False]),
    ],
)
def test_operator_is_met_by_these_values_alone(operator: str, wanted: Any, met: list[Any], unmet: list[Any]) -> None:
    condition = {"if_field": "a", "operator": operator, "if_value": wanted, "then_field": "b"}
    rules = [rule("z", condition=condition)]
    assert [judge(rules, {"a": value}).status for value in met] == ["invalid"] * len(met)
    assert [judge(rules, {"a": value}).status for value in unmet] == ["valid"] * len(unmet)


def test_absent_field_meets_absent_alone() -> None:
    operators = [("eq", "x"), ("ne", "x"), ("in", ["x"]), ("not_in", ["x"]), ("lt", 5), ("exists", None)]
    conditions = [{"if_field": "a", "operator": name, "if_value": value} for name, value in operators]
    assert judge([rule(f"f{n}", condition=said) for n, said in enumerate(conditions)], {}).status == "valid"
    assert judge([rule("b", condition={"if_field": "a", "operator": "absent"})], {}).status == "invalid"


@pytest.mark.parametrize(
    ("target", "status"),
    [({}, "invalid"), ({"b": None}, "invalid"), ({"b": ""}, "invalid"), ({"b": 5}, "invalid"), ({"b": "5"}, "valid")],
)
def test_old_form_is_equality_and_asks_for_the_type(target: dict[str, Any], status: str) -> None:
    condition = {"if_field": "a", "if_value": "x", "then_field": "b", "then_type": "text"}
    assert judge([rule("a", condition=condition)], {"a": "x", **target}).status == status


def test_broken_condition_has_a_sentence_with_both_fields() -> None:
    condition = {"if_field": "a", "operator": "gt", "if_value": 5, "then_field": "b", "then_type": "integer"}
    (result,) = judge([rule("a", "integer", condition=condition)], {"a": 6, "b": "x"}).results[1:]
    assert (result.key, result.value, result.expected_type, result.received_type) == ("b", "x", "integer", "invalid")
    assert result.validation_status == "b is wanted because of a"
    assert result.comment == "must be there as integer when a is more than 5"


def test_field_and_type_are_those_of_the_rule_unless_stated() -> None:
    rules = [rule("b", "integer", nullable=True, condition={"if_field": "a", "if_value": 1})]
    assert found(rules, {"a": 1, "b": None})[1:] == [("b", "Valid"), ("b", "b is wanted because of a")]
    assert judge(rules, {"a": 1, "b": 2}).status == "valid"


def each(condition: dict[str, Any]) -> list[Rule]:
    return [rule("rows[].a", condition=condition)]


def test_condition_within_an_array_holds_for_each_element() -> None:
    rules = each({"if_field": "rows[].a", "if_value": "x", "then_field": "rows[].b"})
    assert found(rules, {"rows": [{"a": "x", "b": 1}, {"a": "y"}, {"a": "x"}]}) == [
        ("rows[0].a", "Valid"),
        ("rows[0].b", "Valid"),
        ("rows[1].a", "Valid"),
        ("rows[2].a", "Valid"),
        ("rows[2].b", "rows[].b is wanted because of rows[].a"),
    ]


def test_condition_from_outside_an_array_holds_for_all_elements() -> None:
    rules = each({"if_field": "kind", "if_value": "x", "then_field": "rows[].b", "then_type": "integer"})
    assert judge(rules, {"kind": "x", "rows": [{"b": 1}, {"b": 2}]}).status == "valid"
    assert found(rules, {"kind": "x", "rows": [{"a": "1", "b": 1}, {"a": "1"}]})[1] == (
        "rows[].b",
        "rows[].b is wanted because of kind",
    )


def test_condition_on_an_array_is_met_by_any_element() -> None:
    rules = each({"if_field": "rows[].a", "if_value": "x", "then_field": "b"})
    assert judge(rules, {"rows": [{"a": "y"}, {"a": "x"}]}).status == "invalid"
    assert judge(rules, {"rows": [{"a": "y"}]}).status == "valid"


def test_condition_on_the_elements_themselves_is_judged() -> None:
    rules = [rule("tags[]", condition={"if_field": "tags[]", "if_value": "x", "then_type": "integer"})]
    assert judge(rules, {"tags": ["y"]}).status == "valid"
    assert judge(rules, {"tags": ["x"]}).status == "invalid"


def test_target_that_no_rule_is_about_is_shown_once() -> None:
    condition = {"if_field": "a", "if_value": "x", "then_field": "b", "then_type": "integer"}
    assert found([rule("a", condition=condition)], {"a": "y", "b": "?"}) == [("a", "Valid"), ("b", "Valid")]
    assert found([rule("a", condition=condition)], {"a": "x", "b": "?"}) == [
        ("a", "Valid"),
        ("b", "b is wanted because of a"),
    ]
