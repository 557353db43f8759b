"""What a question about a list of risks may say. No numpy: the API reads requests with this module."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.errors import FieldError
from chalicelib.sim import inputs
from chalicelib.sim.fields import Weekly
from chalicelib.sim.inputs import Risk, SimulateRequest


class RiskRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    """Risks to rank and to add up."""

    risks: Annotated[tuple[Risk, ...], Meta(max_length=100, description="At least one; read as by a forecast.")] = ()
    tp_samples: Annotated[
        tuple[Weekly, ...],
        Meta(
            max_length=1_000,
            description="Throughput history, tasks finished in each past week. When given, the answer tells the impact "
            "in weeks as well.",
        ),
    ] = ()
    baseline_duration_weeks: Annotated[
        Annotated[float, Meta(ge=0, le=10_000)] | None,
        Meta(description="Weeks that the project takes without the risks; 0 is as good as missing."),
    ] = None


def check(request: RiskRequest) -> list[FieldError]:
    """Every rule of the request that its schema cannot state; empty when it is sound."""
    if not request.risks:
        return [FieldError("/risks", "No risks provided: at least 1 is needed, got 0")]
    return inputs.check(as_project(request))


def as_project(request: RiskRequest) -> SimulateRequest:
    """A project that has nothing but these risks, so that they mean here what they mean in a forecast."""
    return SimulateRequest(tp_samples=(1.0,), number_of_tasks=0, risks=request.risks)
