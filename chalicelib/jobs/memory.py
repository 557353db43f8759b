"""The engine's memory twins of DynamoDB and SQS: fakes that pass the same conformance suites as the real ones."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

import msgspec

from chalicelib.jobs.queue import HIDDEN_S, Delivery, Depth, Message
from chalicelib.jobs.state import FOLLOW, LEAVE, REVOKE, SUBMIT, SUCCEED, Guard, Move, State
from chalicelib.jobs.store import (
    INLINE_LIMIT,
    RESULT_ITEM_LIMIT,
    WAIT_LIMIT_S,
    WRITTEN,
    BadCursor,
    Change,
    Found,
    Job,
    Page,
    Refused,
    Taken,
    forbids,
)


class MemoryStore:
    """A Store in a dictionary; each method is atomic."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._requests: dict[str, bytes] = {}
        self._results: dict[str, bytes] = {}
        self._shared: dict[str, str] = {}
        self._lock = threading.Lock()

    def add(self, job: Job, request: bytes, *, instead_of: str = "") -> None:
        with self._lock:
            if job.id in self._jobs:
                raise Refused(SUBMIT, self._jobs[job.id])
            if job.cache_key:
                holder = self._shared.get(job.cache_key, instead_of)
                if holder != instead_of:
                    raise Taken(holder)
                self._shared[job.cache_key] = job.id
            self._jobs[job.id] = job
            self._requests[job.id] = request

    def follow(self, task: Job, change: Change) -> None:
        with self._lock:
            if task.id in self._jobs:
                raise Refused(SUBMIT, self._jobs[task.id])
            self._apply(task.follows, FOLLOW, change)
            self._jobs[task.id] = task

    def leave(self, task: Job, change: Change) -> None:
        with self._lock:
            stored, work = self._jobs.get(task.id), self._jobs.get(task.follows)
            if stored is None or forbids(stored, REVOKE, change):
                raise Refused(REVOKE, stored)
            if work is None or forbids(work, LEAVE, change):
                raise Refused(LEAVE, work)
            self._apply(task.id, REVOKE, change)
            self._apply(task.follows, LEAVE, Change(now_ms=change.now_ms))

    def withdraw(self, job_id: str) -> None:
        with self._lock:
            job = self._jobs.get(job_id)
            if job is not None and job.state is State.PENDING and not job.followers:
                del self._jobs[job_id], self._requests[job_id]

    def find(self, job_id: str) -> Found | None:
        with self._lock:
            job = self._jobs.get(job_id)
            result = self._results.get(job_id)
            if job is None:
                return None
            size = len(result or b"")
            return Found(job, result if size <= INLINE_LIMIT else None, size)

    def holder(self, cache_key: str) -> str:
        with self._lock:
            return self._shared.get(cache_key, "")

    def jobs(self, job_ids: Sequence[str]) -> dict[str, Job]:
        with self._lock:
            return {job_id: self._jobs[job_id] for job_id in job_ids if job_id in self._jobs}

    def result_link(self, job_id: str, file_name: str) -> str | None:
        result = self._results.get(job_id, b"")
        return f"memory:{job_id}/{file_name}" if len(result) > RESULT_ITEM_LIMIT else None

    def request_of(self, job_id: str) -> bytes | None:
        return self._requests.get(job_id)

    def due(self, now_ms: int, limit: int) -> list[str]:
        with self._lock:
            unended = [job for job in self._jobs.values() if not job.state.is_final and not job.follows]
            found = [job for job in unended if job.due_ms <= now_ms]
        return [job.id for job in sorted(found, key=lambda job: job.due_ms)[:limit]]

    def page(self, owner: str, limit: int, cursor: str) -> Page:
        if cursor and not cursor.isdecimal():
            raise BadCursor(f"cursor must be one that a page gave out, got {cursor[:40]!r}")
        first = int(cursor or 0)
        with self._lock:
            mine = [job for job in self._jobs.values() if job.owner == owner]
        mine.sort(key=lambda job: job.created_ms, reverse=True)
        rest = mine[first + limit :]
        return Page(mine[first : first + limit], str(first + limit) if rest else "")

    def apply(self, job_id: str, move: Move, change: Change) -> Job:
        with self._lock:
            return self._apply(job_id, move, change)

    def complete(self, job: Job, change: Change, result: bytes) -> None:
        with self._lock:
            self._apply(job.id, SUCCEED, change)
            self._results[job.id] = result

    def _apply(self, job_id: str, move: Move, change: Change) -> Job:
        job = self._jobs.get(job_id)
        if job is None or forbids(job, move, change):
            raise Refused(move, job)
        expires_s = job.expires_s
        if move.begins:
            first_ms = change.now_ms if job.first_start_ms is None else job.first_start_ms
            job = msgspec.structs.replace(job, first_start_ms=first_ms, last_start_ms=change.now_ms)
        if move.ends:
            expires_s = change.now_s + job.keep_s
            job = msgspec.structs.replace(job, ended_ms=change.now_ms)
        if move.revives:
            expires_s = change.now_s + WAIT_LIMIT_S
            job = msgspec.structs.replace(job, problem=None, ended_ms=None)
        written = {name: value for name in WRITTEN if (value := getattr(change, name)) is not None}
        moved = msgspec.structs.replace(
            job,
            state=move.target or job.state,
            updated_ms=change.now_ms,
            attempt=job.attempt + move.begins,
            followers=job.followers + move.followers,
            resends=0 if move.begins else job.resends + (move.guard is Guard.SAME_RESENDS),
            expires_s=expires_s,
            **written,
        )
        self._jobs[job_id] = moved
        return moved


class MemoryQueues:
    """Queues in lists, with what was sent, moved and buried open to inspection."""

    def __init__(self) -> None:
        self.sent: dict[str, deque[Message]] = {}
        self.posted: list[tuple[str, str]] = []
        self.delayed: list[tuple[str, str, int]] = []
        self.postponed: list[tuple[str, str, int]] = []
        self.deleted: list[tuple[str, str]] = []
        self.buried: list[tuple[str, str, str]] = []
        self.paused: set[str] = set()

    def send(self, queue: str, message: Message, *, delay_s: int = 0) -> None:
        self.sent.setdefault(queue, deque()).append(message)
        if delay_s:
            self.delayed.append((queue, message.id, delay_s))

    def post(self, queue: str, body: str) -> None:
        self.posted.append((queue, body))

    def delete(self, queue: str, receipt: str) -> None:
        self.deleted.append((queue, receipt))

    def postpone(self, queue: str, receipt: str, seconds: int) -> None:
        self.postponed.append((queue, receipt, seconds))

    def bury(self, queue: str, body: str, reason: str) -> None:
        self.buried.append((queue, body, reason))

    def depth(self, queue: str) -> Depth:
        return Depth(waiting=len(self.sent.get(queue, ())), in_flight=0, dead=len(self.dead(queue, len(self.buried))))

    def dead(self, queue: str, limit: int, *, hidden_s: int = HIDDEN_S) -> list[Delivery]:
        mine = [(number, body, reason) for number, (name, body, reason) in enumerate(self.buried) if name == queue]
        return [Delivery(f"dead-{n}", body, receipt=body, reason=reason) for n, body, reason in mine[:limit]]

    def delete_dead(self, queue: str, receipt: str) -> None:
        self.buried.remove(next(one for one in self.buried if one[:2] == (queue, receipt)))

    def purge(self, queue: str) -> None:
        self.sent.pop(queue, None)

    def is_paused(self, queue: str) -> bool:
        return queue in self.paused

    def pause(self, queue: str) -> None:
        self.paused.add(queue)

    def resume(self, queue: str) -> None:
        self.paused.discard(queue)
