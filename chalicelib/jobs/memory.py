"""The engine's memory twins of DynamoDB and SQS: fakes that pass the same conformance suites as the real ones."""

from __future__ import annotations

import threading
from collections import deque

import msgspec

from chalicelib.jobs.queue import Message
from chalicelib.jobs.state import SUCCEED, Move, State
from chalicelib.jobs.store import Change, Found, Job, Refused, forbids


class MemoryStore:
    """A Store in a dictionary; each method is atomic."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._requests: dict[str, bytes] = {}
        self._results: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def add(self, job: Job, request: bytes) -> None:
        with self._lock:
            if job.id in self._jobs:
                raise Refused(Move("submit", frozenset(), State.PENDING), self._jobs[job.id])
            self._jobs[job.id] = job
            self._requests[job.id] = request

    def withdraw(self, job_id: str) -> None:
        with self._lock:
            job = self._jobs.get(job_id)
            if job is not None and job.state is State.PENDING:
                del self._jobs[job_id], self._requests[job_id]

    def find(self, job_id: str) -> Found | None:
        with self._lock:
            job = self._jobs.get(job_id)
            return Found(job, self._results.get(job_id)) if job else None

    def request_of(self, job_id: str) -> bytes | None:
        return self._requests.get(job_id)

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
        written = {
            name: value
            for name in ("lease_ms", "progress", "stage", "cancel_requested", "problem")
            if (value := getattr(change, name)) is not None
        }
        moved = msgspec.structs.replace(
            job,
            state=move.target or job.state,
            updated_ms=change.now_ms,
            attempt=job.attempt + move.begins,
            expires_s=change.now_s + job.keep_s if move.ends else job.expires_s,
            **written,
        )
        self._jobs[job_id] = moved
        return moved


class MemoryQueues:
    """Queues in lists, with what was sent, moved and buried open to inspection."""

    def __init__(self) -> None:
        self.sent: dict[str, deque[Message]] = {}
        self.postponed: list[tuple[str, str, int]] = []
        self.deleted: list[tuple[str, str]] = []
        self.buried: list[tuple[str, str, str]] = []

    def send(self, queue: str, message: Message) -> None:
        self.sent.setdefault(queue, deque()).append(message)

    def delete(self, queue: str, receipt: str) -> None:
        self.deleted.append((queue, receipt))

    def postpone(self, queue: str, receipt: str, seconds: int) -> None:
        self.postponed.append((queue, receipt, seconds))

    def bury(self, queue: str, body: str, reason: str) -> None:
        self.buried.append((queue, body, reason))
