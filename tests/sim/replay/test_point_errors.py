"""Errors of point forecasts, worked out by hand."""

from __future__ import annotations

import math

import msgspec
import pytest

from chalicelib.sim.replay.point_errors import point_errors
from tests.test_imports import loaded_by


def test_errors_of_four_pairs_are_worked_out_by_hand() -> None:
    found = point_errors(forecasts=[8, 12, 10, 5], actuals=[10, 10, 10, 0])
    # Errors 2, -2, 0, -5; squares 33; the actuals' mean 7.5 and squared deviations 3 * 6.25 + 56.25 = 75.
    assert msgspec.structs.asdict(found) == {
        "pairs": 4,
        "percent_pairs": 3,
        "mae": 2.25,
        "rmse": math.sqrt(8.25),
        "median_ae": 2.0,
        "bias": -1.25,
        "min_error": -5,
        "max_error": 2,
        "std_error": pytest.approx(math.sqrt(8.25 - 1.5625)),
        "over_count": 1,
        "under_count": 2,
        "r_squared": pytest.approx(0.56),
        "mape": pytest.approx(40 / 3),
        "smape": pytest.approx(100 * (2 / 9 + 2 / 11) / 3),
        "mpe": 0.0,
        "median_ape": 20.0,
        "accuracy_rate": 100.0,
    }


def test_forecast_that_is_too_low_has_a_positive_error() -> None:
    found = point_errors([1], [4])
    assert (found.bias, found.mpe, found.over_count, found.under_count) == (3.0, 75.0, 1, 0)


def test_percentages_are_missing_where_nothing_was_finished() -> None:
    found = point_errors([1, 2], [0, 0])
    assert (found.percent_pairs, found.mape, found.smape, found.mpe) == (0, None, None, None)
    assert (found.median_ape, found.accuracy_rate, found.mae) == (None, None, 1.5)


def test_equal_actuals_explain_nothing() -> None:
    assert point_errors([5, 5], [5, 5]).r_squared == 0.0
    assert point_errors([3, 9], [5, 5]).r_squared == 0.0


def test_forecast_worse_than_the_mean_has_a_negative_r_squared() -> None:
    # Squared errors 16 + 16 against 4 + 4.
    assert point_errors([5, 1], [1, 5]).r_squared == -3.0


def test_accuracy_ends_above_a_fifth_of_the_actual() -> None:
    assert point_errors([8, 7.99, 12, 12.01], [10, 10, 10, 10]).accuracy_rate == 50.0


@pytest.mark.parametrize(("forecasts", "actuals"), [([], []), ([1], [1, 2])])
def test_lists_that_make_no_pairs_are_refused(forecasts: list[float], actuals: list[float]) -> None:
    with pytest.raises(ValueError, match=r"."):
        point_errors(forecasts, actuals)


@pytest.mark.parametrize(
    "module", ["forecasters.limits", "forecasters.model_score", "replay.point_errors", "forecasters.stability"]
)
def test_what_the_api_describes_is_loaded_without_numpy(module: str) -> None:
    assert "numpy" not in loaded_by(f"import chalicelib.sim.{module}")
