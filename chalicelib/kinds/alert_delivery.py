"""One message of a saved search or an app on its way to an account: an e-mail, or a call of a webhook.

The request has all that it takes, for its worker stands where the internet can be reached and our database cannot.
Nobody but our own code may say whom we write to, so no route submits it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from chalicelib.errors import JobFailed, Unavailable
from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.alerting import DeliveryRequest, DeliveryResult
    from chalicelib.aws.webhooks import WebhookCall
    from chalicelib.runtime import Runtime


def contract() -> Contract[DeliveryRequest, DeliveryResult]:
    from chalicelib.alerting import DeliveryRequest, DeliveryResult
    from chalicelib.aws.mail import Mail

    example = DeliveryRequest(mail=Mail(to="ann@example.org", subject="3 new awards for bridges", text="Three."))
    return Contract(request=DeliveryRequest, result=DeliveryResult, example=example)


def run(request: DeliveryRequest, progress: Progress) -> DeliveryResult:
    from chalicelib.alerting import DeliveryResult

    if request.mail is not None:
        _runtime(progress).mailbox.send(request.mail)
        return DeliveryResult(channel="email")
    if request.webhook is None:
        raise JobFailed("the message has neither an e-mail nor a webhook")
    return DeliveryResult(channel="webhook", status=_call(request.webhook, progress))


def _call(call: WebhookCall, progress: Progress) -> int:
    try:
        return _runtime(progress).webhooks.post(call)
    except Unavailable as error:
        if not progress.is_last_attempt:
            raise
        # Somebody else's server that is away is no message for our operators, as one in the dead-letter queue would be.
        raise JobFailed(f"the last attempt failed: {error.detail}") from error


def _runtime(progress: Progress) -> Runtime:
    return cast("Runtime", progress.parts)


KIND = JobKind(
    name="alert_delivery",
    summary="Delivery of an alert",
    path="",
    queue="emails",
    contract=contract,
    run=run,
    time_limit_s=50,
    # As long as it is of interest how an alert was delivered.
    keep_s=30 * 24 * 3600,
    # With the pauses between them half an hour or more.
    max_attempts=10,
    outage_s=0,
)
