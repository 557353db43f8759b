"""When a backlog is done by one team that goes on as it was, without anything else about the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.sim.forecasters.inputs import ThroughputRequest
    from chalicelib.sim.forecasters.result import McThroughputResult


def contract() -> Contract[ThroughputRequest, McThroughputResult]:
    from chalicelib.sim.forecasters.inputs import ThroughputRequest, check_forecasters
    from chalicelib.sim.forecasters.result import McThroughputResult

    samples = (5, 6, 7, 8, 4, 9, 6, 7, 5, 8, 6, 7)
    example = ThroughputRequest(tp_samples=samples, backlog=50, start_date="2026-01-05")
    return Contract(
        request=ThroughputRequest, result=McThroughputResult, example=example, check=check_forecasters, weigh=weigh
    )


def weigh(request: ThroughputRequest, in_line: bool) -> None:
    """Refuses work that no engine takes, or that takes too long for one request."""
    from chalicelib.sim.forecasters.inputs import as_project
    from chalicelib.sim.weight import weigh_simulation

    weigh_simulation(as_project(request), KIND.path if in_line else "")


def run(request: ThroughputRequest, progress: Progress) -> McThroughputResult:
    from chalicelib.saving import compute_and_keep
    from chalicelib.sim.forecasters.answers import summarise_throughput, tell_throughput

    return compute_and_keep(request, progress, compute=tell_throughput, summarise=summarise_throughput)


KIND = JobKind(
    name="mc_throughput",
    summary="When a backlog is done, from throughput alone",
    path="/api/async/mc-throughput",
    sync_path="/api/mc-throughput",
    queue="simulations",
    contract=contract,
    run=run,
    lenient=True,
    opened_by="public_forecasts",
)
