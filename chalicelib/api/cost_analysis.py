"""What a backlog costs, by three estimates of one item."""

from __future__ import annotations

from chalicelib.api.analysis import Docs, answered, describe, read_question
from chalicelib.api.http import Answer, Call
from chalicelib.sim.analyses.pert_inputs import CostRequest, check
from chalicelib.sim.analyses.pert_result import CostAnalysis


def analyse(call: Call) -> Answer:
    """POST /api/cost-analysis."""
    question, warnings = read_question(call, CostRequest, check)
    from chalicelib.sim.analyses import pert_report

    return answered(pert_report.analyse(question), warnings)


_EXAMPLE = CostRequest(optimistic=3_000, most_likely=5_000, pessimistic=10_000, backlog=50, budget=300_000)

DOCS: Docs = {
    "analyse": describe(
        _EXAMPLE,
        CostAnalysis,
        name="analyse_cost",
        summary="What a backlog costs, by PERT estimates",
        details="The law of the sum of independent items, each of a PERT (beta) law through the three estimates; "
        "computed, not drawn, and not assumed to be normal.",
    )
}
