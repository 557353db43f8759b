"""Counts stored events and tells owners of spikes; started every few minutes by the sweeper while there is anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from chalicelib.jobs.kind import Continue, Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.alerting import DeliveryRequest
    from chalicelib.counting import CountRequest, CountResult
    from chalicelib.runtime import Runtime

# A step counts no more after this.
_STEP_S = 240


def contract() -> Contract[CountRequest, CountResult]:
    from chalicelib.counting import CountRequest, CountResult

    return Contract(request=CountRequest, result=CountResult, example=CountRequest())


def run(request: CountRequest, progress: Progress, step_s: float = _STEP_S) -> CountResult | Continue:
    from chalicelib.counting import count_up
    from chalicelib.jobs.submit import Asker
    from chalicelib.kinds.contracts_alerts import deliver

    def hand_on(message: DeliveryRequest, owner: str, key: str) -> str:
        return deliver(cast("Runtime", progress.parts), message, Asker(owner=owner, key=key))

    return count_up(progress, hand_on, step_s)


KIND = JobKind(
    name="event_statistics",
    summary="Statistics of events",
    path="/api/async/events/statistics",
    queue="batch",
    contract=contract,
    run=run,
    time_limit_s=840,
    keep_s=3600,
    # Of four minutes each and more: some hours.
    max_hops=100,
    scope="admin",
)
