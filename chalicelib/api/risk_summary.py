"""Risks ranked and added up."""

from __future__ import annotations

from chalicelib.api.analysis import Docs, answered, describe, read_question
from chalicelib.api.http import Answer, Call
from chalicelib.sim.analyses.risk_inputs import RiskRequest, check
from chalicelib.sim.analyses.risk_result import RiskSummary
from chalicelib.sim.inputs import Risk


def summarise(call: Call) -> Answer:
    """POST /api/risk-summary."""
    question, warnings = read_question(call, RiskRequest, check)
    from chalicelib.sim.analyses import risks

    return answered(risks.summarise(question), warnings)


_EXAMPLE = RiskRequest(
    risks=(
        Risk(likelihood=30, low_impact=5, medium_impact=8, high_impact=20, description="The supplier changes"),
        Risk(likelihood=10, low_impact=2, high_impact=6, description="Rework after the audit"),
    ),
    tp_samples=(5, 6, 7, 8, 0, 3),
    baseline_duration_weeks=12,
)

DOCS: Docs = {
    "summarise": describe(
        _EXAMPLE,
        RiskSummary,
        name="summarise_risks",
        summary="Risks ranked, and what they add together",
        details="Each risk by its expected impact, and the exact P50, P85 and P95 of the tasks that all of them add: "
        "the P85 of a sum is not the sum of P85s.",
    )
}
