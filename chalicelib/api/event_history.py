"""How many events an app sent, hour by hour or day by day: statistics that outlive the events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Struct

from chalicelib.api.event_apps import find_app
from chalicelib.api.event_routes import APP_ID
from chalicelib.api.event_watch import GROUP, OWN, READ
from chalicelib.api.event_watch_filters import MOST_ITEMS, read_moment
from chalicelib.api.http import Answer, Call
from chalicelib.api.paging import NO_STORE
from chalicelib.api.query import query_params, read_query
from chalicelib.api.route import Access, Doc, Reply
from chalicelib.clock import rfc3339
from chalicelib.db.events.counts import Point, Span
from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.events.paths import fold_event
from chalicelib.upkeep import STATISTICS_DAYS

# Names that have a series of their own in an answer.
MOST_NAMES = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Step = Literal["hour", "day"]
_Text = Annotated[str, Meta(max_length=10_000)]


class _Grain(NamedTuple):
    """A step, how many of them an answer has at most, and how many where nothing is said."""

    length: timedelta
    most: int
    usual: int


_GRAINS: Mapping[Step, _Grain] = {
    "hour": _Grain(timedelta(hours=1), 31 * 24, 24),
    "day": _Grain(timedelta(days=1), 366, 30),
}


class HistoryQuery(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Which part of the statistics is wanted."""

    step: Annotated[Step, Meta(description="How long each step is; days are those of UTC. hour when missing.")] = "hour"
    from_: Annotated[
        _Text | None,
        Meta(
            description="RFC 3339 time in the first step; 24 steps of an hour or 30 of a day before `to` when missing."
        ),
    ] = None
    to: Annotated[
        _Text | None,
        Meta(description="Only steps that begin before this RFC 3339 time; the step of now is the last when missing."),
    ] = None
    event_names: Annotated[
        _Text | None, Meta(description="Only these events: names in any case with commas between them.")
    ] = None
    is_user: Annotated[bool | None, Meta(description="Only events of users or, with false, all others.")] = None
    by_event: Annotated[
        bool, Meta(description=f"Also the series of each of the {MOST_NAMES} names with most events.")
    ] = False


class HistoryPoint(Struct, frozen=True, kw_only=True):
    """The events that were accepted in a step."""

    at: Annotated[str, Meta(description="Beginning of the step.")]
    total: int
    valid: int
    invalid: int
    no_rules: Annotated[int, Meta(description="Events that the rule sheet did not know.")]


class EventSeries(Struct, frozen=True, kw_only=True):
    """The statistics of one name."""

    event_name: Annotated[str, Meta(description="In lower case.")]
    points: tuple[HistoryPoint, ...]


class EventHistory(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """How many events were stored, by the step in which they were accepted; steps without events are there with 0."""

    step: str
    from_: Annotated[str, Meta(description="Beginning of the first step.")]
    to: Annotated[str, Meta(description="End of the last step.")]
    counted_until: Annotated[
        str | None,
        Meta(description="What was stored before it is counted; null: counting has not begun."),
    ]
    points: tuple[HistoryPoint, ...]
    events: Annotated[
        tuple[EventSeries, ...], Meta(description="With `by_event`: the names with most events, those first.")
    ] = ()
    event_count: Annotated[
        int | None, Meta(description="With `by_event`: how many names there are, more than are shown perhaps.")
    ] = None


def show(call: Call) -> Answer:
    """GET history: counts by steps of time."""
    app = find_app(call)
    query = read_query(call, HistoryQuery, _faults)
    span = _span(query, call.runtime.clock.utcnow())
    series = call.runtime.event_counts.series(app.id, span, most_names=MOST_NAMES if query.by_event else 0)
    of_names: dict[str, list[Point]] = {name: [] for name in series.names}
    for point in series.points_of_names:
        of_names[point.event_name].append(point)
    body = EventHistory(
        step=query.step,
        from_=_text(span.first),
        to=_text(span.beyond),
        counted_until=_text(series.counted_until) if series.counted_until else None,
        points=_filled(span, series.points),
        events=tuple(EventSeries(event_name=name, points=_filled(span, of_names[name])) for name in series.names),
        event_count=series.name_count if query.by_event else None,
    )
    return Answer(body=body, headers=NO_STORE)


def _faults(query: HistoryQuery) -> list[FieldError]:
    errors = [
        FieldError("", f"{name} must be a time such as 2026-01-31T12:00:00Z, got {text[:40]!r}")
        for name, text in (("from", query.from_), ("to", query.to))
        if text and read_moment(text) is None
    ]
    if len(_names(query)) > MOST_ITEMS:
        errors.append(FieldError("", f"event_names must have at most {MOST_ITEMS} items, got {len(_names(query))}"))
    if "\0" in (query.event_names or ""):
        errors.append(FieldError("", "event_names must not have the character U+0000"))
    return errors


def _span(query: HistoryQuery, now: datetime) -> Span:
    """The steps that are wanted; raises InvalidRequest where they are none, or too many."""
    grain = _GRAINS[query.step]
    first, to = read_moment(query.from_), read_moment(query.to)
    try:
        beyond = _floor(to or now, grain.length)
        if to is None or beyond < to:
            beyond += grain.length
        begin = _floor(first, grain.length) if first else beyond - grain.usual * grain.length
    except OverflowError:
        raise InvalidRequest([FieldError("", "from and to must be times of the years 2 to 9998")]) from None
    steps = (beyond - begin) // grain.length
    if steps < 1:
        raise InvalidRequest([FieldError("", f"from must be before to, which is {_text(beyond)}, got {query.from_}")])
    if steps > grain.most:
        detail = f"from and to must be at most {grain.most} steps of one {query.step} apart, got {steps}"
        raise InvalidRequest([FieldError("", detail)])
    return Span(first=begin, beyond=beyond, step=grain.length, event_names=tuple(_names(query)), is_user=query.is_user)


def _names(query: HistoryQuery) -> list[str]:
    names = map(fold_event, (query.event_names or "").split(","))
    return sorted({name for name in names if name})


def _floor(moment: datetime, step: timedelta) -> datetime:
    return moment.astimezone(UTC) - (moment - _EPOCH) % step


def _filled(span: Span, points: Iterable[Point]) -> tuple[HistoryPoint, ...]:
    """A point for each step."""
    counts: dict[datetime, dict[str, int]] = {}
    for point in points:
        counts.setdefault(point.at, {})[point.status] = point.count
    steps = [span.first + number * span.step for number in range((span.beyond - span.first) // span.step)]
    return tuple(_point(step, counts.get(step, {})) for step in steps)


def _point(at: datetime, counts: Mapping[str, int]) -> HistoryPoint:
    return HistoryPoint(
        at=_text(at),
        total=sum(counts.values()),
        valid=counts.get("valid", 0),
        invalid=counts.get("invalid", 0),
        no_rules=counts.get("no_rules", 0),
    )


def _text(moment: datetime) -> str:
    return rfc3339(moment.timestamp())


DOCS: Mapping[str, Doc] = {
    "show": Doc(
        name="get_event_history",
        group=GROUP,
        summary="How many events were stored, hour by hour or day by day",
        details="Counts what was stored, with the verdict that it was stored with: removing events, their retention "
        "and judging them again change nothing. Removing the app removes its statistics. They are kept for "
        f"{STATISTICS_DAYS} days, or as long as events where that is longer, and are some minutes old: `counted_until` "
        f"tells. At most {_GRAINS['hour'].most} hours or {_GRAINS['day'].most} days in one answer. {OWN}",
        access=Access.ACCOUNT,
        params=(APP_ID, *query_params(HistoryQuery)),
        replies={200: Reply(summary="The counts, oldest first", body=EventHistory)},
        refusals=(*READ, InvalidRequest),
    ),
}
