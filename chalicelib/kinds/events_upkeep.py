"""Upkeep of events: partitions by day, retention, and apps published again; started each hour by the sweeper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.upkeep import UpkeepRequest, UpkeepResult


def contract() -> Contract[UpkeepRequest, UpkeepResult]:
    from chalicelib.upkeep import UpkeepRequest, UpkeepResult

    return Contract(request=UpkeepRequest, result=UpkeepResult, example=UpkeepRequest())


def run(request: UpkeepRequest, progress: Progress) -> UpkeepResult:
    from chalicelib.upkeep import keep_up

    return keep_up(progress)


KIND = JobKind(
    name="events_upkeep",
    summary="Upkeep of events",
    path="/api/async/events/upkeep",
    queue="batch",
    contract=contract,
    run=run,
    time_limit_s=840,
    keep_s=24 * 3600,
    scope="admin",
)
