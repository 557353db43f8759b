"""Taking events: apps as they were published, remembered by the process; the judgement; and what goes to the queue.

Nothing here asks Postgres, and once an app is known nothing has to be asked at all for some seconds. Where the store of
published apps is away, what was known last is still good: it changes seldom, and an event that is refused is lost.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from chalicelib.buckets import Buckets
from chalicelib.errors import Unavailable
from chalicelib.events.bodies import MAX_EVENTS, RESERVED, Event
from chalicelib.events.paths import fold_event, fold_key
from chalicelib.events.sampling import Sampler
from chalicelib.events.taken import TakenEvent
from chalicelib.telemetry import log

if TYPE_CHECKING:
    from chalicelib.aws.event_records import EventRecords, PublishedApp
    from chalicelib.clock import Clock
    from chalicelib.events.judge import CompiledSheet
    from chalicelib.events.results import Judgement
    from chalicelib.ids import Ids

# Seconds that an app is taken as it was: how late a change may come to a process. Apps that are not there are
# remembered too, so that nobody can have the store asked at will.
REMEMBERED_S = 5.0
# Seconds that an app is still taken as it was while the store is away.
_LAST_GOOD_S = 3600.0
_MOST_APPS = 2_000
_MOST_SHEETS = 100


class Intake:
    """Judges events by their apps' rules."""

    def __init__(self, records: EventRecords, clock: Clock, ids: Ids, *, rate: float) -> None:
        """`rate` is how many events of an app this process takes a second, when it has taken MAX_EVENTS at once."""
        self._records = records
        self._buckets = Buckets(rate, MAX_EVENTS, most=_MOST_APPS)
        self._samplers: dict[int, Sampler] = {}
        self._clock = clock
        self._ids = ids
        # With when it was read, and when it was last asked for.
        self._apps: OrderedDict[str, tuple[PublishedApp | None, float, float]] = OrderedDict()
        self._sheets: OrderedDict[tuple[int, int, bool, bool], CompiledSheet] = OrderedDict()

    def app(self, app_id: str) -> PublishedApp | None:
        """The app, at most REMEMBERED_S old; None if there is none. Raises Unavailable where nothing is known of it."""
        now_s = self._clock.now()
        app, read_s, asked_s = self._apps.get(app_id, (None, float("-inf"), float("-inf")))
        if now_s - asked_s < REMEMBERED_S:
            return app
        try:
            app = self._records.app(app_id)
        except Unavailable:
            if now_s - read_s > _LAST_GOOD_S:
                raise
            log.warning("app taken as it was", app_id=app_id, age_s=round(now_s - read_s))
            # To ask takes seconds now, which not every event has to wait for.
            self._apps[app_id] = app, read_s, self._clock.now()
            return app
        self._apps[app_id] = app, now_s, now_s
        self._apps.move_to_end(app_id)
        if len(self._apps) > _MOST_APPS:
            self._apps.popitem(last=False)
        return app

    def wait_s(self, app: PublishedApp, count: int) -> float:
        """0 where so many events of the app may be taken now, else after how many seconds to try again."""
        return self._buckets.of(str(app.id)).take(count, now_s=self._clock.now())

    def sheet(self, app: PublishedApp) -> CompiledSheet:
        """The app's rules, ready to judge; of no rules where it has none."""
        from chalicelib.events.judge import compile_sheet
        from chalicelib.events.rules import Compat, RuleSheet

        key = (app.id, app.rules_version, app.optional_absent_is_invalid, app.integer_for_float)
        found = self._sheets.get(key)
        if found is None:
            rules = self._records.sheet(app.id, app.rules_version) if app.rules_version else b'{"rules": []}'
            if rules is None:
                raise Unavailable(f"version {app.rules_version} of the rules is not published", retry_after_s=5)
            compat = Compat(
                optional_absent_is_invalid=app.optional_absent_is_invalid, integer_for_float=app.integer_for_float
            )
            found = compile_sheet(msgspec.json.decode(rules, type=RuleSheet), compat)
            self._sheets[key] = found
            if len(self._sheets) > _MOST_SHEETS:
                self._sheets.popitem(last=False)
        return found

    def take(self, app: PublishedApp, event: Event) -> tuple[TakenEvent, Judgement]:
        """Judges one event; what is answered about it is as free of personal values as what is stored."""
        from chalicelib.events.privacy import redact

        sheet = self.sheet(app)
        judgement = sheet.judge(event.name, event.payload(ruled_keys(sheet, event.name)))
        message_id = event.message_id or self._ids.job()
        taken = TakenEvent(
            message_id=message_id,
            name=fold_event(event.name),
            status=judgement.status,
            is_user=not event.is_system and judgement.status != "no_rules",
            rules_version=app.rules_version,
            body=msgspec.Raw(msgspec.json.encode(redact(sheet, event.name, event.body, app.salt))),
            results=msgspec.Raw(msgspec.json.encode(judgement.results)),
            is_body_kept=judgement.status == "invalid" or self._keeps_body(app, message_id),
        )
        return taken, judgement

    def _keeps_body(self, app: PublishedApp, message_id: str) -> bool:
        most = app.keep_bodies_per_minute
        if most is None:
            return True
        sampler = self._samplers.get(app.id)
        if sampler is None:
            if len(self._samplers) >= _MOST_APPS:
                self._samplers.clear()
            sampler = self._samplers[app.id] = Sampler()
        return sampler.keeps(message_id, most=most, now_s=self._clock.now())


def ruled_keys(sheet: CompiledSheet, event_name: str) -> frozenset[str]:
    """Of the keys that describe an event those that its rules name."""
    tree = sheet.tree_of(event_name)
    return frozenset() if tree is None else frozenset(key for key in RESERVED if fold_key(key) in tree.children)
