"""Replays: stored events are judged again by the current rules or a named version, and stored so if that is wanted.

A replay goes from the newest event to the oldest in short transactions. How far it has come, and what it has found, is
kept in the database and changed together with the events; so a step that is killed, or run twice, counts and changes
nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Literal, cast

import msgspec
from msgspec import Meta, Struct

from chalicelib.db.events.watch_filters import Filters
from chalicelib.db.viewer import Viewer
from chalicelib.errors import JobFailed, NotFound
from chalicelib.events.again import judge_again
from chalicelib.events.bodies import Event
from chalicelib.events.judge import CompiledSheet, compile_sheet
from chalicelib.events.paths import fold_elements
from chalicelib.events.results import FieldResult, Verdict, makes_invalid
from chalicelib.events.rules import Compat, RuleSheet
from chalicelib.intake import ruled_keys
from chalicelib.jobs.kind import Continue, Progress
from chalicelib.ruling import compat_of, rules_of

if TYPE_CHECKING:
    from chalicelib.db.events.replays import EventReplays, NewJudgement, Selection, StoredJudgement
    from chalicelib.runtime import Runtime

# Events that a replay looks at.
MOST_EVENTS = 1_000_000
MOST_CHANGES = 500
_ANYBODY = Viewer(account=None, sees_all=True, changes_all=True)

Turned = Literal["turned_invalid", "turned_valid"]


class Sizes(Struct, frozen=True, kw_only=True):
    """How much is done at a time."""

    # Writers of the app's events wait while so many are stored.
    at_once: int = 500
    # A step ends with the first transaction after this.
    step_s: float = 240
    most_events: int = MOST_EVENTS


_USUAL = Sizes()


class ReplayRequest(Struct, frozen=True, kw_only=True):
    """Which events of an app are judged again, by which rules; the app was the caller's when it was asked for."""

    app: int
    app_id: str
    filters: Filters = Filters()
    ids: tuple[int, ...] | None = None
    # None: the current one when the replay begins.
    rules_version: int | None = None
    is_applied: bool = False


class Verdicts(Struct, frozen=True, kw_only=True):
    """Events by what they were judged to be."""

    valid: int = 0
    invalid: int = 0
    no_rules: int = 0


class Change(Struct, frozen=True, kw_only=True):
    """Events of one name whose verdict turns because of one field."""

    event_name: str
    change: Annotated[
        Turned, Meta(description="turned_invalid by what is found now, or turned_valid, rid of what was found.")
    ]
    field_name: Annotated[str, Meta(description="Path of the field, with [] for each element of an array.")]
    validation_status: Annotated[str, Meta(description="The kind of fault that came or went.")]
    events: int
    sample_id: Annotated[int, Meta(description="The newest of these events: `id` of logs.")]


class ReplayResult(Struct, frozen=True, kw_only=True):
    """What a replay has found, and changed if it was to."""

    rules_version: Annotated[int, Meta(description="Of the rules that judged; 0: the app has none.")]
    is_applied: bool
    events: Annotated[int, Meta(description="How many were judged again.")]
    before: Annotated[Verdicts, Meta(description="Of these, by the verdict that was stored.")]
    after: Annotated[Verdicts, Meta(description="Of these, by the new verdict.")]
    turned_invalid: int
    turned_valid: int
    changes: Annotated[
        tuple[Change, ...],
        Meta(description=f"By number of events; at most {MOST_CHANGES} groups, those that were met first."),
    ]
    are_changes_complete: bool
    stored: Annotated[
        int, Meta(description="Events of which verdict, results or version were changed; 0 unless applied.")
    ]
    not_judged: Annotated[
        int,
        Meta(
            description="Fields of personal data, and conditions on them, that keep the verdict of before: their value "
            "is not kept."
        ),
    ]
    partly_judged: Annotated[int, Meta(description="Events with at least one of these.")]
    without_body: Annotated[int, Meta(description="Events that were left as they are: sampling kept no body.")]
    too_long: Annotated[
        int, Meta(description="Events that were left as they are: personal data among more results than are kept.")
    ]
    removed: Annotated[int, Meta(description="Events that were removed while they were judged.")]
    is_complete: Annotated[
        bool, Meta(description=f"false: the selection has more events than the newest {MOST_EVENTS:,}, which is all.")
    ]


EXAMPLE = ReplayRequest(app=1, app_id="shop", rules_version=2, is_applied=True)


class _Plan(Struct, frozen=True, kw_only=True):
    """What was settled when the replay began."""

    rules_version: int
    compat: Compat
    filters: Filters
    ids: tuple[int, ...] | None
    tip: int
    size: int


class _Stand(Struct, kw_only=True):
    """How far it has come, and what it has found."""

    # Events with this number and greater ones are done.
    before: int
    is_done: bool = False
    is_complete: bool = True
    looked_at: int = 0
    was: dict[str, int] = {}
    became: dict[str, int] = {}
    turned: dict[str, int] = {}
    # By their groups.
    changes: dict[str, Change] = {}
    are_changes_cut: bool = False
    stored: int = 0
    not_judged: int = 0
    partly_judged: int = 0
    without_body: int = 0
    too_long: int = 0
    removed: int = 0


class _Judged(Struct, frozen=True):
    """An event that was judged again; `new` is what there is to store."""

    event: StoredJudgement
    status: Verdict
    old: Sequence[FieldResult]
    results: Sequence[FieldResult]
    kept: int
    new: NewJudgement | None


def replay(request: ReplayRequest, progress: Progress, sizes: Sizes = _USUAL) -> ReplayResult | Continue:
    """Does the next step of a replay; may be done again from any point."""
    from chalicelib.db.contracts.session import Session
    from chalicelib.db.events.replays import EventReplays

    runtime = cast("Runtime", progress.parts)
    end_s = runtime.clock.now() + sizes.step_s
    with closing(Session(runtime.database_url, progress)) as session:
        replays = EventReplays(session)
        plan = _plan(runtime, replays, request, progress, sizes)
        compiled = compile_sheet(_sheet(runtime, request, plan.rules_version), plan.compat)
        run = _Run(replays, request, plan, compiled, sizes)
        while True:
            stand = run.take_turn(progress.job_id)
            if stand.is_done:
                return _tell(request, plan, stand)
            told = f"{stand.looked_at:,} of {plan.size:,} events"
            progress(stand.looked_at / max(plan.size, stand.looked_at), told)
            if runtime.clock.now() >= end_s:
                return Continue(str(stand.before))


def _plan(runtime: Runtime, replays: EventReplays, request: ReplayRequest, progress: Progress, sizes: Sizes) -> _Plan:
    known = replays.plan(progress.job_id)
    if known is None:
        app = runtime.apps.find(request.app_id, _ANYBODY)
        if app.id != request.app:
            raise NotFound(f"app {request.app_id} was removed; another one has its id")
        selection = replays.select(request.app, request.filters, request.ids)
        version = app.rules_version if request.rules_version is None else request.rules_version
        progress(0.0, "counting events")
        plan = _Plan(
            rules_version=version,
            compat=compat_of(app),
            filters=selection.filters,
            ids=selection.ids,
            tip=selection.tip,
            size=replays.size(request.app, selection, sizes.most_events),
        )
        stand = _Stand(before=plan.tip + 1)
        replays.begin(progress.job_id, request.app, plan=_json(plan), stand=_json(stand))
        # What another run of this job may have settled in the meantime holds.
        known = replays.plan(progress.job_id)
        assert known is not None
    return msgspec.json.decode(known, type=_Plan)


def _sheet(runtime: Runtime, request: ReplayRequest, version: int) -> RuleSheet:
    if not version:
        return RuleSheet()
    sheet = rules_of(runtime, runtime.apps.find(request.app_id, _ANYBODY), version)
    if sheet is None:
        raise JobFailed(f"app {request.app_id} has no rules of version {version}")
    return sheet


class _Run(Struct, frozen=True):
    """A replay under way."""

    replays: EventReplays
    request: ReplayRequest
    plan: _Plan
    compiled: CompiledSheet
    sizes: Sizes

    def take_turn(self, job_id: str) -> _Stand:
        """Judges the next events in one transaction; answers how far the replay has come with them."""
        with self.replays.turn(job_id, self.request.app, is_applied=self.request.is_applied) as turn:
            stand = msgspec.json.decode(turn.stand, type=_Stand)
            if stand.is_done:
                return stand
            room = self.sizes.most_events - stand.looked_at
            # One more than there is room for tells whether these are all.
            limit = min(self.sizes.at_once, room + 1)
            events = turn.read(self._selection, stand.before, limit)
            if len(events) > room:
                events, stand.is_complete = events[:room], False
            judged = [each for event in events if (each := self._judge(event, stand)) is not None]
            new = [each.new for each in judged if each.new is not None]
            there = turn.store(new, self.plan.rules_version) if self.request.is_applied else frozenset()
            for each in judged:
                if not self.request.is_applied or each.new is None or each.event.id in there:
                    _count(stand, each, is_stored=each.event.id in there)
                else:
                    stand.removed += 1
            stand.looked_at += len(events)
            stand.before = events[-1].id if events else stand.before
            stand.is_done = len(events) < limit
            turn.save(_json(stand))
            return stand

    @property
    def _selection(self) -> Selection:
        from chalicelib.db.events.replays import Selection

        return Selection(filters=self.plan.filters, ids=self.plan.ids, tip=self.plan.tip)

    def _judge(self, event: StoredJudgement, stand: _Stand) -> _Judged | None:
        """The event by the plan's rules; None for one that is not wanted or cannot be judged, which is counted."""
        from chalicelib.db.events.replays import NewJudgement

        if not event.is_wanted:
            return None
        if not event.is_body_kept:
            stand.without_body += 1
            return None
        old = msgspec.json.decode(event.results, type=tuple[FieldResult, ...])
        said = Event(event.event_name, "", msgspec.json.decode(event.body))
        payload = said.payload(ruled_keys(self.compiled, event.event_name))
        again = judge_again(self.compiled, event.event_name, payload, old)
        if again is None:
            stand.too_long += 1
            return None
        judgement = again.judgement
        is_user = not said.is_system and judgement.status != "no_rules"
        now = (judgement.status, is_user, self.plan.rules_version, judgement.results)
        if now == (event.status, event.is_user, event.rules_version, old):
            new = None
        else:
            results = _json(judgement.results)
            new = NewJudgement(event=event, status=judgement.status, is_user=is_user, results=results)
        return _Judged(event, judgement.status, old, judgement.results, again.kept, new)


def _count(stand: _Stand, judged: _Judged, *, is_stored: bool) -> None:
    was, status = judged.event.status, judged.status
    stand.was[was] = stand.was.get(was, 0) + 1
    stand.became[status] = stand.became.get(status, 0) + 1
    stand.stored += is_stored
    stand.not_judged += judged.kept
    stand.partly_judged += judged.kept > 0
    if (was == "invalid") == (status == "invalid"):
        return
    turned: Turned = "turned_invalid" if status == "invalid" else "turned_valid"
    stand.turned[turned] = stand.turned.get(turned, 0) + 1
    faulty = filter(makes_invalid, judged.results if status == "invalid" else judged.old)
    for field, kind in sorted({(fold_elements(result.key), result.validation_status) for result in faulty}):
        change = Change(
            event_name=judged.event.event_name,
            change=turned,
            field_name=field,
            validation_status=kind,
            events=1,
            sample_id=judged.event.id,
        )
        _add(stand, change)


def _add(stand: _Stand, change: Change) -> None:
    group = _json(_group(change))
    known = stand.changes.get(group)
    if known is not None:
        stand.changes[group] = msgspec.structs.replace(known, events=known.events + 1)
    elif len(stand.changes) < MOST_CHANGES:
        stand.changes[group] = change
    else:
        stand.are_changes_cut = True


def _group(change: Change) -> tuple[str, str, str, str]:
    return change.event_name, change.change, change.field_name, change.validation_status


def _tell(request: ReplayRequest, plan: _Plan, stand: _Stand) -> ReplayResult:
    return ReplayResult(
        rules_version=plan.rules_version,
        is_applied=request.is_applied,
        events=sum(stand.was.values()),
        before=_verdicts(stand.was),
        after=_verdicts(stand.became),
        turned_invalid=stand.turned.get("turned_invalid", 0),
        turned_valid=stand.turned.get("turned_valid", 0),
        changes=tuple(sorted(stand.changes.values(), key=lambda change: (-change.events, _group(change)))),
        are_changes_complete=not stand.are_changes_cut,
        stored=stand.stored,
        not_judged=stand.not_judged,
        partly_judged=stand.partly_judged,
        without_body=stand.without_body,
        too_long=stand.too_long,
        removed=stand.removed,
        is_complete=stand.is_complete,
    )


def _verdicts(counts: Mapping[str, int]) -> Verdicts:
    return Verdicts(**counts)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
