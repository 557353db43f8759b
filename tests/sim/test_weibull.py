"""The Weibull law of a week: its fit, its rounding, and what becomes of histories that it does not fit."""

from __future__ import annotations

import math

import pytest

from chalicelib.sim.weibull import LEAST_SHAPE, MOST_SHAPE, TOTAL_WEIGHT, Weibull, fit, weekly_law
from tests.sim.cases import answer, as_dict, laws


# Solved with scipy 1.17.1, optimize.brentq on the likelihood equation with a tolerance of 1e-14;
# stats.weibull_min.fit(.., floc=0) agrees to the four digits that it is good for.
@pytest.mark.parametrize(
    ("samples", "shape", "scale"),
    [
        ([2, 3, 4, 5, 6, 8], 2.5801107911117986, 5.274478306199231),
        ([5, 6, 7, 8, 5, 6, 4, 7, 9, 6, 8, 5], 4.845250051329398, 6.91047778671313),
    ],
)
def test_fit_is_the_one_of_greatest_likelihood(samples: list[float], shape: float, scale: float) -> None:
    law = fit([(value, samples.count(value)) for value in sorted(set(samples))])
    assert law is not None
    assert (law.shape, law.scale) == pytest.approx((shape, scale), rel=1e-12)


@pytest.mark.parametrize("samples", [[0.001, 1, 1000], [1, 1.001], [1, 100_000], [3, 4, 4.5, 30]])
def test_fit_solves_the_likelihood_equations_of_any_history(samples: list[float]) -> None:
    law = fit([(value, 1) for value in samples])
    assert law is not None
    # Both equations with the C library's functions: mean(z**k) = 1 and mean(z**k ln z**k) - mean(ln z**k) = 1.
    powers = [math.exp(law.shape * math.log(value / law.scale)) for value in samples]
    assert math.fsum(powers) / len(samples) == pytest.approx(1, rel=1e-9)
    if law.shape < MOST_SHAPE * 0.99:
        left = math.fsum((p - 1) * math.log(p) for p in powers) / len(samples)
        assert left == pytest.approx(1, rel=1e-6)


def test_idle_weeks_keep_their_share_and_do_not_bend_the_fit() -> None:
    law, busy = fit([(0, 4), (2, 1), (3, 1), (5, 1), (8, 1)]), fit([(2, 1), (3, 1), (5, 1), (8, 1)])
    assert law is not None
    assert busy is not None
    assert (law.shape, law.scale, law.busy, busy.busy) == (busy.shape, busy.scale, 0.5, 1.0)


@pytest.mark.parametrize("samples", [[(0, 3)], [(0, 3), (5, 4)], [(5, 4)]])
def test_fewer_than_two_different_busy_weeks_allow_no_fit(samples: list[tuple[float, int]]) -> None:
    assert fit(samples) is None


def test_shape_stays_within_its_bounds() -> None:
    close, far = fit([(99_999.999, 500), (100_000, 500)]), fit([(1e-300, 500), (1e300, 1)])
    assert close is not None
    assert far is not None
    assert LEAST_SHAPE <= far.shape < close.shape <= MOST_SHAPE


def test_weeks_are_rounded_to_whole_tasks() -> None:
    law = Weibull(shape=2.0, scale=3.0, busy=0.75)
    weekly = weekly_law(law, 1_000)
    assert weekly is not None

    def above(tasks: float) -> float:
        return 0.75 * math.exp(-((tasks / 3) ** 2))

    expected = {0: 1 - above(0.5)} | {tasks: above(tasks - 0.5) - above(tasks + 0.5) for tasks in range(1, 17)}
    assert {tasks: weight / TOTAL_WEIGHT for tasks, weight in weekly} == pytest.approx(expected, abs=2e-12)
    assert sum(weight for _, weight in weekly) == TOTAL_WEIGHT


def test_weeks_that_finish_everything_are_one_value() -> None:
    weekly = weekly_law(Weibull(shape=2.0, scale=3.0, busy=1.0), 3)
    assert weekly is not None
    assert [tasks for tasks, _ in weekly] == [0, 1, 2, 3]


def test_widest_law_has_a_bounded_number_of_values() -> None:
    weekly = weekly_law(Weibull(shape=LEAST_SHAPE, scale=100.0, busy=1.0), 10_000_000)
    assert weekly is not None
    assert len(weekly) < 4_500
    assert sum(weight for _, weight in weekly) == TOTAL_WEIGHT


def test_forecast_says_which_law_it_has_drawn_from() -> None:
    result = answer(tpSamples=[0, 2, 3, 4, 5, 6, 8, 0], sampling="weibull")
    assert result.sampling == "weibull"
    assert (
        "A busy week follows a Weibull law of shape 2.58 and scale 5.27 tasks, rounded to whole tasks; 25 % of the "
        "weeks are idle. Weeks are drawn independently."
    ) in result.assumptions


@pytest.mark.parametrize(
    "samples", [[5] * 8, [0, 0, 5, 5, 0, 0, 0], [0.001] * 999 + [1]], ids=["equal", "one busy value", "tiny weeks"]
)
def test_history_without_a_fit_is_drawn_from_itself_with_a_warning(samples: list[float]) -> None:
    result = answer(tpSamples=samples, numberOfTasks=3, sampling="weibull", engine="exact")
    plain = answer(tpSamples=samples, numberOfTasks=3, engine="exact")
    assert (result.sampling, result.distribution) == ("bootstrap", plain.distribution)
    assert any(text.startswith("The past weeks themselves were drawn (bootstrap)") for text in result.warnings)


@pytest.mark.parametrize(
    "samples",
    [[0, 0, 0, 0, 0, 0, 0, 8], [0, 0, 0, 0, 4, 8], [0] * 199 + [3], [0.001, 1], [0] * 998 + [0.5, 1]],
)
@pytest.mark.parametrize("engine", ["exact", "monte_carlo"])
def test_no_history_makes_a_weibull_forecast_endless(samples: list[float], engine: str) -> None:
    result = answer(tpSamples=samples, numberOfTasks=4, sampling="weibull", engine=engine, numberOfSimulations=500)
    assert result.mean_weeks < 10_000


def test_idle_weeks_slow_a_weibull_forecast_down_as_they_do_the_past_weeks() -> None:
    samples = [0, 0, 3, 5, 0, 8, 4, 0, 6, 2]
    smooth = laws(tpSamples=samples, numberOfTasks=40, sampling="weibull").weeks
    assert smooth.mean() == pytest.approx(laws(tpSamples=samples, numberOfTasks=40).weeks.mean(), rel=0.05)
    assert smooth.quantiles([0.85]) == [19]


def test_scale_of_the_samples_carries_over_to_a_law_far_from_its_rounding() -> None:
    once = laws(tpSamples=[200, 310, 505], numberOfTasks=4000, sampling="weibull").weeks
    assert as_dict(once)[12] == pytest.approx(
        as_dict(laws(tpSamples=[400, 620, 1010], numberOfTasks=8000, sampling="weibull").weeks)[12], abs=2e-3
    )
