"""The rules of an app: uploaded as CSV or JSON, looked at, and rolled back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.api.auth import require
from chalicelib.api.body import MAX_ERRORS, check_length, is_on, media_of, parse_json, read_body
from chalicelib.api.event_apps import find_app
from chalicelib.api.event_routes import APP_ID
from chalicelib.api.http import Answer, Call
from chalicelib.api.paging import NO_STORE
from chalicelib.api.route import BODY, CALLER, SWITCH, Access, Doc, Param, Reply
from chalicelib.clock import rfc3339
from chalicelib.db.events.apps import App
from chalicelib.db.viewer import Viewer, viewer_of
from chalicelib.errors import Conflict, FieldError, InvalidRequest, NotFound, Unavailable
from chalicelib.events.differences import Differences
from chalicelib.events.json_schema import write_schema
from chalicelib.events.json_schema_import import read_document
from chalicelib.events.rule_checks import check
from chalicelib.events.rule_file import Problem, read_rules, write_rules
from chalicelib.events.rules import Rule, RuleSheet, tidy
from chalicelib.ruling import MOST_TRIED, Draft, Trial, compare, current_rules, rules_of, try_on, use

SCHEMA = "application/schema+json"
_TRIED = 500
_MOST_VERSIONS = 100


class RulesView(Struct, frozen=True, kw_only=True):
    """The rules of a version."""

    version: Annotated[int, Meta(description="0 where no rules were uploaded yet.")]
    rules: tuple[Rule, ...]


class RulesChange(Struct, frozen=True, kw_only=True):
    """What an upload has changed, or would change."""

    version: Annotated[int, Meta(description="That judges events from now on; of a dry run the one that does now.")]
    is_dry_run: bool
    rules: Annotated[int, Meta(description="How many the sheet has.")]
    differences: Differences
    trial: Annotated[Trial | None, Meta(description="The newest stored events by the new rules.")] = None
    ignored: Annotated[
        tuple[str, ...], Meta(description="Columns of a CSV file, or parts of a JSON Schema, that mean nothing here.")
    ] = ()


class VersionView(Struct, frozen=True, kw_only=True):
    version: int
    rules: int
    label: Annotated[str, Meta(description="first, compatible or breaking, seen from the version before.")]
    source: str
    created_at: str


class VersionList(Struct, frozen=True, kw_only=True):
    current: int
    versions: Annotated[tuple[VersionView, ...], Meta(description=f"The newest {_MOST_VERSIONS}, newest first.")]


class RollBack(Struct, frozen=True, kw_only=True):
    """Which rules are to judge events again."""

    version: Annotated[int, Meta(ge=1, description="It becomes a new version with the rules of this one.")]


class Sent(Struct, frozen=True, kw_only=True):
    """Rules as they came."""

    sheet: RuleSheet
    source: str = "upload"
    # What of a file or a schema was left out.
    ignored: tuple[str, ...] = ()


def upload(call: Call) -> Answer:
    """POST /api/apps/{app_id}/rules: a sheet that replaces the one before, or with dry_run what it would change."""
    viewer = viewer_of(require(call))
    app = call.runtime.apps.find(call.params["app_id"], viewer)
    sent = _read(call)
    if not is_on(call, "dry_run"):
        return _answer(app, adopt(call, viewer, app, sent))
    trial = try_on(call.runtime, app, sent.sheet, _count(call))
    differences = compare(app, _draft(call, app, sent))
    return _answer(app, _told(app, sent, differences, trial))


def show(call: Call) -> Answer:
    """GET /api/apps/{app_id}/rules: those of a version, by default of the current one."""
    app = find_app(call)
    version, sheet = _wanted(call, app)
    return Answer(body=RulesView(version=version, rules=sheet.rules), headers=NO_STORE)


def download(call: Call) -> Answer:
    """GET /api/apps/{app_id}/rules/csv: the same as a file that may be uploaded."""
    app = find_app(call)
    version, sheet = _wanted(call, app)
    name = f"{app.app_id}-rules-{version}.csv"
    headers = NO_STORE | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Answer(body=write_rules(sheet), content_type="text/csv; charset=utf-8", headers=headers)


def show_schema(call: Call) -> Answer:
    """GET /api/apps/{app_id}/rules/schema: the same as JSON Schema, which may be uploaded."""
    _, sheet = _wanted(call, find_app(call))
    return Answer(body=write_schema(sheet), content_type=SCHEMA, headers=NO_STORE)


def versions(call: Call) -> Answer:
    """GET /api/apps/{app_id}/rules/versions."""
    app = find_app(call)
    lines = call.runtime.apps.sheets(app, _MOST_VERSIONS)
    views = tuple(
        VersionView(
            version=line.version,
            rules=line.rules,
            label=line.label,
            source=line.source,
            created_at=rfc3339(line.created_at.timestamp()),
        )
        for line in lines
    )
    return Answer(body=VersionList(current=app.rules_version, versions=views), headers=NO_STORE)


def roll_back(call: Call) -> Answer:
    """POST /api/apps/{app_id}/rules/rollback: the rules of an older version as a new one."""
    viewer = viewer_of(require(call))
    body, _ = read_body(call, RollBack)
    app = call.runtime.apps.find(call.params["app_id"], viewer)
    sheet = rules_of(call.runtime, app, body.version)
    if sheet is None:
        raise NotFound(f"app {app.app_id} has no rules of version {body.version}")
    return _answer(app, adopt(call, viewer, app, Sent(sheet=sheet, source=f"version {body.version}")))


def adopt(call: Call, viewer: Viewer, app: App, sent: Sent) -> RulesChange:
    """Has the rules judge the app's events; what that changes."""
    changed, differences = use(call.runtime, viewer, app, _draft(call, app, sent))
    return _told(changed, sent, differences)


def read_file(content: bytes) -> Sent:
    """The rules of a CSV file; raises InvalidRequest with every problem, by line and column."""
    file = read_rules(content)
    if file.problems:
        raise InvalidRequest(
            [
                FieldError(f"/line {each.line}/{each.column}", each.reason + _got(each))
                for each in file.problems[:MAX_ERRORS]
            ]
        )
    return Sent(sheet=file.sheet, ignored=file.ignored_columns)


def _draft(call: Call, app: App, sent: Sent) -> Draft:
    return Draft(old=current_rules(call.runtime, app), sheet=sent.sheet, source=sent.source)


def _told(app: App, sent: Sent, differences: Differences, trial: Trial | None = None) -> RulesChange:
    return RulesChange(
        version=app.rules_version,
        is_dry_run=trial is not None,
        rules=len(sent.sheet.rules),
        differences=differences,
        trial=trial,
        ignored=sent.ignored,
    )


def _answer(app: App, change: RulesChange) -> Answer:
    """201 where the app has another version than it had."""
    return Answer(status=200 if change.version == app.rules_version else 201, body=change, headers=NO_STORE)


def _read(call: Call) -> Sent:
    """The sheet of a body, as CSV, JSON Schema or JSON; raises InvalidRequest with every problem."""
    media = media_of(call)
    if media == "text/csv":
        check_length(call)
        return read_file(call.body)
    if media == SCHEMA:
        imported = read_document(parse_json(call))
        _refuse(imported.problems)
        return Sent(sheet=imported.sheet, ignored=tuple(f"{note.pointer}: {note.detail}" for note in imported.notes))
    sheet = tidy(read_body(call, RuleSheet)[0])
    _refuse(check(sheet))
    return Sent(sheet=sheet)


def _refuse(problems: Sequence[FieldError]) -> None:
    if problems:
        raise InvalidRequest(list(problems[:MAX_ERRORS]))


def _got(problem: Problem) -> str:
    # Some reasons say themselves what was got: a length, or the value in words.
    return f", got {problem.value!r}" if problem.value and ", got " not in problem.reason else ""


def _wanted(call: Call, app: App) -> tuple[int, RuleSheet]:
    said = call.query.get("version", "")
    if not said:
        return app.rules_version, current_rules(call.runtime, app)
    version = int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else 0
    sheet = rules_of(call.runtime, app, version) if version else None
    if sheet is None:
        raise NotFound(f"app {app.app_id} has no rules of version {said[:40]}")
    return version, sheet


def _count(call: Call) -> int:
    said = call.query.get("last", str(_TRIED))
    if not (said.isascii() and said.isdecimal() and 0 < int(said[:9]) <= MOST_TRIED):
        raise InvalidRequest([FieldError("", f"last must be a whole number from 1 to {MOST_TRIED}, got {said[:40]!r}")])
    return int(said)


_VERSION = Param(name="version", where="query", summary="A version; the current one by default.")
_DRY_RUN = Param(name="dry_run", where="query", summary="1 changes nothing and tells what would change.", values=SWITCH)
_LAST = Param(
    name="last",
    where="query",
    summary=f"How many of the newest stored events a dry run judges by the new rules, at most {MOST_TRIED}.",
)
_EXAMPLE = RuleSheet(rules=(Rule(event="user_login", path="userId", type="integer", required=True),))

DOCS: Mapping[str, Doc] = {
    "upload": Doc(
        name="upload_rules",
        group="Events",
        summary="Replace an app's rules",
        details="The body is a rule sheet as JSON, or as text/csv with the columns eventName, eventPayload, "
        "dataType and, if wanted, required, condition and more (docs/event-rules.md), or as "
        "application/schema+json with a definition for each event. It becomes the next version "
        "in one transaction and judges events within seconds; a sheet that is the current one already makes no "
        "version. Every problem is told, those of a file by line.",
        access=Access.ACCOUNT,
        params=(APP_ID, _DRY_RUN, _LAST),
        request=RuleSheet,
        example=_EXAMPLE,
        replies={
            200: Reply(summary="Nothing was changed", body=RulesChange),
            201: Reply(summary="The new version", body=RulesChange),
        },
        refusals=(*BODY, *CALLER, NotFound, Conflict, Unavailable),
    ),
    "show": Doc(
        name="get_rules",
        group="Events",
        summary="An app's rules",
        access=Access.ACCOUNT,
        params=(APP_ID, _VERSION),
        replies={200: Reply(summary="The rules", body=RulesView)},
        refusals=(*CALLER, NotFound, Unavailable),
    ),
    "download": Doc(
        name="download_rules",
        group="Events",
        summary="An app's rules as a CSV file",
        access=Access.ACCOUNT,
        params=(APP_ID, _VERSION),
        replies={
            200: Reply(
                summary="The file, which can be uploaded again",
                media="text/csv; charset=utf-8",
                headers={"Content-Disposition": "The file's name."},
            )
        },
        refusals=(*CALLER, NotFound, Unavailable),
    ),
    "show_schema": Doc(
        name="get_rules_schema",
        group="Events",
        summary="An app's rules as JSON Schema",
        access=Access.ACCOUNT,
        params=(APP_ID, _VERSION),
        replies={200: Reply(summary="A document with a definition for each event", media=SCHEMA)},
        refusals=(*CALLER, NotFound, Unavailable),
    ),
    "versions": Doc(
        name="list_rule_versions",
        group="Events",
        summary="The versions of an app's rules",
        access=Access.ACCOUNT,
        params=(APP_ID,),
        replies={200: Reply(summary="The versions, newest first", body=VersionList)},
        refusals=(*CALLER, NotFound, Unavailable),
    ),
    "roll_back": Doc(
        name="roll_back_rules",
        group="Events",
        summary="Have older rules judge events again",
        details="They become a new version, so that no version ever changes.",
        access=Access.ACCOUNT,
        params=(APP_ID,),
        request=RollBack,
        example=RollBack(version=1),
        replies={
            200: Reply(summary="They are the current ones already", body=RulesChange),
            201: Reply(summary="The new version", body=RulesChange),
        },
        refusals=(*BODY, *CALLER, NotFound, Conflict, Unavailable),
    ),
}
