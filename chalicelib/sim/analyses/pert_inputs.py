"""What a question about the cost of a backlog may say. No numpy: the API reads requests with this module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from msgspec import Meta, Struct

from chalicelib.errors import FieldError
from chalicelib.sim.analyses.series import HOW, Sent, read_series
from chalicelib.sim.fields import MAX_PEOPLE, MAX_TASKS, MAX_TRIALS

# A sum of a smaller cost is rounding, one of a larger cost no money.
LEAST_COST, MAX_COST = 1e-6, 1e12
_LOWEST_EFFICIENCY, _HIGHEST_EFFICIENCY = 0.01, 100

_Cost = Annotated[float, Meta(ge=0, le=MAX_COST)]


class CostRequest(Struct, frozen=True, kw_only=True, rename="camel"):
    """Three estimates of what one item costs, in any currency, and how many items there are."""

    optimistic: Annotated[_Cost, Meta(description="Least that one item costs.")]
    most_likely: Annotated[_Cost, Meta(description="What one item costs most often; more than optimistic.")]
    pessimistic: Annotated[
        float, Meta(ge=LEAST_COST, le=MAX_COST, description="Most that one item costs; more than mostLikely.")
    ]
    backlog: Annotated[int, Meta(ge=1, le=MAX_TASKS, description="Number of items; their costs are independent.")]
    n_simulations: Annotated[
        int,
        Meta(
            ge=1,
            le=MAX_TRIALS,
            description="Accepted from old clients: nothing is drawn, it only scales the counts of the histogram.",
        ),
    ] = 10_000
    budget: Annotated[
        Annotated[float, Meta(ge=0, le=MAX_COST * MAX_TASKS)] | None,
        Meta(description="What may be spent on the whole backlog; 0 is as good as missing."),
    ] = None
    avg_cost_per_item: Annotated[
        _Cost | None, Meta(description="What an item cost in the past, to compare with; 0 is as good as missing.")
    ] = None
    team_efficiency: Annotated[
        float,
        Meta(
            ge=_LOWEST_EFFICIENCY,
            le=_HIGHEST_EFFICIENCY,
            description="Factor on the three estimates, if this team works cheaper (below 1) or dearer than the one "
            "that they were made for.",
        ),
    ] = 1.0
    team_size: Annotated[
        float,
        Meta(gt=0, le=MAX_PEOPLE, description="People behind tpSamples; only for avg_throughput_per_contributor."),
    ] = 1.0
    tp_samples: Annotated[
        Sent | None,
        Meta(description=f"Tasks finished in each past week; only for avg_throughput_per_contributor. {HOW}"),
    ] = None
    min_contributors: Annotated[Any, Meta(description="Accepted from old clients, not read.")] = None
    max_contributors: Annotated[Any, Meta(description="Accepted from old clients, not read.")] = None


def check(request: CostRequest) -> list[FieldError]:
    """Every rule of the request that its schema cannot state; empty when it is sound."""
    broken = [FieldError(pointer, detail) for pointer, detail in _order(request)]
    return [*broken, *read_series(request.tp_samples, "/tpSamples").errors]


def _order(request: CostRequest) -> Iterator[tuple[str, str]]:
    low, mode, high = request.optimistic, request.most_likely, request.pessimistic
    if mode <= low:
        yield "/mostLikely", f"must be more than optimistic ({low:.12g}), got {mode:.12g}"
    if high <= mode:
        yield "/pessimistic", f"must be more than mostLikely ({mode:.12g}), got {high:.12g}"
