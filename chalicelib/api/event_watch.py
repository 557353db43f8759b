"""How an app's events are doing: counts, coverage of the rules, and names; by the newest event of each name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chalicelib.api.event_apps import find_app
from chalicelib.api.event_routes import APP_ID
from chalicelib.api.http import Answer, Call
from chalicelib.api.paging import NO_STORE
from chalicelib.api.query import query_params, read_query
from chalicelib.api.route import CALLER, Access, Doc, Reply
from chalicelib.db.events.apps import App
from chalicelib.db.events.watch import MOST_NAMES
from chalicelib.db.events.watch_filters import Latest, by_name
from chalicelib.errors import InvalidRequest, NotFound, Unavailable
from chalicelib.ruling import current_rules

GROUP = "Watching events"
OWN = "An account sees its own apps, an admin all; another one's is answered like one that there is not."
READ = (*CALLER, NotFound, Unavailable)
_DAY = timedelta(hours=24)
_MOST_HOURS = 24 * 366


class StatsQuery(Struct, frozen=True, kw_only=True):
    """Which time is looked at."""

    hours: Annotated[int, Meta(ge=1, le=_MOST_HOURS, description="The last so many hours; 24 when missing.")] = 24


class EventStats(Struct, frozen=True, kw_only=True):
    """How many events, each counted once by the newest of its name, are as they should be."""

    total: Annotated[int, Meta(description="Names of which there is an event in this time.")]
    valid: Annotated[int, Meta(description="Those whose newest event breaks no rule, also where there are none.")]
    invalid: Annotated[int, Meta(description="Those whose newest event breaks rules.")]
    error: Annotated[int, Meta(description="Always 0: judging has no third outcome. For older clients.")] = 0
    no_rules: Annotated[int, Meta(description="Those of the valid ones that the rule sheet does not know.")]
    success_rate: Annotated[int, Meta(description="Valid ones in per cent, rounded; 0 without events.")]
    hours: int


class EventCoverage(Struct, frozen=True, kw_only=True):
    """Which events of the current rule sheet have been seen, at any time; names are in lower case."""

    captured: Annotated[int, Meta(description="Events of the sheet that were seen.")]
    missing: Annotated[int, Meta(description="Events of the sheet that were not.")]
    total: Annotated[int, Meta(description="Events of the sheet.")]
    missing_events: Annotated[tuple[str, ...], Meta(description="Names of those that are missing, sorted.")]
    event_names: Annotated[tuple[str, ...], Meta(description="Names of all events of the sheet, sorted.")]
    extra_events: Annotated[
        tuple[str, ...], Meta(description="Names that were seen and that the sheet does not know, sorted; not counted.")
    ]
    rules_version: Annotated[int, Meta(description="Of the sheet; 0: there is none yet.")]


class EventNames(Struct, frozen=True, kw_only=True):
    """Names of events."""

    event_names: Annotated[tuple[str, ...], Meta(description="In lower case, sorted.")]


class ValidEvents(Struct, frozen=True, kw_only=True):
    """Names of events that are as the rules want them."""

    fully_valid_events: Annotated[tuple[str, ...], Meta(description="In lower case, sorted.")]


def stats(call: Call) -> Answer:
    """GET stats: how many names are valid."""
    app = find_app(call)
    hours = read_query(call, StatsQuery, lambda _: []).hours
    return Answer(body=_stats(_newest(call, app), _since(call, timedelta(hours=hours)), hours), headers=NO_STORE)


def coverage(call: Call) -> Answer:
    """GET coverage: which events of the rules were seen."""
    app = find_app(call)
    wanted, seen = {rule.event for rule in current_rules(call.runtime, app).rules}, set(_newest(call, app))
    body = EventCoverage(
        captured=len(wanted & seen),
        missing=len(wanted - seen),
        total=len(wanted),
        missing_events=tuple(sorted(wanted - seen)),
        event_names=tuple(sorted(wanted)),
        extra_events=tuple(sorted(seen - wanted)),
        rules_version=app.rules_version,
    )
    return Answer(body=body, headers=NO_STORE)


def event_names(call: Call) -> Answer:
    """GET event-names: all that were seen."""
    names = _newest(call, find_app(call))
    return Answer(body=EventNames(event_names=tuple(sorted(names))), headers=NO_STORE)


def fully_valid(call: Call) -> Answer:
    """GET fully-valid-events: those whose newest event has rules and breaks none."""
    newest, since = _newest(call, find_app(call)), _since(call, _DAY)
    names = sorted(name for name, row in newest.items() if row.status == "valid" and row.accepted_at >= since)
    return Answer(body=ValidEvents(fully_valid_events=tuple(names)), headers=NO_STORE)


def _newest(call: Call, app: App) -> dict[str, Latest]:
    return by_name(call.runtime.event_watch.latest(app.id))


def _since(call: Call, window: timedelta) -> datetime:
    return call.runtime.clock.utcnow() - window


def _stats(newest: Mapping[str, Latest], since: datetime, hours: int) -> EventStats:
    statuses = [row.status for row in newest.values() if row.accepted_at >= since]
    total, invalid = len(statuses), statuses.count("invalid")
    return EventStats(
        total=total,
        valid=total - invalid,
        invalid=invalid,
        no_rules=statuses.count("no_rules"),
        # Halves are rounded up.
        success_rate=(200 * (total - invalid) + total) // (2 * total) if total else 0,
        hours=hours,
    )


_LATEST = (
    "Each name counts once, by the event that was accepted last; names that differ in case alone are one. "
    f"Names beyond the {MOST_NAMES:,} that sent something last are not looked at. "
)


def _doc(name: str, summary: str, details: str, body: type) -> Doc:
    return Doc(
        name=name,
        group=GROUP,
        summary=summary,
        details=f"{details}{_LATEST}{OWN}",
        access=Access.ACCOUNT,
        params=(APP_ID,),
        replies={200: Reply(summary="What was found", body=body)},
        refusals=READ,
    )


DOCS: Mapping[str, Doc] = {
    "stats": msgspec.structs.replace(
        _doc(
            "get_event_stats",
            "How many events are valid",
            "Valid is one thing everywhere: the status of the stored event. Extra keys, and events that the rules do "
            "not know, make nothing invalid; `error` is always 0. ",
            EventStats,
        ),
        params=(APP_ID, *query_params(StatsQuery)),
        refusals=(*READ, InvalidRequest),
    ),
    "coverage": _doc(
        "get_event_coverage", "Which events of the rules were seen", "At any time, valid or not. ", EventCoverage
    ),
    "event_names": _doc("list_event_names", "Names of events that were seen", "", EventNames),
    "fully_valid": _doc(
        "list_fully_valid_events",
        "Events that are as the rules want them",
        "Their newest event is of the last 24 hours, has rules and breaks none. ",
        ValidEvents,
    ),
}
