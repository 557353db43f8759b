"""Accuracy reports. The figures of the four forecasts are worked out by hand beside them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from chalicelib.sim.accuracy.accuracy import Pair, dashboard, report, usable
from chalicelib.sim.accuracy.report import AccuracyReport, DashboardSummary, Ratings
from chalicelib.sim.replay.error_metrics import ErrorMetrics

FIRST_END = date(2026, 3, 2)


def pair(number: int, actual: float, **changes: object) -> Pair:
    """The forecast that ended so many weeks after the first."""
    made = Pair(
        forecast_id=number,
        forecast_name=f"Forecast {number}",
        project_id=1,
        project_name="Relaunch",
        created_at=datetime(2026, 1, 5, tzinfo=UTC),
        ended=FIRST_END + timedelta(weeks=number),
        actual_weeks=actual,
        p50=10,
        p85=12,
        p95=14,
    )
    return replace(made, **changes)


# Errors 2, -1, 0 and 5 weeks.
FOUR = [pair(1, 12), pair(2, 9), pair(3, 10), pair(4, 15)]


@pytest.fixture
def four() -> AccuracyReport:
    return report(FOUR)


def test_coverage_counts_what_each_percentile_promised(four: AccuracyReport) -> None:
    told = four.coverage
    assert [(each.expected, each.held, each.of) for each in (told.p50, told.p85, told.p95)] == [
        (0.5, 2, 4),
        (0.85, 3, 4),
        (0.95, 3, 4),
    ]
    assert AccuracyReport.__struct_fields__[0] == "coverage"


def test_metrics_are_of_the_p50_with_actual_less_forecast(four: AccuracyReport) -> None:
    assert four.point_forecast == "p50"
    expected = ErrorMetrics(
        mae=2,
        rmse=7.5**0.5,
        mape=100 * (2 / 12 + 1 / 9 + 5 / 15) / 4,
        mpe=100 * (2 / 12 - 1 / 9 + 5 / 15) / 4,
        median_ape=100 * (2 / 12 + 1 / 9) / 2,
        r_squared=1 - 30 / 21,
        accuracy_rate=75,
        n_samples=4,
        min_error=-1,
        max_error=5,
        std_error=(21 / 4) ** 0.5,
        overforecast_count=1,
        underforecast_count=2,
        bias_direction="underforecasting",
    )
    for name in ErrorMetrics.__struct_fields__:
        value = getattr(expected, name)
        wanted = value if isinstance(value, str) else pytest.approx(value)
        assert getattr(four.metrics, name) == wanted, name


def test_trend_is_that_of_the_size_of_errors(four: AccuracyReport) -> None:
    # Sizes 2, 1, 0, 5: the line through them rises by 0.8 each. Shares 1/6, then 1/9, 0 and 1/3.
    trend = four.time_series_metrics
    assert (trend.trend_direction, trend.performance_trend) == ("worsening", "improving")
    assert [trend.error_trend, trend.recent_mape, trend.historical_mape, trend.performance_change] == pytest.approx(
        [0.8, 100 * 4 / 27, 100 / 6, 100 * (4 / 27 - 1 / 6)]
    )


def test_order_of_the_pairs_makes_no_difference_and_time_runs_forward(four: AccuracyReport) -> None:
    assert report(list(reversed(FOUR))) == four
    assert [each.forecast_id for each in four.comparisons] == [1, 2, 3, 4]
    assert (four.summary.date_range.first, four.summary.date_range.last) == (date(2026, 3, 9), date(2026, 3, 30))


@pytest.mark.parametrize(
    ("actuals", "slope", "direction"),
    [
        ([18, 16, 14, 12], -2, "improving"),
        # The signed errors rise, from -8 to -2: their size falls.
        ([2, 4, 6, 8], -2, "improving"),
        ([12, 14, 16, 18], 2, "worsening"),
        ([12, 8, 12, 8], 0, "stable"),
        ([10, 10, 10], 0, "stable"),
        ([12, 14], None, "insufficient_data"),
    ],
)
def test_newest_first_rows_do_not_turn_the_trend_around(
    actuals: list[float], slope: float | None, direction: str
) -> None:
    newest_first = [pair(number, actual) for number, actual in enumerate(actuals)][::-1]
    trend = report(newest_first).time_series_metrics
    assert trend.error_trend == (None if slope is None else pytest.approx(slope))
    assert trend.trend_direction == direction


def test_ratings_follow_the_old_bounds(four: AccuracyReport) -> None:
    # Two points for MAPE 15 %, one for 75 %, none for R2 below 0.
    assert four.quality_ratings == Ratings(
        mape="good", accuracy_rate="good", r_squared="poor", overall="acceptable"
    )  # fmt: skip


def test_perfect_forecasts_are_excellent() -> None:
    ratings = report([pair(1, 10), pair(2, 20, p50=20), pair(3, 30, p50=30)]).quality_ratings
    assert ratings == Ratings(mape="excellent", accuracy_rate="excellent", r_squared="excellent", overall="excellent")


def test_comparison_has_the_error_of_the_point_forecast(four: AccuracyReport) -> None:
    first = four.comparisons[0]
    assert (first.forecasted_weeks, first.actual_weeks, first.error_weeks) == (10, 12, 2)
    assert first.error_pct == pytest.approx(100 / 6)
    assert (first.p50_weeks, first.p85_weeks, first.p95_weeks) == (10, 12, 14)


def test_p85_stands_in_for_a_p50_that_is_not_there_and_that_is_said() -> None:
    told = report([pair(1, 12, p50=None), pair(2, 10, p50=None)])
    assert (told.point_forecast, told.metrics.mae, told.coverage.p50.of) == ("p85", 1.0, 0)
    assert [each.point_forecast for each in told.comparisons] == ["p85", "p85"]
    assert told.notes[-1].startswith("2 of 2 forecasts hold no P50, so their P85 stands in for it.")
    mixed = report([pair(1, 12, p50=None), pair(2, 10)])
    assert (mixed.point_forecast, len(mixed.notes)) == ("mixed", 3)


def test_pair_without_a_percentile_or_a_duration_is_left_out_and_counted() -> None:
    beyond = [pair(5, 0), pair(6, 9, p50=None, p85=None), pair(7, 5e-324), pair(8, 1e300), pair(9, 9, p50=1e300)]
    pairs = [*FOUR, *beyond]
    assert [each.forecast_id for each in usable(pairs)] == [1, 2, 3, 4]
    told = report(pairs)
    assert (told.summary.total_comparisons, told.coverage.p85.of) == (4, 4)
    assert [(issue.type, issue.message) for issue in told.issues] == [
        ("invalid_actuals", "5 left out: no percentile in the forecast, or an actual of 0 weeks.")
    ]


@pytest.mark.parametrize(
    ("actuals", "kind", "message", "advice"),
    [
        (
            [12, 13, 14],
            "consistent_underforecast",
            "The work took more time than forecast in 3 of 3 cases.",
            "Work takes longer than forecast: the forecasts are too optimistic.",
        ),
        (
            [7, 8, 9],
            "consistent_overforecast",
            "The work took less time than forecast in 3 of 3 cases.",
            "Work is done earlier than forecast: the forecasts are too cautious.",
        ),
    ],
)
def test_one_sided_errors_are_explained_the_right_way_round(
    actuals: list[float], kind: str, message: str, advice: str
) -> None:
    told = report([pair(number, actual) for number, actual in enumerate(actuals)])
    assert (kind, message) in [(issue.type, issue.message) for issue in told.issues]
    assert any(line.startswith(advice) for line in told.recommendations)
    assert told.recommendations[0] == told.coverage.p85.verdict


@pytest.mark.parametrize(
    ("pairs", "kinds"),
    [
        ([pair(1, 12), pair(2, 9)], ["insufficient_data"]),
        ([pair(1, 10), pair(2, 4), pair(3, 11)], ["extreme_outliers"]),
        # Sizes 0, 0, 0, 20: deviation 8.7, mean 5.
        ([pair(1, 10), pair(2, 10), pair(3, 10), pair(4, 30)], ["high_variability"]),
        # Longer forecasts took less time.
        ([pair(1, 12, p50=10), pair(2, 11, p50=11), pair(3, 10, p50=12)], ["low_correlation"]),
        (FOUR, []),
    ],
)
def test_issue_is_named(pairs: list[Pair], kinds: list[str]) -> None:
    assert [issue.type for issue in report(pairs).issues] == kinds


def test_where_nothing_stands_out_that_is_the_advice(four: AccuracyReport) -> None:
    assert four.recommendations == [
        four.coverage.p85.verdict,
        "Nothing stands out: go on recording what comes of forecasts.",
    ]


def test_dashboard_tells_projects_of_one_name_apart_and_leaves_single_forecasts_out() -> None:
    pairs = [
        *FOUR,
        pair(5, 5, project_id=2),
        pair(6, 20, project_id=2),
        pair(7, 10, project_id=3, project_name="Alone"),
        pair(8, 10, project_id=4, project_name="Other"),
        pair(9, 8, project_id=4, project_name="Other"),
    ]
    told = dashboard(pairs)
    assert isinstance(told.project_metrics, dict)
    assert {name: (each.count, each.bias) for name, each in told.project_metrics.items()} == {
        "Relaunch (1)": (4, "underforecasting"),
        "Relaunch (2)": (2, "balanced"),
        "Other": (2, "overforecasting"),
    }
    # |-5| / 5 and 10 / 20.
    assert told.project_metrics["Relaunch (2)"].mape == pytest.approx(75)
    assert told.summary == DashboardSummary(total_comparisons=9, total_projects=3, overall_quality="poor")


def test_dashboard_shows_the_last_ten_newest_first() -> None:
    told = dashboard([pair(number, 10) for number in range(12)])
    assert isinstance(told.recent_comparisons, list)
    assert [each.forecast_id for each in told.recent_comparisons] == [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], "0 forecasts can be compared with an actual; at least 2 are needed"),
        ([pair(1, 12), pair(2, 0)], "1 forecast can be compared with an actual; at least 2 are needed"),
    ],
)
def test_dashboard_with_too_little_says_so(pairs: list[Pair], message: str) -> None:
    told = dashboard(pairs)
    assert (told.has_data, told.message) == (False, message)
