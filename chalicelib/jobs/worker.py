"""The worker: takes deliveries of one queue, runs their jobs and says which deliveries must come again."""

from __future__ import annotations

import msgspec

from chalicelib.errors import Cancelled, JobFailed, SluiceError, Superseded, Unavailable
from chalicelib.jobs.context import JobProgress
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.kind import AnyKind, Registry
from chalicelib.jobs.queue import VERSION, Delivery, Message
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
                log.warning("delivery not settled", message_id=delivery.message_id, reason=error.detail)
                unsettled.append(delivery)
        if unsettled:
            for delivery in settled:
                self._engine.queues.delete(self._queue, delivery.receipt)
            raise ComeAgain(f"{len(unsettled)} of {len(deliveries)} deliveries must come again")

    def _settle(self, delivery: Delivery) -> None:
        message = _decode(delivery.body)
        kind = self._registry.get(message.kind) if message else None
        if message is None or kind is None:
            self._bury(delivery, message)
            return
        try:
            job = self._engine.lifecycle.claim(message.id)
        except Refused as refused:
            self._settle_refused(delivery, refused.job)
            return
        log.info("job started", job_id=job.id, kind=job.kind, attempt=job.attempt)
        self._run(kind, job)

    def _settle_refused(self, delivery: Delivery, job: Job | None) -> None:
        if job is None or job.state.is_final:
            log.info("delivery of no use", message_id=delivery.message_id, state=job.state.value if job else "absent")
            return
        # Somebody holds a live lease: look again when it ends.
        wait_s = max(1, (job.lease_ms - int(self._engine.clock.now() * 1000)) // 1000 + 1)
        self._engine.queues.postpone(self._queue, delivery.receipt, wait_s)
        raise ComeAgain(f"job {job.id} is held by attempt {job.attempt}")

    def _run(self, kind: AnyKind, job: Job) -> None:
        """Brings one claimed job to an end; Unavailable passes, and the message comes again after the lease."""
        try:
            self._attempt(kind, job)
        except Superseded as error:
            log.warning("job superseded", job_id=job.id, kind=job.kind, reason=error.detail)

    def _attempt(self, kind: AnyKind, job: Job) -> None:
        lifecycle = self._engine.lifecycle
        try:
            lifecycle.succeed(job, self._result(kind, job))
            log.info("job succeeded", job_id=job.id, kind=job.kind, attempt=job.attempt)
        except Cancelled:
            lifecycle.stop(job)
            log.info("job revoked", job_id=job.id, kind=job.kind, attempt=job.attempt)
        except (Unavailable, Superseded):
            raise
        except SluiceError as error:
            lifecycle.fail(job, Problem(error.slug, error.detail))
            log.warning("job failed", job_id=job.id, kind=job.kind, attempt=job.attempt, slug=error.slug)
        except Exception:  # noqa: BLE001 - the outer edge: logged with its stack, answered without
            lifecycle.fail(job, _INTERNAL)
            log.exception("job crashed", job_id=job.id, kind=job.kind, attempt=job.attempt)

    def _result(self, kind: AnyKind, job: Job) -> bytes:
        if job.cancel_requested:
            raise Cancelled(f"job {job.id} was cancelled")
        if job.attempt > kind.max_attempts:
            raise JobFailed(f"the job was begun {kind.max_attempts} times and its worker died each time")
        body = self._engine.store.request_of(job.id)
        if body is None:
            raise SluiceError("the job's request is gone")
        request = msgspec.json.decode(body, type=kind.request)
        return msgspec.json.encode(kind.run(request, JobProgress(self._engine, job, kind.time_limit_s)))

    def _bury(self, delivery: Delivery, message: Message | None) -> None:
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
