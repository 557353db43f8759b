"""Stored events of an app, judged again; their own route checks whose app it is, so no other one submits this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.jobs.kind import Continue, Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.replaying import ReplayRequest, ReplayResult


def contract() -> Contract[ReplayRequest, ReplayResult]:
    from chalicelib.replaying import EXAMPLE, ReplayRequest, ReplayResult

    return Contract(request=ReplayRequest, result=ReplayResult, example=EXAMPLE)


def run(request: ReplayRequest, progress: Progress) -> ReplayResult | Continue:
    from chalicelib.replaying import replay

    return replay(request, progress)


KIND = JobKind(
    name="event_replay",
    summary="A replay of stored events",
    path="",
    queue="batch",
    contract=contract,
    run=run,
    time_limit_s=840,
    keep_s=24 * 3600,
    # Of four minutes each and more: hours.
    max_hops=100,
)
