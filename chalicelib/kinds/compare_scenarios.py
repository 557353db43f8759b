"""Up to five ways to do a project beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.sim.questions.whatif_inputs import ScenariosRequest
    from chalicelib.sim.questions.whatif_result import ScenariosResult


def contract() -> Contract[ScenariosRequest, ScenariosResult]:
    from chalicelib.sim.inputs import Risk, SimulateRequest
    from chalicelib.sim.questions.whatif_inputs import Scenario, ScenariosRequest, check_scenarios
    from chalicelib.sim.questions.whatif_result import ScenariosResult

    base = SimulateRequest(
        tp_samples=(5, 6, 7, 8, 4, 9, 6, 7),
        number_of_tasks=50,
        total_contributors=5,
        risks=(Risk(likelihood=30, low_impact=5, high_impact=10, description="new interface"),),
        start_date="2026-01-05",
    )
    example = ScenariosRequest(
        base=base,
        scenarios=(
            Scenario(name="one more person", changes={"totalContributors": 6, "historicalTeamSize": 5}),
            Scenario(name="smaller scope", changes={"numberOfTasks": 40}),
        ),
        deadline_date="2026-03-16",
    )
    return Contract(
        request=ScenariosRequest, result=ScenariosResult, example=example, check=check_scenarios, weigh=weigh
    )


def weigh(request: ScenariosRequest, in_line: bool) -> None:
    """Refuses what takes too long altogether, and in line what takes more than a request may."""
    from chalicelib.sim.questions.whatif_inputs import projects_of
    from chalicelib.sim.weight import weigh_together

    weigh_together(projects_of(request), KIND.path if in_line else "")


def run(request: ScenariosRequest, progress: Progress) -> ScenariosResult:
    from chalicelib.saving import compute_and_keep
    from chalicelib.sim.questions.scenarios import compare, summarise_scenarios

    return compute_and_keep(request, progress, compute=compare, summarise=summarise_scenarios)


KIND = JobKind(
    name="compare_scenarios",
    summary="Scenarios beside each other",
    path="/api/async/compare-scenarios",
    sync_path="/api/compare-scenarios",
    queue="simulations",
    contract=contract,
    run=run,
    opened_by="public_forecasts",
)
