"""The signals of unsteady weeks, each worked out by hand."""

from __future__ import annotations

import math

import pytest

from chalicelib.sim.forecasters.stability import Stability, risk_assessment


def test_steady_weeks_have_no_risk() -> None:
    assert risk_assessment([4, 6] * 6) == Stability(
        risk_level="LOW",
        cv=0.2,
        recent_shift=0.0,
        outlier_share=0.0,
        reasons=[],
        recommendation="The weeks are steady: model forecasts may be used beside the Monte Carlo forecast.",
    )


def test_one_signal_is_a_medium_risk() -> None:
    # Mean 5.5, variance 16.25; both halves alike; quartiles 1 and 10 around the median 5.5.
    found = risk_assessment([1, 10] * 5)
    assert (found.risk_level, found.outlier_share) == ("MEDIUM", 0.0)
    assert found.cv == pytest.approx(4.5 / 5.5)
    assert found.reasons == ["The weeks vary by 82 % of their mean; above 50 % is unsteady."]


def test_two_signals_are_a_high_risk_and_speak_for_monte_carlo() -> None:
    # The last 8 of 16 weeks have the mean 12, all the mean 7; deviation 5.
    found = risk_assessment([2] * 8 + [12] * 8)
    assert found.risk_level == "HIGH"
    assert [found.cv, found.recent_shift] == pytest.approx([5 / 7, 5 / 7])
    assert found.reasons[1] == "The last weeks are 71 % above the mean of all; more than 30 % is a shift."
    assert found.recommendation.startswith("Use Monte Carlo")


def test_recent_weeks_are_half_of_all_and_at_most_eight() -> None:
    # 4 of 8, and 8 of 20: means 6 against 4.5, and 8 against (12 + 8 * 8) / 20.
    assert risk_assessment([3] * 4 + [6] * 4).recent_shift == pytest.approx(6 / 4.5 - 1)
    assert risk_assessment([1] * 12 + [8] * 8).recent_shift == pytest.approx(8 / 3.8 - 1)


def test_slower_weeks_are_told_as_below_the_mean() -> None:
    # Means 2 and 4; cv 0.5, which is the bound and no signal.
    found = risk_assessment([6] * 4 + [2] * 4)
    assert found.reasons == ["The last weeks are 50 % below the mean of all; more than 30 % is a shift."]


def test_outliers_are_counted_from_the_median() -> None:
    # Quartiles 9.375 and 11, median 10: more than 2.4375 away are 2 and 18 of 12 weeks, 12.4 is not.
    found = risk_assessment([2, 9, 9, 9.5, 10, 10, 10, 10, 11, 11, 12.4, 18])
    assert found.outlier_share == pytest.approx(2 / 12)
    assert found.reasons == ["17 % of the weeks lie far from the median; more than 15 % are too many to be exceptions."]


@pytest.mark.parametrize("samples", [[0.0] * 9, [3.0]])
def test_idle_history_and_single_week_give_no_signal(samples: list[float]) -> None:
    found = risk_assessment(samples)
    assert (found.risk_level, found.cv, found.recent_shift, found.outlier_share) == ("LOW", 0.0, 0.0, 0.0)


def test_largest_samples_keep_every_figure_finite() -> None:
    found = risk_assessment([1e5] + [0.0] * 30)
    assert all(math.isfinite(each) for each in (found.cv, found.recent_shift, found.outlier_share))
