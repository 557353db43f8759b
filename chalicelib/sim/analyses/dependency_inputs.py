"""What a question about dependencies may say. No numpy: the API reads requests with this module."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from chalicelib.errors import FieldError
from chalicelib.sim.inputs import Dependency


class DependencyRequest(Struct, frozen=True, kw_only=True):
    """Other projects that one project waits for."""

    dependencies: Annotated[
        tuple[Dependency, ...], Meta(max_length=50, description="At least one; read as by a forecast.")
    ] = ()
    num_simulations: Annotated[
        Any, Meta(description="Accepted from old clients, not read: the answer is computed without trials.")
    ] = None


def check(request: DependencyRequest) -> list[FieldError]:
    """Every rule of the request that its schema cannot state; empty when it is sound."""
    if request.dependencies:
        return []
    return [FieldError("/dependencies", "No dependencies provided: at least 1 is needed, got 0")]
