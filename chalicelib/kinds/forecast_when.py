"""When will a backlog be done, from throughput history and by forecasters beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.sim.questions.inputs import WhenRequest
    from chalicelib.sim.questions.result import WhenResult


def contract() -> Contract[WhenRequest, WhenResult]:
    from chalicelib.sim.questions.inputs import WhenRequest, check_when
    from chalicelib.sim.questions.result import WhenResult

    example = WhenRequest(tp_samples=(5, 6, 7, 8, 4, 9, 6, 7), backlog=50, start_date="2026-01-05")
    return Contract(request=WhenRequest, result=WhenResult, example=example, check=check_when, weigh=weigh)


def weigh(request: WhenRequest, in_line: bool) -> None:
    """Refuses work that no engine takes, or that takes too long for one request."""
    from chalicelib.sim.questions.inputs import as_simulation
    from chalicelib.sim.weight import weigh_simulation

    weigh_simulation(as_simulation(request), KIND.path if in_line else "")


def run(request: WhenRequest, progress: Progress) -> WhenResult:
    from chalicelib.saving import compute_and_keep
    from chalicelib.sim.questions.when import summarise_when, tell_when

    return compute_and_keep(request, progress, compute=tell_when, summarise=summarise_when)


KIND = JobKind(
    name="forecast_when",
    summary="When a backlog will be done",
    path="/api/async/forecast-when",
    sync_path="/api/forecast-when",
    queue="simulations",
    contract=contract,
    run=run,
    lenient=True,
    opened_by="public_forecasts",
)
