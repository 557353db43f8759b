"""What changed between two sheets, and which changes are breaking."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.events.differences import Differences, FieldChange, differ
from chalicelib.events.judge import compile_sheet
from chalicelib.events.rule_checks import check
from chalicelib.events.rules import Compat, Rule, RuleSheet, tidy
from tests.events.payloads import payloads
from tests.events.sheets import EVENT, rule, sheet
from tests.events.strategies import rules, sheets


def reasons(before: list[Rule], after: list[Rule], compat: Compat | None = None) -> tuple[str, ...]:
    return differ(sheet(*before), sheet(*after), compat or Compat()).reasons


def test_same_sheet_has_no_differences() -> None:
    one = sheet(rule("a"), rule("b[].c", "integer"))
    assert differ(one, one) == Differences("compatible", (), (), (), (), (), ())


def test_differences_are_by_event_and_field() -> None:
    before = sheet(rule("a"), rule("b"), rule("C", "integer"), Rule(event="old", path="x", type="text"))
    after = sheet(
        rule("c", "number", required=True, pii="hash"),
        rule("a"),
        rule("d[].e", "boolean"),
        Rule(event="new", path="x", type="text", required=True),
    )
    assert differ(before, after) == Differences(
        label="breaking",
        reasons=("order: c is required now",),
        events_added=("new",),
        events_removed=("old",),
        added=(FieldChange(EVENT, "d[].e"),),
        removed=(FieldChange(EVENT, "b"),),
        changed=(FieldChange(EVENT, "c", ("type", "required", "pii")),),
    )


CONDITION = {"if_field": "x", "if_value": 1}


@pytest.mark.parametrize(
    ("type_", "before", "after", "reason"),
    [
        ("text", {}, {"required": True}, "is required now"),
        ("text", {"nullable": True}, {}, "may not be null any more"),
        ("text", {"min_length": 0}, {"min_length": 0, "pattern": "x"}, "has another pattern"),
        ("text", {"pattern": "x"}, {"pattern": "y"}, "has another pattern"),
        ("text", {}, {"min_length": 2}, "has min_length 2, had 1"),
        ("text", {}, {"max_length": 9}, "has max_length 9, had None"),
        ("text", {"max_length": 9}, {"max_length": 8}, "has max_length 8, had 9"),
        ("text", {"enum": ["x", "y"]}, {"enum": ["x", "z"]}, "allows fewer values"),
        ("text", {}, {"enum": ["x"]}, "allows fewer values"),
        ("enum", {"enum": [1, "x"]}, {"enum": [True, "x"]}, "allows fewer values"),
        ("text", {"enum": ["", "x"]}, {}, "may not be blank any more"),
        ("integer", {}, {"minimum": 0}, "has minimum 0, had None"),
        ("integer", {"minimum": 0}, {"minimum": 1}, "has minimum 1, had 0"),
        ("integer", {"maximum": 1}, {"maximum": 0.5}, "has maximum 0.5, had 1"),
        ("array", {}, {"min_items": 2}, "has min_items 2, had 1"),
        ("array", {"min_items": 0}, {}, "has min_items 1, had 0"),
        ("array", {}, {"max_items": 2}, "has max_items 2, had None"),
        ("text", {}, {"condition": CONDITION}, "has another condition"),
        ("text", {"condition": CONDITION}, {"condition": {**CONDITION, "if_value": True}}, "has another condition"),
    ],
)
def test_narrower_rule_is_breaking_and_the_way_back_is_not(
    type_: str, before: dict[str, Any], after: dict[str, Any], reason: str
) -> None:
    assert reasons([rule("a", type_, **before)], [rule("a", type_, **after)]) == (f"order: a {reason}",)


@pytest.mark.parametrize(
    ("type_", "before", "after"),
    [
        ("text", {"required": True}, {}),
        ("text", {}, {"nullable": True}),
        ("text", {"pattern": "x"}, {}),
        ("text", {"min_length": 2, "max_length": 3}, {"min_length": 0, "max_length": 4}),
        ("text", {"enum": ["x"]}, {"enum": ["y", "x"]}),
        ("text", {"enum": ["x"]}, {}),
        ("integer", {"minimum": 1, "maximum": 2}, {"minimum": 0, "maximum": 2.0}),
        ("array", {}, {"min_items": 0}),
        ("text", {"condition": CONDITION}, {}),
        ("text", {}, {"pii": "drop"}),
    ],
)
def test_wider_rule_is_compatible(type_: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    assert reasons([rule("a", type_, **before)], [rule("a", type_, **after)]) == ()


@pytest.mark.parametrize(
    ("one", "other", "is_compatible"),
    [
        ("integer", "number", True),
        ("float", "number", True),
        ("date", "text", True),
        ("datetime", "text", True),
        ("number", "integer", False),
        ("text", "date", False),
        ("integer", "float", False),
        ("date", "datetime", False),
    ],
)
def test_type_may_become_wider_alone(one: str, other: str, is_compatible: bool) -> None:
    found = reasons([rule("a", one)], [rule("a", other)])
    assert found == (() if is_compatible else (f"order: a is {other}, was {one}",))


def test_choices_of_the_app_count() -> None:
    assert reasons([rule("a", "integer")], [rule("a", "float")], Compat(integer_for_float=True)) == ()
    compat = Compat(optional_absent_is_invalid=True)
    assert reasons([rule("a")], [rule("a"), rule("b")], compat) == ("order: b is new, and absent fields are invalid",)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ([rule("a")], [rule("a"), rule("b")], ()),
        ([rule("a")], [rule("a"), rule("b", required=True)], ("b is new and required",)),
        ([rule("a")], [rule("a"), rule("b", condition=CONDITION)], ("b is new and has a condition",)),
        ([rule("u", "object")], [rule("u", "object"), rule("u.n")], ()),
        (
            [rule("r", "array")],
            [rule("r", "array"), rule("r[].n")],
            ("r[].n is in an array whose elements could be anything",),
        ),
        ([rule("r[].n")], [rule("r[].n"), rule("r[].m"), rule("r", "array")], ()),
        ([rule("r[].n")], [rule("r[].n"), rule("r", "array", max_items=3)], ("r has a rule of its own now",)),
        ([rule("u")], [rule("u.n")], ("u.n wants object above it, which could be something else",)),
        ([rule("u.n")], [rule("u")], ("u has a rule of its own now",)),
        (
            [rule("u", "object"), rule("u.n", required=True)],
            [rule("u.n", required=True)],
            ("u may not be absent any more",),
        ),
        ([rule("u", "object", nullable=True), rule("u.n")], [rule("u.n")], ("u may not be null any more",)),
        ([rule("r", "array", min_items=0), rule("r[].n")], [rule("r[].n")], ("r may not be empty any more",)),
        ([rule("u", "object", required=True), rule("u.n")], [rule("u.n")], ()),
    ],
)
def test_rule_that_comes_or_goes_may_be_breaking(before: list[Rule], after: list[Rule], found: tuple[str, ...]) -> None:
    assert reasons(before, after) == tuple(f"order: {reason}" for reason in found)


@st.composite
def versions(draw: st.DrawFn) -> tuple[RuleSheet, RuleSheet]:
    """A sheet, and the one that a few edits make of it."""
    before = draw(sheets(most=4))
    after = before
    for _ in range(draw(st.integers(1, 3))):
        kept = list(after.rules)
        place = draw(st.integers(0, len(kept)))
        taken = kept.pop(place) if place < len(kept) else draw(rules())
        if draw(st.booleans()):
            kept.append(msgspec.structs.replace(taken, **draw(EDITS)))
        edited = tidy(RuleSheet(rules=tuple(kept)))
        after = edited if not check(edited) else after
    return before, after


EDITS = st.fixed_dictionaries(
    {},
    optional={
        "required": st.just(False),
        "nullable": st.booleans(),
        "min_items": st.sampled_from([None, 0, 1]),
        "min_length": st.sampled_from([None, 0, 1]),
        "max_items": st.none(),
        "enum": st.just(()),
        "condition": st.none(),
        "type": st.sampled_from(["number", "text", "object", "array"]),
    },
)


@settings(max_examples=200)
@given(st.data(), versions(), st.booleans())
def test_valid_event_stays_valid_where_the_change_is_compatible(
    data: st.DataObject, both: tuple[RuleSheet, RuleSheet], flag: bool
) -> None:
    before, after = both
    compat = Compat(optional_absent_is_invalid=flag, integer_for_float=flag)
    if differ(before, after, compat).label == "breaking":
        return
    for event in ("e", "f g"):
        payload = data.draw(payloads(before, event))
        if compile_sheet(before, compat).judge(event, payload).status == "valid":
            assert compile_sheet(after, compat).judge(event, payload).status != "invalid"
