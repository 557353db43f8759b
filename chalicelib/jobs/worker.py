"""The worker: takes deliveries of one queue, runs their jobs and says which deliveries must come again."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chalicelib.errors import Cancelled, JobFailed, SluiceError, Superseded, Unavailable
from chalicelib.jobs.context import JobProgress, Unwatched
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.kind import AnyKind, Continue, Registry
from chalicelib.jobs.queue import VERSION, Delivery, Header, Message
from chalicelib.jobs.retry import FIRST_S, delay_s, outage_s
from chalicelib.jobs.state import State
from chalicelib.jobs.store import Job, Problem, Refused
from chalicelib.telemetry import act_for, log, request_id

# Seconds after which a message of another version is looked at again.
_DEPLOY_S = 60
# What a client reads of a programming error; the stack is in the log under the job's id.
_INTERNAL = Problem("internal", "the job failed because of an internal error")


class ComeAgain(Unavailable):
    """Some deliveries of a batch could not be settled and must be delivered again."""

    slug, title = "come-again", "Deliveries must come again"


class Worker:
    """Settles deliveries of one queue."""

    def __init__(self, engine: Engine, registry: Registry, queue: str) -> None:
        self._engine = engine
        self._registry = registry
        self._queue = queue

    def settle(self, deliveries: list[Delivery]) -> None:
        """Settles each delivery; where some fail, acknowledges the others by hand and raises ComeAgain.

        That is safe whether or not the event source reports partial failures: Lambda acknowledges a whole batch
        when the function returns and none of it when it raises.
        """
        settled, unsettled, away = [], [], []
        own = request_id()
        for delivery in deliveries:
            try:
                self._settle(delivery)
                settled.append(delivery)
            except Unavailable as error:
                if not isinstance(error, ComeAgain):
                    away.append(delivery)
                log.warning("delivery not settled", message_id=delivery.message_id, reason=error.detail)
                unsettled.append(delivery)
            finally:
                act_for(own)
        self.hurry(away)
        if unsettled:
            self.acknowledge(settled)
            raise ComeAgain(f"{len(unsettled)} of {len(deliveries)} deliveries must come again")

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledges deliveries by hand, for the function is about to raise."""
        for delivery in deliveries:
            self._engine.queues.delete(self._queue, delivery.receipt)

    def hurry(self, deliveries: Sequence[Delivery]) -> None:
        """Has deliveries that met an outage come back soon: their queue would hide them for longer than it lasts."""
        for delivery in deliveries:
            try:
                self._engine.queues.postpone(self._queue, delivery.receipt, outage_s(delivery.receive_count))
            except Unavailable as error:
                # Nor would it take the others now, and each takes its time to find that out.
                log.warning("delivery not hurried", message_id=delivery.message_id, reason=error.detail)
                return

    def _settle(self, delivery: Delivery) -> None:
        message = _decode(delivery.body)
        if message is None:
            self._bury(delivery, "not a job message")
            return
        if isinstance(message, Header):
            self._leave(delivery, message)
            return
        kind = self._registry.get(message.kind)
        if kind is None:
            self._bury_unknown(delivery, message)
            return
        try:
            job = _for_whom(self._engine.lifecycle.claim(message.id, kind.max_attempts))
        except Refused as refused:
            self._settle_refused(kind, delivery, refused.job and _for_whom(refused.job))
            return
        try:
            self._attempt(kind, job, delivery)
        except Cancelled:
            self._engine.lifecycle.stop(job)
            self._undo(kind, job)
        except Superseded as error:
            log.warning("job superseded", job_id=job.id, kind=job.kind, attempt=job.attempt, reason=error.detail)

    def _settle_refused(self, kind: AnyKind, delivery: Delivery, job: Job | None) -> None:
        if job is None or job.state.is_final:
            log.info("delivery of no use", message_id=delivery.message_id, state=job.state.value if job else "absent")
            if job is not None and job.state is State.REVOKED:
                # It was cancelled while it waited, perhaps for its next step.
                self._undo(kind, job)
            return
        # Somebody holds it: look again when the lease has ended, if not the sweeper has by then.
        wait_s = max(FIRST_S, (job.lease_ms - int(self._engine.clock.now() * 1000)) // 1000 + 1)
        self._engine.queues.postpone(self._queue, delivery.receipt, wait_s)
        raise ComeAgain(f"job {job.id} is held by attempt {job.attempt}")

    def _attempt(self, kind: AnyKind, job: Job, delivery: Delivery) -> None:
        """Brings one claimed job to its next state; raises Cancelled, Superseded, or Unavailable to come again."""
        try:
            outcome = self._run(kind, job)
            if isinstance(outcome, Continue):
                self._continue(kind, job, outcome)
                return
            self._engine.lifecycle.succeed(job, msgspec.json.encode(outcome))
        except (Cancelled, Superseded, ComeAgain):
            raise
        except Unavailable as error:
            self._retry(kind, job, delivery, error)
        except SluiceError as error:
            self._fail(kind, job, Problem(error.slug, error.detail))
        except Exception:  # noqa: BLE001 - the outer edge: logged with its stack, answered without
            log.exception("job crashed", job_id=job.id, kind=job.kind, attempt=job.attempt)
            self._fail(kind, job, _INTERNAL)

    def _run(self, kind: AnyKind, job: Job) -> msgspec.Struct | Continue:
        if job.cancel_requested:
            raise Cancelled(f"job {job.id} was cancelled")
        body = self._engine.store.request_of(job.id)
        if body is None:
            raise SluiceError("the job's request is gone")
        is_last_attempt = self._is_last(kind, job)
        progress = JobProgress(self._engine, job, kind.time_limit_s, is_last_attempt=is_last_attempt)
        with progress.beating():
            return kind.run(msgspec.json.decode(body, type=kind.request), progress)

    def _continue(self, kind: AnyKind, job: Job, outcome: Continue) -> None:
        if job.hops >= kind.max_hops:
            raise JobFailed(f"the job needs more than its limit of {kind.max_hops + 1} steps")
        self._engine.lifecycle.continue_later(job, outcome.cursor, outcome.delay_s)
        try:
            self._engine.queues.send(kind.queue, Message(job.id, kind.name), delay_s=outcome.delay_s)
        except Unavailable as error:
            # The job waits already, so this delivery can carry its next step as well.
            raise ComeAgain(f"job {job.id} waits, but its message was not sent") from error

    def _retry(self, kind: AnyKind, job: Job, delivery: Delivery, error: Unavailable) -> None:
        """Lets the delivery come back after a while, or gives the job up; always raises in the first case."""
        if self._is_last(kind, job):
            reason = f"gave up after {job.tries} attempts: {error.detail}"
            self._fail(kind, job, Problem("attempts-spent", reason))
            self._engine.queues.bury(self._queue, delivery.body, reason)
            return
        # Attempts that are forgiven do not count, deliveries do.
        wait_s = max(kind.retry_s, delay_s(max(job.tries, delivery.receive_count), self._engine.chance()))
        is_forgiven = self._waits_out(kind, job)
        self._engine.lifecycle.retry_later(job, wait_s, error.detail, is_forgiven=is_forgiven)
        self._engine.queues.postpone(self._queue, delivery.receipt, wait_s)
        raise ComeAgain(f"job {job.id} is tried again in {wait_s} s")

    def _is_last(self, kind: AnyKind, job: Job) -> bool:
        return job.tries >= kind.max_attempts and not self._waits_out(kind, job)

    def _waits_out(self, kind: AnyKind, job: Job) -> bool:
        """Whether an outage costs the job no attempt: so a worker that dies later is not taken for the last one."""
        return self._engine.lifecycle.now_ms() - job.created_ms < kind.outage_s * 1000

    def _fail(self, kind: AnyKind, job: Job, problem: Problem) -> None:
        self._engine.lifecycle.fail(job, problem)
        self._undo(kind, job)

    def _undo(self, kind: AnyKind, job: Job) -> None:
        """Has the kind remove what the job's steps have left; whatever hinders it, the job has ended."""
        if kind.undo is None:
            return
        try:
            body = self._engine.store.request_of(job.id)
            if body is not None:
                progress = Unwatched(self._engine.parts, job.owner, job_id=job.id, cursor=job.cursor)
                kind.undo(msgspec.json.decode(body, type=kind.request), progress)
        except Exception:  # noqa: BLE001 - the outer edge: what is left is told of in the log
            log.exception("job not undone", job_id=job.id, kind=job.kind)

    def _leave(self, delivery: Delivery, header: Header) -> None:
        """Leaves the message of another version to a newer worker: during a deploy this one may be the older."""
        reason = f"message version {header.v} is not known; this worker knows {VERSION}"
        found = self._engine.store.find(header.id)
        if found is None:
            self._bury(delivery, reason)
        elif not found.job.state.is_final:
            self._engine.queues.postpone(self._queue, delivery.receipt, _DEPLOY_S)
            raise ComeAgain(reason)

    def _bury(self, delivery: Delivery, reason: str) -> None:
        log.error("delivery buried", message_id=delivery.message_id, reason=reason)
        self._engine.queues.bury(self._queue, delivery.body, reason)

    def _bury_unknown(self, delivery: Delivery, message: Message) -> None:
        reason = f"unknown kind {message.kind}"
        self._bury(delivery, reason)
        try:
            job = _for_whom(self._engine.lifecycle.claim(message.id))
            self._engine.lifecycle.fail(job, Problem("unknown-kind", reason))
        except (Refused, Superseded) as error:
            log.info("buried job not failed", job_id=message.id, reason=error.detail)


def _for_whom(job: Job) -> Job:
    """The job, for whose request everything is done from here on, until its delivery is settled."""
    act_for(job.request_id or request_id())
    return job


def _decode(body: str) -> Message | Header | None:
    """The message; its header alone where its version is not known; None where it is no message."""
    try:
        header = msgspec.json.decode(body, type=Header)
        return msgspec.json.decode(body, type=Message) if header.v == VERSION else header
    except (msgspec.MsgspecError, RecursionError):
        return None
