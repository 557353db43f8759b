"""Submitting a job: it is stored, then queued, and it is either both or neither."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec

from chalicelib.errors import Gone, KeyReused, Unavailable
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.journal import tell
from chalicelib.jobs.kind import AnyKind
from chalicelib.jobs.lifecycle import RESEND_AFTER_S
from chalicelib.jobs.queue import Message
from chalicelib.jobs.sharing import cache_key, join, views
from chalicelib.jobs.state import FOLLOW, SUBMIT, State
from chalicelib.jobs.store import Job, Refused, Taken
from chalicelib.telemetry import Metric, request_id

# Times that a request tries to join an identical one before it gives up.
_ROUNDS = 5


class Submission(NamedTuple):
    """A submitted job, and whether it is an earlier one that the same Idempotency-Key had made.

    A job that follows another one, because it asks for the same, shows the state of that one.
    """

    job: Job
    is_replay: bool


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and how: the owner's id, empty for a public job, and the Idempotency-Key, empty for none."""

    owner: str = ""
    key: str = ""
    # What was wrong with the request without being refused.
    warnings: tuple[str, ...] = ()


def submit(engine: Engine, kind: AnyKind, request: msgspec.Struct, asker: Asker) -> Submission:
    """Stores and queues a checked request: two AWS calls, or three where it follows an identical one.

    With a key, the same request of the same owner is the same job however often it is sent. Raises KeyReused for
    another request under the key, and Unavailable, and then nothing is left behind and the key is as good as new. Where
    only the answer of the store was lost, the job is there: the sweeper sends it, and the key stands for it.
    """
    body = msgspec.json.encode(request)
    job = _job(engine, kind, asker, cache_key(engine, kind, request, asker.owner))
    if asker.key:
        fingerprint = hashlib.sha256(body).hexdigest()
        job = msgspec.structs.replace(
            job, id=engine.ids.derived(asker.owner, kind.name, asker.key), fingerprint=fingerprint
        )
    try:
        followed = _store(engine, job, body)
    except Refused as refused:
        if not asker.key or refused.job is None:
            raise
        return Submission(_replayed(engine, job, refused.job), is_replay=True)
    if followed is not None:
        tell(engine.meter, followed, FOLLOW)
        return Submission(followed, is_replay=False)
    try:
        engine.queues.send(kind.queue, Message(job.id, kind.name))
    except Unavailable:
        engine.store.withdraw(job.id)
        raise
    tell(engine.meter, job, SUBMIT)
    return Submission(job, is_replay=False)


def _store(engine: Engine, job: Job, body: bytes) -> Job | None:
    """Stores the job; or, where an identical one is there, a task that follows that one, and answers what it shows."""
    holder = ""
    for _ in range(_ROUNDS):
        try:
            engine.store.add(job, body, instead_of=holder)
            return None
        except Taken as taken:
            holder = taken.job_id
        followed = join(engine, job, holder)
        if followed is not None:
            return followed
    raise Unavailable("identical requests came and went faster than this one could join them", retry_after_s=1)


def _job(engine: Engine, kind: AnyKind, asker: Asker, cache_key: str) -> Job:
    now = engine.clock.now()
    return Job(
        id=engine.ids.job(),
        kind=kind.name,
        state=State.PENDING,
        created_ms=int(now * 1000),
        updated_ms=int(now * 1000),
        expires_s=int(now) + kind.wait_s,
        # A shared result that is joined late is still readable for its kind's time.
        keep_s=kind.keep_s * 2 if cache_key else kind.keep_s,
        owner=asker.owner,
        stage="queued",
        due_ms=int(now * 1000) + RESEND_AFTER_S[0] * 1000,
        warnings=asker.warnings,
        request_id=request_id(),
        cache_key=cache_key,
    )


def _replayed(engine: Engine, job: Job, earlier: Job) -> Job:
    if earlier.fingerprint != job.fingerprint:
        raise KeyReused("the Idempotency-Key stands for another request; use a new key for a new request")
    if earlier.expires_s <= job.created_ms // 1000:
        raise Gone(f"the Idempotency-Key stands for task {earlier.id}, which has expired; use a new key")
    engine.meter.record({Metric.REPLAYED: 1}, kind=job.kind)
    return views(engine, [earlier])[0]
