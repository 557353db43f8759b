"""Judging events: the types, the edge cases that the old service got wrong, and what a payload may be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.events.judge import compile_sheet
from chalicelib.events.results import MOST_RESULTS, FieldResult, Judgement, makes_invalid
from chalicelib.events.rules import Compat, Rule
from tests.events.sheets import EVENT, found, judge, rule, sheet

VALID = "Valid"
WRONG = "Invalid/Wrong datatype/value"
EMPTY = "Payload value is Empty"
MISSING = "Payload not present in the log"
ABSENT = "Optional payload not present in the log"
EXTRA = "Extra key present in the log"

TYPES = ["text", "integer", "float", "number", "boolean", "date", "datetime", "array", "object"]
INTEGER_FOR_FLOAT = Compat(integer_for_float=True)
ABSENT_IS_INVALID = Compat(optional_absent_is_invalid=True)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "c d", "C_D"]), inner),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("type_", "value", "status", "received"),
    [
        ("text", "x", VALID, "text"),
        ("text", "2024-01-02", VALID, "date"),
        ("text", "2024-01-02 03:04:05", VALID, "date"),
        ("text", 5, WRONG, "integer"),
        ("text", True, WRONG, "boolean"),
        ("text", "  ", WRONG, "text"),
        ("string", "x", VALID, "text"),
        ("integer", 5, VALID, "integer"),
        ("integer", 0, VALID, "integer"),
        ("integer", True, WRONG, "boolean"),
        ("integer", 1.0, WRONG, "float"),
        ("integer", "1", WRONG, "text"),
        ("float", 1.5, VALID, "float"),
        ("float", 1.0, VALID, "float"),
        ("float", 1, WRONG, "integer"),
        ("float", "1.5", WRONG, "text"),
        ("float", True, WRONG, "boolean"),
        ("number", 1, VALID, "integer"),
        ("number", 1.5, VALID, "float"),
        ("number", False, WRONG, "boolean"),
        ("boolean", True, VALID, "boolean"),
        ("boolean", False, VALID, "boolean"),
        ("boolean", "true", WRONG, "text"),
        ("boolean", 0, WRONG, "integer"),
        ("boolean", 1, WRONG, "integer"),
        ("date", "2024-02-29 23:59:59", VALID, "date"),
        ("date", "2024-99-99 77:00:00", WRONG, "text"),
        ("date", "2023-02-29 00:00:00", WRONG, "text"),
        ("date", "2024-01-02T03:04:05", WRONG, "text"),
        ("date", "2024-01-02T03:04:05Z", WRONG, "datetime"),
        ("date", "2024-01-02", WRONG, "date"),
        ("date", "2024-01-02 03:04:05\n", WRONG, "text"),
        ("date", "٢٠٢٤-01-02 03:04:05", WRONG, "text"),
        ("datetime", "2024-01-02T03:04:05Z", VALID, "datetime"),
        ("datetime", "2024-01-02t03:04:05.123456789+05:30", VALID, "datetime"),
        ("datetime", "2016-12-31T23:59:60Z", VALID, "datetime"),
        ("datetime", "2024-01-02T03:04:05", WRONG, "text"),
        ("datetime", "2024-01-32T03:04:05Z", WRONG, "text"),
        ("datetime", "2024-01-02T24:00:00Z", WRONG, "text"),
        ("array", [1], VALID, "array"),
        ("array", {"0": 1}, WRONG, "object"),
        ("object", {}, VALID, "object"),
        ("object", [], WRONG, "array"),
    ],
)
def test_type_accepts_what_the_table_says(type_: str, value: object, status: str, received: str) -> None:
    (result,) = judge([rule("a", type_)], {"a": value}).results
    assert (result.validation_status, result.received_type) == (status, received)


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("value", [None, ""])
def test_null_and_empty_texts_are_empty_for_every_type(type_: str, value: object) -> None:
    judgement = judge([rule("a", type_)], {"a": value})
    assert judgement.status == "invalid"
    assert [result.validation_status for result in judgement.results] == [EMPTY]


def test_dates_of_the_one_event_with_an_agreement_are_days() -> None:
    compiled = compile_sheet(sheet(Rule(event="User_Profile_Push", path="born", type="date")))
    days = ["1990-12-31", "1990-12-31 10:00:00", "1990-02-30"]
    statuses = [compiled.judge("user_profile_push", {"born": day}).status for day in days]
    assert statuses == ["valid", "invalid", "invalid"]


def test_integer_may_be_a_float_where_the_app_says_so() -> None:
    assert found([rule("a", "float")], {"a": 1}, INTEGER_FOR_FLOAT) == [("a", VALID)]
    assert found([rule("a", "float")], {"a": True}, INTEGER_FOR_FLOAT) == [("a", WRONG)]


REQUIRED_IN_EACH = [rule("items[].p", "number", required=True)]
CONDITION = {"if_field": "Pay Method", "if_value": "card", "then_field": "card_no", "then_type": "text"}
WITH_CONDITION = [rule("pay_method", condition=CONDITION)]
BROKEN = "card_no is wanted because of Pay Method"


@pytest.mark.parametrize(
    ("rules", "payload", "status", "results"),
    [
        pytest.param([rule("a", required=True)], {"a": None}, "invalid", [("a", EMPTY)], id="required but null"),
        pytest.param([rule("a")], {}, "valid", [("a", ABSENT)], id="optional absent"),
        pytest.param(
            [rule("u.n", required=True)], {"u": {"n": "x"}}, "valid", [("u.n", VALID)], id="required nested present"
        ),
        pytest.param(
            REQUIRED_IN_EACH,
            {"items": [{"p": 1}, {}, {"p": "x"}]},
            "invalid",
            [("items[0].p", VALID), ("items[1].p", MISSING), ("items[2].p", WRONG)],
            id="required in each element",
        ),
        pytest.param([rule("u.n")], {"u": {"n": "x"}}, "valid", [("u.n", VALID)], id="parent of nested is expected"),
        pytest.param(
            WITH_CONDITION,
            {"pay_method": "card", "card_no": ""},
            "invalid",
            [("card_no", BROKEN), ("pay_method", VALID)],
            id="condition met and target empty",
        ),
        pytest.param(
            WITH_CONDITION,
            {"pay_method": "card", "card_no": None},
            "invalid",
            [("card_no", BROKEN), ("pay_method", VALID)],
            id="condition met and target null",
        ),
        pytest.param(
            WITH_CONDITION,
            {"pay_method": "card", "card_no": "4"},
            "valid",
            [("card_no", VALID), ("pay_method", VALID)],
            id="target of a condition alone is expected",
        ),
        pytest.param(
            WITH_CONDITION,
            {"PAY METHOD": "card"},
            "invalid",
            [("card_no", BROKEN), ("pay_method", VALID)],
            id="field of a condition is found by its folded name",
        ),
        pytest.param(
            [rule("b", "integer", condition={"if_field": "u.total", "operator": "gte", "if_value": 5})],
            {"u": {"Total": 5.0}},
            "invalid",
            [("b", ABSENT), ("b", "b is wanted because of u.total"), ("u", EXTRA)],
            id="condition with an operator on a nested field",
        ),
        pytest.param([rule("a", pattern="^x+$")], {"a": "xy"}, "invalid", [("a", WRONG)], id="pattern"),
        pytest.param([rule("a", "integer", minimum=3)], {"a": 2}, "invalid", [("a", WRONG)], id="range"),
        pytest.param([rule("a", "enum", enum=["x", "y"])], {"a": "z"}, "invalid", [("a", WRONG)], id="enum"),
        pytest.param([rule("a", min_length=3)], {"a": "ab"}, "invalid", [("a", WRONG)], id="length"),
        pytest.param([rule("a", "array", min_items=2)], {"a": [1]}, "invalid", [("a", WRONG)], id="min items"),
        pytest.param([rule("a", "array", max_items=1)], {"a": [1, 2]}, "invalid", [("a", WRONG)], id="max items"),
        pytest.param(
            [rule("a")], {"a": "x", "b": 1}, "valid", [("a", VALID), ("b", EXTRA)], id="extra keys make none invalid"
        ),
    ],
)
def test_edge_case_is_judged_as_it_should_be(
    rules: list[Rule], payload: dict[str, Any], status: str, results: list[tuple[str, str]]
) -> None:
    assert judge(rules, payload).status == status
    assert found(rules, payload) == results


def test_event_without_rules_is_neither_valid_nor_invalid() -> None:
    judgement = compile_sheet(sheet(rule("a"))).judge(" Other ", {"b": 1, "a": "x", "c": []})
    assert judgement == Judgement(
        "no_rules",
        (
            FieldResult("other", "a", "x", "EXTRA", "text", "Extra event (not in sheet)"),
            FieldResult("other", "b", "1", "EXTRA", "integer", "Payload from extra event"),
            FieldResult("other", "c", "[0 items]", "EXTRA", "array", "Payload from extra event"),
        ),
    )


def test_event_whose_rules_are_gone_and_that_has_no_payload_has_no_rules() -> None:
    assert compile_sheet(sheet()).judge(EVENT, {}) == Judgement("no_rules", ())


def test_result_tells_what_came_and_what_was_expected() -> None:
    assert judge([rule("Total", "float", maximum=5)], {"total": 7.5}).results == (
        FieldResult(EVENT, "Total", "7.50", "float", "float", WRONG, "must be at most 5"),
    )


def test_absent_optional_field_is_invalid_where_the_app_says_so() -> None:
    rules = [rule("a"), rule("u.n"), rule("items[].p")]
    assert found(rules, {}, ABSENT_IS_INVALID) == [("a", MISSING), ("u.n", MISSING), ("items[].p", MISSING)]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.0, "1.00"),
        (1.5, "1.50"),
        (1.125, "1.125"),
        (1e22, "1e+22"),
        (-0.1, "-0.10"),
        (7, "7"),
        (True, "true"),
        (None, "null"),
        ("x" * 1001, "x" * 1000 + "…"),
        ([1, 2], "[2 items]"),
        ({"a": 1}, "{1 fields}"),
        (10**2000, "integer of 6644 bits"),
    ],
)
def test_value_is_shown_as_text_of_a_bounded_length(value: object, shown: str) -> None:
    (result,) = judge([rule("b")], {"b": "x", "a": value}).results[:1]
    assert result.value == shown


def test_results_are_plain_fields_by_name_then_arrays_by_name_number_and_field() -> None:
    rules = [rule(path) for path in ("z", "b[].y", "b[].x.w", "b[].c[].d", "a.k", "a.j[].t", "m")]
    one = {"y": "1", "x": {"w": "1"}, "c": [{"d": "1"}], "extra": 1}
    payload = {"z": "1", "b": [one] * 11, "a": {"k": "1", "j": [{"t": "1"}]}, "n": 1}
    keys = [result.key for result in judge(rules, payload).results]
    each = [key for i in range(11) for key in (f"b[{i}].extra", f"b[{i}].x.w", f"b[{i}].y", f"b[{i}].c[0].d")]
    assert keys == ["a.k", "m", "n", "z", "a.j[0].t", *each]


@pytest.mark.parametrize(
    ("payload", "results"),
    [
        ({}, [("u.n", MISSING), ("rows[].a.b", MISSING)]),
        ({"u": None, "rows": None}, [("u.n", EMPTY), ("rows[].a.b", EMPTY)]),
        ({"u": "", "rows": []}, [("u.n", EMPTY), ("rows[].a.b", EMPTY)]),
        ({"u": 5, "rows": {}}, [("u.n", WRONG), ("rows[].a.b", WRONG)]),
        (
            {"u": {}, "rows": [5, None, {}, {"a": 1}, {"a": {"b": "x"}}]},
            [
                ("u.n", MISSING),
                ("rows[0].a.b", WRONG),
                ("rows[1].a.b", EMPTY),
                ("rows[2].a.b", MISSING),
                ("rows[3].a.b", WRONG),
                ("rows[4].a.b", VALID),
            ],
        ),
    ],
)
def test_field_that_cannot_be_there_is_reported_by_its_path(
    payload: dict[str, Any], results: list[tuple[str, str]]
) -> None:
    assert found([rule("u.n", required=True), rule("rows[].a.b", required=True)], payload) == results


def test_required_field_of_an_optional_object_is_wanted_only_in_it() -> None:
    rules = [rule("u", "object", nullable=True), rule("u.n", required=True)]
    assert found(rules, {}) == [("u", ABSENT)]
    assert found(rules, {"u": None}) == [("u", VALID)]
    assert found(rules, {"u": {}}) == [("u", VALID), ("u.n", MISSING)]
    assert found(rules, {"u": "x"}) == [("u", WRONG)]


def test_empty_array_is_allowed_where_the_rule_says_so() -> None:
    assert found([rule("a", "array")], {"a": []}) == [("a", EMPTY)]
    assert found([rule("a", "array", min_items=0), rule("a[].b", required=True)], {"a": []}) == [("a", VALID)]


def test_blank_text_is_allowed_where_the_rule_says_so() -> None:
    assert found([rule("a", min_length=0)], {"a": ""}) == [("a", VALID)]
    assert found([rule("a", min_length=0)], {"a": "  "}) == [("a", VALID)]
    assert found([rule("a", "enum", enum=["", "x"])], {"a": ""}) == [("a", VALID)]


def test_null_is_allowed_where_the_rule_says_so() -> None:
    assert found([rule("a", "integer", nullable=True)], {"a": None}) == [("a", VALID)]
    assert found([rule("a", "integer", nullable=True)], {"a": ""}) == [("a", EMPTY)]


def test_elements_of_arrays_of_arrays_are_judged() -> None:
    rules = [rule("a[]", "array"), rule("a[][]", "integer")]
    assert found(rules, {"a": [[1, "x"], []]}) == [
        ("a[0]", VALID),
        ("a[0][0]", VALID),
        ("a[0][1]", WRONG),
        ("a[1]", EMPTY),
    ]


def test_of_keys_that_are_folded_alike_the_last_one_counts() -> None:
    assert found([rule("Card Name")], {"card_name": 5, "CARD NAME": "x"}) == [("Card Name", VALID)]
    assert found([rule("Card Name")], {"CARD NAME": "x", "card_name": 5}) == [("Card Name", WRONG)]


def test_event_and_leading_payload_are_found_whatever_their_case() -> None:
    compiled = compile_sheet(sheet(Rule(event=" Order ", path="Payload.A", type="TEXT")))
    assert compiled.judge("ORDER", {"a": "x"}).status == "valid"


def test_compiled_sheet_knows_its_events() -> None:
    compiled = compile_sheet(sheet(rule("a"), rule("u.n"), Rule(event="Other", path="x", type="text")))
    assert compiled.events == {EVENT, "other"}


def test_enum_tells_numbers_from_truth_values() -> None:
    rules = [rule("a", "enum", enum=[1, "true"])]
    verdicts = [judge(rules, {"a": value}).status for value in (1, 1.0, True, "true", "1", [1])]
    assert verdicts == ["valid", "valid", "invalid", "valid", "invalid", "invalid"]


def test_pattern_is_found_anywhere_unless_it_is_bound() -> None:
    assert judge([rule("a", pattern="[0-9]")], {"a": "ab1c"}).status == "valid"
    assert judge([rule("a", pattern="^é$")], {"a": "é"}).status == "valid"


def test_pattern_takes_time_linear_in_the_text() -> None:
    # Of a backtracking matcher the end would not be seen.
    assert judge([rule("a", pattern="^(a+)+$")], {"a": "a" * 100_000 + "b"}).status == "invalid"


def test_deep_payload_is_judged() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"a": deep, "b": [deep]}
    assert judge([rule("a.a.a")], deep).status == "invalid"


def test_more_results_than_can_be_shown_are_counted() -> None:
    results = judge([rule("a[]", "integer")], {"a": list(range(3_000))}).results
    assert len(results) <= MOST_RESULTS
    assert results[-1] == FieldResult(
        EVENT, "...", "", "EXTRA", "unknown", "Further results left out", f"{3_000 - len(results) + 1} more"
    )


def test_invalid_field_behind_what_can_be_shown_counts_and_is_shown() -> None:
    judgement = judge([rule("a[]", "integer")], {"a": [*range(3_000), "x", *range(3_000), "y"]})
    assert judgement.status == "invalid"
    assert [result.key for result in judgement.results if makes_invalid(result)] == ["a[3000]"]


RULES = [
    rule("a", required=True, nullable=True, condition={"if_field": "b", "operator": "exists", "then_field": "c d.a"}),
    rule("b[].a", "integer"),
    rule("b[].b[]", pattern="^a"),
    rule("c d", "object"),
    rule("c d.c d[].b", "number", minimum=0),
]


@given(st.dictionaries(st.sampled_from(["a", "b", "c d", "C_D", "x"]), JSON), st.booleans())
def test_any_payload_is_judged_and_the_verdict_follows_from_the_results(payload: dict[str, Any], flag: bool) -> None:
    judgement = judge(RULES, payload, Compat(optional_absent_is_invalid=flag, integer_for_float=flag))
    assert judgement.status == ("invalid" if any(map(makes_invalid, judgement.results)) else "valid")
    assert all(len(result.value) <= 1001 for result in judgement.results)
