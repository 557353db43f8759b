"""What speaks against trusting forecasts or the report on them, and what to do about it, in plain words."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from chalicelib.sim.accuracy.report import Comparison, Coverage, Issue
from chalicelib.sim.replay.error_metrics import ErrorMetrics

# The old service's bounds.
_FEW = 3
_EXTREME_PCT = 100.0
_ONE_SIDED = 0.80
_VARIABLE = 1.5
_CORRELATED = 0.3

_ADVICE = {
    "insufficient_data": "Record what came of more forecasts: with so few, every figure here may be chance.",
    "invalid_actuals": "Give records the weeks that the work took, above 0, and forecasts their percentiles.",
    "extreme_outliers": "Look at the forecasts that missed by more than the whole work: their scope may have changed.",
    "consistent_overforecast": (
        "Work is done earlier than forecast: the forecasts are too cautious. Use newer throughput samples, and see "
        "whether risks or split rates are counted twice."
    ),
    "consistent_underforecast": (
        "Work takes longer than forecast: the forecasts are too optimistic. Count what is added on the way as risks "
        "or split rate, and keep idle weeks in the samples."
    ),
    "high_variability": "Errors differ a lot: forecast smaller pieces of work, or teams of their own apart.",
    "low_correlation": "Longer forecasts did not take longer: check that backlogs are counted in the same items.",
}
_NOTHING = "Nothing stands out: go on recording what comes of forecasts."


def find_issues(compared: Sequence[Comparison], metrics: ErrorMetrics, *, left_out: int) -> list[Issue]:
    """The issues of at least two comparisons; `left_out` pairs could not be compared. Cost: linear."""
    return [*_data(compared, left_out), *_one_sided(metrics), *_spread(compared)]


def recommend(coverage: Coverage, issues: Sequence[Issue]) -> list[str]:
    """What to do, the verdict on the P85 first."""
    told = [coverage.p85.verdict] if coverage.p85.of else []
    return [*told, *(_ADVICE[issue.type] for issue in issues)] if issues else [*told, _NOTHING]


def _data(compared: Sequence[Comparison], left_out: int) -> Iterator[Issue]:
    if len(compared) < _FEW:
        yield Issue(severity="warning", type="insufficient_data", message=f"Only {len(compared)} forecasts can be compared.")  # fmt: skip  # noqa: E501
    if left_out:
        yield Issue(
            severity="warning",
            type="invalid_actuals",
            message=f"{left_out} left out: no percentile in the forecast, or an actual of 0 weeks.",
        )
    extreme = [each for each in compared if abs(each.error_pct) > _EXTREME_PCT]
    if extreme:
        yield Issue(
            severity="medium",
            type="extreme_outliers",
            message=f"{len(extreme)} of {len(compared)} forecasts missed by more than the whole work took.",
        )


def _one_sided(metrics: ErrorMetrics) -> Iterator[Issue]:
    count = metrics.n_samples
    over, under = metrics.overforecast_count, metrics.underforecast_count
    if count >= _FEW and over >= _ONE_SIDED * count:
        yield Issue(
            severity="high",
            type="consistent_overforecast",
            message=f"The work took less time than forecast in {over} of {count} cases.",
        )
    if count >= _FEW and under >= _ONE_SIDED * count:
        yield Issue(
            severity="high",
            type="consistent_underforecast",
            message=f"The work took more time than forecast in {under} of {count} cases.",
        )


def _spread(compared: Sequence[Comparison]) -> Iterator[Issue]:
    sizes = [abs(each.error_weeks) for each in compared]
    mean = statistics.fmean(sizes)
    if mean > 0 and statistics.pstdev(sizes) / mean > _VARIABLE:
        yield Issue(
            severity="medium",
            type="high_variability",
            message=f"The size of the errors varies by {statistics.pstdev(sizes) / mean:.1f} times its mean.",
        )
    forecasts, actuals = [each.forecasted_weeks for each in compared], [each.actual_weeks for each in compared]
    if len(compared) >= _FEW and len(set(forecasts)) > 1 and len(set(actuals)) > 1:
        found = statistics.correlation(forecasts, actuals)
        if found < _CORRELATED:
            yield Issue(
                severity="medium",
                type="low_correlation",
                message=f"Forecasts and actuals hardly move together: their correlation is {found:.2f}.",
            )
