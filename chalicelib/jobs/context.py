"""What a run tells about its progress, and where it learns that it has to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chalicelib.errors import Cancelled, JobFailed, SluiceError, Superseded, Unavailable
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.store import Job
from chalicelib.telemetry import log

# A beat is a paid write; a person sees no more than one change a second.
BEAT_INTERVAL_S = 1.0
_INTERRUPT_INTERVAL_S = 0.2
# Heartbeats per lease: several may be lost before somebody else takes the job over.
_BEATS_PER_LEASE = 6


class JobProgress:
    """The Progress of one attempt: its beats, those of a thread while the run is silent, and its time limit."""

    def __init__(self, engine: Engine, job: Job, time_limit_s: int, *, is_last_attempt: bool = False) -> None:
        self.job_id = job.id
        self.owner = job.owner
        self.cursor = job.cursor
        self.is_last_attempt = is_last_attempt
        self.parts = engine.parts
        self._engine = engine
        self._job = job
        self._limit_s = time_limit_s
        self._began = self._beaten = engine.clock.now()
        self._told = (job.progress, job.stage)
        self._stopped: SluiceError | None = None
        self._interrupt: Callable[[], None] | None = None
        self._lock = threading.Lock()

    def __call__(self, fraction: float, stage: str) -> None:
        # 100 is for the job that has ended.
        self._told = (min(99, max(0, int(fraction * 100))), stage)
        if self._engine.clock.now() - self._beaten >= BEAT_INTERVAL_S:
            self._beat()
        if self._stopped is not None:
            raise self._stopped

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Calls `interrupt` from another thread as soon as the run has to stop; what it raises then is let through.

        For long calls that cannot look by themselves, such as a statement: `interrupting(connection.cancel)`.
        """
        self._interrupt = interrupt
        try:
            yield
        except Exception:
            if self._stopped is not None:
                raise self._stopped from None
            raise
        finally:
            self._interrupt = None

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Renews the lease from a thread of its own while the block runs."""
        over = threading.Event()
        thread = threading.Thread(target=self._keep_beating, args=(over,), name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _keep_beating(self, over: threading.Event) -> None:
        while not over.wait(self._engine.lease_s / _BEATS_PER_LEASE):
            self._beat()
            if self._stopped is not None:
                # Again and again: an interruption between two calls hits neither.
                while not over.wait(_INTERRUPT_INTERVAL_S):
                    interrupt = self._interrupt
                    if interrupt is not None:
                        interrupt()
                return

    def _beat(self) -> None:
        with self._lock:
            now = self._engine.clock.now()
            if now - self._began > self._limit_s:
                self._stopped = JobFailed(f"the job ran longer than its limit of {self._limit_s} s")
                return
            self._beaten = now
            try:
                self._engine.lifecycle.beat(self._job, *self._told)
            except Unavailable as error:
                # The lease outlives some lost beats; when it does not, the next beat finds out.
                log.warning("beat lost", job_id=self._job.id, reason=error.detail)
            except (Cancelled, Superseded) as error:
                self._stopped = error


class Unwatched:
    """The Progress of a run in line, or of what follows a job's end: nobody can see it, and nobody can stop it."""

    is_last_attempt = True

    def __init__(self, parts: object, owner: str, *, job_id: str = "", cursor: str = "") -> None:
        self.parts = parts
        self.owner = owner
        self.job_id = job_id
        self.cursor = cursor

    def __call__(self, fraction: float, stage: str) -> None:
        """Tells nobody."""

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Interrupts nothing."""
        yield
