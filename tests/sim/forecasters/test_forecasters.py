"""The four models one by one: what they foretell, from which weeks, and where their paths lead."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from chalicelib.sim.forecasters.autoregression import RidgeAutoregression
from chalicelib.sim.forecasters.predictive import Draws, Forecaster, Predictive, pick, pool
from chalicelib.sim.forecasters.resampling import FORECASTERS, Bootstrap, RecentWindow
from chalicelib.sim.forecasters.smoothing import DampedSmoothing
from chalicelib.sim.lattice import Floats, Ints

Make = Callable[[Floats], Forecaster]

every_model = pytest.mark.parametrize("make", FORECASTERS.values(), ids=FORECASTERS)

AWKWARD = {
    "constant": [7.0] * 12,
    "idle": [0.0] * 12,
    "mostly idle": [0.0, 0.0, 3.0] * 5,
    "spike first": [1e5, *[0.0] * 30],
    "spike last": [*[1.0] * 30, 1e5],
    "large": [1e5 - index for index in range(20)],
    "steep": [2.0**index for index in range(16)],
    "alternating": [0.0, 9.0] * 8,
    "short": [3.0, 0.0, 5.0, 1.0, 2.0, 2.0, 0.0, 4.0],
}
awkward = pytest.mark.parametrize("series", AWKWARD.values(), ids=AWKWARD)


def uniform(paths: int, horizon: int) -> Draws:
    return np.random.default_rng(5).integers(0, 1 << 32, (paths, horizon), dtype=np.uint32)


def autoregressive(coefficient: float, weeks: int, seed: int = 1) -> Floats:
    """Around 20 with unit noise."""
    noise, values = np.random.default_rng(seed).normal(size=weeks), [20.0]
    for each in noise:
        values.append(20 + coefficient * (values[-1] - 20) + each)
    return np.array(values[1:])


def origins(first: int, past: int) -> Ints:
    return np.arange(first, past)


def counted(law: Predictive, row: int = 0) -> list[float]:
    """The values of an origin that weigh something, ascending."""
    return sorted(law.values[row][law.weights[row] > 0].tolist())


@every_model
def test_origin_knows_nothing_of_its_own_week_and_later_ones(make: Make) -> None:
    past = autoregressive(0.5, 25)
    laws = [
        make(np.concatenate((past, later))).predictive(np.array([25]))
        for later in ([20.0, 20.0], [1e5, 0.0, *[50.0] * 30])
    ]
    assert counted(laws[0]) == pytest.approx(counted(laws[1]), rel=1e-12)
    assert laws[0].quantiles(np.array([0.1, 0.5, 0.9])) == pytest.approx(laws[1].quantiles(np.array([0.1, 0.5, 0.9])))


@every_model
def test_walk_forward_origin_is_the_same_as_the_end_of_a_shorter_series(make: Make) -> None:
    series = autoregressive(0.5, 40)
    walk = make(series).predictive(origins(5, 40))
    for row, origin in enumerate(range(5, 40)):
        alone = make(series[:origin]).predictive(np.array([origin]))
        assert counted(walk, row) == pytest.approx(counted(alone), rel=1e-9)


@every_model
@awkward
def test_awkward_series_gives_finite_laws_and_paths(make: Make, series: list[float]) -> None:
    model = make(np.array(series))
    law, paths = model.predictive(origins(5, len(series) + 1)), model.paths(uniform(50, 40))
    assert np.isfinite(law.values).all()
    assert law.weights.sum(axis=1) == pytest.approx(np.ones(len(series) - 4))
    assert paths.shape == (50, 40)
    assert np.isfinite(paths).all()
    assert min(paths.min(), law.quantiles(np.array([0.01])).min()) >= 0


@every_model
def test_constant_series_goes_on_for_ever(make: Make) -> None:
    model = make(np.full(9, 7.3))
    assert set(counted(model.predictive(np.array([9])))) == {7.3}
    assert set(model.paths(uniform(20, 12)).ravel().tolist()) == {7.3}


@every_model
def test_model_without_paths_to_make_makes_none(make: Make) -> None:
    assert make(autoregressive(0.5, 12)).paths(uniform(0, 6)).shape == (0, 6)


@every_model
def test_first_week_of_the_paths_follows_the_law_of_the_next_week(make: Make) -> None:
    model, levels = make(autoregressive(0.6, 30)), np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    first = model.paths(uniform(40_000, 1))[:, 0]
    law = model.predictive(np.array([30]))
    below = (first[:, np.newaxis] <= law.quantiles(levels) + 1e-9).mean(axis=0)
    # An atom weighs up to 1/5; beside that, three deviations of a share of 40,000 trials.
    assert ((below >= levels - 0.0075) & (below <= levels + 0.2 + 0.0075)).all()


def test_bootstrap_draws_all_weeks_before_the_origin() -> None:
    model = Bootstrap(np.array([4.0, 1.0, 3.0, 5.0, 9.0, 2.0, 6.0]))
    assert counted(model.predictive(np.array([5]))) == [1.0, 3.0, 4.0, 5.0, 9.0]
    assert set(model.paths(uniform(100, 3)).ravel().tolist()) == {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 9.0}


@pytest.mark.parametrize(("weeks", "window"), [(5, 5), (8, 5), (17, 5), (18, 6), (30, 10), (36, 12), (200, 12)])
def test_recent_window_is_a_third_of_the_weeks_between_five_and_twelve(weeks: int, window: int) -> None:
    model = RecentWindow(np.arange(float(weeks)))
    expected = [float(week) for week in range(weeks - window, weeks)]
    assert counted(model.predictive(np.array([weeks]))) == expected
    assert set(model.paths(uniform(400, 3)).ravel().tolist()) == set(expected)


def test_paths_of_the_recent_window_carry_the_doubt_about_its_mean() -> None:
    series = np.array([0.0, 0.0, 10.0, 10.0, 5.0])
    total = RecentWindow(series).paths(uniform(20_000, 20)).sum(axis=1)
    # Polya's urn with n = 5 balls, h = 20 draws: variance 20 * 20 (population) * (n + h) / (n + 1).
    assert float(total.mean()) == pytest.approx(100, abs=1)
    assert float(total.var()) == pytest.approx(400 * 25 / 6, rel=0.05)


def test_smoothing_is_worked_out_by_hand_for_five_weeks() -> None:
    law = DampedSmoothing(np.array([2.0, 4.0, 3.0, 3.0, 3.0])).predictive(np.array([5]))
    # Level 2, then the mean 3 and no further error: errors 2, 0, 0, 0 less their mean 1/2, times sqrt(4 / 3).
    factor = math.sqrt(4 / 3)
    assert counted(law) == pytest.approx([3 - factor / 2] * 3 + [3 + 1.5 * factor])


def smoothing_by_definition(series: Floats, alpha: float, gamma: float, phi: float) -> tuple[float, Floats, float]:
    """The forecast, the centred errors before it and their sum of squares, larger by the degrees of freedom."""
    level, slope, errors = float(series[0]), 0.0, []
    for week, value in enumerate(series):
        ahead = level + phi * slope
        errors.append(value - ahead)
        level = ahead + max(alpha, 1 / (week + 1)) * errors[-1]
        slope = phi * slope + alpha * gamma * errors[-1]
    made = np.array(errors[1:])
    factor = made.size / (made.size - (3 if gamma else 1))
    return level + phi * slope, (made - made.mean()) * math.sqrt(factor), float(made @ made) * factor


@pytest.mark.parametrize("weeks", [5, 9, 40])
@pytest.mark.parametrize("slope", [0.0, 1.0, -0.4])
def test_smoothing_is_its_definition_at_the_best_point_of_the_grid(weeks: int, slope: float) -> None:
    series = autoregressive(0.8, weeks) + slope * np.arange(weeks)
    grid = [(alpha, 0.0, 0.0) for alpha in (0.05, 0.1, 0.2, 0.35, 0.6, 0.9)]
    trends = [(0.1, 0.8), (0.1, 0.9), (0.3, 0.8), (0.3, 0.9)]
    grid += [(alpha, *trend) for alpha in (0.1, 0.2, 0.35, 0.6) for trend in trends]
    law = counted(DampedSmoothing(series).predictive(np.array([weeks])))
    ahead, errors, _ = min((smoothing_by_definition(series, *point) for point in grid), key=lambda each: each[2])
    assert law == pytest.approx(np.sort(ahead + errors).tolist())


def test_smoothing_follows_a_slope_that_dies_away() -> None:
    model = DampedSmoothing(np.arange(40.0))
    means = model.paths(uniform(200, 30)).mean(axis=0)
    assert float(model.predictive(np.array([40])).means()[0]) == pytest.approx(40, abs=0.5)
    steps = np.diff(means)
    # Of phi at most 0.9 the slope is down to a tenth after 22 weeks.
    assert steps[0] > 0.5
    assert steps[-1] < 0.12


def test_smoothing_forgets_an_old_level() -> None:
    series = np.array([2.0] * 20 + [12.0] * 8)
    assert float(DampedSmoothing(series).predictive(np.array([28])).means()[0]) == pytest.approx(12, abs=0.5)


def test_paths_of_smoothing_do_not_drift_where_weeks_are_independent() -> None:
    draw = np.random.default_rng(3)
    # The mean of each path's last week less that of the first, over 40 teams of about 20 tasks a week.
    drifts = [
        float(np.diff(DampedSmoothing(draw.poisson(20, 30).astype(float)).paths(uniform(300, 20)).mean(axis=0)).sum())
        for _ in range(40)
    ]
    assert abs(np.mean(drifts)) < 0.5


def ridge_by_definition(series: Floats, penalty_weeks: float, order: int) -> tuple[float, Floats, float]:
    """The forecast, the inflated residuals and the GCV of one penalty, from the hat matrix."""
    rows = np.array([series[week - order : week][::-1] for week in range(order, series.size + 1)])
    lags, weeks = rows[:-1] - rows[:-1].mean(axis=0), series[order:]
    count = weeks.size
    penalty = penalty_weeks * np.trace(lags.T @ lags) / order / count
    inverse = np.linalg.inv(lags.T @ lags + penalty * np.eye(order))
    hat = lags @ inverse @ lags.T + np.full((count, count), 1 / count)
    residuals, left = weeks - hat @ weeks, 1 - np.trace(hat) / count
    ahead = weeks.mean() + (rows[-1] - rows[:-1].mean(axis=0)) @ inverse @ lags.T @ weeks
    return float(ahead), residuals / math.sqrt(left), float(residuals @ residuals / left**2)


@pytest.mark.parametrize(("weeks", "order"), [(5, 1), (8, 2), (12, 3), (13, 4), (40, 4)])
@pytest.mark.parametrize("coefficient", [-0.7, 0.0, 0.8])
def test_ridge_is_its_definition_with_the_best_cross_validated_penalty(
    weeks: int, order: int, coefficient: float
) -> None:
    series = autoregressive(coefficient, weeks)
    candidates = [ridge_by_definition(series, penalty, order) for penalty in (1, 4, 16, 64, 256)]
    ahead, residuals, _ = min(candidates, key=lambda each: each[2])
    law = RidgeAutoregression(series).predictive(np.array([weeks]))
    assert counted(law) == pytest.approx(np.sort(ahead + residuals).tolist(), rel=1e-9)


def test_paths_of_ridge_return_to_the_mean_as_the_weeks_did() -> None:
    series = [np.append(autoregressive(0.7, 400, seed), 26.0) for seed in range(20)]
    means = np.mean([RidgeAutoregression(each).paths(uniform(500, 12)).mean(axis=0) for each in series], axis=0)
    # 20 + 6 * 0.7**k; one series errs by 0.4 in its coefficients and in its noise, twenty by 0.1.
    assert means[[0, 1, 3, 11]] == pytest.approx([24.2, 22.94, 21.44, 20.08], abs=0.3)


def test_paths_of_ridge_alternate_as_the_weeks_did() -> None:
    paths = RidgeAutoregression(autoregressive(-0.8, 400)).paths(uniform(2_000, 30))
    assert float(np.corrcoef(paths[:, -2], paths[:, -1])[0, 1]) == pytest.approx(-0.8, abs=0.1)


def test_paths_of_ridge_do_not_explode_after_steep_growth() -> None:
    series = np.array([2.0**index for index in range(16)])
    assert RidgeAutoregression(series).paths(uniform(200, 200)).max() < 20 * series[-1]


def test_pick_maps_the_ends_and_the_middle_of_the_draws() -> None:
    draws = np.array([[0, (1 << 30) - 1, 1 << 30, (1 << 32) - 1]], dtype=np.uint32)
    assert pick(np.array([1.0, 2.0, 3.0, 4.0]), draws).tolist() == [[1.0, 1.0, 2.0, 4.0]]


def test_pool_weighs_each_law_anew_at_every_origin() -> None:
    everything = np.ones((2, 2), dtype=np.bool_)
    calm = Predictive.even(np.array([[1.0, 2.0], [1.0, 2.0]]), everything)
    wild = Predictive.even(np.array([[0.0, 9.0], [0.0, 9.0]]), everything)
    mixed = pool([calm, wild], np.array([[1.0, 0.0], [0.5, 0.5]]))
    assert mixed.weights.tolist() == [[0.5, 0.5, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]]
    assert mixed.quantiles(np.array([0.25, 0.75, 1.0])).tolist() == [[1.0, 2.0, 2.0], [0.0, 2.0, 9.0]]
    assert mixed.means().tolist() == [1.5, 3.0]
