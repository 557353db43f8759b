"""Rules over HTTP: uploaded, held against the ones before and against events, and used within seconds."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib import kinds
from chalicelib.api.http import Answer
from chalicelib.db.connect import Database
from chalicelib.jobs.queue import Delivery
from chalicelib.storing import EventWorker
from tests.api.calls import details, document
from tests.db.desks import Desk, desk, expect
from tests.db.test_database import query

CSV = b"eventName,eventPayload,dataType,required\nuser_login,userId,integer,true\n,plan,text,false\nlogout,at,date,\n"
USER_ID = {"event": "user_login", "path": "userId", "type": "integer", "required": True}
PLAN = {"event": "user_login", "path": "plan", "type": "text"}
AT = {"event": "logout", "path": "at", "type": "date"}
RULES = "/api/apps/shop/rules"


@pytest.fixture
def ann(database: Database) -> Desk:
    ann = desk(database, "Ann")
    ann.post("/api/apps", {"name": "Shop", "app_id": "shop"})
    return ann


def upload(who: Desk, body: object, query: str = "", media: str = "application/json") -> Answer:
    authorization = f"Bearer {who.token}"
    return who.api.call("POST", f"{RULES}{query}", body, authorization=authorization, content_type=media)


def send(who: Desk, *bodies: dict[str, Any]) -> list[int]:
    """Sends events and has them stored; answers what each was answered."""
    who.api.parts.clock.sleep(10)
    codes = [who.api.call("POST", "/api/logs/shop", body).status for body in bodies]
    deliveries = [Delivery("d", body, "r") for _, body in who.api.parts.queues.posted]
    who.api.parts.queues.posted.clear()
    EventWorker(who.api.runtime, kinds.registry("local")).settle(deliveries)
    return codes


def test_csv_file_becomes_the_first_version_and_judges_events(ann: Desk, dsn: str) -> None:
    login = {"eventName": "User_Login", "userId": "x"}
    assert send(ann, login) == [202]
    change = expect(upload(ann, CSV, media="text/csv; charset=utf-8"), 201)
    assert (change["version"], change["is_dry_run"], change["rules"]) == (1, False, 3)
    assert change["differences"]["events_added"] == ["logout", "user_login"]
    assert send(ann, login, {"eventName": "user_login", "userId": 1}) == [422, 202]
    stored = query(dsn, "SELECT status, rules_version FROM log_entries ORDER BY id")
    assert stored == [("no_rules", 0), ("invalid", 1), ("valid", 1)]
    assert ann.get(RULES) == {"version": 1, "rules": [USER_ID, PLAN, AT]}


def test_json_makes_the_next_version_and_the_one_before_stays(ann: Desk) -> None:
    expect(upload(ann, {"rules": [USER_ID]}), 201)
    change = expect(upload(ann, {"rules": [USER_ID | {"type": "text"}, PLAN]}), 201)
    assert (change["version"], change["differences"]["label"]) == (2, "breaking")
    assert change["differences"]["changed"] == [{"event": "user_login", "path": "userId", "attributes": ["type"]}]
    assert ann.get(f"{RULES}?version=1") == {"version": 1, "rules": [USER_ID]}
    listed = ann.get(f"{RULES}/versions")
    assert [(each["version"], each["rules"], each["label"], each["source"]) for each in listed["versions"]] == [
        (2, 2, "breaking", "upload"),
        (1, 1, "first", "upload"),
    ]
    assert listed["current"] == 2
    assert ann.call("GET", f"{RULES}?version=3").status == 404
    assert ann.call("GET", f"{RULES}?version=x").status == 404


def test_same_rules_make_no_version(ann: Desk) -> None:
    expect(upload(ann, {"rules": [USER_ID]}), 201)
    change = expect(upload(ann, {"rules": [USER_ID | {"event": " USER_LOGIN "}]}), 200)
    assert change["version"] == 1


def test_roll_back_makes_a_version_of_the_old_rules(ann: Desk) -> None:
    expect(upload(ann, {"rules": [USER_ID]}), 201)
    expect(upload(ann, {"rules": [PLAN]}), 201)
    assert send(ann, {"eventName": "user_login", "userId": "x", "plan": "a"}) == [202]
    change = expect(ann.call("POST", f"{RULES}/rollback", {"version": 1}), 201)
    assert (change["version"], change["differences"]["label"]) == (3, "breaking")
    assert send(ann, {"eventName": "user_login", "userId": "x", "plan": "a"}) == [422]
    assert ann.get(f"{RULES}/versions")["versions"][0]["source"] == "version 1"
    assert ann.call("POST", f"{RULES}/rollback", {"version": 9}).status == 404


def test_dry_run_tells_what_would_change_and_changes_nothing(ann: Desk) -> None:
    expect(upload(ann, {"rules": [USER_ID]}), 201)
    send(
        ann,
        {"eventName": "user_login", "userId": 1},
        {"eventName": "user_login", "userId": "x"},
        {"eventName": "user_login", "payload": {"userId": 2, "plan": "gold"}},
    )
    change = expect(upload(ann, {"rules": [USER_ID | {"type": "text"}]}, "?dry_run=1"), 200)
    assert (change["version"], change["is_dry_run"]) == (1, True)
    trial = change["trial"]
    assert (trial["events"], trial["turned_invalid"], trial["turned_valid"]) == (3, 2, 1)
    assert [(each["before"], each["after"]) for each in trial["examples"]] == [
        ("valid", "invalid"),
        ("invalid", "valid"),
        ("valid", "invalid"),
    ]
    assert trial["examples"][0]["results"][0]["validationStatus"] == "Invalid/Wrong datatype/value"
    assert ann.get(RULES) == {"version": 1, "rules": [USER_ID]}
    assert expect(upload(ann, {"rules": []}, "?dry_run=1&last=1"), 200)["trial"]["events"] == 1


@pytest.mark.parametrize("last", ["0", "x", "2001", "-1"])
def test_number_of_tried_events_is_bounded(ann: Desk, last: str) -> None:
    assert details(upload(ann, {"rules": []}, f"?dry_run=1&last={last}")) == [
        ("", f"last must be a whole number from 1 to 2000, got {last!r}")
    ]


def test_every_problem_of_a_sheet_is_told_and_nothing_changes(ann: Desk) -> None:
    answer = upload(ann, {"rules": [USER_ID | {"type": "int"}, PLAN | {"minimum": 3}]})
    assert answer.status == 400
    assert [pointer for pointer, _ in details(answer)] == ["/rules/0/type", "/rules/1/minimum"]
    file = b"eventName,eventPayload,dataType,required\nuser_login,userId,int,\n,,text,\na,b,text,perhaps\n"
    answer = upload(ann, file, media="text/csv")
    assert [pointer.split("/")[1] for pointer, _ in details(answer)] == ["line 2", "line 3", "line 4"]
    # The value is told once, whoever tells it.
    assert details(answer)[2][1].count("got 'perhaps'") == 1
    assert ann.get(RULES) == {"version": 0, "rules": []}


def test_rules_can_be_taken_as_a_file_and_uploaded_again(ann: Desk) -> None:
    expect(upload(ann, CSV, media="text/csv"), 201)
    answer = ann.call("GET", f"{RULES}/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="shop-rules-1.csv"'
    assert isinstance(answer.body, bytes)
    assert expect(upload(ann, answer.body, media="text/csv"), 200)["version"] == 1


def test_rules_of_somebody_else_are_not_there(ann: Desk, database: Database) -> None:
    bob = desk(database, "Bob")
    for method, path, body in (
        ("GET", "", None),
        ("GET", "/csv", None),
        ("GET", "/versions", None),
        ("POST", "", {"rules": []}),
        ("POST", "/rollback", {"version": 1}),
    ):
        answer = bob.call(method, f"{RULES}{path}", body)
        assert (answer.status, document(answer)["detail"]) == (404, "there is no app shop")


def test_rules_that_were_not_published_judge_events_once_the_upload_is_sent_again(ann: Desk) -> None:
    ann.api.runtime.records.is_away = True
    assert upload(ann, {"rules": [USER_ID]}).status == 503
    ann.api.runtime.records.is_away = False
    assert send(ann, {"eventName": "user_login", "userId": "x"}) == [202]
    assert expect(upload(ann, {"rules": [USER_ID]}), 200)["version"] == 1
    assert send(ann, {"eventName": "user_login", "userId": "x"}) == [422]


def test_sheet_of_personal_data_keeps_its_rules(ann: Desk) -> None:
    rule = {"event": "user_login", "path": "email", "type": "text", "pii": "hash"}
    expect(upload(ann, {"rules": [rule]}), 201)
    assert ann.get(RULES)["rules"] == [rule]
    send(ann, {"eventName": "user_login", "email": "ann@example.org"})
    assert msgspec.json.encode(ann.get(RULES)).count(b"example") == 0


OLD = "/app/shop/validation-rules"
NEW_ROW = {"event_name": "User_Login", "field_name": "userId", "data_type": "integer", "is_required": True}


def test_rules_are_added_changed_and_removed_one_by_one(ann: Desk) -> None:
    added = expect(ann.call("POST", OLD, NEW_ROW), 200)
    rule = added["rule"]
    assert rule == NEW_ROW | {
        "id": rule["id"],
        "event_name": "user_login",
        "expected_pattern": None,
        "condition": None,
    }
    assert (added["version"], ann.get(OLD)) == (1, {"version": 1, "rules": [rule]})
    assert send(ann, {"eventName": "user_login", "userId": "x"}) == [422]
    changed = expect(ann.call("PUT", f"{OLD}/{rule['id']}", {"data_type": "text", "expected_pattern": "^x"}), 200)
    assert changed["rule"] == rule | {"data_type": "text", "expected_pattern": "^x"}
    codes = send(ann, {"eventName": "user_login", "userId": "xy"}, {"eventName": "user_login", "userId": "y"})
    assert codes == [202, 422]
    removed = expect(ann.call("DELETE", f"{OLD}/{rule['id']}"), 200)
    assert removed == {"success": True, "version": 3, "deleted": 1}
    assert ann.get(OLD) == {"version": 3, "rules": []}


def test_rules_of_an_event_are_removed_together(ann: Desk) -> None:
    upload(ann, CSV, media="text/csv")
    assert expect(ann.call("DELETE", f"{OLD}/event/User_Login"), 200)["deleted"] == 2
    assert expect(ann.call("DELETE", f"{OLD}/event/none"), 200) == {"success": True, "version": 2, "deleted": 0}
    assert [rule["event_name"] for rule in ann.get(OLD)["rules"]] == ["logout"]


def test_rule_that_cannot_be_changes_nothing(ann: Desk) -> None:
    rule = expect(ann.call("POST", OLD, NEW_ROW), 200)["rule"]
    path = f"{OLD}/{rule['id']}"
    for method, where, body, code in (
        ("POST", OLD, NEW_ROW, 400),
        ("POST", OLD, {"event_name": "a"}, 400),
        ("POST", OLD, NEW_ROW | {"field_name": "b", "data_type": "int"}, 400),
        ("PUT", path, {}, 400),
        ("PUT", path, {"expected_pattern": "("}, 400),
        ("PUT", f"{OLD}/17", {"is_required": False}, 404),
        ("DELETE", f"{OLD}/x", None, 404),
    ):
        assert ann.call(method, where, body).status == code, (method, where, body)
    assert ann.get(OLD) == {"version": 1, "rules": [rule]}


def test_file_of_a_form_is_uploaded(ann: Desk) -> None:
    boundary = "----x"
    form = (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="csv_file"; filename="rules.csv"\r\n'
            "Content-Type: text/csv\r\n\r\n"
        ).encode()
        + CSV
        + f"\r\n--{boundary}--\r\n".encode()
    )
    authorization = f"Bearer {ann.token}"
    path, media = "/app/shop/upload-rules", f"multipart/form-data; boundary={boundary}"
    answer = ann.api.call("POST", path, form, authorization=authorization, content_type=media)
    assert expect(answer, 200)["rules"] == 3
    other = form.replace(b"csv_file", b"file")
    answer = ann.api.call("POST", path, other, authorization=authorization, content_type=media)
    assert details(answer) == [("/csv_file", "is required: the form has no such file")]
    answer = ann.api.call("POST", path, CSV, authorization=authorization, content_type="text/csv")
    assert expect(answer, 200)["version"] == 1


def test_rules_can_be_taken_as_json_schema_and_uploaded_again(ann: Desk) -> None:
    expect(upload(ann, {"rules": [USER_ID, PLAN]}), 201)
    answer = ann.call("GET", f"{RULES}/schema")
    schema = document(answer)
    assert (answer.content_type, list(schema["$defs"])) == ("application/schema+json", ["user_login"])
    assert schema["$defs"]["user_login"]["required"] == ["userId"]
    expect(upload(ann, {"rules": []}), 201)
    change = expect(upload(ann, schema, media="application/schema+json"), 201)
    assert (change["version"], ann.get(RULES)["rules"]) == (3, [USER_ID, PLAN])
    refused = upload(ann, {"$defs": {"a": {"$ref": "#/x"}}}, media="application/schema+json")
    assert refused.status == 400
    assert details(refused)
