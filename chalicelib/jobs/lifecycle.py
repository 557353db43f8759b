"""The verbs of a job's life in terms of the state machine, the same for every store."""

from __future__ import annotations

import msgspec

from chalicelib.clock import Clock
from chalicelib.errors import Cancelled, Conflict, NotFound, SluiceError, Superseded
from chalicelib.jobs.journal import tell
from chalicelib.jobs.state import (
    ABANDON,
    BEAT,
    CLAIM,
    CONTINUE,
    DEFER,
    DETACH,
    DROP,
    FAIL,
    GIVE_UP,
    LEAVE,
    RECLAIM,
    REDRIVE,
    REQUEST_CANCEL,
    REQUEUE,
    RESEND,
    RETRY_LATER,
    REVOKE,
    STOP,
    SUCCEED,
    Move,
    State,
)
from chalicelib.jobs.store import Change, Job, Problem, Refused, Store
from chalicelib.telemetry import Meter

_CANCEL_ROUNDS = 5
# When a message of a waiting job is sent again: it may never have been sent. Then no more: it may be a long queue.
RESEND_AFTER_S = (60, 600, 3600)
_NEVER_MS = 2**53


class Lifecycle:
    """Moves jobs through their states and tells of it; raises Unavailable when the store is away."""

    def __init__(self, store: Store, clock: Clock, *, lease_s: int, meter: Meter) -> None:
        self._store = store
        self._clock = clock
        self._meter = meter
        self._lease_ms = lease_s * 1000
        # After so much of a lease a beat is missing, and the sweeper begins to watch the job.
        self._silence_ms = self._lease_ms * 3 // 10

    @property
    def watch_s(self) -> float:
        """How long the sweeper watches a silent job: for the rest of its lease and one millisecond."""
        return (self._lease_ms - self._silence_ms + 1) / 1000

    def claim(self, job_id: str, max_attempts: int | None = None) -> Job:
        """Takes the job for a new attempt, also from a worker whose lease has run out; raises Refused.

        Once `max_attempts` are spent it is not taken from a worker: whether that one has died is for the sweeper to
        say, which has watched it.
        """
        try:
            return self._move(job_id, CLAIM, self._start())
        except Refused as refused:
            if refused.job is None or not refused.job.state.is_running:
                raise
            if max_attempts is not None and refused.job.tries >= max_attempts:
                raise
        return self._move(job_id, RECLAIM, self._start())

    def beat(self, job: Job, progress: int, stage: str) -> None:
        """Shows progress and renews the lease; raises Cancelled or Superseded."""
        self._mine(job, BEAT, msgspec.structs.replace(self._lease(), progress=progress, stage=stage[:200]))

    def succeed(self, job: Job, result: bytes) -> None:
        """Stores the result; raises Superseded."""
        change = Change(now_ms=self.now_ms(), attempt=job.attempt, progress=100, stage="done")
        try:
            self._store.complete(job, change, result)
        except Refused as refused:
            raise _why_stopped(job, refused) from None
        tell(self._meter, job, SUCCEED, run_ms=change.now_ms - job.updated_ms)

    def fail(self, job: Job, problem: Problem) -> None:
        """Ends the job badly; raises Superseded."""
        self._mine(job, FAIL, Change(now_ms=self.now_ms(), stage="failed", problem=problem))

    def stop(self, job: Job) -> None:
        """Ends a running job as REVOKED; raises Superseded."""
        self._mine(job, STOP, Change(now_ms=self.now_ms(), stage="cancelled"))

    def retry_later(self, job: Job, delay_s: int, reason: str, *, is_forgiven: bool = False) -> None:
        """Lets the job wait for another attempt, those so far forgiven or not; raises Cancelled or Superseded."""
        now = self.now_ms()
        # Its own message comes back after the delay; the sweeper helps where that one was lost.
        due_ms = now + (delay_s + RESEND_AFTER_S[0]) * 1000
        stage = f"waiting to try again: {reason}"[:200]
        forgiven = job.attempt if is_forgiven else None
        self._mine(job, RETRY_LATER, Change(now_ms=now, stage=stage, due_ms=due_ms, forgiven=forgiven))

    def continue_later(self, job: Job, cursor: str, delay_s: int = 0) -> None:
        """Lets the job wait for its next step, with its attempts forgiven; raises Cancelled or Superseded."""
        now = self.now_ms()
        due_ms = now + (delay_s + RESEND_AFTER_S[0]) * 1000
        change = Change(now_ms=now, cursor=cursor, hops=job.hops + 1, forgiven=job.attempt, due_ms=due_ms)
        self._mine(job, CONTINUE, change)

    def cancel(self, job_id: str) -> Job:
        """Revokes a waiting job, asks a running one to stop, leaves an ended one alone; answers it as it is then.

        A job that others follow goes on for them, and is detached from its owner.
        """
        for _ in range(_CANCEL_ROUNDS):
            for move in (REVOKE, REQUEST_CANCEL, DETACH):
                try:
                    return self._move(job_id, move, self._cancellation(move))
                except Refused as refused:
                    if refused.job is None:
                        raise NotFound(f"there is no task {job_id}") from None
                    if refused.job.state.is_final:
                        return refused.job
        raise SluiceError("the job changed state faster than it could be cancelled")

    def follow(self, task: Job) -> None:
        """Stores a task that follows a job; raises Refused where its id is taken or the job cannot be followed."""
        self._store.follow(task, Change(now_ms=self.now_ms()))

    def leave(self, task: Job) -> None:
        """Ends a task that follows a job as REVOKED; raises Refused where either has ended."""
        self._store.leave(task, Change(now_ms=self.now_ms(), stage="cancelled"))
        tell(self._meter, msgspec.structs.replace(task, state=State.REVOKED), LEAVE)

    def redrive(self, job: Job) -> Job:
        """Lets a failed job wait for a new start with its attempts forgiven; raises Conflict in any other state.

        It begins with its first step: what the others had left may have been removed.
        """
        now = self.now_ms()
        change = Change(
            now_ms=now,
            cancel_requested=False,
            forgiven=job.attempt,
            hops=0,
            cursor="",
            progress=0,
            stage="queued",
            due_ms=now + RESEND_AFTER_S[0] * 1000,
        )
        try:
            return self._move(job.id, REDRIVE, change)
        except Refused as refused:
            state = refused.job.state if refused.job else "gone"
            raise Conflict(f"only a failed task can be started again, and task {job.id} is {state}") from None

    def drop(self, job: Job) -> None:
        """Revokes a waiting job for an operator, whoever follows it; raises Refused."""
        self._move(job.id, DROP, Change(now_ms=self.now_ms(), stage="cancelled by an operator"))

    def resend(self, job: Job) -> Job:
        """Counts one more sending of a waiting job's message; raises Refused where somebody else was faster."""
        now, sent = self.now_ms(), job.resends + 1
        due_ms = now + RESEND_AFTER_S[sent] * 1000 if sent < len(RESEND_AFTER_S) else _NEVER_MS
        return self._move(job.id, RESEND, Change(now_ms=now, resends=job.resends, due_ms=due_ms))

    def defer(self, job: Job) -> None:
        """Has a waiting job looked at later without sending its message; raises Refused."""
        now = self.now_ms()
        self._move(job.id, DEFER, Change(now_ms=now, due_ms=now + RESEND_AFTER_S[0] * 1000))

    def requeue(self, job: Job) -> Job:
        """Lets a job whose lease has expired wait for another attempt; raises Refused."""
        now = self.now_ms()
        change = Change(now_ms=now, stage="waiting to try again", due_ms=now + RESEND_AFTER_S[0] * 1000)
        return self._move(job.id, REQUEUE, change)

    def give_up(self, job: Job, problem: Problem) -> None:
        """Ends a job whose lease has expired as FAILURE; raises Refused."""
        self._move(job.id, GIVE_UP, Change(now_ms=self.now_ms(), stage="failed", problem=problem))

    def abandon(self, job: Job) -> None:
        """Ends a cancelled job whose lease has expired as REVOKED; raises Refused."""
        self._move(job.id, ABANDON, Change(now_ms=self.now_ms(), stage="cancelled"))

    def now_ms(self) -> int:
        return int(self._clock.now() * 1000)

    def _mine(self, job: Job, move: Move, change: Change) -> None:
        """Makes a move of the worker that holds the job, as its claim answered it."""
        run_ms = change.now_ms - job.updated_ms
        try:
            self._move(job.id, move, msgspec.structs.replace(change, attempt=job.attempt), run_ms=run_ms)
        except Refused as refused:
            raise _why_stopped(job, refused) from None

    def _move(self, job_id: str, move: Move, change: Change, *, run_ms: int | None = None) -> Job:
        job = self._store.apply(job_id, move, change)
        tell(self._meter, job, move, run_ms=run_ms)
        return job

    def _cancellation(self, move: Move) -> Change:
        if move is REQUEST_CANCEL:
            return Change(now_ms=self.now_ms(), cancel_requested=True)
        if move is DETACH:
            return Change(now_ms=self.now_ms(), detached=True)
        return Change(now_ms=self.now_ms(), stage="cancelled")

    def _start(self) -> Change:
        return msgspec.structs.replace(self._lease(), stage="started")

    def _lease(self) -> Change:
        now = self.now_ms()
        return Change(now_ms=now, lease_ms=now + self._lease_ms, due_ms=now + self._silence_ms)


def _why_stopped(job: Job, refused: Refused) -> SluiceError:
    stored = refused.job
    if stored is not None and stored.attempt == job.attempt and stored.cancel_requested:
        return Cancelled(f"job {job.id} was cancelled")
    return Superseded(f"attempt {job.attempt} of job {job.id} no longer holds it")
