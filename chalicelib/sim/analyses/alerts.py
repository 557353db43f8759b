"""What a team lead should know about a metric, as sentences with a severity. No numpy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from chalicelib.sim.analyses.trend_result import Alert, Anomalies, Seasonality, Severity, TrendFacts

# Changes between the halves, in %, from which a decline is high and critical; below, it is medium.
_HIGH_CHANGE, _CRITICAL_CHANGE = 25.0, 50.0
# Standard deviation / mean: the bound of the reference project's risk assessment, and twice it.
_VOLATILE, _WILD = 0.5, 1.0
# So many periods in a row without a finished task.
_IDLE_PERIODS = 3
_SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")


class Facts(Struct, frozen=True):
    """What is known of a metric: its name, its samples (oldest first) and what was found in them."""

    metric: str
    samples: Sequence[float]
    trend: TrendFacts
    seasonality: Seasonality | None
    anomalies: Anomalies
    median: float


def alerts(facts: Facts) -> list[Alert]:
    """Everything worth telling, most severe first."""
    found = [alert for tell in (_change, _idle, _volatility, _anomaly, _season) for alert in tell(facts)]
    return sorted(found, key=lambda alert: _SEVERITIES.index(alert.severity))


def deviation(current: float, expected: float) -> float | None:
    """How far current is from expected, in % of expected; None when that is 0 and current is not."""
    if current == expected:
        return 0.0
    return 100 * (current / expected - 1) if expected else None


def _change(facts: Facts) -> Iterator[Alert]:
    trend = facts.trend
    if not trend.is_significant:
        return
    size = abs(trend.change_pct) if trend.change_pct is not None else _CRITICAL_CHANGE
    grave: Severity = "critical" if size >= _CRITICAL_CHANGE else "high" if size >= _HIGH_CHANGE else "medium"
    is_better = trend.trend_direction == "improving"
    yield Alert(
        severity="low" if is_better else grave,
        alert_type="improvement" if is_better else "degradation",
        message=f"{facts.metric} went from {trend.historical_avg:.3g} to {trend.recent_avg:.3g} between the older and "
        f"the newer half: it is {trend.trend_direction} (p = {trend.mann_kendall_pvalue:.2g}).",
        metric=facts.metric,
        current_value=trend.recent_avg,
        expected_value=trend.historical_avg,
        deviation_pct=trend.change_pct,
        recommendation="Forecast from the newer samples only: the older ones are of a slower team."
        if is_better
        else "Find out what changed, and forecast from the newer samples only.",
    )


def _idle(facts: Facts) -> Iterator[Alert]:
    last = facts.samples[-_IDLE_PERIODS:]
    if not facts.trend.higher_is_better or any(last) or not any(facts.samples):
        return
    yield Alert(
        severity="high",
        alert_type="stagnation",
        message=f"Nothing was finished in the last {_IDLE_PERIODS} periods.",
        metric=facts.metric,
        current_value=0.0,
        expected_value=facts.median,
        deviation_pct=deviation(0.0, facts.median),
        recommendation="Look for what blocks the work, or leave these periods out if nobody worked.",
    )


def _volatility(facts: Facts) -> Iterator[Alert]:
    volatility = facts.trend.volatility
    if volatility <= _VOLATILE:
        return
    yield Alert(
        severity="high" if volatility > _WILD else "medium",
        alert_type="volatility",
        message=f"{facts.metric} varies by {100 * volatility:.0f} % of its mean; above {100 * _VOLATILE:.0f} % it is "
        "uneven.",
        metric=facts.metric,
        current_value=volatility,
        expected_value=_VOLATILE,
        deviation_pct=deviation(volatility, _VOLATILE),
        recommendation="Promise by a high percentile: an uneven metric makes the mean a poor promise.",
    )


def _anomaly(facts: Facts) -> Iterator[Alert]:
    found = facts.anomalies
    if not found.recent_anomaly:
        return
    index, value = found.anomaly_indices[-1], found.anomaly_values[-1]
    yield Alert(
        severity="medium",
        alert_type="anomaly",
        message=f"Sample {index + 1} of {len(facts.samples)}, {value:.3g}, stands apart from the others "
        f"({found.lower_bound:.3g} to {found.upper_bound:.3g}).",
        metric=facts.metric,
        current_value=value,
        expected_value=facts.median,
        deviation_pct=deviation(value, facts.median),
        recommendation="Find out what was different; leave it out of a forecast only if it cannot happen again.",
    )


def _season(facts: Facts) -> Iterator[Alert]:
    season = facts.seasonality
    if season is None or season.period is None:
        return
    yield Alert(
        severity="low",
        alert_type="seasonality",
        message=f"{facts.metric} repeats itself every {season.period} samples.",
        metric=facts.metric,
        current_value=season.seasonal_strength,
        expected_value=0.0,
        deviation_pct=None,
        recommendation="Compare whole cycles, and take whole cycles into the history of a forecast.",
    )
