"""Which input of a project moves its date most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.jobs.kind import Contract, JobKind, Progress

if TYPE_CHECKING:
    from chalicelib.sim.questions.whatif_inputs import SensitivityRequest
    from chalicelib.sim.questions.whatif_result import SensitivityResult


def contract() -> Contract[SensitivityRequest, SensitivityResult]:
    from chalicelib.sim.inputs import Risk, SimulateRequest
    from chalicelib.sim.questions.whatif_inputs import SensitivityRequest, check_sensitivity
    from chalicelib.sim.questions.whatif_result import SensitivityResult

    base = SimulateRequest(
        tp_samples=(5, 6, 7, 8, 4, 9, 6, 7),
        number_of_tasks=50,
        total_contributors=5,
        risks=(Risk(likelihood=30, low_impact=5, high_impact=10, description="new interface"),),
        start_date="2026-01-05",
    )
    example = SensitivityRequest(base=base)
    return Contract(
        request=SensitivityRequest, result=SensitivityResult, example=example, check=check_sensitivity, weigh=weigh
    )


def weigh(request: SensitivityRequest, in_line: bool) -> None:
    """Refuses what takes too long altogether, and in line what takes more than a request may."""
    from chalicelib.sim.questions.whatif_inputs import quick
    from chalicelib.sim.weight import weigh_together

    base = quick(request.base)
    # Two forecasts for each of seven inputs, each risk and each dependency; a changed one may take twice as long.
    count = 14 + 2 * (len(base.risks) + len(base.dependencies))
    weigh_together([base] * (2 * count), KIND.path if in_line else "")


def run(request: SensitivityRequest, progress: Progress) -> SensitivityResult:
    from chalicelib.saving import compute_and_keep
    from chalicelib.sim.questions.sensitivity import sensitivity, summarise_sensitivity

    return compute_and_keep(request, progress, compute=sensitivity, summarise=summarise_sensitivity)


KIND = JobKind(
    name="sensitivity",
    summary="Which input moves the date most",
    path="/api/async/sensitivity",
    sync_path="/api/sensitivity",
    queue="simulations",
    contract=contract,
    run=run,
    opened_by="public_forecasts",
)
