"""Upkeep of events: days are made and dropped, old counts go, and what ingest knows of apps is published again.

Publishing mends what could not be published when it was changed, and a store of published apps that was lost. How
large the database is, is measured on the way.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, cast

from msgspec import Meta, Struct

from chalicelib.publishing import publish
from chalicelib.telemetry import Metric

if TYPE_CHECKING:
    from chalicelib.jobs.kind import Progress
    from chalicelib.runtime import Runtime

# Statistics are kept for so long, or as long as the events where that is longer.
STATISTICS_DAYS = 92
# Quarters of an hour: a day before those that are judged, and some more.
_QUARTERS_KEPT = timedelta(days=2)


class UpkeepRequest(Struct, frozen=True, kw_only=True):
    """Upkeep as the settings have it."""


class UpkeepResult(Struct, frozen=True, kw_only=True):
    """What was done."""

    days_made: Annotated[int, Meta(description="Days that have a partition now and had none.")]
    days_dropped: Annotated[int, Meta(description="Days whose events were outdated.")]
    apps_published: int


def keep_up(progress: Progress) -> UpkeepResult:
    """Does all of it; may be done again from any point."""
    from chalicelib.db.events.upkeep import EventTables

    runtime = cast("Runtime", progress.parts)
    # First: it is where the disk is full that the rest may fail.
    _measure(runtime, progress)
    tables = EventTables(runtime.database_url, progress)
    today = datetime.fromtimestamp(runtime.clock.now(), UTC).date()
    progress(0.0, "making days")
    made = tables.add_days(today)
    published = 0
    for app in tables.apps():
        row = runtime.apps.sheet(app, app.rules_version) if app.rules_version else None
        publish(runtime, app, None if row is None else row.rules.encode())
        published += 1
        progress(0.3, f"{published} apps published")
    _tidy_counts(runtime, progress)
    dropped = tables.drop_before(today - timedelta(days=runtime.settings.event_days))
    return UpkeepResult(days_made=made, days_dropped=dropped, apps_published=published)


def _measure(runtime: Runtime, progress: Progress) -> None:
    """Has the sizes of the database and of its largest tables shown on the dashboard."""
    from chalicelib.db.contracts.session import Session
    from chalicelib.db.sizes import measure

    with closing(Session(runtime.database_url, progress)) as session:
        sizes = measure(session)
    runtime.meter.record({Metric.DATABASE_BYTES: sizes.database})
    for table, size in sizes.tables.items():
        runtime.meter.record_table(table, size)


def _tidy_counts(runtime: Runtime, progress: Progress) -> None:
    from chalicelib.db.contracts.session import Session
    from chalicelib.db.events.counts import EventCounts

    now = runtime.clock.utcnow()
    kept = timedelta(days=max(STATISTICS_DAYS, runtime.settings.event_days))
    with closing(Session(runtime.database_url, progress)) as session:
        EventCounts(session).tidy(quarters_before=now - _QUARTERS_KEPT, hours_before=now - kept)
