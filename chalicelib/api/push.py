"""Changes of jobs to the connections that watch them: each change once per subscriber, in order.

The stream hands a job's changes over in order and hands a failed batch over again, whole. So what was sent is noted on
the subscriptions before a batch fails, and skipped when it comes again. Only a function that is killed between sending
and failing makes a change come twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from chalicelib.api.notices import TaskUpdate, reached, update_of, visible
from chalicelib.api.socket import send
from chalicelib.aws.changes import Change
from chalicelib.aws.subscriptions import Subscriber
from chalicelib.errors import Unavailable
from chalicelib.jobs.sharing import shown
from chalicelib.runtime import Runtime
from chalicelib.telemetry import Metric, log

# Connections that are sent to at once, so that a slow one does not hold up the others.
_LINES = 16
# After this long an update is not worth holding up all later ones; the client sees the state when it asks.
_GIVE_UP_S = 60


class _News(msgspec.Struct, frozen=True):
    """What one change means to one subscriber."""

    change: Change
    update: TaskUpdate
    # The subscriber's task has left the job: what happens to the job later is no news to it.
    is_last: bool = False


class _Delivery(msgspec.Struct):
    """The news that one subscriber is due, and how far it went."""

    job_id: str
    subscriber: Subscriber
    due: list[_News]
    sent: int = 0
    is_gone: bool = False
    failed: Unavailable | None = None

    @property
    def task_id(self) -> str:
        return self.subscriber.task_id or self.job_id

    @property
    def followed(self) -> str:
        """The job as a subscription of a task that follows names it; empty for the job's own."""
        return self.job_id if self.subscriber.task_id else ""

    @property
    def is_over(self) -> bool:
        return self.is_gone or (self.sent > 0 and self.due[self.sent - 1].is_last)


def push(runtime: Runtime, changes: Sequence[Change]) -> None:
    """Sends the changes; raises Unavailable when some could not be sent and should be handed over again."""
    deliveries = _plan(runtime, [change for change in changes if _is_news(change)])
    # Also of a batch that nobody watches: a stream that stands still must show.
    log.info("changes read", changes=len(changes), watched=len(deliveries))
    if not deliveries:
        return
    # Taken here: in the threads it could be built twice.
    runtime.sockets  # noqa: B018
    with ThreadPoolExecutor(min(_LINES, len(deliveries))) as lines:
        list(lines.map(lambda delivery: _deliver(runtime, delivery), deliveries))
    gone = [delivery for delivery in deliveries if delivery.is_gone]
    sent = sum(delivery.sent for delivery in deliveries)
    log.info("changes pushed", sent=sent, gone=len(gone))
    runtime.meter.record({Metric.PUSHED: sent, Metric.GONE: len(gone)})
    for delivery in deliveries:
        if delivery.is_over:
            _forget(runtime, delivery)
    _settle(runtime, deliveries)


def _plan(runtime: Runtime, changes: Sequence[Change]) -> list[_Delivery]:
    """One query per job, whatever the number of its changes and subscribers."""
    by_job: dict[str, list[Change]] = {}
    for change in changes:
        by_job.setdefault(change.new.id, []).append(change)
    return [
        _Delivery(job_id, subscriber, due)
        for job_id, own in by_job.items()
        for subscriber in runtime.subscriptions.subscribers(job_id)
        if (due := _due(runtime, own, subscriber))
    ]


def _due(runtime: Runtime, changes: Sequence[Change], subscriber: Subscriber) -> list[_News]:
    due: list[_News] = []
    for change in changes:
        news = _news(runtime, change, subscriber)
        if news is not None:
            due.append(news)
            if news.is_last:
                break
    return due


def _is_news(change: Change) -> bool:
    """Whether it can be news to somebody; that a follower has left is news to that one."""
    old, new = change.old, change.new
    return visible(old) != visible(new) or old.detached != new.detached or new.followers < old.followers


def _news(runtime: Runtime, change: Change, subscriber: Subscriber) -> _News | None:
    if change.sequence <= subscriber.sent:
        return None
    if subscriber.task_id and change.new.followers < change.old.followers:
        found = runtime.engine.store.find(subscriber.task_id)
        if found is not None and found.job.state.is_final:
            return _News(change, update_of(found.job), is_last=True)
    old, new = (shown(job, subscriber.task_id or job.id) for job in (change.old, change.new))
    if visible(old) == visible(new) or reached(new) < subscriber.since:
        return None
    return _News(change, update_of(new))


def _deliver(runtime: Runtime, delivery: _Delivery) -> None:
    """Sends until one does not get through: a later change must not overtake it."""
    for news in delivery.due:
        try:
            if not send(runtime, delivery.subscriber.connection_id, news.update):
                delivery.is_gone = True
                return
        except Unavailable as error:
            delivery.failed = error
            return
        delivery.sent += 1


def _forget(runtime: Runtime, delivery: _Delivery) -> None:
    """Removes a subscription that is over, with its connection where that is gone.

    The next push finds it again if that fails, and nobody is told anything twice for it.
    """
    connection_id = delivery.subscriber.connection_id
    try:
        runtime.subscriptions.unsubscribe(connection_id, delivery.task_id, job_id=delivery.followed)
        if delivery.is_gone:
            # Not this alone: a subscription stored while its connection was being removed is in no connection's set.
            runtime.subscriptions.disconnect(connection_id)
    except Unavailable as error:
        log.warning("subscription not removed", connection_id=connection_id, error=error.detail)


def _settle(runtime: Runtime, deliveries: Sequence[_Delivery]) -> None:
    """Has the batch handed over again if it failed for somebody, after noting what the others have."""
    failed = [delivery for delivery in deliveries if delivery.failed is not None]
    if not failed:
        return
    oldest_s = min(delivery.due[delivery.sent].change.at_s for delivery in failed)
    if runtime.clock.now() - oldest_s > _GIVE_UP_S:
        log.error("changes given up", connections=len(failed))
        return
    for delivery in deliveries:
        if delivery.sent and not delivery.is_over:
            sent, connection_id = delivery.due[delivery.sent - 1].change.sequence, delivery.subscriber.connection_id
            runtime.subscriptions.note_sent(connection_id, delivery.task_id, sent, job_id=delivery.followed)
    assert failed[0].failed is not None
    raise failed[0].failed
