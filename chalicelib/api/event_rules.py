"""The rules of an app: uploaded as CSV or JSON, looked at, and rolled back."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.api.auth import require
from chalicelib.api.body import MAX_ERRORS, parse_json, read_body
from chalicelib.api.http import Answer, Call
from chalicelib.clock import rfc3339
from chalicelib.db.events.apps import App
from chalicelib.db.viewer import Viewer, viewer_of
from chalicelib.errors import FieldError, InvalidRequest, NotFound, TooLarge
from chalicelib.events.differences import Differences
from chalicelib.events.json_schema import write_schema
from chalicelib.events.json_schema_import import read_document
from chalicelib.events.rule_checks import check
from chalicelib.events.rule_file import RuleFile, read_rules, write_rules
from chalicelib.events.rules import Rule, RuleSheet, tidy
from chalicelib.ruling import MOST_TRIED, Trial, compare, current_rules, rules_of, try_on, use

SCHEMA = "application/schema+json"
_NO_STORE = {"Cache-Control": "no-store"}
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


def upload(call: Call) -> Answer:
    """POST /api/apps/{app_id}/rules: a sheet that replaces the one before, or with dry_run what it would change."""
    viewer = _viewer(call)
    app = call.runtime.apps.find(call.params["app_id"], viewer)
    sheet, ignored = _read(call)
    differences = compare(app, current_rules(call.runtime, app), sheet)
    is_dry_run = call.query.get("dry_run", "") in ("1", "true")
    trial = try_on(call.runtime, app, sheet, _count(call)) if is_dry_run else None
    changed = app if is_dry_run else use(call.runtime, viewer, app, (sheet, "upload"))
    said = RulesChange(
        version=changed.rules_version,
        is_dry_run=is_dry_run,
        rules=len(sheet.rules),
        differences=differences,
        trial=trial,
        ignored=ignored,
    )
    return Answer(status=200 if changed.rules_version == app.rules_version else 201, body=said, headers=_NO_STORE)


def show(call: Call) -> Answer:
    """GET /api/apps/{app_id}/rules: those of a version, by default of the current one."""
    app = call.runtime.apps.find(call.params["app_id"], _viewer(call))
    version, sheet = _wanted(call, app)
    return Answer(body=RulesView(version=version, rules=sheet.rules), headers=_NO_STORE)


def download(call: Call) -> Answer:
    """GET /api/apps/{app_id}/rules/csv: the same as a file that may be uploaded."""
    app = call.runtime.apps.find(call.params["app_id"], _viewer(call))
    version, sheet = _wanted(call, app)
    name = f"{app.app_id}-rules-{version}.csv"
    headers = _NO_STORE | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Answer(body=write_rules(sheet), content_type="text/csv; charset=utf-8", headers=headers)


def show_schema(call: Call) -> Answer:
    """GET /api/apps/{app_id}/rules/schema: the same as JSON Schema, which may be uploaded."""
    app = call.runtime.apps.find(call.params["app_id"], _viewer(call))
    _, sheet = _wanted(call, app)
    return Answer(body=write_schema(sheet), content_type=SCHEMA, headers=_NO_STORE)


def versions(call: Call) -> Answer:
    """GET /api/apps/{app_id}/rules/versions."""
    app = call.runtime.apps.find(call.params["app_id"], _viewer(call))
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
    return Answer(body=VersionList(current=app.rules_version, versions=views), headers=_NO_STORE)


def roll_back(call: Call) -> Answer:
    """POST /api/apps/{app_id}/rules/rollback: the rules of an older version as a new one."""
    viewer = _viewer(call)
    body, _ = read_body(call, RollBack)
    app = call.runtime.apps.find(call.params["app_id"], viewer)
    sheet = rules_of(call.runtime, app, body.version)
    if sheet is None:
        raise NotFound(f"app {app.app_id} has no rules of version {body.version}")
    differences = compare(app, current_rules(call.runtime, app), sheet)
    changed = use(call.runtime, viewer, app, (sheet, f"version {body.version}"))
    said = RulesChange(version=changed.rules_version, is_dry_run=False, rules=len(sheet.rules), differences=differences)
    return Answer(status=200 if changed.rules_version == app.rules_version else 201, body=said, headers=_NO_STORE)


def file_errors(file: RuleFile) -> list[FieldError]:
    """The problems of a file, by line and column."""
    return [
        FieldError(f"/line {each.line}/{each.column}", f"{each.reason}{_got(each.value)}")
        for each in file.problems[:MAX_ERRORS]
    ]


def _read(call: Call) -> tuple[RuleSheet, tuple[str, ...]]:
    """The sheet of a body, CSV or JSON, and columns that were ignored; raises InvalidRequest with every problem."""
    media = call.headers.get("content-type", "").split(";")[0].strip().lower()
    if media == SCHEMA:
        imported = read_document(parse_json(call))
        if imported.problems:
            raise InvalidRequest(list(imported.problems[:MAX_ERRORS]))
        return imported.sheet, tuple(f"{note.pointer}: {note.detail}" for note in imported.notes)
    if media == "text/csv":
        limit = call.runtime.settings.body_limit
        if len(call.body) > limit:
            raise TooLarge(f"the body must be at most {limit} bytes, got {len(call.body)}")
        file = read_rules(call.body)
        if file.problems:
            raise InvalidRequest(file_errors(file))
        return file.sheet, file.ignored_columns
    said, _ = read_body(call, RuleSheet)
    sheet = tidy(said)
    if errors := check(sheet):
        raise InvalidRequest(errors[:MAX_ERRORS])
    return sheet, ()


def _got(value: str) -> str:
    return f", got {value!r}" if value else ""


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


def _viewer(call: Call) -> Viewer:
    return viewer_of(require(call, public=False))
