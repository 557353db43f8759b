"""A job that does nothing for a stated time: to watch progress and cancel on stages where nobody pays for it."""

from __future__ import annotations

import time
from typing import Annotated

import msgspec

from chalicelib.jobs.kind import Cache, Contract, JobKind, Progress


class SlowRequest(msgspec.Struct, frozen=True):
    seconds: Annotated[float, msgspec.Meta(description="How long to take.", ge=0, le=300)]
    shared: Annotated[
        bool, msgspec.Meta(description="Whether who asks for the same time meanwhile is answered by the same job.")
    ] = False


class SlowResult(msgspec.Struct, frozen=True):
    seconds: Annotated[float, msgspec.Meta(description="How long it took.")]


def run(request: SlowRequest, progress: Progress) -> SlowResult:
    began = time.monotonic()
    while (passed := time.monotonic() - began) < request.seconds:
        progress(passed / request.seconds, f"{passed:.0f} of {request.seconds:.0f} s")
        time.sleep(min(0.1, request.seconds - passed))
    return SlowResult(seconds=round(time.monotonic() - began, 3))


def canonical(request: SlowRequest) -> float | None:
    return request.seconds if request.shared else None


KIND = JobKind(
    name="slow",
    summary="A job that takes its time",
    path="/api/async/slow",
    queue="simulations",
    contract=lambda: Contract(request=SlowRequest, result=SlowResult, example=SlowRequest(seconds=2)),
    run=run,
    cache=Cache(canonical=canonical, version=lambda parts: "1"),
    opened_by="public_forecasts",
    stages=frozenset({"local", "test"}),
)
