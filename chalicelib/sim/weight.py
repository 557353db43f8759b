"""Whether a project can be forecast at all, and within one request; told before the work starts, without numpy."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.errors import TooLarge
from chalicelib.sim.cost import EXACT_LIMIT, SYNC_LIMIT
from chalicelib.sim.engine import choose
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.project import plan


def weigh_simulation(request: SimulateRequest, background: str = "") -> None:
    """Raises TooLarge for work that no engine takes.

    With `background`, the path to send it to instead, also for what takes the engine that would answer more than one
    request may.
    """
    engine = choose(request, plan(request))
    if background and engine.work > SYNC_LIMIT:
        raise TooLarge(
            f"a forecast in one request may take {SYNC_LIMIT:.1e} cell updates and this one needs about "
            f"{engine.work:.1e} (engine {engine.name}); send it to {background} and poll its task"
        )


def weigh_together(requests: Sequence[SimulateRequest], background: str = "") -> None:
    """The same for several projects in one answer, none of which may be too large by itself; equal ones count each."""
    work = {id(request): choose(request, plan(request)).work for request in requests}
    total = sum(work[id(request)] for request in requests)
    limit = SYNC_LIMIT if background else EXACT_LIMIT
    if total > limit:
        way = f"send it to {background} and poll its task, or use" if background and total <= EXACT_LIMIT else "use"
        raise TooLarge(
            f"all forecasts together may take {limit:.1e} cell updates here and need about {total:.1e}; {way} "
            "fewer of them, fewer tasks or fewer decimals"
        )
