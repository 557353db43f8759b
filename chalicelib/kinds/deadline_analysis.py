"""Will a backlog be done by a deadline: the chance, what can be done by then, effort and cost, in two views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.sim.questions.inputs import DeadlineRequest
    from chalicelib.sim.questions.result import DeadlineResult


def contract() -> Contract[DeadlineRequest, DeadlineResult]:
    from chalicelib.sim.questions.inputs import DeadlineRequest, check_deadline
    from chalicelib.sim.questions.result import DeadlineResult

    example = DeadlineRequest(
        tp_samples=(5, 6, 7, 8, 4, 9, 6, 7),
        backlog=50,
        start_date="2026-01-05",
        deadline_date="2026-03-16",
        currency="EUR",
    )
    return Contract(request=DeadlineRequest, result=DeadlineResult, example=example, check=check_deadline, weigh=weigh)


def weigh(request: DeadlineRequest, in_line: bool) -> None:
    """Refuses work that no engine takes, or that takes too long for one request."""
    from chalicelib.sim.questions.inputs import as_simulation
    from chalicelib.sim.weight import weigh_simulation

    weigh_simulation(as_simulation(request), KIND.path if in_line else "")


def run(request: DeadlineRequest, progress: Progress) -> DeadlineResult:
    from chalicelib.saving import compute_and_keep
    from chalicelib.sim.questions.deadline import analyse_deadline, summarise_deadline

    return compute_and_keep(request, progress, compute=analyse_deadline, summarise=summarise_deadline)


KIND = JobKind(
    name="deadline_analysis",
    summary="Whether a deadline holds",
    path="/api/async/deadline-analysis",
    sync_path="/api/deadline-analysis",
    queue="simulations",
    contract=contract,
    run=run,
    lenient=True,
    opened_by="public_forecasts",
)
