"""The trend of both metrics: which way is better, what is projected and what is worth an alert."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.sim.analyses.trend_inputs import TrendRequest, check
from chalicelib.sim.analyses.trend_report import LEAD_TIME, THROUGHPUT, Subject, analyse, measure
from chalicelib.sim.analyses.trend_result import TrendAnalysis

RISING = [1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10]
STEADY = [5.0, 6, 4, 5, 7, 5, 4, 6, 5, 6, 4, 5]


def answer(**fields: Any) -> TrendAnalysis:
    request = msgspec.convert(fields, TrendRequest)
    assert check(request) == []
    return analyse(request)


@pytest.mark.parametrize(
    ("subject", "samples", "direction", "is_healthy"),
    [
        (THROUGHPUT, RISING, "improving", True),
        (THROUGHPUT, RISING[::-1], "declining", False),
        (LEAD_TIME, RISING, "declining", False),
        (LEAD_TIME, RISING[::-1], "improving", True),
        (THROUGHPUT, STEADY, "stable", True),
        (LEAD_TIME, STEADY, "stable", True),
    ],
)
def test_direction_is_by_what_is_better_for_the_metric(
    subject: Subject, samples: list[float], direction: str, is_healthy: bool
) -> None:
    found = measure(samples, subject)
    assert (found.trend.trend_direction, found.summary.overall_status) == (direction, direction)
    assert (found.summary.is_healthy, found.higher_is_better) == (is_healthy, subject is THROUGHPUT)


def test_trend_is_told_in_numbers() -> None:
    trend = measure(RISING, THROUGHPUT).trend
    assert (trend.trend_coefficient, trend.trend_strength, trend.mann_kendall_tau) == pytest.approx((1.0, 1.0, 1.0))
    assert (trend.historical_avg, trend.recent_avg) == (3.0, 8.0)
    assert trend.change_pct == pytest.approx(100 * 5 / 3)
    # Variance 8.25 around 5.5.
    assert trend.volatility == pytest.approx(8.25**0.5 / 5.5)
    assert trend.trend_line == RISING
    assert trend.confidence_level == 1 - trend.mann_kendall_pvalue


def test_change_from_nothing_has_no_percentage() -> None:
    assert measure([0, 0, 0, 1, 2, 3], THROUGHPUT).trend.change_pct is None
    assert measure([0, 0, 0, 0], THROUGHPUT).trend.change_pct == 0.0


def test_few_samples_need_a_strong_trend_and_say_so() -> None:
    found = answer(tpSamples=[1, 2, 3, 4])
    assert (found.trend.is_significant, found.seasonality) == (False, None)
    assert found.warnings == [
        "Throughput has 4 samples: below 8 nothing is said about repetition, and only a strong trend can be told from "
        "chance."
    ]
    assert answer(tpSamples=[1, 2, 3, 4, 5]).trend.trend_direction == "improving"


def test_what_ifs_improve_from_the_mean_where_there_is_no_trend() -> None:
    # Mean 5, deviation sqrt(2 / 3) with 3 degrees of freedom; t = 3.1824.
    conservative, moderate, optimistic = measure([4, 5, 6, 5], THROUGHPUT).projections
    assert [each.improvement_rate for each in (conservative, moderate, optimistic)] == [0.05, 0.10, 0.15]
    assert moderate.projected_values == pytest.approx([5.05, 5.1, 5.15, 5.2, 5.25, 5.3, 5.35, 5.4, 5.45, 5.5])
    reach = 3.182446 * (2 / 3) ** 0.5 * 1.25**0.5
    assert moderate.upper_bound[-1] == pytest.approx(5.5 + reach, abs=1e-5)
    assert moderate.lower_bound[-1] == pytest.approx(5.5 - reach, abs=1e-5)
    assert (moderate.time_to_target, len(optimistic.projected_values)) == (None, 10)


def test_what_ifs_of_lead_times_fall_and_begin_at_the_end_of_the_line() -> None:
    optimistic = measure([20, 18, 16, 14, 12, 10, 8, 6, 4], LEAD_TIME).projections[2]
    assert (optimistic.projected_values[-1], optimistic.lower_bound[-1]) == pytest.approx((3.4, 3.4))


def test_bounds_of_what_ifs_are_not_below_nothing() -> None:
    assert min(measure([0, 9, 0], THROUGHPUT).projections[0].lower_bound) == 0.0


def alerts(samples: list[float], subject: Subject = THROUGHPUT) -> list[tuple[str, str]]:
    return [(alert.severity, alert.alert_type) for alert in measure(samples, subject).alerts]


@pytest.mark.parametrize(
    ("samples", "subject", "expected"),
    [
        (STEADY, THROUGHPUT, []),
        (RISING, THROUGHPUT, [("medium", "volatility"), ("low", "improvement")]),
        # Halves 12 and 9.5, down 21 %; 12 and 8, down 33 %; 8 and 3, down 62.5 %.
        ([13.0, 12.5, 12, 11.5, 11, 10.5, 10, 9.5, 9, 8.5], THROUGHPUT, [("medium", "degradation")]),
        ([13.6, 12.8, 12, 11.2, 10.4, 9.6, 8.8, 8, 7.2, 6.4], THROUGHPUT, [("high", "degradation")]),
        (RISING[::-1], THROUGHPUT, [("critical", "degradation"), ("medium", "volatility")]),
        (
            [5.0, 6, 5, 6, 5, 6, 5, 6, 5, 30],
            THROUGHPUT,
            [("medium", "volatility"), ("medium", "anomaly"), ("low", "seasonality")],
        ),
        ([5.0, 6, 4, 5, 6, 0, 0, 0], THROUGHPUT, [("high", "stagnation"), ("medium", "volatility")]),
        ([5.0, 6, 4, 5, 6, 0, 0, 0], LEAD_TIME, [("medium", "volatility")]),
        ([6.0, 9] * 6, THROUGHPUT, [("low", "seasonality")]),
        ([0.0] * 9, THROUGHPUT, []),
    ],
)
def test_alerts_are_what_is_worth_telling_most_severe_first(
    samples: list[float], subject: Subject, expected: list[tuple[str, str]]
) -> None:
    assert alerts(samples, subject) == expected


def test_grave_alert_requires_attention() -> None:
    summary = measure([5, 6, 4, 5, 6, 0, 0, 0], THROUGHPUT).summary
    assert (summary.overall_status, summary.is_healthy, summary.requires_attention) == ("stable", False, True)


def test_alert_on_a_sample_names_it_with_what_is_usual() -> None:
    (alert,) = [each for each in measure([5, 6, 5, 6, 5, 6, 5, 6, 5, 30], THROUGHPUT).alerts if each.alert_type == "anomaly"]  # fmt: skip  # noqa: E501
    assert (alert.current_value, alert.expected_value) == (30, 5.5)
    assert alert.deviation_pct == pytest.approx(100 * (30 / 5.5 - 1))
    assert alert.message.startswith("Sample 10 of 10, 30, stands apart")


def test_anomalies_are_listed_with_the_bounds() -> None:
    found = measure([5, 4, 6, 5, 20, 4, 6, 5, 1], THROUGHPUT).anomalies
    assert (found.anomalies_count, found.anomaly_indices, found.anomaly_values) == (1, [4], [20])
    assert (found.anomaly_scores, found.lower_bound, found.upper_bound) == ([7.0], 1.0, 9.0)
    # The last three are usual.
    assert (found.recent_anomaly, found.latest_anomaly_score, found.method_used) == (False, 7.0, "iqr")


def test_repetition_is_described_by_its_places() -> None:
    found = measure([9, 1] * 5, THROUGHPUT).seasonality
    assert found is not None
    assert (found.has_seasonality, found.period, found.dominant_periods[0]) == (True, 2, 2)
    assert (found.peak_indices, found.trough_indices) == ([0, 2, 4, 6, 8], [1, 3, 5, 7, 9])
    assert (found.patterns.sprint_cycle_candidate, found.patterns.end_period_drop) == (True, True)
    assert max(found.deseasonalized_data) - min(found.deseasonalized_data) < 1


def test_nothing_that_repeats_is_said_plainly() -> None:
    found = measure(STEADY, THROUGHPUT).seasonality
    assert found is not None
    assert (found.has_seasonality, found.period, found.seasonal_pattern) == (False, None, [])
    assert (found.deseasonalized_data, msgspec.json.encode(found.patterns)) == (STEADY, b"{}")


def test_both_metrics_are_answered_and_the_first_at_the_top() -> None:
    found = answer(tpSamples="1 2 3 4 5 6 7 8", leadTimeSamples=[9, 8, 7, 6, 5, 4, 3, 2], metricName="stories")
    assert [(each.metric_key, each.metric_name, each.display_name) for each in found.metrics] == [
        ("throughput", "stories", "Throughput"),
        ("lead_time", "lead_time", "Lead Time"),
    ]
    assert (found.metric_name, found.data_points, found.higher_is_better) == ("stories", 8, True)
    assert (found.trend, found.alerts) == (found.metrics[0].trend, found.metrics[0].alerts)
    assert [each.trend.trend_direction for each in found.metrics] == ["improving", "improving"]


def test_series_that_is_too_short_is_left_out_with_a_warning() -> None:
    found = answer(tpSamples=[1, 2], ltSamples=STEADY)
    assert (found.metric_name, [each.metric_key for each in found.metrics]) == ("lead_time", ["lead_time"])
    assert found.warnings == ["Throughput was not used: 2 of at least 3 samples were sent."]


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({}, [("/tpSamples", "tpSamples or ltSamples must be given")]),
        ({"tpSamples": "", "ltSamples": []}, [("/tpSamples", "tpSamples or ltSamples must be given")]),
        ({"tpSamples": [1, 2]}, [("/tpSamples", "must have at least 3 samples, got 2")]),
        (
            {"tpSamples": "1", "leadTimeSamples": "2 3"},
            [
                ("/tpSamples", "must have at least 3 samples, got 1"),
                ("/leadTimeSamples", "must have at least 3 samples, got 2"),
            ],
        ),
        ({"ltSamples": "1 2 x"}, [("/ltSamples", "number 3 must be a number, got 'x'")]),
        (
            {"ltSamples": [1, 2, 3], "leadTimeSamples": "1 2 4"},
            [("/leadTimeSamples", "must equal ltSamples when both are given")],
        ),
    ],
)
def test_broken_rules_are_told_where_they_are(fields: dict[str, Any], errors: list[tuple[str, str]]) -> None:
    found = check(msgspec.convert(fields, TrendRequest))
    assert [(error.pointer, error.detail) for error in found] == errors


def test_longest_series_stay_within_a_small_answer() -> None:
    samples = [100_000 / (1 + place % 7) for place in range(1_000)]
    assert len(msgspec.json.encode(answer(tpSamples=samples, ltSamples=samples))) < 200_000
