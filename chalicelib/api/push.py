"""Changes of jobs to the connections that watch them: each change once per subscriber, in order.

The stream hands a job's changes over in order and hands a failed batch over again, whole. So what was sent is noted on
the subscriptions before a batch fails, and skipped when it comes again. Only a function that is killed between sending
and failing makes a change come twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from chalicelib.api.notices import reached, update_of, visible
from chalicelib.api.socket import send
from chalicelib.aws.changes import Change
from chalicelib.aws.subscriptions import Subscriber
from chalicelib.errors import Unavailable
from chalicelib.runtime import Runtime
from chalicelib.telemetry import log

# Connections that are sent to at once, so that a slow one does not hold up the others.
_LINES = 16
# After this long an update is not worth holding up all later ones; the client sees the state when it asks.
_GIVE_UP_S = 60


class _Delivery(msgspec.Struct):
    """The changes that one subscriber is due, and how far it went."""

    task_id: str
    subscriber: Subscriber
    due: list[Change]
    sent: int = 0
    is_gone: bool = False
    failed: Unavailable | None = None


def push(runtime: Runtime, changes: Sequence[Change]) -> None:
    """Sends the changes; raises Unavailable when some could not be sent and should be handed over again."""
    deliveries = _plan(runtime, [change for change in changes if visible(change.old) != visible(change.new)])
    if not deliveries:
        return
    # Taken here: in the threads it could be built twice.
    runtime.sockets  # noqa: B018
    with ThreadPoolExecutor(min(_LINES, len(deliveries))) as lines:
        list(lines.map(lambda delivery: _deliver(runtime, delivery), deliveries))
    gone = [delivery for delivery in deliveries if delivery.is_gone]
    log.info("changes pushed", sent=sum(delivery.sent for delivery in deliveries), gone=len(gone))
    for delivery in gone:
        _forget(runtime, delivery)
    _settle(runtime, deliveries)


def _plan(runtime: Runtime, changes: Sequence[Change]) -> list[_Delivery]:
    """One query per task, whatever the number of its changes and subscribers."""
    by_task: dict[str, list[Change]] = {}
    for change in changes:
        by_task.setdefault(change.new.id, []).append(change)
    return [
        _Delivery(task_id, subscriber, due)
        for task_id, news in by_task.items()
        for subscriber in runtime.subscriptions.subscribers(task_id)
        if (due := [change for change in news if _is_due(change, subscriber)])
    ]


def _is_due(change: Change, subscriber: Subscriber) -> bool:
    return change.sequence > subscriber.sent and reached(change.new) >= subscriber.since


def _deliver(runtime: Runtime, delivery: _Delivery) -> None:
    """Sends until one does not get through: a later change must not overtake it."""
    for change in delivery.due:
        try:
            if not send(runtime, delivery.subscriber.connection_id, update_of(change.new)):
                delivery.is_gone = True
                return
        except Unavailable as error:
            delivery.failed = error
            return
        delivery.sent += 1


def _forget(runtime: Runtime, delivery: _Delivery) -> None:
    """Removes a connection; the next push finds it again if that fails, and nobody is told anything twice for it."""
    connection_id = delivery.subscriber.connection_id
    try:
        # Both: a subscription that was stored while its connection was being removed is in no connection's set.
        runtime.subscriptions.unsubscribe(connection_id, delivery.task_id)
        runtime.subscriptions.disconnect(connection_id)
    except Unavailable as error:
        log.warning("connection not removed", connection_id=connection_id, error=error.detail)


def _settle(runtime: Runtime, deliveries: Sequence[_Delivery]) -> None:
    """Has the batch handed over again if it failed for somebody, after noting what the others have."""
    failed = [delivery for delivery in deliveries if delivery.failed is not None]
    if not failed:
        return
    oldest_s = min(delivery.due[delivery.sent].at_s for delivery in failed)
    if runtime.clock.now() - oldest_s > _GIVE_UP_S:
        log.error("changes given up", connections=len(failed))
        return
    for delivery in deliveries:
        if delivery.sent and not delivery.is_gone:
            sent = delivery.due[delivery.sent - 1].sequence
            runtime.subscriptions.note_sent(delivery.subscriber.connection_id, delivery.task_id, sent)
    assert failed[0].failed is not None
    raise failed[0].failed
