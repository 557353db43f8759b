"""Whether a project can be forecast at all, and within one request; told before the work starts, without numpy."""

from __future__ import annotations

from chalicelib.errors import TooLarge
from chalicelib.sim.cost import SYNC_LIMIT
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
