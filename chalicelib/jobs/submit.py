"""Submitting a job: it is stored, then queued, and it is either both or neither."""

from __future__ import annotations

import msgspec

from chalicelib.errors import Unavailable
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.kind import AnyKind
from chalicelib.jobs.queue import Message
from chalicelib.jobs.state import State
from chalicelib.jobs.store import WAIT_LIMIT_S, Job
from chalicelib.telemetry import log


def submit(
    engine: Engine, kind: AnyKind, request: msgspec.Struct, *, owner: str, warnings: tuple[str, ...] = ()
) -> Job:
    """Stores and queues a checked request: two AWS calls. Raises Unavailable, and then nothing is left behind."""
    now = engine.clock.now()
    job = Job(
        id=engine.ids.job(),
        kind=kind.name,
        state=State.PENDING,
        created_ms=int(now * 1000),
        updated_ms=int(now * 1000),
        expires_s=int(now) + WAIT_LIMIT_S,
        keep_s=kind.keep_s,
        owner=owner,
        stage="queued",
        warnings=warnings,
    )
    engine.store.add(job, msgspec.json.encode(request))
    try:
        engine.queues.send(kind.queue, Message(job.id, kind.name))
    except Unavailable:
        engine.store.withdraw(job.id)
        raise
    log.info("job submitted", job_id=job.id, kind=job.kind, state=job.state.value)
    return job
