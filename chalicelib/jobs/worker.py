"""The worker: takes deliveries of one queue, runs their jobs and says which deliveries must come again."""

from __future__ import annotations

import msgspec

from chalicelib.errors import Cancelled, JobFailed, SluiceError, Superseded, Unavailable
from chalicelib.jobs.context import JobProgress
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.kind import AnyKind, Continue, Registry
from chalicelib.jobs.queue import VERSION, Delivery, Message
from chalicelib.jobs.retry import FIRST_S, delay_s
from chalicelib.jobs.store import Job, Problem, Refused
from chalicelib.telemetry import log

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
        settled, unsettled = [], []
        for delivery in deliveries:
            try:
                self._settle(delivery)
                settled.append(delivery)
            except Unavailable as error:
                if not isinstance(error, ComeAgain):
                    self._hurry(delivery)
                log.warning("delivery not settled", message_id=delivery.message_id, reason=error.detail)
                unsettled.append(delivery)
        if unsettled:
            for delivery in settled:
                self._engine.queues.delete(self._queue, delivery.receipt)
            raise ComeAgain(f"{len(unsettled)} of {len(deliveries)} deliveries must come again")

    def _hurry(self, delivery: Delivery) -> None:
        """Has a delivery that met an outage come back soon: its queue would hide it for an hour."""
        try:
            self._engine.queues.postpone(self._queue, delivery.receipt, FIRST_S)
        except Unavailable as error:
            log.warning("delivery not hurried", message_id=delivery.message_id, reason=error.detail)

    def _settle(self, delivery: Delivery) -> None:
        message = _decode(delivery.body)
        kind = self._registry.get(message.kind) if message else None
        if message is None or kind is None:
            self._bury_unknown(delivery, message)
            return
        try:
            job = self._engine.lifecycle.claim(message.id)
        except Refused as refused:
            self._settle_refused(delivery, refused.job)
            return
        log.info("job started", job_id=job.id, kind=job.kind, attempt=job.attempt)
        try:
            self._attempt(kind, job, delivery)
        except Cancelled:
            self._engine.lifecycle.stop(job)
            log.info("job revoked", job_id=job.id, kind=job.kind, attempt=job.attempt)
        except Superseded as error:
            log.warning("job superseded", job_id=job.id, kind=job.kind, reason=error.detail)

    def _settle_refused(self, delivery: Delivery, job: Job | None) -> None:
        if job is None or job.state.is_final:
            log.info("delivery of no use", message_id=delivery.message_id, state=job.state.value if job else "absent")
            return
        # Somebody holds a live lease: look again when it ends.
        wait_s = max(1, (job.lease_ms - int(self._engine.clock.now() * 1000)) // 1000 + 1)
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
            log.info("job succeeded", job_id=job.id, kind=job.kind, attempt=job.attempt)
        except (Cancelled, Superseded, ComeAgain):
            raise
        except Unavailable as error:
            self._retry(kind, job, delivery, error)
        except SluiceError as error:
            self._fail(job, Problem(error.slug, error.detail))
        except Exception:  # noqa: BLE001 - the outer edge: logged with its stack, answered without
            log.exception("job crashed", job_id=job.id, kind=job.kind, attempt=job.attempt)
            self._fail(job, _INTERNAL)

    def _run(self, kind: AnyKind, job: Job) -> msgspec.Struct | Continue:
        if job.cancel_requested:
            raise Cancelled(f"job {job.id} was cancelled")
        if job.tries > kind.max_attempts:
            raise JobFailed(f"the job was begun {kind.max_attempts} times and its worker died each time")
        body = self._engine.store.request_of(job.id)
        if body is None:
            raise SluiceError("the job's request is gone")
        progress = JobProgress(self._engine, job, kind.time_limit_s)
        with progress.beating():
            return kind.run(msgspec.json.decode(body, type=kind.request), progress)

    def _continue(self, kind: AnyKind, job: Job, outcome: Continue) -> None:
        if job.hops >= kind.max_hops:
            raise JobFailed(f"the job needs more than its limit of {kind.max_hops + 1} steps")
        self._engine.lifecycle.continue_later(job, outcome.cursor)
        try:
            self._engine.queues.send(kind.queue, Message(job.id, kind.name))
        except Unavailable as error:
            # The job waits already, so this delivery can carry its next step as well.
            raise ComeAgain(f"job {job.id} waits, but its message was not sent") from error
        log.info("job continued", job_id=job.id, kind=job.kind, attempt=job.attempt, hops=job.hops + 1)

    def _retry(self, kind: AnyKind, job: Job, delivery: Delivery, error: Unavailable) -> None:
        """Lets the delivery come back after a while, or gives the job up; always raises in the first case."""
        if job.tries >= kind.max_attempts:
            reason = f"gave up after {job.tries} attempts: {error.detail}"
            self._fail(job, Problem("attempts-spent", reason))
            self._engine.queues.bury(self._queue, delivery.body, reason)
            return
        wait_s = delay_s(job.tries, self._engine.chance())
        self._engine.lifecycle.retry_later(job, wait_s, error.detail)
        self._engine.queues.postpone(self._queue, delivery.receipt, wait_s)
        log.warning("job retried", job_id=job.id, kind=job.kind, attempt=job.attempt, wait_s=wait_s)
        raise ComeAgain(f"job {job.id} is tried again in {wait_s} s")

    def _fail(self, job: Job, problem: Problem) -> None:
        self._engine.lifecycle.fail(job, problem)
        log.warning("job failed", job_id=job.id, kind=job.kind, attempt=job.attempt, slug=problem.slug)

    def _bury_unknown(self, delivery: Delivery, message: Message | None) -> None:
        reason = f"unknown kind {message.kind}" if message else "not a job message"
        log.error("delivery buried", message_id=delivery.message_id, reason=reason)
        self._engine.queues.bury(self._queue, delivery.body, reason)
        if message is None:
            return
        try:
            job = self._engine.lifecycle.claim(message.id)
            self._engine.lifecycle.fail(job, Problem("unknown-kind", reason))
        except (Refused, Superseded) as error:
            log.info("buried job not failed", job_id=message.id, reason=error.detail)


def _decode(body: str) -> Message | None:
    try:
        message = msgspec.json.decode(body, type=Message)
    except msgspec.MsgspecError:
        return None
    return message if message.v == VERSION else None
