"""Personal data: what is kept of it in the event, and that no result shows it."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.events.judge import compile_sheet
from chalicelib.events.privacy import redact
from chalicelib.events.rules import Rule
from tests.events.sheets import EVENT, judge, rule, sheet

SALT = b"salt"
SECRET = "Geheimnis"


def redacted(rules: list[Rule], body: dict[str, Any]) -> Any:  # any JSON
    return redact(compile_sheet(sheet(*rules)), EVENT, body, SALT)


def hashed(text: str) -> str:
    return "sha256:" + hmac.new(SALT, text.encode(), hashlib.sha256).hexdigest()


def test_value_is_hashed_with_the_salt() -> None:
    rules = [rule("email", pii="hash"), rule("age", "integer", pii="hash"), rule("name")]
    assert redacted(rules, {"eventName": EVENT, "payload": {"Email": "a@b", "age": 5, "name": "Ann"}}) == {
        "eventName": EVENT,
        "payload": {"Email": hashed('"a@b"'), "age": hashed("5"), "name": "Ann"},
    }


def test_objects_that_say_the_same_have_one_hash() -> None:
    rules = [rule("u", "object", pii="hash")]
    wanted = {"u": hashed('{"a":1,"b":"\\u00e9"}')}
    assert redacted(rules, {"u": {"b": "é", "a": 1}}) == wanted
    assert redacted(rules, {"u": {"a": 1, "b": "é"}}) == wanted


def test_value_is_dropped_wherever_it_is() -> None:
    rules = [rule("a", pii="drop"), rule("u.b", pii="drop"), rule("rows[].c", pii="drop"), rule("tags[]", pii="drop")]
    payload = {"a": 1, "u": {"b": 1, "k": 2}, "rows": [{"c": 1}, {"C": 2, "k": 3}], "tags": ["x", None]}
    kept = {"u": {"k": 2}, "rows": [{}, {"k": 3}], "tags": [None, None]}
    assert redacted(rules, {"payload": payload}) == {"payload": kept}
    assert redacted(rules, {**payload, "eventName": EVENT}) == {**kept, "eventName": EVENT}


def test_all_names_that_are_folded_alike_are_hidden() -> None:
    assert redacted([rule("Card No", pii="drop")], {"payload": {"card_no": 1, "CARD NO": 2}}) == {"payload": {}}


def test_what_stands_where_personal_data_would_be_in_is_left_out() -> None:
    rules = [rule("user.email", pii="hash"), rule("rows[].email", pii="hash")]
    assert redacted(rules, {"user": SECRET, "rows": {"email": SECRET}, "k": 1}) == {"k": 1}
    assert redacted(rules, {"user": [{"email": SECRET}], "rows": [SECRET, None, {"k": 1}]}) == {
        "rows": [None, None, {"k": 1}]
    }


def test_event_without_personal_data_is_left_as_it_is() -> None:
    body = {"a": "x"}
    assert redacted([rule("a")], body) is body
    assert redact(compile_sheet(sheet(rule("a", pii="drop"))), "other", body, SALT) is body


def test_original_is_not_changed() -> None:
    body = {"payload": {"rows": [{"c": 1}]}}
    redacted([rule("rows[].c", pii="drop")], body)
    assert body == {"payload": {"rows": [{"c": 1}]}}


def test_value_that_cannot_be_written_is_left_out() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    assert redacted([rule("a", "object", pii="hash")], {"a": deep, "b": 10**5000}) == {"b": 10**5000}


def test_hash_without_a_salt_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 byte"):
        redact(compile_sheet(sheet(rule("a", pii="hash"))), EVENT, {}, b"")


def test_result_does_not_show_personal_data() -> None:
    (result,) = judge([rule("a", "integer", pii="hash")], {"a": SECRET}).results
    assert (result.value, result.received_type, result.comment) == (
        "[hidden]",
        "text",
        "must be a number without a fraction",
    )


PII = st.sampled_from(["hash", "drop"])
# Where a secret may stand, also where something else was expected.
SECRETS = st.recursive(
    st.just(SECRET),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=2)
        | st.dictionaries(st.sampled_from(["email", "name", "a"]), inner, min_size=1)
        | st.dictionaries(st.just(SECRET), inner, min_size=1)
    ),
    max_leaves=4,
)


@given(PII, st.fixed_dictionaries({}, optional=dict.fromkeys(("user", "rows", "email", "tags", "deep"), SECRETS)))
def test_secret_is_nowhere_in_what_is_kept(pii: str, payload: dict[str, Any]) -> None:
    condition = {"if_field": "email", "if_value": SECRET, "then_field": "user.email", "then_type": "integer"}
    rules = [
        rule("user", "object", pii=pii),
        rule("user.email", "integer", max_length=None, condition=condition),
        rule("rows[]", "object", pii=pii),
        rule("rows[].email", required=True),
        rule("email", pii=pii, enum=["a"]),
        rule("tags[]", "integer", pii=pii),
        rule("deep[].a.email", pii=pii),
        rule("deep[].a.name", "integer", pii=pii),
    ]
    # Beside marked fields there is nothing personal: what is in them may be anything.
    payload = {**payload, "deep": [{"a": {"email": each}} for each in payload.get("deep", []) if each]}
    assert SECRET.encode() not in msgspec.json.encode(redacted(rules, {"payload": payload}))
    assert SECRET.encode() not in msgspec.json.encode(judge(rules, payload))


@given(SECRETS)
def test_secret_in_the_place_of_an_array_or_object_is_nowhere_in_what_is_kept(value: Any) -> None:
    rules = [rule("a[]", pii="hash"), rule("b[]", "array"), rule("b[][]", "integer", pii="drop")]
    payload = {"a": value, "b": value}
    assert SECRET.encode() not in msgspec.json.encode(redacted(rules, payload))
    assert SECRET.encode() not in msgspec.json.encode(judge(rules, payload))


@given(st.recursive(st.just(SECRET), lambda inner: st.lists(inner, min_size=1, max_size=2), max_leaves=3))
def test_secret_above_fields_of_which_one_is_personal_is_nowhere_in_what_is_kept(value: Any) -> None:
    rules = [rule("u.email", pii="hash"), rule("u.name"), rule("r[].email", pii="hash"), rule("r[].name")]
    payload = {"u": value, "r": value}
    assert SECRET.encode() not in msgspec.json.encode(redacted(rules, payload))
    assert SECRET.encode() not in msgspec.json.encode(judge(rules, payload))
