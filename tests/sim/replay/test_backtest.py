"""Replays worked out by hand: what was known, what was forecast, what then happened, and what counts as held."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.sim.replay.backtest import backtest, summarise_backtest
from chalicelib.sim.replay.inputs import BacktestRequest, check_backtest, replay_of
from chalicelib.sim.replay.report import wilson
from chalicelib.sim.replay.result import BacktestResult
from tests.sim.cases import silent


def read(**fields: Any) -> BacktestRequest:
    request = msgspec.convert(fields, BacktestRequest)
    assert check_backtest(request) == []
    return request


def answer(**fields: Any) -> BacktestResult:
    return backtest(read(**fields), silent)


def column(result: BacktestResult, name: str) -> list[Any]:
    return [getattr(row, name) for row in result.summary.results]


def test_each_test_lasts_until_the_real_series_has_finished_the_backlog() -> None:
    # Weeks:        0  1  2  3  4  5  6  7
    series = [2, 2, 2, 2, 1, 0, 6, 1]
    result = answer(tpSamples=series, backlog=6, method="expanding_window", minTrainSize=3)
    # From week 3: 2 + 1 + 0 + 6 reaches 6 in the fourth week; from 4: 1 + 0 + 6; from 5: 0 + 6; from 6: 6; 7: never.
    assert column(result, "origin") == [3, 4, 5, 6, 7]
    assert column(result, "actual") == [4.0, 3.0, 2.0, 1.0, None]
    assert column(result, "train_size") == [3, 4, 5, 6, 7]
    assert column(result, "test_name") == [f"Expanding_{number}" for number in range(1, 6)]
    # Two items a week need three weeks; the draws of 2 2 2 2 1 need three or four: P(3) = (4/5)^3 = 0.512.
    assert column(result, "p50") == [3, 3, 3, 4, 3]
    assert column(result, "forecast")[:3] == [3, 3, 4]
    assert column(result, "error")[:3] == [1.0, 0.0, -2.0]
    assert column(result, "error_weeks")[:3] == [1.0, 0.0, -2.0]
    assert column(result, "error_pct")[:3] == [25.0, 0.0, -100.0]


def test_bound_that_outlasts_the_series_is_not_judged_whatever_came_of_it() -> None:
    series = [2, 2, 2, 2, 1, 0, 6, 1]
    result = answer(tpSamples=series, backlog=6, method="expanding_window", minTrainSize=3)
    # From week 5 p85 is 4 weeks, and 3 are left: it would have held, and is left out all the same.
    assert column(result, "held_p85") == [False, True, None, None, None]
    held = result.coverage.p85
    assert (held.held, held.of, held.share) == (1, 2, 0.5)
    assert result.verdict.startswith("Your P85 held 50 % of the time over 2 origins: ")
    assert result.summary.results[4].note == "The series ends before the backlog is done."


def test_walk_forward_knows_its_window_and_expanding_knows_everything() -> None:
    series = [9, 9, 9, 1, 1, 1, 1, 1, 1]
    walking = answer(tpSamples=series, backlog=2, method="walk_forward", trainWindow=3, minTrainSize=3)
    growing = answer(tpSamples=series, backlog=2, method="expanding_window", minTrainSize=3)
    # In the week-6 forecast the window holds 1 1 1 (two weeks for two items), all weeks hold three 9s of six.
    assert column(walking, "train_size") == [3] * 6
    assert column(walking, "p50")[3:] == [2, 2, 2]
    assert column(growing, "train_size") == [3, 4, 5, 6, 7, 8]
    assert column(growing, "p50")[3] == 1


def test_items_of_the_next_weeks_are_judged_by_at_least() -> None:
    result = answer(
        historicalData=[1, 3, 1, 3, 1, 3, 0, 5], backtest_type="expanding_window", initialTrainWindow=4, testWindow=2
    )
    assert result.target == "items"
    assert column(result, "actual") == [4.0, 3.0, 5.0]
    # Sums of two draws of 1 or 3, alike: 2 (1/4), 4 (1/2), 6 (1/4).
    assert (column(result, "p50")[0], column(result, "p85")[0], column(result, "p95")[0]) == (4, 2, 2)
    # The second forecast knows three 1s and two 3s: at least 4 has 0.64, and 3 came.
    assert column(result, "held_p50") == [True, False, True]
    assert column(result, "error") == [2.0, 1.0, 3.0]
    assert (result.coverage.p85.held, result.coverage.p85.of) == (3, 3)


def test_scores_are_those_worked_out_by_hand() -> None:
    result = answer(tpSamples=[1, 3, 1, 3, 5, 1], testSize=2, minTrainSize=4, method="expanding_window")
    (row,) = result.summary.results
    # The 50th, 15th and 5th percentiles are 4, 2, 2, and 6 came: losses 0.5 * 2, 0.15 * 4, 0.05 * 4.
    assert row.pinball == pytest.approx((1.0 + 0.6 + 0.2) / 3)
    # The law is 2, 4, 6 with 1/4, 1/2, 1/4: (1/4)^2 * 2 + (3/4)^2 * 2 up to 6.
    assert row.crps == pytest.approx(2 / 16 + 2 * 9 / 16)
    assert (result.pinball, result.crps) == (row.pinball, row.crps)


def test_sign_is_actual_less_forecast_everywhere() -> None:
    result = answer(tpSamples=[4, 4, 4, 4, 4, 2, 2, 2, 2, 2, 2], backlog=4, method="expanding_window")
    metrics = result.summary.accuracy_metrics
    assert metrics
    assert metrics.mpe is not None
    assert metrics.mpe > 0
    assert (metrics.underforecast_count > 0, metrics.bias_direction) == (True, "underforecasting")
    assert (result.summary.mean_error_pct or 0) > 0


def test_compared_levels_quote_each_its_own_forecast() -> None:
    result = answer(tpSamples=[1, 3, 1, 3, 1, 3, 2, 2, 3, 1], backlog=4, compareConfidenceLevels=True)
    levels = result.results_by_level
    assert levels
    for level in (levels.P50, levels.P85, levels.P95):
        name = level.results[0].confidence_level
        assert [row.forecast for row in level.results] == [getattr(row, name.lower()) for row in level.results]
        assert "BACKTEST (walk_forward): weeks until 4 items are done" in level.report
    assert answer(tpSamples=[1, 3, 1, 3, 1, 3], backlog=4).results_by_level is None


def test_weeks_in_which_nothing_was_known_to_be_finished_have_no_forecast() -> None:
    result = answer(tpSamples=[0, 0, 0, 2, 2, 2, 2], backlog=2, minTrainSize=2, trainWindow=2)
    first = result.summary.results[0]
    assert (first.forecast, first.held_p85, first.error) == (None, None, None)
    assert first.note
    assert first.note.startswith("Nothing, or next to nothing, was finished")
    assert result.summary.failed_tests == 2
    assert any("2 of 5 forecasts could not be made" in text for text in result.warnings)


def test_verdict_blames_neither_chance_nor_what_is_too_rare_for_it() -> None:
    slowing = answer(tpSamples=[9] * 30 + [3] * 30, backlog=30, method="expanding_window")
    assert "less than the 85 % it should" in slowing.verdict
    steady = answer(tpSamples=[5] * 40, backlog=10, method="expanding_window")
    assert "more careful than it says" in steady.verdict


def test_wilson_interval_is_the_published_one() -> None:
    # 81 of 263: 0.2553 to 0.3662 (Newcombe, Statistics in Medicine 17, 1998, table I, method 3).
    assert [round(end, 4) for end in wilson(81, 263)] == [0.2553, 0.3662]
    assert wilson(0, 20)[0] == 0.0


def test_both_old_bodies_are_understood() -> None:
    old = replay_of(
        read(tpSamples=[3] * 12, backlog=9, method="walk_forward", minTrainSize=5, testSize=1, foldStride=2)
    )
    assert (old.first, old.stride, old.backlog, list(old.origins)) == (5, 2, 9, [5, 7, 9, 11])
    body = {
        "historicalData": [3] * 20,
        "backtest_type": "walk_forward",
        "trainWindow": 10,
        "initialTrainWindow": 5,
        "testWindow": 2,
        "nSimulations": 5000,
    }
    new = replay_of(read(**body))
    assert (new.first, new.window, new.horizon, list(new.origins)) == (10, 10, 2, list(range(10, 19)))
    expanding = replay_of(read(**body | {"backtest_type": "expanding_window"}))
    assert (expanding.first, expanding.window) == (5, None)


@pytest.mark.parametrize(
    ("fields", "pointer", "detail"),
    [
        ({}, "/tpSamples", "is required, or historicalData"),
        ({"tpSamples": [1, 2, 3]}, "/tpSamples", "must have at least 6 values, 5 to learn from, got 3"),
        ({"historicalData": [1] * 6, "trainWindow": 6}, "/historicalData", "must have at least 8 values"),
        ({"tpSamples": [0] * 9}, "/tpSamples", "at least one value must be above 0"),
        ({"tpSamples": [1] * 9, "historicalData": [2] * 9}, "/historicalData", "must equal tpSamples"),
        (
            {"tpSamples": [1] * 9, "method": "walk_forward", "backtest_type": "expanding_window"},
            "/backtest_type",
            "must",
        ),
    ],
)
def test_broken_rules_are_named_with_what_is_needed(fields: dict[str, Any], pointer: str, detail: str) -> None:
    (error,) = check_backtest(msgspec.convert(fields, BacktestRequest))
    assert error.pointer == pointer
    assert detail in error.detail


def test_saved_figures_are_those_of_todays_forecast() -> None:
    request = read(tpSamples=[2] * 12, backlog=9, projectName="Replay")
    found = summarise_backtest(request, backtest(request, silent))
    assert (found.name, found.forecast_type, found.backlog, found.projected_weeks_p85) == ("Replay", "backtest", 9, 5.0)
    items = read(historicalData=[2] * 12)
    assert summarise_backtest(items, backtest(items, silent)).backlog == 4


def test_progress_is_told_for_each_origin() -> None:
    told: list[tuple[float, str]] = []
    backtest(read(tpSamples=[3] * 9, backlog=3), lambda fraction, stage: told.append((fraction, stage)))
    assert told[0] == (0.0, "origin 1 of 4")
    assert told[-1] == (1.0, "done")
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)
