"""A job that does nothing: `GET /api/health/celery` sends it through a queue to see whether workers answer."""

from __future__ import annotations

import os
import platform
from typing import Annotated

import msgspec

from chalicelib.jobs.kind import Contract, JobKind, Progress


class PingRequest(msgspec.Struct, frozen=True):
    """Nothing to say."""


class PingResult(msgspec.Struct, frozen=True):
    worker: Annotated[str, msgspec.Meta(description="Name of the function that ran it.")]


def run(request: PingRequest, progress: Progress) -> PingResult:
    return PingResult(worker=os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or platform.node())


KIND = JobKind(
    name="ping",
    summary="A job that does nothing",
    path="/api/async/ping",
    queue="simulations",
    contract=lambda: Contract(request=PingRequest, result=PingResult, example=PingRequest()),
    run=run,
    time_limit_s=30,
    keep_s=300,
)
