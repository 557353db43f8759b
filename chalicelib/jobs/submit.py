"""Submitting a job: it is stored, then queued, and it is either both or neither."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec

from chalicelib.errors import Gone, KeyReused, Unavailable
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.kind import AnyKind
from chalicelib.jobs.lifecycle import RESEND_AFTER_S
from chalicelib.jobs.queue import Message
from chalicelib.jobs.state import State
from chalicelib.jobs.store import WAIT_LIMIT_S, Job, Refused
from chalicelib.telemetry import log


class Submission(NamedTuple):
    """A submitted job, and whether it is an earlier one that the same Idempotency-Key had made."""

    job: Job
    is_replay: bool


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and how: the owner's id, empty for a public job, and the Idempotency-Key, empty for none."""

    owner: str = ""
    key: str = ""
    # What was wrong with the request without being refused.
    warnings: tuple[str, ...] = ()


def submit(engine: Engine, kind: AnyKind, request: msgspec.Struct, asker: Asker) -> Submission:
    """Stores and queues a checked request: two AWS calls.

    With a key, the same request of the same owner is the same job however often it is sent. Raises KeyReused for
    another request under the key, and Unavailable, and then nothing is left behind and the key is as good as new.
    """
    body = msgspec.json.encode(request)
    job = _job(engine, kind, asker)
    if asker.key:
        fingerprint = hashlib.sha256(body).hexdigest()
        job = msgspec.structs.replace(
            job, id=engine.ids.derived(asker.owner, kind.name, asker.key), fingerprint=fingerprint
        )
    try:
        engine.store.add(job, body)
    except Refused as refused:
        if not asker.key or refused.job is None:
            raise
        return Submission(_replayed(job, refused.job), is_replay=True)
    try:
        engine.queues.send(kind.queue, Message(job.id, kind.name))
    except Unavailable:
        engine.store.withdraw(job.id)
        raise
    log.info("job submitted", job_id=job.id, kind=job.kind, state=job.state.value)
    return Submission(job, is_replay=False)


def _job(engine: Engine, kind: AnyKind, asker: Asker) -> Job:
    now = engine.clock.now()
    return Job(
        id=engine.ids.job(),
        kind=kind.name,
        state=State.PENDING,
        created_ms=int(now * 1000),
        updated_ms=int(now * 1000),
        expires_s=int(now) + WAIT_LIMIT_S,
        keep_s=kind.keep_s,
        owner=asker.owner,
        stage="queued",
        due_ms=int(now * 1000) + RESEND_AFTER_S[0] * 1000,
        warnings=asker.warnings,
    )


def _replayed(job: Job, earlier: Job) -> Job:
    if earlier.fingerprint != job.fingerprint:
        raise KeyReused("the Idempotency-Key stands for another request; use a new key for a new request")
    if earlier.expires_s <= job.created_ms // 1000:
        raise Gone(f"the Idempotency-Key stands for task {earlier.id}, which has expired; use a new key")
    return earlier
