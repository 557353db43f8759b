"""Forecast of a delivery date from throughput history: the full law of the duration, not a sample of it."""

from __future__ import annotations

from chalicelib.errors import TooLarge
from chalicelib.jobs.kind import JobKind, Progress
from chalicelib.sim.cost import EXACT_LIMIT, SYNC_LIMIT, estimate
from chalicelib.sim.inputs import SimulateRequest, check
from chalicelib.sim.result import SimulateResult


def weigh(request: SimulateRequest, in_line: bool) -> None:
    """Refuses work above the exact engine's limit, and in line above what fits into one request."""
    cells = estimate(request)
    if cells > EXACT_LIMIT:
        raise TooLarge(
            f"this forecast needs about {cells:.1e} cell updates and the exact engine takes at most {EXACT_LIMIT:.1e}; "
            "use fewer tasks, fewer decimals, a shorter list of split rates or a narrower backlog range"
        )
    if in_line and cells > SYNC_LIMIT:
        raise TooLarge(f"this forecast is too long for one request; send it to {KIND.path} and poll its task")


def run(request: SimulateRequest, progress: Progress) -> SimulateResult:
    from chalicelib.sim.forecast import forecast

    return forecast(request, progress=progress)


KIND = JobKind(
    name="simulate",
    summary="Delivery forecast",
    path="/api/async/simulate",
    sync_path="/api/simulate",
    queue="simulations",
    request=SimulateRequest,
    result=SimulateResult,
    example=SimulateRequest(
        project_name="Website relaunch",
        number_of_simulations=10_000,
        tp_samples=(5, 6, 7, 8),
        number_of_tasks=50,
        total_contributors=5,
    ),
    check=check,
    weigh=weigh,
    run=run,
    lenient=True,
    opened_by="public_forecasts",
)
