"""The forecast: how long, with which chance, at which effort, until which day; exact, or from random trials."""

from __future__ import annotations

from msgspec import Struct

from chalicelib.errors import InvalidRequest
from chalicelib.sim.engine import Engine, choose
from chalicelib.sim.history import Calendar
from chalicelib.sim.inputs import SimulateRequest, check
from chalicelib.sim.lattice import Law
from chalicelib.sim.laws import Laws, solve
from chalicelib.sim.montecarlo import simulate
from chalicelib.sim.outlook import USUAL_WORK, look_ahead
from chalicelib.sim.pace import Report
from chalicelib.sim.project import Plan, plan
from chalicelib.sim.report import report
from chalicelib.sim.result import SimulateResult


class Examined(Struct, frozen=True, eq=False):
    """A project with everything that its forecast was read from."""

    project: Plan
    engine: Engine
    laws: Laws
    result: SimulateResult

    @property
    def idle(self) -> Law:
        """The periods that are not work: lead time and late dependencies together."""
        return Calendar.of(self.laws, self.project.calendar.cadence_days).idle


def forecast(request: SimulateRequest, progress: Report) -> SimulateResult:
    """The answer to a request; see `examine`."""
    return examine(request, progress).result


def examine(request: SimulateRequest, progress: Report) -> Examined:
    """The answer to a request, and the laws behind it.

    `progress` gets a fraction 0..1 and a stage between slices of the work; what it raises ends the forecast and is
    passed on. Raises InvalidRequest with every broken rule, TooLarge where no engine can answer. The request is not
    changed and the same request gives the same answer. Cost: see `engine.choose`.
    """
    broken = check(request)
    if broken:
        raise InvalidRequest(broken)
    project = plan(request)
    engine = choose(request, project)
    share = engine.work / (engine.work + USUAL_WORK)
    solving, looking = part(progress, 0, share), part(progress, share, 1)
    if engine.name == "exact":
        laws = solve(project, progress=solving)
    else:
        laws = simulate(project, request.number_of_simulations, seed=engine.seed, progress=solving)
    outlook = look_ahead(
        request, project, calendar=Calendar.of(laws, project.calendar.cadence_days), engine=engine, progress=looking
    )
    progress(1.0, "done")
    return Examined(project, engine, laws, report(request, project, laws=laws, engine=engine, outlook=outlook))


def part(progress: Report, first: float, last: float) -> Report:
    """A report whose 0..1 is a part of the whole one's."""
    return lambda fraction, stage: progress(first + (last - first) * fraction, stage)
