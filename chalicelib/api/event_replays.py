"""Replays: stored events are judged again by the current rules or a named version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, cast

from msgspec import Meta, Struct

from chalicelib.api.answers import Accepted, Task
from chalicelib.api.auth import require
from chalicelib.api.body import read_body
from chalicelib.api.event_routes import APP_ID
from chalicelib.api.event_watch import GROUP, OWN, READ
from chalicelib.api.event_watch_filters import EventFilters, filters_of
from chalicelib.api.http import Answer, Call
from chalicelib.api.job_routes import IDEMPOTENCY_KEY, PREFER, SUBMITTED
from chalicelib.api.route import BODY, Access, Doc, Reply
from chalicelib.api.submission import hand_in, idempotency_key
from chalicelib.db.viewer import viewer_of
from chalicelib.errors import Gone, KeyReused, NotFound
from chalicelib.jobs.submit import Asker
from chalicelib.kinds.event_replay import KIND
from chalicelib.replaying import MOST_EVENTS, ReplayRequest, ReplayResult

if TYPE_CHECKING:
    from chalicelib.jobs.kind import AnyKind

MOST_IDS = 1_000
_MOST_VERSION = 2**31 - 1


class ReplayBody(Struct, frozen=True, kw_only=True):
    """Which events are judged again, and by what."""

    filters: Annotated[EventFilters, Meta(description="As for filter-logs; all events without them.")] = EventFilters()
    ids: Annotated[
        Annotated[tuple[Annotated[int, Meta(ge=1, le=2**53)], ...], Meta(min_length=1, max_length=MOST_IDS)] | None,
        Meta(description=f"Only these events, by `id` of logs; at most {MOST_IDS:,}."),
    ] = None
    rules_version: Annotated[
        Annotated[int, Meta(ge=1, le=_MOST_VERSION)] | None,
        Meta(description="Of the rules that judge; the current one, when the replay begins, if it is left out."),
    ] = None
    apply: Annotated[
        bool, Meta(description="true: what the events are judged to be is stored. Else it is only told.")
    ] = False


def create(call: Call) -> Answer:
    """POST replay: 202 with the task's id."""
    caller = require(call)
    app = call.runtime.apps.find(call.params["app_id"], viewer_of(caller))
    body = read_body(call, ReplayBody)[0] if call.body.strip() else ReplayBody()
    filters = filters_of(body.filters, "/filters")
    if body.rules_version is not None and call.runtime.apps.sheet(app, body.rules_version) is None:
        raise NotFound(f"app {app.app_id} has no rules of version {body.rules_version}")
    request = ReplayRequest(
        app=app.id,
        app_id=app.app_id,
        filters=filters,
        ids=body.ids,
        rules_version=body.rules_version,
        is_applied=body.apply,
    )
    return hand_in(call, cast("AnyKind", KIND), request, Asker(owner=caller.user_id, key=idempotency_key(call)))


DOCS: Mapping[str, Doc] = {
    "create": Doc(
        name="replay_events",
        group=GROUP,
        summary="Judge stored events again",
        details="By the current rules or a named version, in the background: the newest of the events that are stored "
        f"when it begins and fit, {MOST_EVENTS:,} at most. The result counts verdicts before and after and lists by "
        "event and field what has turned. With `apply` each event gets the new verdict, results and version in one "
        "piece, once; a replay that is cancelled leaves what it has done. Personal data keeps the verdict that it "
        "has, for no value is kept. Bodies, and counts that were made when events came, are not changed. The body may "
        f"be left out. {OWN}",
        access=Access.ACCOUNT,
        params=(APP_ID, IDEMPOTENCY_KEY, PREFER),
        request=ReplayBody,
        example=ReplayBody(filters=EventFilters(event_names=("user_login",), status="invalid"), apply=True),
        result=ReplayResult,
        replies={
            200: Reply(
                summary="Ended within the time that `Prefer` gave it, well or not",
                body=Task,
                headers=SUBMITTED | {"Content-Location": "The same as Location."},
            ),
            202: Reply(summary="Queued", body=Accepted, headers=SUBMITTED),
        },
        refusals=(*READ, *BODY, Gone, KeyReused),
    ),
}
