"""The rules of an app one by one, as clients of the old service know them; each change makes a version."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from email.parser import BytesParser
from email.policy import HTTP
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.api.auth import require
from chalicelib.api.body import MAX_ERRORS, read_body
from chalicelib.api.event_apps import find_app
from chalicelib.api.event_routes import APP_ID
from chalicelib.api.event_rules import RulesChange, adopt, read_file
from chalicelib.api.http import Answer, Call
from chalicelib.api.paging import NO_STORE
from chalicelib.api.route import BODY, CALLER, Access, Doc, Param, Reply
from chalicelib.db.viewer import viewer_of
from chalicelib.errors import Conflict, FieldError, InvalidRequest, NotFound, Unavailable
from chalicelib.events.paths import fold_event
from chalicelib.events.rule_checks import check
from chalicelib.events.rules import Condition, Rule, RuleSheet, tidy, tidy_rule
from chalicelib.ruling import Draft, current_rules, use

_FIELD = "csv_file"

Text = Annotated[str, Meta(min_length=1, max_length=500)]


class RuleRow(Struct, frozen=True, kw_only=True):
    """A rule in the words of the old service."""

    id: Annotated[int, Meta(description="Of the event and the field together: the same in every version.")]
    event_name: str
    field_name: str
    data_type: str
    is_required: bool
    expected_pattern: str | None
    condition: Condition | None


class RuleRows(Struct, frozen=True, kw_only=True):
    version: int
    rules: tuple[RuleRow, ...]


class NewRow(Struct, frozen=True, kw_only=True):
    """A new rule."""

    event_name: Text
    field_name: Text
    data_type: Text
    is_required: bool = False
    expected_pattern: str | None = None
    condition: Condition | None = None


class RowChange(Struct, frozen=True, kw_only=True):
    """What of a rule is to be another one; what is left out stays as it is."""

    event_name: Text | UnsetType = UNSET
    field_name: Text | UnsetType = UNSET
    data_type: Text | UnsetType = UNSET
    is_required: bool | UnsetType = UNSET
    expected_pattern: str | UnsetType | None = UNSET
    condition: Condition | UnsetType | None = UNSET


class RowAnswer(Struct, frozen=True, kw_only=True):
    success: bool = True
    version: int
    rule: RuleRow


class RowsRemoved(Struct, frozen=True, kw_only=True):
    success: bool = True
    version: int
    deleted: int


_NAMES = {
    "event_name": "event",
    "field_name": "path",
    "data_type": "type",
    "is_required": "required",
    "expected_pattern": "pattern",
    "condition": "condition",
}


def list_rows(call: Call) -> Answer:
    """GET /app/{app_id}/validation-rules."""
    app = find_app(call)
    rules = current_rules(call.runtime, app).rules
    return Answer(body=RuleRows(version=app.rules_version, rules=tuple(map(row_of, rules))), headers=NO_STORE)


def add(call: Call) -> Answer:
    """POST /app/{app_id}/validation-rules."""
    require(call)  # before the body: a stranger is told to log in, not what a rule looks like
    body, _ = read_body(call, NewRow)
    rule = tidy_rule(Rule(**{name: getattr(body, field) for field, name in _NAMES.items()}))
    version = _change(call, lambda rules: [*rules, rule])
    return Answer(body=RowAnswer(version=version, rule=row_of(rule)), headers=NO_STORE)


def change(call: Call) -> Answer:
    """PUT /app/{app_id}/validation-rules/{rule_id}."""
    require(call)
    body, _ = read_body(call, RowChange)
    said = {name: value for field, name in _NAMES.items() if (value := getattr(body, field)) is not UNSET}
    if not said:
        raise InvalidRequest([FieldError("", f"nothing to update: name at least one of {', '.join(_NAMES)}")])
    changed: list[Rule] = []

    def put(rules: list[Rule]) -> list[Rule]:
        place = _place(call, rules)
        changed.append(tidy_rule(msgspec.structs.replace(rules[place], **said)))
        return [*rules[:place], changed[0], *rules[place + 1 :]]

    version = _change(call, put)
    return Answer(body=RowAnswer(version=version, rule=row_of(changed[0])), headers=NO_STORE)


def remove(call: Call) -> Answer:
    """DELETE /app/{app_id}/validation-rules/{rule_id}."""

    def take(rules: list[Rule]) -> list[Rule]:
        place = _place(call, rules)
        return [*rules[:place], *rules[place + 1 :]]

    return Answer(body=RowsRemoved(version=_change(call, take), deleted=1), headers=NO_STORE)


def remove_event(call: Call) -> Answer:
    """DELETE /app/{app_id}/validation-rules/event/{event}: all rules of an event, which may have none."""
    event = fold_event(call.params["event"])
    deleted: list[Rule] = []

    def take(rules: list[Rule]) -> list[Rule]:
        deleted.extend(rule for rule in rules if rule.event == event)
        return [rule for rule in rules if rule.event != event]

    version = _change(call, take)
    return Answer(body=RowsRemoved(version=version, deleted=len(deleted)), headers=NO_STORE)


def upload_form(call: Call) -> Answer:
    """POST /app/{app_id}/upload-rules: a CSV file as a form or as the body."""
    viewer = viewer_of(require(call))
    app = call.runtime.apps.find(call.params["app_id"], viewer)
    return Answer(body=adopt(call, viewer, app, read_file(_file(call))), headers=NO_STORE)


def row_of(rule: Rule) -> RuleRow:
    """The rule in the words of the old service."""
    return RuleRow(
        id=_id_of(rule),
        event_name=rule.event,
        field_name=rule.path,
        data_type=rule.type,
        is_required=rule.required,
        expected_pattern=rule.pattern,
        condition=rule.condition,
    )


def _change(call: Call, make: Callable[[list[Rule]], list[Rule]]) -> int:
    viewer = viewer_of(require(call))
    app = call.runtime.apps.find(call.params["app_id"], viewer)
    old = current_rules(call.runtime, app)
    sheet = tidy(RuleSheet(rules=tuple(make(list(old.rules)))))
    if errors := check(sheet):
        raise InvalidRequest(errors[:MAX_ERRORS])
    changed, _ = use(call.runtime, viewer, app, Draft(old=old, sheet=sheet, source="edit"))
    return changed.rules_version


def _place(call: Call, rules: list[Rule]) -> int:
    wanted = call.params["rule_id"]
    place = next((place for place, rule in enumerate(rules) if str(_id_of(rule)) == wanted), None)
    if place is None:
        raise NotFound(f"there is no rule {wanted[:40]}")
    return place


def _id_of(rule: Rule) -> int:
    # As exact in a client's floats as any id of the old service.
    said = f"{rule.event}\0{rule.path}".encode()
    return int.from_bytes(hashlib.blake2b(said, digest_size=6).digest())


def _file(call: Call) -> bytes:
    media = call.headers.get("content-type", "")
    if not media.lower().startswith("multipart/form-data"):
        return call.body
    message: Any = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {media}\r\n\r\n".encode() + call.body)
    for part in message.iter_parts() if message.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == _FIELD:
            content: bytes = part.get_payload(decode=True)
            return content
    raise InvalidRequest([FieldError(f"/{_FIELD}", "is required: the form has no such file")])


_RULE_ID = Param(name="rule_id", where="path", summary="The id of the rule.")
_EVENT = Param(name="event", where="path", summary="The name of the event.")
_MAKES_A_VERSION = "The changed rules are the app's next version."


def _removing(name: str, what: str, param: Param) -> Doc:
    return Doc(
        name=name,
        group="Events",
        summary=f"Remove {what}",
        details=_MAKES_A_VERSION,
        access=Access.ACCOUNT,
        params=(APP_ID, param),
        replies={200: Reply(summary="Removed", body=RowsRemoved)},
        refusals=(*CALLER, InvalidRequest, NotFound, Conflict, Unavailable),
    )


DOCS: Mapping[str, Doc] = {
    "list_rows": Doc(
        name="list_validation_rules",
        group="Events",
        summary="An app's rules one by one",
        access=Access.ACCOUNT,
        params=(APP_ID,),
        replies={200: Reply(summary="The rules", body=RuleRows)},
        refusals=(*CALLER, NotFound, Unavailable),
    ),
    "add": Doc(
        name="add_validation_rule",
        group="Events",
        summary="Add a rule",
        details=_MAKES_A_VERSION,
        access=Access.ACCOUNT,
        params=(APP_ID,),
        request=NewRow,
        example=NewRow(event_name="user_login", field_name="userId", data_type="integer"),
        replies={200: Reply(summary="The rule", body=RowAnswer)},
        refusals=(*BODY, *CALLER, NotFound, Conflict, Unavailable),
    ),
    "change": Doc(
        name="change_validation_rule",
        group="Events",
        summary="Change a rule",
        details=f"What the body leaves out stays as it is. {_MAKES_A_VERSION}",
        access=Access.ACCOUNT,
        params=(APP_ID, _RULE_ID),
        request=RowChange,
        example=RowChange(is_required=True),
        replies={200: Reply(summary="The rule", body=RowAnswer)},
        refusals=(*BODY, *CALLER, NotFound, Conflict, Unavailable),
    ),
    "remove": _removing("remove_validation_rule", "a rule", _RULE_ID),
    "remove_event": _removing("remove_events", "an event's rules", _EVENT),
    "upload_form": Doc(
        name="upload_rules_as_before",
        group="Events",
        summary="Replace an app's rules by a CSV file",
        details="The file is the field csv_file of a form, or the body. The answer is JSON where the old service "
        "led back to its page.",
        access=Access.ACCOUNT,
        params=(APP_ID,),
        replies={200: Reply(summary="What has changed", body=RulesChange)},
        refusals=(*BODY, *CALLER, NotFound, Conflict, Unavailable),
    ),
}
