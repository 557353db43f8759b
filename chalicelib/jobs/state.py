"""The job state machine as data; every store carries out exactly these moves (drawn in README.md)."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class State(StrEnum):
    """Celery's names, which clients know."""

    PENDING = "PENDING"
    STARTED = "STARTED"
    PROGRESS = "PROGRESS"
    RETRY = "RETRY"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    REVOKED = "REVOKED"

    @property
    def is_final(self) -> bool:
        return self in FINAL

    @property
    def is_running(self) -> bool:
        return self in RUNNING


WAITING = frozenset({State.PENDING, State.RETRY})
RUNNING = frozenset({State.STARTED, State.PROGRESS})
FINAL = frozenset({State.SUCCESS, State.FAILURE, State.REVOKED})


class Guard(StrEnum):
    """What must hold besides the state for a move to be allowed."""

    NOTHING = "nothing"
    LEASE_EXPIRED = "lease expired"
    MINE = "attempt is mine"
    MINE_NOT_CANCELLED = "attempt is mine, no cancel requested"
    SAME_RESENDS = "sent again as often as I have seen"
    NOT_CANCELLED = "no cancel requested"
    UNFOLLOWED = "nobody follows"
    FOLLOWED = "somebody follows"


class Move(msgspec.Struct, frozen=True):
    """One allowed transition; `target` None keeps the state."""

    name: str
    sources: frozenset[State]
    target: State | None
    guard: Guard = Guard.NOTHING
    # What it adds to the number of tasks that follow the job.
    followers: int = 0

    @property
    def begins(self) -> bool:
        """Whether it starts a new attempt."""
        return self.target is State.STARTED

    @property
    def ends(self) -> bool:
        """Whether the job is over; its time to be read starts now."""
        return self.target in FINAL

    @property
    def revives(self) -> bool:
        """Whether it brings back a job that was over; it can then wait as long as a new one."""
        return bool(self.sources) and self.sources <= FINAL


# By who asks; no job is there yet.
SUBMIT = Move("submit", frozenset(), State.PENDING)
# By a worker.
CLAIM = Move("claim", WAITING, State.STARTED)
RECLAIM = Move("reclaim", RUNNING, State.STARTED, Guard.LEASE_EXPIRED)
BEAT = Move("beat", RUNNING, State.PROGRESS, Guard.MINE_NOT_CANCELLED)
CONTINUE = Move("continue", RUNNING, State.PENDING, Guard.MINE_NOT_CANCELLED)
RETRY_LATER = Move("retry later", RUNNING, State.RETRY, Guard.MINE_NOT_CANCELLED)
SUCCEED = Move("succeed", RUNNING, State.SUCCESS, Guard.MINE)
FAIL = Move("fail", RUNNING, State.FAILURE, Guard.MINE)
STOP = Move("stop", RUNNING, State.REVOKED, Guard.MINE)
# By the job's owner.
REVOKE = Move("revoke", WAITING, State.REVOKED, Guard.UNFOLLOWED)
REQUEST_CANCEL = Move("request cancel", RUNNING, None, Guard.UNFOLLOWED)
DETACH = Move("detach", WAITING | RUNNING, None, Guard.FOLLOWED)
# By somebody who asked for the same.
FOLLOW = Move("follow", WAITING | RUNNING | {State.SUCCESS}, None, Guard.NOT_CANCELLED, followers=1)
LEAVE = Move("leave", WAITING | RUNNING, None, Guard.FOLLOWED, followers=-1)
# By its owner or an operator.
REDRIVE = Move("redrive", frozenset({State.FAILURE}), State.PENDING)
# By an operator.
DROP = Move("drop", WAITING, State.REVOKED)
# By the sweeper.
RESEND = Move("resend", WAITING, None, Guard.SAME_RESENDS)
DEFER = Move("defer", WAITING, None)
REQUEUE = Move("requeue", RUNNING, State.PENDING, Guard.LEASE_EXPIRED)
GIVE_UP = Move("give up", RUNNING, State.FAILURE, Guard.LEASE_EXPIRED)
ABANDON = Move("abandon", RUNNING, State.REVOKED, Guard.LEASE_EXPIRED)

MOVES = (
    CLAIM, RECLAIM, BEAT, CONTINUE, RETRY_LATER, SUCCEED, FAIL, STOP,
    REVOKE, REQUEST_CANCEL, DETACH, FOLLOW, LEAVE, REDRIVE, DROP,
    RESEND, DEFER, REQUEUE, GIVE_UP, ABANDON,
)  # fmt: skip
