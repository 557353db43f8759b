"""The exact forecast: how long, with which chance, at which effort, until which day; no sampling."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.errors import InvalidRequest
from chalicelib.sim.inputs import SimulateRequest, check
from chalicelib.sim.laws import solve
from chalicelib.sim.project import plan
from chalicelib.sim.report import report
from chalicelib.sim.result import SimulateResult


def forecast(request: SimulateRequest, *, progress: Callable[[float, str], None]) -> SimulateResult:
    """The answer to a request.

    `progress` gets a fraction 0..1 and a stage between slices of the work; what it raises ends the forecast and is
    passed on. Raises InvalidRequest with every broken rule, TooLarge above EXACT_LIMIT. The request is not changed
    and the same request gives the same answer. Cost: see `cost.estimate`.
    """
    broken = check(request)
    if broken:
        raise InvalidRequest(broken)
    project = plan(request)
    return report(request, project, solve(project, progress=progress))
