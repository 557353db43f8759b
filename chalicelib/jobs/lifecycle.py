"""The verbs of a job's life in terms of the state machine, the same for every store."""

from __future__ import annotations

from chalicelib.clock import Clock
from chalicelib.errors import Cancelled, NotFound, SluiceError, Superseded
from chalicelib.jobs.state import BEAT, CLAIM, FAIL, RECLAIM, REQUEST_CANCEL, REVOKE, STOP, Move
from chalicelib.jobs.store import Change, Job, Problem, Refused, Store

_CANCEL_ROUNDS = 5


class Lifecycle:
    """Moves jobs through their states; raises Unavailable when the store is away."""

    def __init__(self, store: Store, clock: Clock, lease_s: int) -> None:
        self._store = store
        self._clock = clock
        self._lease_ms = lease_s * 1000

    def claim(self, job_id: str) -> Job:
        """Takes the job for a new attempt, also from a worker whose lease has run out; raises Refused."""
        try:
            return self._store.apply(job_id, CLAIM, self._start())
        except Refused as refused:
            if refused.job is None or not refused.job.state.is_running:
                raise
        return self._store.apply(job_id, RECLAIM, self._start())

    def beat(self, job: Job, progress: int, stage: str) -> None:
        """Shows progress and renews the lease; raises Cancelled or Superseded."""
        now = self._now_ms()
        change = Change(
            now_ms=now, attempt=job.attempt, lease_ms=now + self._lease_ms, progress=progress, stage=stage[:200]
        )
        try:
            self._store.apply(job.id, BEAT, change)
        except Refused as refused:
            raise _why_stopped(job, refused) from None

    def succeed(self, job: Job, result: bytes) -> None:
        """Stores the result; raises Superseded."""
        change = Change(now_ms=self._now_ms(), attempt=job.attempt, progress=100, stage="done")
        try:
            self._store.complete(job, change, result)
        except Refused as refused:
            raise _why_stopped(job, refused) from None

    def fail(self, job: Job, problem: Problem) -> None:
        """Ends the job badly; raises Superseded."""
        self._end(job, FAIL, problem)

    def stop(self, job: Job) -> None:
        """Ends a running job as REVOKED; raises Superseded."""
        self._end(job, STOP, None)

    def cancel(self, job_id: str) -> Job:
        """Revokes a waiting job, asks a running one to stop, leaves an ended one alone; answers it as it is then."""
        for _ in range(_CANCEL_ROUNDS):
            for move in (REVOKE, REQUEST_CANCEL):
                try:
                    return self._store.apply(job_id, move, self._cancellation(move))
                except Refused as refused:
                    if refused.job is None:
                        raise NotFound(f"there is no task {job_id}") from None
                    if refused.job.state.is_final:
                        return refused.job
        raise SluiceError("the job changed state faster than it could be cancelled")

    def _cancellation(self, move: Move) -> Change:
        if move is REQUEST_CANCEL:
            return Change(now_ms=self._now_ms(), cancel_requested=True)
        return Change(now_ms=self._now_ms(), stage="cancelled")

    def _end(self, job: Job, move: Move, problem: Problem | None) -> None:
        stage = "failed" if problem else "cancelled"
        change = Change(now_ms=self._now_ms(), attempt=job.attempt, stage=stage, problem=problem)
        try:
            self._store.apply(job.id, move, change)
        except Refused as refused:
            raise _why_stopped(job, refused) from None

    def _start(self) -> Change:
        now = self._now_ms()
        return Change(now_ms=now, lease_ms=now + self._lease_ms, progress=0, stage="started")

    def _now_ms(self) -> int:
        return int(self._clock.now() * 1000)


def _why_stopped(job: Job, refused: Refused) -> SluiceError:
    stored = refused.job
    if stored is not None and stored.attempt == job.attempt and stored.cancel_requested:
        return Cancelled(f"job {job.id} was cancelled")
    return Superseded(f"attempt {job.attempt} of job {job.id} no longer holds it")
