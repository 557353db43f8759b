"""The process behaviour chart, worked out by hand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.sim.analyses.xmr import analyse, report
from chalicelib.sim.analyses.xmr_inputs import XmrRequest, check
from chalicelib.sim.analyses.xmr_result import RunSignal, TrendSignal


def test_limits_are_the_average_and_2_66_moving_ranges() -> None:
    # Moving ranges 2, 2, 1, 3: mean 2.
    found = analyse([10, 12, 10, 11, 8])
    assert (found.data_points, found.average, found.average_moving_range) == (5, 10.2, 2.0)
    assert (found.unpl, found.lnl, found.unpl_mr) == pytest.approx((15.52, 4.88, 6.54))
    assert (found.is_predictable, found.signals, found.predictability_score) == (True, [], 90.0)
    assert found.recommendation.startswith("No signal, but few samples")


def test_lower_limit_is_not_below_nothing() -> None:
    found = analyse([0, 6, 0, 6])
    assert (found.lnl, found.points_beyond_limits) == (0.0, [])


def test_sample_beyond_a_limit_and_a_run_are_signals() -> None:
    # Average 6.5; nine ranges, of which one is 15: mean 5/3, upper limit 6.5 + 2.66 x 5/3.
    found = analyse([5] * 9 + [20])
    (point,) = found.points_beyond_limits
    assert (point.index, point.value, point.type) == (9, 20, "above_unpl")
    assert (point.limit, point.deviation) == pytest.approx((10.93333, 9.06667))
    assert found.run_signals == [RunSignal(start_index=0, end_index=8, length=9, side="below", type="run")]
    assert found.signals == [
        "Sample 10, 20, is above the upper limit of 10.9.",
        "Samples 1 to 9 are all below the average.",
    ]
    # 100 - 15 - 10 - 5 for fewer than 20 samples.
    assert (found.predictability_score, found.is_predictable) == (70.0, False)
    assert (found.interpretation.process_state, found.interpretation.quality) == ("Unpredictable", "Fair")
    assert found.interpretation.can_forecast


def test_sample_below_the_lower_limit_is_a_signal() -> None:
    # Average 18.2, ranges 0 but the last, 18: mean 2, lower limit 18.2 - 5.32.
    found = analyse([20] * 9 + [2])
    (point,) = found.points_beyond_limits
    assert (point.index, point.value, point.type) == (9, 2, "below_lnl")
    assert (point.limit, point.deviation) == pytest.approx((12.88, 10.88))


@pytest.mark.parametrize(
    ("samples", "lengths"),
    [
        ([4] * 7 + [6] * 7, []),
        ([4] * 8 + [6] * 8, [8, 8]),
        # 5 is the average: it is on neither side and ends the run.
        ([4] * 4 + [5] + [4] * 4 + [6] * 8, [8]),
    ],
)
def test_run_is_eight_on_one_side(samples: list[float], lengths: list[int]) -> None:
    assert [run.length for run in analyse(samples).run_signals] == lengths


@pytest.mark.parametrize(
    ("samples", "found"),
    [
        ([1, 2, 3, 4, 5], []),
        ([1, 2, 3, 4, 5, 5, 6], []),
        ([3, 1, 2, 3, 4, 5, 6, 5], [(1, 6, 6, "increasing")]),
        ([9, 8, 7, 6, 5, 4, 3], [(0, 6, 7, "decreasing")]),
        ([1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1], [(0, 5, 6, "increasing"), (5, 10, 6, "decreasing")]),
    ],
)
def test_trend_is_six_in_one_direction(samples: list[float], found: list[tuple[int, int, int, str]]) -> None:
    trends: list[TrendSignal] = analyse(samples).trend_signals
    assert [(each.start_index, each.end_index, each.length, each.direction) for each in trends] == found


@pytest.mark.parametrize(("count", "score"), [(9, 90.0), (10, 95.0), (19, 95.0), (20, 100.0)])
def test_few_samples_cost_some_of_the_score(count: int, score: float) -> None:
    # Equal samples whose float average may be off by rounding have no signal.
    found = analyse([0.1] * count)
    assert (found.signals, found.predictability_score) == ([], score)


@pytest.mark.parametrize(
    ("points", "score", "quality", "can_forecast"),
    [
        (0, 100, "Excellent", True),
        (1, 85, "Good", True),
        (2, 70, "Fair", True),
        (3, 55, "Poor", False),
        (4, 40, "Poor", False),
        (5, 25, "Very Poor", False),
    ],
)
def test_quality_is_by_the_score(points: int, score: float, quality: str, can_forecast: bool) -> None:
    # 0 and 10 in turn stay on both sides of an average that some 60s raise to 9.6 at most.
    samples = [0.0, 10] * 30
    for place in range(points):
        samples[10 * place + 4] = 60
    found = analyse(samples)
    assert (len(found.points_beyond_limits), found.run_signals, found.trend_signals) == (points, [], [])
    assert found.predictability_score == score
    assert (found.interpretation.quality, found.interpretation.can_forecast) == (quality, can_forecast)


def answer(**fields: Any) -> Any:  # the answer as a client reads it
    request = msgspec.convert(fields, XmrRequest)
    assert check(request) == []
    return msgspec.to_builtins(report(request))


def test_charts_hold_the_samples_and_their_ranges() -> None:
    found = answer(tpSamples=[10, 12, 10, 11, 8])
    x_chart, mr_chart = found["chart_data"]["x_chart"], found["chart_data"]["mr_chart"]
    assert (x_chart["values"], x_chart["indices"]) == ([10, 12, 10, 11, 8], [0, 1, 2, 3, 4])
    assert (mr_chart["values"], mr_chart["indices"], mr_chart["lnl"]) == ([2, 2, 1, 3], [1, 2, 3, 4], 0.0)
    assert (x_chart["unpl"], mr_chart["unpl"]) == (found["analysis"]["unpl"], found["analysis"]["unpl_mr"])
    assert found["input_data"] == {"tp_samples": [10, 12, 10, 11, 8], "n_samples": 5}


def test_both_spellings_and_texts_are_read() -> None:
    assert answer(tpSamples="1 2 3") == answer(tp_samples=[1, 2, 3]) == answer(tpSamples=[1, 2, 3], tp_samples="1,2,3")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, ("/tpSamples", "must have at least 2 samples, got 0")),
        ({"tp_samples": [3]}, ("/tp_samples", "must have at least 2 samples, got 1")),
        ({"tpSamples": "1 x"}, ("/tpSamples", "number 2 must be a number, got 'x'")),
        ({"tpSamples": [1, 2], "tp_samples": [1, 3]}, ("/tp_samples", "must equal tpSamples when both are given")),
    ],
)
def test_broken_rule_is_told_where_it_is(fields: dict[str, Any], error: tuple[str, str]) -> None:
    (found,) = check(msgspec.convert(fields, XmrRequest))
    assert (found.pointer, found.detail) == error
