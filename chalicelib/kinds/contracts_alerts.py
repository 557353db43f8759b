"""Tells saved searches what a new version of the contracts has brought; each import starts it once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import msgspec
from msgspec import Meta

from chalicelib.errors import Gone, KeyReused, Unavailable
from chalicelib.jobs.kind import AnyKind, Continue, Contract, JobKind, Progress
from chalicelib.jobs.submit import Asker, submit
from chalicelib.kinds.alert_delivery import KIND as DELIVERY
from chalicelib.telemetry import log

if TYPE_CHECKING:
    from chalicelib.alerting import AlertsResult, DeliveryRequest
    from chalicelib.runtime import Runtime


# A step tells no more searches after this.
_STEP_S = 240


class AlertsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which version saved searches are to be told of."""

    version: Annotated[int, Meta(ge=0, le=2**31 - 1, description="Number of the data set; 0 for the current one.")] = 0


def contract() -> Contract[AlertsRequest, AlertsResult]:
    from chalicelib.alerting import AlertsResult

    return Contract(request=AlertsRequest, result=AlertsResult, example=AlertsRequest())


def run(request: AlertsRequest, progress: Progress, step_s: float = _STEP_S) -> AlertsResult | Continue:
    from chalicelib.alerting import tell

    def hand_on(message: DeliveryRequest, owner: str, key: str) -> str:
        return deliver(_runtime(progress), message, Asker(owner=owner, key=key))

    return tell(request.version, progress, hand_on, step_s)


def start(version: int, progress: Progress) -> None:
    """Has saved searches be told of a version that was published, once however often this is called.

    An import is not to fail for it: in its last attempt it goes without, and an admin can submit the kind.
    """
    try:
        submit(_runtime(progress).background, _KIND, AlertsRequest(version=version), Asker(key=f"version {version}"))
    except (Gone, Unavailable) as error:
        if isinstance(error, Unavailable) and not progress.is_last_attempt:
            raise
        log.warning("alerts not started", version=version, reason=error.detail)


def deliver(runtime: Runtime, message: DeliveryRequest, asker: Asker) -> str:
    """Hands a message to a delivery under its key, once however often this is called; answers the delivery's task."""
    engine = runtime.background
    try:
        return submit(engine, cast("AnyKind", DELIVERY), message, asker).job.id
    except (Gone, KeyReused):
        # It was handed on before, perhaps to where its search sent messages then.
        return engine.ids.derived(asker.owner, DELIVERY.name, asker.key)


def _runtime(progress: Progress) -> Runtime:
    return cast("Runtime", progress.parts)


KIND = JobKind(
    name="contracts_alerts",
    summary="Alerts of saved searches",
    path="/api/async/contracts/alerts",
    queue="batch",
    contract=contract,
    run=run,
    time_limit_s=840,
    keep_s=24 * 3600,
    # Of four minutes each and more: some hours.
    max_hops=100,
    scope="admin",
)
_KIND = cast("AnyKind", KIND)
