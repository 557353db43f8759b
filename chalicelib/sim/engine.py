"""Which of the two engines answers a request, and why; told from the request alone and without numpy."""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import Struct

from chalicelib.errors import TooLarge
from chalicelib.sim.cost import EXACT_LIMIT, estimate_plan, trials_work
from chalicelib.sim.fields import MAX_SEED
from chalicelib.sim.inputs import SimulateRequest
from chalicelib.sim.project import Plan
from chalicelib.sim.result import EngineName

_FINER = "use fewer tasks, fewer decimals, a shorter list of split rates or a narrower backlog range"


class Engine(Struct, frozen=True):
    """The engine of one answer: its name, the reason in plain words, its work in cell updates, and the seed."""

    name: EngineName
    reason: str
    work: int
    seed: int


def choose(request: SimulateRequest, project: Plan) -> Engine:
    """The engine for a checked request and its plan: the one asked for, or exact as long as its work is in the limit.

    Raises TooLarge when none, or not the one asked for, can answer within EXACT_LIMIT. Cost: see `cost.estimate`.
    """
    seed = request.seed if request.seed is not None else own_seed(request, project)
    exact = estimate_plan(project) if request.engine != "monte_carlo" else 0
    if request.engine != "monte_carlo" and exact <= EXACT_LIMIT:
        return Engine("exact", _why_exact(request, exact), exact, seed)
    needs = f"an exact answer needs about {exact:.1e} cell updates and may take {EXACT_LIMIT:.1e}"
    if request.engine == "exact":
        raise TooLarge(f"{needs}; {_FINER}, or the engine monte_carlo")
    trials = request.number_of_simulations
    drawn = trials_work(project, trials)
    if drawn > EXACT_LIMIT:
        also = "" if request.engine == "monte_carlo" else f"{needs}, and "
        raise TooLarge(
            f"{also}{trials} trials need about {drawn:.1e} cell updates and may take {EXACT_LIMIT:.1e}; use fewer "
            f"simulations, or {_FINER.removeprefix('use ')}"
        )
    asked = "engine monte_carlo was asked for"
    return Engine("monte_carlo", _sentence(asked if request.engine == "monte_carlo" else needs), drawn, seed)


def _why_exact(request: SimulateRequest, work: int) -> str:
    if request.engine == "exact":
        return _sentence("engine exact was asked for")
    return _sentence(f"an exact answer needs about {work:.1e} cell updates, within the limit of {EXACT_LIMIT:.1e}")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def own_seed(request: SimulateRequest, project: Plan) -> int:
    """A seed that follows from what is drawn: the same for the same project on either route and at every attempt."""
    drawn = msgspec.json.encode((project, request.number_of_simulations))
    return int.from_bytes(hashlib.sha256(drawn).digest()[:8], "big") & MAX_SEED
