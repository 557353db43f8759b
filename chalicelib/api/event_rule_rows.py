"""The rules of an app one by one, as clients of the old service know them; each change makes a version."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import HTTP
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.api.auth import require
from chalicelib.api.body import MAX_ERRORS, read_body
from chalicelib.api.event_rules import RulesChange, file_errors
from chalicelib.api.http import Answer, Call
from chalicelib.db.viewer import Viewer, viewer_of
from chalicelib.errors import FieldError, InvalidRequest, NotFound
from chalicelib.events.paths import fold_event
from chalicelib.events.rule_checks import check
from chalicelib.events.rule_file import read_rules
from chalicelib.events.rules import Condition, Rule, RuleSheet, tidy, tidy_rule
from chalicelib.ruling import compare, current_rules, use

_NO_STORE = {"Cache-Control": "no-store"}
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
    app = call.runtime.apps.find(call.params["app_id"], _viewer(call))
    rules = current_rules(call.runtime, app).rules
    return Answer(body=RuleRows(version=app.rules_version, rules=tuple(map(row_of, rules))), headers=_NO_STORE)


def add(call: Call) -> Answer:
    """POST /app/{app_id}/validation-rules."""
    body, _ = read_body(call, NewRow)
    rule = tidy_rule(Rule(**{name: getattr(body, field) for field, name in _NAMES.items()}))
    version = _change(call, lambda rules: [*rules, rule])
    return Answer(body=RowAnswer(version=version, rule=row_of(rule)), headers=_NO_STORE)


def change(call: Call) -> Answer:
    """PUT /app/{app_id}/validation-rules/{rule_id}."""
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
    return Answer(body=RowAnswer(version=version, rule=row_of(changed[0])), headers=_NO_STORE)


def remove(call: Call) -> Answer:
    """DELETE /app/{app_id}/validation-rules/{rule_id}."""

    def take(rules: list[Rule]) -> list[Rule]:
        place = _place(call, rules)
        return [*rules[:place], *rules[place + 1 :]]

    return Answer(body=RowsRemoved(version=_change(call, take), deleted=1), headers=_NO_STORE)


def remove_event(call: Call) -> Answer:
    """DELETE /app/{app_id}/validation-rules/event/{event}: all rules of an event, which may have none."""
    event = fold_event(call.params["event"])
    deleted: list[Rule] = []

    def take(rules: list[Rule]) -> list[Rule]:
        deleted.extend(rule for rule in rules if rule.event == event)
        return [rule for rule in rules if rule.event != event]

    version = _change(call, take)
    return Answer(body=RowsRemoved(version=version, deleted=len(deleted)), headers=_NO_STORE)


def upload_form(call: Call) -> Answer:
    """POST /app/{app_id}/upload-rules: a CSV file as a form or as the body."""
    viewer = _viewer(call)
    app = call.runtime.apps.find(call.params["app_id"], viewer)
    file = read_rules(_file(call))
    if file.problems:
        raise InvalidRequest(file_errors(file))
    differences = compare(app, current_rules(call.runtime, app), file.sheet)
    changed = use(call.runtime, viewer, app, (file.sheet, "upload"))
    said = RulesChange(
        version=changed.rules_version,
        is_dry_run=False,
        rules=len(file.sheet.rules),
        differences=differences,
        ignored=file.ignored_columns,
    )
    return Answer(body=said, headers=_NO_STORE)


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
    viewer = _viewer(call)
    app = call.runtime.apps.find(call.params["app_id"], viewer)
    sheet = tidy(RuleSheet(rules=tuple(make(list(current_rules(call.runtime, app).rules)))))
    if errors := check(sheet):
        raise InvalidRequest(errors[:MAX_ERRORS])
    return use(call.runtime, viewer, app, (sheet, "edit")).rules_version


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


def _viewer(call: Call) -> Viewer:
    return viewer_of(require(call, public=False))
