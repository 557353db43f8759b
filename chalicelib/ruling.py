"""Rule sheets of apps: read as they are sent, held against the one before and against stored events, and published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct

from chalicelib.events.again import judge_again
from chalicelib.events.bodies import Event
from chalicelib.events.differences import Differences, differ
from chalicelib.events.judge import CompiledSheet, compile_sheet
from chalicelib.events.results import FieldResult, Judgement, makes_invalid
from chalicelib.events.rules import Compat, RuleSheet
from chalicelib.intake import ruled_keys
from chalicelib.publishing import publish

if TYPE_CHECKING:
    from chalicelib.db.events.apps import App
    from chalicelib.db.events.log import JudgedBody
    from chalicelib.db.viewer import Viewer
    from chalicelib.runtime import Runtime

MOST_TRIED = 2_000
_MOST_SHOWN = 20


class Draft(Struct, frozen=True, kw_only=True):
    """Rules that may become an app's next version, and those that it has when they are drawn up."""

    old: RuleSheet
    sheet: RuleSheet
    # Where they are from, in a word.
    source: str


class TriedEvent(Struct, frozen=True, kw_only=True):
    """A stored event that the new rules judge otherwise."""

    event_name: str
    before: str
    after: str
    results: Annotated[tuple[FieldResult, ...], Meta(description="What makes it invalid now.")]


class Trial(Struct, frozen=True, kw_only=True):
    """What the new rules say to the newest stored events. Personal data keeps the verdict that it has."""

    events: Annotated[int, Meta(description="How many were judged.")]
    turned_invalid: int
    turned_valid: int
    not_judged: Annotated[
        int,
        Meta(description="Fields of personal data, and conditions on them, that keep their verdict: no value is kept."),
    ] = 0
    skipped: Annotated[
        int,
        Meta(
            description="Events that were not judged: sampling kept no body, or there is personal data among more "
            "results than are kept."
        ),
    ] = 0
    examples: Annotated[tuple[TriedEvent, ...], Meta(description="The newest that are judged otherwise, at most 20.")]


def current_rules(runtime: Runtime, app: App) -> RuleSheet:
    """The rules that judge the app's events now."""
    found = rules_of(runtime, app, app.rules_version) if app.rules_version else None
    return found or RuleSheet()


def rules_of(runtime: Runtime, app: App, version: int) -> RuleSheet | None:
    """The rules of a version; None where there is none."""
    row = runtime.apps.sheet(app, version)
    return None if row is None else msgspec.json.decode(row.rules, type=RuleSheet)


def compat_of(app: App) -> Compat:
    return Compat(optional_absent_is_invalid=app.optional_absent_is_invalid, integer_for_float=app.integer_for_float)


def compare(app: App, draft: Draft) -> Differences:
    """What a draft would change for the app's senders."""
    return differ(draft.old, draft.sheet, compat_of(app))


def try_on(runtime: Runtime, app: App, sheet: RuleSheet, count: int) -> Trial:
    """Judges the newest stored events by other rules."""
    compiled = compile_sheet(sheet, compat_of(app))
    turned_invalid = turned_valid = not_judged = skipped = 0
    examples: list[TriedEvent] = []
    stored = runtime.event_log.newest(app.id, min(count, MOST_TRIED))
    for row in stored:
        judgement, kept = _judge(compiled, row)
        not_judged += kept
        if judgement is None:
            skipped += 1
            continue
        was, is_now = row.status == "invalid", judgement.status == "invalid"
        if was == is_now:
            continue
        turned_invalid += is_now
        turned_valid += was
        if len(examples) < _MOST_SHOWN:
            wrong = tuple(filter(makes_invalid, judgement.results))
            examples.append(
                TriedEvent(event_name=row.event_name, before=row.status, after=judgement.status, results=wrong)
            )
    return Trial(
        events=len(stored) - skipped,
        turned_invalid=turned_invalid,
        turned_valid=turned_valid,
        not_judged=not_judged,
        skipped=skipped,
        examples=tuple(examples),
    )


def _judge(compiled: CompiledSheet, row: JudgedBody) -> tuple[Judgement | None, int]:
    """What the rules say to a stored event, None where that cannot be known; and how many fields keep their verdict."""
    if not row.is_body_kept:
        return None, 0
    payload = Event(row.event_name, "", msgspec.json.decode(row.body)).payload(ruled_keys(compiled, row.event_name))
    results = msgspec.json.decode(row.results, type=tuple[FieldResult, ...])
    again = judge_again(compiled, row.event_name, payload, results)
    return (None, 0) if again is None else (again.judgement, again.kept)


def use(runtime: Runtime, viewer: Viewer, app: App, draft: Draft) -> tuple[App, Differences]:
    """Makes a draft the app's next version and publishes it; answers the app, and what is different now.

    A draft of the rules that it has already makes no version, but they are published again.
    """
    from chalicelib.db.events.apps import NewSheet

    differences, rules = compare(app, draft), msgspec.json.encode(draft.sheet)
    if app.rules_version and draft.sheet == draft.old:
        publish(runtime, app, rules)
        return app, differences
    label = differences.label if app.rules_version else "first"
    stored = NewSheet(rules=rules.decode(), label=label, source=draft.source, created_by=viewer.account)
    changed = runtime.apps.add_sheet(app.app_id, viewer, app.rules_version, stored)
    publish(runtime, changed, rules)
    return changed, differences
