"""Judging events again from what is kept of them: personal data keeps its verdict, all else is judged anew."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.events.again import Again, judge_again
from chalicelib.events.judge import compile_sheet
from chalicelib.events.privacy import redact
from chalicelib.events.results import FieldResult, makes_invalid
from chalicelib.events.rules import Compat, Rule, RuleSheet, tidy
from tests.events.payloads import payloads
from tests.events.sheets import EVENT, rule, sheet
from tests.events.strategies import sheets

SALT = b"salt"
OK, WRONG, EMPTY = "Valid", "Invalid/Wrong datatype/value", "Payload value is Empty"
MISSING, EXTRA_KEY = "Payload not present in the log", "Extra key present in the log"


def again(old: list[Rule], new: list[Rule], payload: dict[str, Any]) -> Again | None:
    """The event is judged by the old rules and stored, and then judged by the new ones."""
    before = compile_sheet(sheet(*old))
    results = before.judge(EVENT, payload).results
    kept = redact(before, EVENT, {"payload": payload}, SALT)["payload"]
    return judge_again(compile_sheet(sheet(*new)), EVENT, kept, results)


def said(found: Again | None) -> tuple[str, list[tuple[str, str, str]], int]:
    assert found is not None
    results = [(each.key, each.value, each.validation_status) for each in found.judgement.results]
    return found.judgement.status, results, found.kept


def test_field_is_judged_by_the_new_rule() -> None:
    found = again([rule("a", "integer")], [rule("a"), rule("b", required=True)], {"a": "x", "c": 1})
    assert said(found) == ("invalid", [("a", "x", OK), ("b", "", MISSING), ("c", "1", EXTRA_KEY)], 0)


@pytest.mark.parametrize("pii", ["hash", "drop"])
@pytest.mark.parametrize(("value", "status", "verdict"), [(5, OK, "valid"), ("x", WRONG, "invalid")])
def test_personal_data_keeps_its_verdict(pii: str, value: object, status: str, verdict: str) -> None:
    old = [rule("age", "integer", required=True, pii=pii), rule("a", "integer")]
    new = [rule("age", "boolean", required=True), rule("a")]
    assert said(again(old, new, {"age": value, "a": "x"})) == (
        verdict, [("a", "x", OK), ("age", "[hidden]", status)], 1,
    )  # fmt: skip


def test_personal_data_that_was_not_sent_is_judged() -> None:
    old, new = [rule("age", "integer", pii="drop")], [rule("age", "integer", pii="drop", required=True)]
    assert said(again(old, new, {})) == ("invalid", [("age", "", MISSING)], 0)
    assert said(again(old, new, {"age": None})) == ("invalid", [("age", "[hidden]", EMPTY)], 0)


def test_field_that_is_personal_from_now_on_is_judged_from_what_is_kept_and_hidden() -> None:
    found = again([rule("age")], [rule("age", "integer", pii="drop")], {"age": "x"})
    assert said(found) == ("invalid", [("age", "[hidden]", WRONG)], 0)
    # And once more: what is kept is still there.
    assert found is not None
    third = judge_again(compile_sheet(sheet(rule("age"))), EVENT, {"age": "x"}, found.judgement.results)
    assert said(third) == ("valid", [("age", "x", OK)], 0)


@pytest.mark.parametrize("pii", ["hash", "drop"])
def test_rule_that_goes_takes_its_verdict_with_it_and_the_field_stays_known(pii: str) -> None:
    old = [rule("age", "integer", pii=pii), rule("a")]
    first = again(old, [rule("a")], {"age": "x", "a": "y"})
    assert first is not None
    verdict, results, kept = said(first)
    assert (verdict, sorted(results), kept) == ("valid", [("a", "y", OK), ("age", "[hidden]", EXTRA_KEY)], 0)
    body = redact(compile_sheet(sheet(*old)), EVENT, {"age": "x", "a": "y"}, SALT)
    strict = compile_sheet(sheet(rule("age", "boolean", required=True), rule("a")))
    verdict, results, kept = said(judge_again(strict, EVENT, body, first.judgement.results))
    assert (verdict, sorted(results), kept) == ("valid", [("a", "y", OK), ("age", "[hidden]", EXTRA_KEY)], 1)


def test_event_that_has_no_rules_any_more_has_no_verdict() -> None:
    old = [rule("age", "integer", pii="drop")]
    before = compile_sheet(sheet(*old))
    results = before.judge(EVENT, {"age": "x", "b": 1}).results
    found = judge_again(compile_sheet(RuleSheet()), EVENT, {"b": 1}, results)
    assert said(found) == (
        "no_rules",
        [("b", "1", "Extra event (not in sheet)"), ("age", "[hidden]", "Payload from extra event")],
        0,
    )


def test_fields_below_one_that_is_gone_are_not_missing() -> None:
    old = [rule("user", "object", pii="drop")]
    new = [rule("user.name", required=True), rule("a", required=True)]
    verdict, results, kept = said(again(old, new, {"user": {"name": "Ann"}, "a": "x"}))
    assert (verdict, results[0], kept) == ("valid", ("a", "x", OK), 1)


def test_elements_that_are_gone_do_not_make_an_array_empty() -> None:
    old = [rule("tags", "array"), rule("tags[]", "integer", pii="drop")]
    found = again(old, [rule("tags", "array"), rule("tags[]", "text", pii="drop")], {"tags": [1, "x"]})
    assert said(found) == (
        "invalid",
        [("tags", "[hidden]", OK), ("tags[0]", "[hidden]", OK), ("tags[1]", "[hidden]", WRONG)],
        2,
    )


def test_other_fields_of_elements_are_judged() -> None:
    secret = rule("rows[].secret", pii="drop")
    found = again([secret, rule("rows[].n", "integer")], [secret, rule("rows[].n")], {"rows": [{"secret": 1, "n": 2}]})
    verdict, results, kept = said(found)
    assert (verdict, results, kept) == (
        "invalid", [("rows[0].n", "2", WRONG), ("rows[0].secret", "[hidden]", WRONG)], 1,
    )  # fmt: skip


@pytest.mark.parametrize("pii", ["hash", "drop"])
@pytest.mark.parametrize("consent", ["yes", None])
def test_condition_on_personal_data_keeps_its_verdict(pii: str, consent: str | None) -> None:
    wants = {"if_field": "email", "operator": "eq", "if_value": "a@b", "then_field": "consent", "then_type": "text"}
    old = [rule("email", pii=pii, condition=wants), rule("consent", nullable=True), rule("n")]
    new = [rule("email", pii=pii, condition=wants), rule("consent", nullable=True), rule("n", "integer")]
    verdict, results, kept = said(again(old, new, {"email": "a@b", "consent": consent, "n": 1}))
    broken = [status for key, _, status in results if status not in (OK, WRONG, EMPTY)]
    assert broken == ([] if consent else ["consent is wanted because of email"])
    assert (verdict, kept) == ("valid" if consent else "invalid", 2)


def test_condition_that_goes_takes_its_verdict_with_it() -> None:
    wants = {"if_field": "email", "operator": "exists", "then_field": "consent"}
    found = again([rule("email", pii="drop", condition=wants)], [rule("email", pii="drop")], {"email": "x"})
    assert said(found) == ("valid", [("email", "[hidden]", OK)], 1)


def test_condition_that_wants_personal_data_which_came_is_not_broken() -> None:
    wants = {"if_field": "a", "operator": "exists", "then_field": "email"}
    found = again([rule("email", pii="drop"), rule("a")], [rule("email"), rule("a", condition=wants)],
                  {"email": "x", "a": "y"})  # fmt: skip
    assert said(found) == ("valid", [("a", "y", OK), ("email", "[hidden]", OK)], 2)


def test_event_of_too_many_results_is_not_judged_where_it_has_personal_data() -> None:
    many = {f"k{number}": 1 for number in range(1_200)}
    assert again([rule("email", pii="drop")], [rule("email", pii="drop")], many | {"email": "x"}) is None
    assert said(again([rule("a")], [rule("a", "integer")], many | {"a": "x"}))[0] == "invalid"


def test_text_that_says_hidden_is_judged_like_any_other() -> None:
    assert said(again([rule("a")], [rule("a", "integer")], {"a": "[hidden]"}))[:2] == (
        "invalid", [("a", "[hidden]", WRONG)],
    )  # fmt: skip


def test_element_that_is_left_out_leaves_the_others_where_they_were() -> None:
    rules = [rule("c[]", "object"), rule("c[].a", "integer", pii="hash")]
    found = again(rules, [*rules, rule("c[].b", required=True)], {"c": ["x", {"a": 1, "b": "y"}]})
    assert said(found) == (
        "invalid",
        [("c[0]", "[hidden]", WRONG), ("c[1]", "[hidden]", OK), ("c[1].a", "[hidden]", OK), ("c[1].b", "y", OK)],
        2,
    )


def test_length_of_an_array_of_personal_data_is_judged() -> None:
    old = [rule("tags", "array"), rule("tags[]", pii="drop")]
    new = [rule("tags", "array", max_items=1), rule("tags[]", pii="drop")]
    assert said(again(old, new, {"tags": ["x", "y"]}))[0] == "invalid"


def test_hidden_results_keep_their_order() -> None:
    old = [rule(f"f{number}", pii="drop") for number in range(30)]
    payload = {f"f{number}": "x" for number in range(30)}
    found = again(old, [rule("a")], payload)
    assert [key for key, _, _ in said(found)[1]] == ["a", *sorted(payload)]


@st.composite
def events(draw: st.DrawFn) -> tuple[RuleSheet, str, dict[str, Any]]:
    rules = draw(sheets())
    event = draw(st.sampled_from(sorted({each.event for each in rules.rules})))
    return rules, event, draw(payloads(rules, event))


def counted(results: tuple[FieldResult, ...]) -> Counter[FieldResult]:
    return Counter(results)


@settings(max_examples=400)
@given(given_event=events())
def test_same_rules_say_the_same_again(given_event: tuple[RuleSheet, str, dict[str, Any]]) -> None:
    rules, event, payload = given_event
    compiled = compile_sheet(rules, Compat())
    first = compiled.judge(event, payload)
    kept = redact(compiled, event, {"payload": payload}, SALT)["payload"]
    found = judge_again(compiled, event, kept, first.results)
    assert found is not None
    assert found.judgement.status == first.status
    second = judge_again(compiled, event, kept, found.judgement.results)
    assert second == found


@settings(max_examples=400)
@given(given_event=events(), other=sheets())
def test_rules_without_a_say_in_personal_data_find_what_they_find_in_the_event_itself(
    given_event: tuple[RuleSheet, str, dict[str, Any]], other: RuleSheet
) -> None:
    old, event, payload = given_event
    # Names of their own, beside those of the old sheet.
    moved = [msgspec.structs.replace(each, event=event, path=f"z.{each.path}", condition=None) for each in other.rules]
    new = tidy(RuleSheet(rules=tuple(moved)))
    body = payload | {"z": dict(payload)}
    before, after = compile_sheet(old), compile_sheet(new)
    results = before.judge(event, body).results
    kept = redact(before, event, {"payload": body}, SALT)["payload"]
    found = judge_again(after, event, kept, results)
    assert found is not None
    whole = after.judge(event, body)
    assert found.kept == 0
    assert found.judgement.status == whole.status
    faults = [each for each in found.judgement.results if makes_invalid(each)]
    assert counted(tuple(faults)) == counted(tuple(filter(makes_invalid, whole.results)))
