"""What is told of a job's moves: one log line each, and the metrics that follow from it.

Called where moves are made and nowhere else, so a new move is told without a line of its own.
"""

from __future__ import annotations

from chalicelib.jobs.state import (
    ABANDON,
    BEAT,
    CLAIM,
    CONTINUE,
    DEFER,
    FAIL,
    FOLLOW,
    GIVE_UP,
    RECLAIM,
    REQUEUE,
    RESEND,
    RETRY_LATER,
    SUBMIT,
    SUCCEED,
    Move,
    State,
)
from chalicelib.jobs.store import Job
from chalicelib.telemetry import Meter, Metric, log, request_id

# The clock repeats these: several beats a minute and job, a look a minute at each job of a paused queue. They would be
# most of the log, and a job's first beat says no more than the claim some seconds before it.
_UNTOLD = frozenset({BEAT, DEFER})
# Something did not go as it should.
_WARNED = frozenset({RECLAIM, RETRY_LATER, FAIL, REQUEUE, RESEND, GIVE_UP, ABANDON})

_OUTCOMES = {State.SUCCESS: Metric.SUCCEEDED, State.FAILURE: Metric.FAILED, State.REVOKED: Metric.REVOKED}
_COUNTED = {
    SUBMIT: Metric.SUBMITTED,
    FOLLOW: Metric.SHARED,
    RETRY_LATER: Metric.RETRIED,
    REQUEUE: Metric.REQUEUED,
    RESEND: Metric.RESENT,
    GIVE_UP: Metric.GIVEN_UP,
}
# Runs that did their work; how long one lasted that broke off says nothing of its kind.
_WORKED = frozenset({SUCCEED, CONTINUE})


def tell(meter: Meter, job: Job, move: Move, *, run_ms: int | None = None) -> None:
    """Logs and counts a move that was made: the job as it is now, and for a move of its worker how long the run was."""
    if move in _UNTOLD:
        return
    write = log.warning if move in _WARNED else log.info
    # It is by its claim that a worker learns whom it works for.
    whom = (job.request_id if move.begins else "") or request_id()
    # Keys without a value are left out by the logger.
    write(
        "job moved",
        move=move.name,
        job_id=job.id,
        kind=job.kind,
        attempt=job.attempt,
        state=(move.target or job.state).value,
        run_ms=run_ms,
        slug=job.problem.slug if job.problem else None,
        follows=job.follows or None,
        request_id=whom or None,
    )
    values = _values(job, move, run_ms)
    if values:
        meter.record(values, kind=job.kind)


def _values(job: Job, move: Move, run_ms: int | None) -> dict[Metric, int]:
    values = {}
    if move in _COUNTED:
        values[_COUNTED[move]] = 1
    if move.ends and move.target is not None:
        values[_OUTCOMES[move.target]] = 1
    if move is SUCCEED:
        # So that the average of Failed is the share of jobs that fail, which an alarm can watch.
        values[Metric.FAILED] = 0
    # Later attempts wait because they are meant to (back-off, next step), or since a moment that is not kept.
    if move is CLAIM and job.attempt == 1:
        # Two machines' times: never less than nothing.
        values[Metric.QUEUE_LAG] = max(0, job.updated_ms - job.created_ms)
    if move in _WORKED and run_ms is not None:
        values[Metric.RUN_TIME] = run_ms
    return values
