"""What a run tells about its progress, and where it learns that it has to stop."""

from __future__ import annotations

from chalicelib.errors import JobFailed
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.store import Job

# A beat is a paid write; a person sees no more than one change a second.
BEAT_INTERVAL_S = 1.0


class JobProgress:
    """The Progress of one attempt: a beat at most once a second, and the kind's time limit."""

    def __init__(self, engine: Engine, job: Job, time_limit_s: int) -> None:
        self._engine = engine
        self._job = job
        self._limit_s = time_limit_s
        self._began = self._beaten = engine.clock.now()

    def __call__(self, fraction: float, stage: str) -> None:
        now = self._engine.clock.now()
        if now - self._began > self._limit_s:
            raise JobFailed(f"the job ran longer than its limit of {self._limit_s} s")
        if now - self._beaten < BEAT_INTERVAL_S:
            return
        self._beaten = now
        # 100 is for the job that has ended.
        self._engine.lifecycle.beat(self._job, min(99, max(0, int(fraction * 100))), stage)
