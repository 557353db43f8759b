"""What late dependencies add to the calendar."""

from __future__ import annotations

from chalicelib.api.analysis import Docs, answered, describe, read_question
from chalicelib.api.http import Answer, Call
from chalicelib.sim.analyses.dependency_inputs import DependencyRequest, check
from chalicelib.sim.analyses.dependency_report import DependencySummary, report
from chalicelib.sim.inputs import Dependency


def analyse(call: Call) -> Answer:
    """POST /api/dependency-analysis."""
    question, warnings = read_question(call, DependencyRequest, check)
    from chalicelib.sim import dependencies
    from chalicelib.sim.pace import Pace

    law = dependencies.delay(question.dependencies, Pace(lambda done, stage: None, 1))
    return answered(report(dependencies.analyse(question.dependencies, law)), warnings)


_EXAMPLE = DependencyRequest(
    dependencies=(
        Dependency(id="DEP-1", name="Payment interface", on_time_probability=0.6, delay_impact_days=10),
        Dependency(id="DEP-2", name="Security review", on_time_probability=0.9, criticality="HIGH"),
    )
)

DOCS: Docs = {
    "analyse": describe(
        _EXAMPLE,
        DependencySummary,
        name="analyse_dependencies",
        summary="How late the dependencies make a project",
        details="The exact law of the summed delay of independent dependencies: no trials are drawn.",
    )
}
