"""A job's record, and what a place that keeps jobs must be able to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from chalicelib.errors import SluiceError
from chalicelib.jobs.state import Move, State

# SQS keeps a message for 14 days at most, so a job that waits longer can no longer run.
WAIT_LIMIT_S = 14 * 24 * 3600
# Bytes that an item holds at most (DynamoDB: 400 KB, paid by the KB); what is larger becomes a file.
RESULT_ITEM_LIMIT = 32 * 1024
REQUEST_ITEM_LIMIT = 300 * 1024
# Bytes of a result that is still handed out with its job: API Gateway and Lambda stop at 6 MB.
INLINE_LIMIT = 4 * 1024 * 1024
# After a job has expired its record stays this long, so that its id is answered "expired" rather than "unknown".
TOMBSTONE_S = 7 * 24 * 3600
# What a change may write besides state, attempt, times and resends.
WRITTEN = (
    "lease_ms", "progress", "stage", "cancel_requested", "problem", "forgiven", "hops", "cursor", "due_ms", "detached",
)  # fmt: skip


class Problem(msgspec.Struct, frozen=True):
    """Why a job failed: the error's slug and the text for its owner."""

    slug: str
    detail: str


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One job. Times are since the epoch, `progress` is 0..100.

    `attempt` counts the runs begun and never goes back, for it is the fencing token; the runs that count towards a
    kind's limit are those after the first `forgiven` ones.
    """

    id: str
    kind: str
    state: State
    created_ms: int
    updated_ms: int
    # After this moment the job is answered "expired".
    expires_s: int
    # How long the job can be read once it has ended.
    keep_s: int
    # The user's id; empty for a public job, which belongs to whoever holds its id.
    owner: str = ""
    attempt: int = 0
    forgiven: int = 0
    # How often the job was continued in another function run, and where the next one takes up.
    hops: int = 0
    cursor: str = ""
    # When the sweeper has to look at it: the lease's end of a running job, the time to send a waiting one again.
    due_ms: int = 0
    resends: int = 0
    # SHA-256 of the request where an Idempotency-Key made the id.
    fingerprint: str = ""
    progress: int = 0
    stage: str = ""
    # When its first run began, when its latest one did, and when it was over; None: not yet.
    first_start_ms: int | None = None
    last_start_ms: int | None = None
    ended_ms: int | None = None
    lease_ms: int = 0
    cancel_requested: bool = False
    problem: Problem | None = None
    # What the caller should know about the request, such as fields that were ignored.
    warnings: tuple[str, ...] = ()
    # The request that it was made for, which stands on every line of its life; empty where nobody said.
    request_id: str = ""
    # What the request comes down to, where its kind shares results; empty: not shared.
    cache_key: str = ""
    # The job that does the work, of a task that only follows it, and how many tasks follow this job.
    follows: str = ""
    followers: int = 0
    # Its owner has cancelled it, and it goes on for those that follow.
    detached: bool = False

    @property
    def tries(self) -> int:
        """The runs that count towards the kind's limit."""
        return self.attempt - self.forgiven

    @property
    def forgotten_s(self) -> int:
        """When even "expired" is forgotten."""
        return self.expires_s + TOMBSTONE_S


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a move writes besides the state, and the caller's `attempt` where the guard asks; None: leave alone."""

    now_ms: int
    attempt: int | None = None
    lease_ms: int | None = None
    progress: int | None = None
    stage: str | None = None
    cancel_requested: bool | None = None
    problem: Problem | None = None
    forgiven: int | None = None
    hops: int | None = None
    cursor: str | None = None
    due_ms: int | None = None
    detached: bool | None = None
    # Where the guard asks for it, what the caller has seen; written as one more.
    resends: int | None = None

    @property
    def now_s(self) -> int:
        return self.now_ms // 1000


class Page(NamedTuple):
    """Some of an owner's jobs and where the next ones begin; an empty cursor: there are no more."""

    jobs: list[Job]
    cursor: str


class BadCursor(SluiceError):
    """A cursor that no page gave out."""

    slug, title, status = "bad-cursor", "Bad cursor", 400


class Found(NamedTuple):
    """A job with its encoded result, which only a job in SUCCESS has.

    `result_size` is its length in bytes; a result above INLINE_LIMIT is not here but behind `result_link`.
    """

    job: Job
    result: bytes | None
    result_size: int = 0


class Refused(SluiceError):
    """A move's condition did not hold; `job` is what is stored, None if nothing is."""

    slug, title = "refused", "Move refused"

    def __init__(self, move: Move, job: Job | None) -> None:
        super().__init__(f"{move.name} refused in {job.state if job else 'no state'}")
        self.move = move
        self.job = job


class Taken(SluiceError):
    """Another job, `job_id`, stands for the cache key already."""

    slug, title = "taken", "Cache key taken"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"job {job_id} stands for the cache key")
        self.job_id = job_id


class Store(Protocol):
    """Keeps jobs; each move is one atomic conditional write. All methods raise Unavailable on an outage."""

    def add(self, job: Job, request: bytes, *, instead_of: str = "") -> None:
        """Stores a new job with its encoded request; raises Refused if the id is taken.

        A job with a cache key stands for that key from then on; raises Taken if another one does, unless it is
        `instead_of` that one.
        """

    def follow(self, task: Job, change: Change) -> None:
        """Stores a task that follows a job, and FOLLOW of that job, in one write; raises Refused for either."""

    def leave(self, task: Job, change: Change) -> None:
        """REVOKE of a task that follows a job, and LEAVE of that job, in one write; raises Refused for either."""

    def withdraw(self, job_id: str) -> None:
        """Removes a job that could not be queued, if it is still PENDING and nobody follows it."""

    def find(self, job_id: str) -> Found | None:
        """The job and its result as last written."""

    def holder(self, cache_key: str) -> str:
        """The id of the job that stands for a cache key; empty for none."""

    def jobs(self, job_ids: Sequence[str]) -> dict[str, Job]:
        """Those of the jobs that are there, by id, possibly a little stale."""

    def result_link(self, job_id: str, file_name: str) -> str | None:
        """A short-lived address of the result where it is kept as a file of its own."""

    def request_of(self, job_id: str) -> bytes | None:
        """The encoded request."""

    def due(self, now_ms: int, limit: int) -> list[str]:
        """Ids of at most `limit` jobs that have not ended and whose `due_ms` has passed, possibly a little stale."""

    def page(self, owner: str, limit: int, cursor: str) -> Page:
        """The owner's jobs, newest first, from an opaque cursor on; raises BadCursor."""

    def apply(self, job_id: str, move: Move, change: Change) -> Job:
        """Makes the move and answers the job as it is then; raises Refused."""

    def complete(self, job: Job, change: Change, result: bytes) -> None:
        """SUCCEED and the result in one atomic write; raises Refused."""


def forbids(job: Job, move: Move, change: Change) -> bool:
    """Whether the move's sources or guard exclude it: the rule in plain code, for stores without conditions."""
    if job.state not in move.sources:
        return True
    match move.guard.name:
        case "LEASE_EXPIRED":
            return job.lease_ms >= change.now_ms
        case "SAME_RESENDS":
            return job.resends != change.resends
        case "NOT_CANCELLED":
            return job.cancel_requested
        case "UNFOLLOWED":
            return job.followers > 0
        case "FOLLOWED":
            return job.followers == 0
        case "MINE":
            return job.attempt != change.attempt
        case "MINE_NOT_CANCELLED":
            return job.attempt != change.attempt or job.cancel_requested
        case _:
            return False
