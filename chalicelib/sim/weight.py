"""Whether a project can be forecast at all, and within one request; told before the work starts, without numpy."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.errors import TooLarge
from chalicelib.sim.cost import EXACT_LIMIT, SYNC_LIMIT
from chalicelib.sim.engine import choose
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.project import plan

_FINER = "fewer tasks or fewer decimals"


def weigh_simulation(request: SimulateRequest, background: str = "") -> None:
    """Raises TooLarge for work that no engine takes; see `limit_work`."""
    limit_work(choose(request, plan(request)).work, background, what="a forecast", finer=_FINER)


def weigh_together(requests: Sequence[SimulateRequest], background: str = "") -> None:
    """The same for several projects in one answer, none of which may be too large by itself; equal ones count each."""
    work = {id(request): choose(request, plan(request)).work for request in requests}
    total = sum(work[id(request)] for request in requests)
    limit_work(total, background, what="a comparison", finer=f"fewer of them, {_FINER}")


def limit_work(work: float, background: str, *, what: str, finer: str) -> None:
    """Raises TooLarge above the cell updates that a job may take.

    With `background`, the path to send it to instead, above those that one request may. `finer` is what to use less of.
    """
    limit = SYNC_LIMIT if background else EXACT_LIMIT
    if work > limit:
        way = f"send it to {background} and poll its task, or use" if background and work <= EXACT_LIMIT else "use"
        raise TooLarge(f"{what} may take {limit:.1e} cell updates and this one needs about {work:.1e}; {way} {finer}")
