"""Apps that send events: making, changing and removing them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.api.auth import require
from chalicelib.api.body import read_body
from chalicelib.api.event_routes import APP_ID
from chalicelib.api.http import Answer, Call
from chalicelib.api.paging import NO_STORE
from chalicelib.api.route import BODY, CALLER, Access, Doc, Reply
from chalicelib.clock import rfc3339
from chalicelib.db.events.apps import App, AppFields
from chalicelib.db.viewer import Viewer, viewer_of
from chalicelib.errors import Conflict, FieldError, Forbidden, InvalidRequest, NotFound, Unavailable
from chalicelib.model import Scope
from chalicelib.publishing import publish, withdraw

MAX_APPS = 200
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=10_000)]
Platform = Literal["android", "ios", "web"]
Policy = Literal["record", "accept", "drop"]
_Bodies = Annotated[int, Meta(ge=0, le=1_000_000)]
_POLICY = Meta(
    description="What becomes of events that break rules. record: 422, and stored as invalid; accept: 202, and stored "
    "as invalid; drop: 422, and only counted."
)
_KEEP_BODIES = Meta(
    description="About how many valid events of a minute keep their body, in each process that takes events; all "
    "others are stored without it. Invalid ones always keep theirs. null: all do, as in a new app."
)
_SPIKE_ALERTS = Meta(
    description="Whether the owner gets a mail when clearly more events than usual are invalid; off in a new app."
)
_SPIKE_FACTOR = Meta(
    ge=1,
    le=1000,
    description="More than so many times the usual: the median of the quarters of an hour of the day before; 3 in a "
    "new app.",
)
_SPIKE_FLOOR = Meta(
    ge=1, le=1_000_000, description="And more than so many invalid events in a quarter of an hour; 20 in a new app."
)
_SPIKE_PAUSE = Meta(
    ge=15, le=10_080, description="Minutes after a mail in which there is no other one; 60 in a new app."
)


class AppChange(Struct, frozen=True, kw_only=True):
    """What may be said about an app; what is left out stays as it is, or takes its default in a new app."""

    name: Annotated[Name | UnsetType, Meta(description="Not blank.")] = UNSET
    description: Text | UnsetType = UNSET
    platform: Annotated[Platform | UnsetType, Meta(description="android in a new app.")] = UNSET
    sdk_type: Annotated[Annotated[str, Meta(max_length=50)] | UnsetType, Meta(description="ce in a new app.")] = UNSET
    policy: Annotated[Policy | UnsetType, _POLICY] = UNSET
    optional_absent_is_invalid: Annotated[
        bool | UnsetType, Meta(description="Whether an optional field that is missing makes an event invalid.")
    ] = UNSET
    integer_for_float: Annotated[
        bool | UnsetType, Meta(description="Whether a whole number fits a field of type float.")
    ] = UNSET
    keep_bodies_per_minute: Annotated[_Bodies | UnsetType | None, _KEEP_BODIES] = UNSET
    spike_alerts: Annotated[bool | UnsetType, _SPIKE_ALERTS] = UNSET
    spike_factor: Annotated[float, _SPIKE_FACTOR] | UnsetType = UNSET
    spike_floor: Annotated[int, _SPIKE_FLOOR] | UnsetType = UNSET
    spike_pause_minutes: Annotated[int, _SPIKE_PAUSE] | UnsetType = UNSET


class NewApp(AppChange, frozen=True, kw_only=True):
    """A new app."""

    app_id: Annotated[
        str | UnsetType,
        Meta(description="At most 100 letters, digits, dots, dashes and underscores; made up if left out."),
    ] = UNSET


class AppView(Struct, frozen=True, kw_only=True):
    """An app as its owner sees it."""

    app_id: str
    name: str
    description: str
    platform: str
    sdk_type: str
    policy: Annotated[str, _POLICY]
    optional_absent_is_invalid: bool
    integer_for_float: bool
    keep_bodies_per_minute: Annotated[int | None, _KEEP_BODIES]
    spike_alerts: Annotated[bool, _SPIKE_ALERTS]
    spike_factor: Annotated[float, _SPIKE_FACTOR]
    spike_floor: Annotated[int, _SPIKE_FLOOR]
    spike_pause_minutes: Annotated[int, _SPIKE_PAUSE]
    has_ingest_key: Annotated[bool, Meta(description="Whether events need the header X-Ingest-Key.")]
    rules_version: Annotated[int, Meta(description="Of the rule sheet that judges events; 0 before the first one.")]
    endpoint: Annotated[str, Meta(description="Where the app sends its events.")]
    created_at: str
    updated_at: str


class AppList(Struct, frozen=True, kw_only=True):
    apps: tuple[AppView, ...]


class IngestKey(Struct, frozen=True, kw_only=True):
    """An ingest key, which is shown once."""

    ingest_key: Annotated[str, Meta(description="Send it as X-Ingest-Key with every event; the one before is void.")]


class Removed(Struct, frozen=True, kw_only=True):
    success: bool = True


def find_app(call: Call, scope: Scope | None = None) -> App:
    """The app of the path; raises NotFound where it is not the caller's to see, and what `require` raises."""
    return call.runtime.apps.find(call.params["app_id"], viewer_of(require(call, scope=scope)))


def create(call: Call) -> Answer:
    """POST /api/apps: a new app."""
    viewer = viewer_of(require(call))
    body, _ = read_body(call, NewApp)
    app_id = call.runtime.ids.short() if body.app_id is UNSET else body.app_id
    errors = [*_blank(body), *([] if _ID.fullmatch(app_id) else [FieldError("/app_id", _id_rule(app_id))])]
    if body.name is UNSET:
        errors.append(FieldError("/name", "is required"))
    if errors:
        raise InvalidRequest(errors)
    assert viewer.account is not None
    if len(call.runtime.apps.of(viewer.account)) >= MAX_APPS:
        raise Forbidden(f"an account has at most {MAX_APPS} apps; remove one first")
    fields = msgspec.structs.replace(AppFields(name=""), **_said(body))
    app = call.runtime.apps.add(app_id, viewer.account, fields, bytes.fromhex(call.runtime.ids.secret()))
    publish(call.runtime, app)
    return Answer(status=201, body=view_of(call, app), headers=NO_STORE | {"Location": f"/api/apps/{app.app_id}"})


def list_own(call: Call) -> Answer:
    """GET /api/apps: the account's apps, newest first."""
    viewer = viewer_of(require(call))
    assert viewer.account is not None
    apps = call.runtime.apps.of(viewer.account)
    return Answer(body=AppList(apps=tuple(view_of(call, app) for app in apps)), headers=NO_STORE)


def show(call: Call) -> Answer:
    """GET /api/apps/{app_id}."""
    return Answer(body=view_of(call, find_app(call)), headers=NO_STORE)


def change(call: Call) -> Answer:
    """PUT /api/apps/{app_id}: sets what the body names."""
    viewer = viewer_of(require(call))
    body, _ = read_body(call, AppChange)
    if errors := _blank(body):
        raise InvalidRequest(errors)
    app = call.runtime.apps.find(call.params["app_id"], viewer)
    return _changed(call, viewer, app, _said(body))


def make_key(call: Call) -> Answer:
    """POST /api/apps/{app_id}/ingest-key: a key that events need from now on."""
    viewer = viewer_of(require(call))
    app = call.runtime.apps.find(call.params["app_id"], viewer)
    key = f"ing_{call.runtime.ids.secret()}"
    _changed(call, viewer, app, {"ingest_key_digest": hashlib.sha256(key.encode()).hexdigest()})
    return Answer(status=201, body=IngestKey(ingest_key=key), headers=NO_STORE)


def remove_key(call: Call) -> Answer:
    """DELETE /api/apps/{app_id}/ingest-key: events need none any more."""
    viewer = viewer_of(require(call))
    app = call.runtime.apps.find(call.params["app_id"], viewer)
    return _changed(call, viewer, app, {"ingest_key_digest": None})


def remove(call: Call) -> Answer:
    """DELETE /api/apps/{app_id}: the app, its rules and its events."""
    app = call.runtime.apps.remove(call.params["app_id"], viewer_of(require(call)))
    withdraw(call.runtime, app)
    call.runtime.live.end(app.id)
    return Answer(body=Removed(), headers=NO_STORE)


old_remove = remove


def view_of(call: Call, app: App) -> AppView:
    return AppView(
        app_id=app.app_id,
        name=app.name,
        description=app.description,
        platform=app.platform,
        sdk_type=app.sdk_type,
        policy=app.policy,
        optional_absent_is_invalid=app.optional_absent_is_invalid,
        integer_for_float=app.integer_for_float,
        keep_bodies_per_minute=app.keep_bodies_per_minute,
        spike_alerts=app.spike_alerts,
        spike_factor=app.spike_factor,
        spike_floor=app.spike_floor,
        spike_pause_minutes=app.spike_pause_minutes,
        has_ingest_key=app.ingest_key_digest is not None,
        rules_version=app.rules_version,
        endpoint=f"{call.runtime.settings.public_url}/api/logs/{app.app_id}",
        created_at=rfc3339(app.created_at.timestamp()),
        updated_at=rfc3339(app.updated_at.timestamp()),
    )


def _changed(call: Call, viewer: Viewer, app: App, said: dict[str, object]) -> Answer:
    known = {name: getattr(app, name) for name in AppFields.__struct_fields__}
    changed = call.runtime.apps.change(app.app_id, viewer, AppFields(**(known | said)))
    publish(call.runtime, changed)
    return Answer(body=view_of(call, changed), headers=NO_STORE)


def _said(body: AppChange) -> dict[str, object]:
    fields = {name: getattr(body, name) for name in AppChange.__struct_fields__}
    return {name: value for name, value in fields.items() if value is not UNSET}


def _blank(body: AppChange) -> list[FieldError]:
    is_blank = body.name is not UNSET and not body.name.strip()
    return [FieldError("/name", "must not be blank")] if is_blank else []


def _id_rule(app_id: str) -> str:
    return (
        "must have 1 to 100 letters, digits, dots, dashes and underscores and begin with a letter or digit, "
        f"got {app_id[:100]!r}"
    )


def _removing(name: str) -> Doc:
    return Doc(
        name=name,
        group="Events",
        summary="Remove an app with its rules and events",
        access=Access.ACCOUNT,
        params=(APP_ID,),
        replies={200: Reply(summary="Removed", body=Removed)},
        refusals=(*CALLER, NotFound, Unavailable),
    )


DOCS: Mapping[str, Doc] = {
    "create": Doc(
        name="create_app",
        group="Events",
        summary="Make an app that sends events",
        details=f"An account has at most {MAX_APPS}. Events are taken within seconds.",
        access=Access.ACCOUNT,
        request=NewApp,
        example=NewApp(name="Shop", app_id="shop-android", policy="record"),
        replies={201: Reply(summary="The app", body=AppView, headers={"Location": "Path of the app."})},
        refusals=(*BODY, *CALLER, Conflict, Unavailable),
    ),
    "list_own": Doc(
        name="list_apps",
        group="Events",
        summary="The account's apps",
        access=Access.ACCOUNT,
        replies={200: Reply(summary="The apps, newest first", body=AppList)},
        refusals=(*CALLER, Unavailable),
    ),
    "show": Doc(
        name="get_app",
        group="Events",
        summary="An app",
        access=Access.ACCOUNT,
        params=(APP_ID,),
        replies={200: Reply(summary="The app", body=AppView)},
        refusals=(*CALLER, NotFound, Unavailable),
    ),
    "change": Doc(
        name="change_app",
        group="Events",
        summary="Change an app",
        details="What the body leaves out stays as it is. Events are taken by it within seconds.",
        access=Access.ACCOUNT,
        params=(APP_ID,),
        request=AppChange,
        example=AppChange(policy="accept"),
        replies={200: Reply(summary="The app", body=AppView)},
        refusals=(*BODY, *CALLER, NotFound, Unavailable),
    ),
    "remove": _removing("delete_app"),
    "old_remove": _removing("delete_app_as_before"),
    "make_key": Doc(
        name="make_ingest_key",
        group="Events",
        summary="Have events need a key",
        details="The key is in this answer and never shown again; one that there was before is void.",
        access=Access.ACCOUNT,
        params=(APP_ID,),
        replies={201: Reply(summary="The key, shown once", body=IngestKey)},
        refusals=(*CALLER, NotFound, Unavailable),
    ),
    "remove_key": Doc(
        name="remove_ingest_key",
        group="Events",
        summary="Have events need no key",
        access=Access.ACCOUNT,
        params=(APP_ID,),
        replies={200: Reply(summary="The app", body=AppView)},
        refusals=(*CALLER, NotFound, Unavailable),
    ),
}
