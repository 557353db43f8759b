"""A batch of events on its way into Postgres; its result says of each what became of it.

Events come by their own route, where they are judged, so no other one submits this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.batches import BatchRequest, BatchResult
    from chalicelib.runtime import Runtime


def contract() -> Contract[BatchRequest, BatchResult]:
    from chalicelib.batches import EXAMPLE, BatchRequest, BatchResult

    return Contract(request=BatchRequest, result=BatchResult, example=EXAMPLE)


def run(request: BatchRequest, progress: Progress) -> BatchResult:
    from chalicelib.batches import store_batch

    return store_batch(request, cast("Runtime", progress.parts))


KIND = JobKind(
    name="event_batch",
    summary="A batch of events",
    path="",
    queue="events",
    contract=contract,
    run=run,
    time_limit_s=50,
    keep_s=24 * 3600,
    # After those hours that outages cost nothing, with the pauses between them some hours more.
    max_attempts=30,
)
