"""Forecast of a delivery date from throughput history: the full law of the duration, not a sample of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.sim.inputs import SimulateRequest
    from chalicelib.sim.result import SimulateResult


def contract() -> Contract[SimulateRequest, SimulateResult]:
    from chalicelib.sim.inputs import SimulateRequest, check
    from chalicelib.sim.result import SimulateResult

    example = SimulateRequest(
        project_name="Website relaunch",
        number_of_simulations=10_000,
        tp_samples=(5, 6, 7, 8),
        number_of_tasks=50,
        total_contributors=5,
    )
    return Contract(request=SimulateRequest, result=SimulateResult, example=example, check=check, weigh=weigh)


def weigh(request: SimulateRequest, in_line: bool) -> None:
    """Refuses work that no engine takes, and in line what takes the one that would answer more than a request may."""
    from chalicelib.sim.weight import weigh_simulation

    weigh_simulation(request, KIND.path if in_line else "")


def run(request: SimulateRequest, progress: Progress) -> SimulateResult:
    from chalicelib.saving import compute_and_keep
    from chalicelib.sim.forecast import forecast
    from chalicelib.sim.summary import summarise

    return compute_and_keep(request, progress, compute=forecast, summarise=summarise)


KIND = JobKind(
    name="simulate",
    summary="Delivery forecast",
    path="/api/async/simulate",
    sync_path="/api/simulate",
    queue="simulations",
    contract=contract,
    run=run,
    lenient=True,
    opened_by="public_forecasts",
)
