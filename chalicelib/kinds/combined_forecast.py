"""The next weeks by forecasters, and when a backlog is done, beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.sim.forecasters.inputs import CombinedRequest
    from chalicelib.sim.forecasters.result import CombinedResult


def contract() -> Contract[CombinedRequest, CombinedResult]:
    from chalicelib.sim.forecasters.inputs import CombinedRequest, check_forecasters
    from chalicelib.sim.forecasters.result import CombinedResult

    samples = (5, 6, 7, 8, 4, 9, 6, 7, 5, 8, 6, 7)
    example = CombinedRequest(tp_samples=samples, backlog=50, start_date="2026-01-05")
    return Contract(
        request=CombinedRequest, result=CombinedResult, example=example, check=check_forecasters, weigh=weigh
    )


def weigh(request: CombinedRequest, in_line: bool) -> None:
    """Refuses histories too short to learn from, and work that takes too long."""
    from chalicelib.sim.forecasters.inputs import as_project, require_enough
    from chalicelib.sim.weight import weigh_simulation

    require_enough(request)
    weigh_simulation(as_project(request), KIND.path if in_line else "")


def run(request: CombinedRequest, progress: Progress) -> CombinedResult:
    from chalicelib.saving import compute_and_keep
    from chalicelib.sim.forecasters.answers import summarise_both, tell_both

    return compute_and_keep(request, progress, compute=tell_both, summarise=summarise_both)


KIND = JobKind(
    name="combined_forecast",
    summary="Forecasters and history beside each other",
    path="/api/async/combined-forecast",
    sync_path="/api/combined-forecast",
    queue="simulations",
    contract=contract,
    run=run,
    lenient=True,
    opened_by="public_forecasts",
)
