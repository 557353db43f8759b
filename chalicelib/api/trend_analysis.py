"""Whether a team becomes faster or slower."""

from __future__ import annotations

from chalicelib.api.analysis import Docs, answered, describe, read_question
from chalicelib.api.http import Answer, Call
from chalicelib.sim.analyses.trend_inputs import TrendRequest, check
from chalicelib.sim.analyses.trend_result import TrendAnalysis


def analyse(call: Call) -> Answer:
    """POST /api/trend-analysis."""
    question, warnings = read_question(call, TrendRequest, check)
    from chalicelib.sim.analyses import trend_report

    return answered(trend_report.analyse(question), warnings)


_EXAMPLE = TrendRequest(
    tp_samples=(3, 4, 3, 5, 6, 5, 7, 6, 8, 9),
    lt_samples=(9, 8, 10, 7, 6, 7, 5, 6),
)

DOCS: Docs = {
    "analyse": describe(
        _EXAMPLE,
        TrendAnalysis,
        name="analyse_trend",
        summary="Whether throughput and lead times change",
        details="Least-squares line and Mann-Kendall test, repetition by autocorrelation, samples that stand apart, "
        "three what-ifs and alerts. Samples are read oldest first.",
    )
}
