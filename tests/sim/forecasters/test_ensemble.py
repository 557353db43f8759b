"""Four models together: who is believed where, what is promised against the bootstrap, and when it answers alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import InvalidRequest
from chalicelib.sim.forecasters.ensemble import LEVELS, Prediction, learned_weights, path_counts, predict
from chalicelib.sim.forecasters.resampling import FORECASTERS
from chalicelib.sim.lattice import Floats
from chalicelib.sim.replay.scores import pinball_loss, weighted_quantiles

# Trains the bootstrap and all others on slow steps and then throws a coin.
STEPS_THEN_COIN = [0, 0, 0, 0, 0, 0, 0, 0, 10, 10, 10, 10, 10, 10, 10, 10] * 2 + [0, 10, 10, 0, 10, 0, 0, 10] * 2


def forecast(samples: Sequence[float] | Floats, *, horizon: int = 6, seed: int = 1, paths: int = 400) -> Prediction:
    return predict(list(samples), horizon=horizon, seed=seed, paths=paths)


def autoregressive(coefficient: float, weeks: int, seed: int) -> list[float]:
    """Around 20, with noise of 3 tasks, in whole tasks."""
    values = [20.0]
    for noise in np.random.default_rng(seed).normal(scale=3, size=weeks):
        values.append(20 + coefficient * (values[-1] - 20) + float(noise))
    return [float(max(0, round(value))) for value in values[1:]]


def independent(kind: str, weeks: int, seed: int) -> Floats:
    """Weeks of an unchanging team: steady, overdispersed, or overdispersed with every third week idle."""
    draw = np.random.default_rng(seed)
    if kind == "steady":
        return draw.poisson(5, weeks).astype(float)
    found = draw.negative_binomial(2, 0.3, weeks).astype(float)
    return found if kind == "bursts" else found * (draw.random(weeks) > 1 / 3)


def test_answer_holds_what_was_asked_for() -> None:
    found = predict([3, 5, 2, 8, 4, 6, 3, 5, 7, 4, 5, 6], horizon=9, seed=4)
    assert found.paths.shape == (2_000, 9)
    assert list(found.weights) == ["bootstrap", "recent", "smoothing", "ridge"]
    # From week 6 on, and the newest third of these, at least 3.
    assert (found.origins, found.held_out) == (7, 3)
    assert [score.name for score in found.models] == list(found.weights)
    assert [score.weight for score in found.models] == list(found.weights.values())
    assert (found.ensemble.name, found.ensemble.weight) == ("ensemble", 1.0)


def test_walk_covers_the_last_sixty_weeks_and_holds_out_twenty() -> None:
    found = forecast(independent("steady", 300, 1))
    assert (found.origins, found.held_out) == (60, 20)


def test_same_seed_gives_the_same_paths_and_another_seed_others() -> None:
    samples = autoregressive(0.6, 40, 2)
    first, again, other = forecast(samples), forecast(samples), forecast(samples, seed=2)
    assert first.paths.tolist() == again.paths.tolist()
    assert (first.weights, first.models, first.note) == (again.weights, again.models, again.note)
    assert first.paths.tolist() != other.paths.tolist()
    assert first.weights == other.weights


def test_paths_differ_from_each_other() -> None:
    found = forecast(autoregressive(0.6, 40, 2), horizon=10)
    assert len({tuple(path) for path in found.paths.tolist()}) == 400


def test_eight_samples_are_enough() -> None:
    found = forecast([3, 0, 5, 1, 2, 2, 0, 4])
    assert (found.origins, found.held_out) == (3, 3)
    assert np.isfinite(found.paths).all()


def test_seven_samples_are_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        forecast([3, 0, 5, 1, 2, 2, 0])
    assert [each.pointer for each in refused.value.errors] == ["/tpSamples"]
    assert refused.value.errors[0].detail == "must have at least 8 values to compare forecasters on, got 7"


def test_constant_series_is_foretold_without_a_doubt() -> None:
    found = forecast([7.3] * 20)
    assert set(found.paths.ravel().tolist()) == {7.3}
    assert (found.pinball_ensemble, found.pinball_bootstrap, found.fell_back) == (0.0, 0.0, False)
    assert found.note == (
        "On the last 5 weeks the models together were as good as the bootstrap; their forecasts are mixed by weight."
    )
    assert [score.coverage_p85 for score in found.models] == [1.0] * 4


def test_idle_team_has_no_percentages() -> None:
    found = forecast([0] * 10)
    assert set(found.paths.ravel().tolist()) == {0.0}
    assert (found.ensemble.mae_pct, found.ensemble.errors.mape) == (None, None)


def test_alternating_weeks_are_left_to_ridge_and_beat_the_bootstrap() -> None:
    for seed in range(8):
        found = forecast(autoregressive(-0.8, 80, seed))
        assert found.weights["ridge"] > 0.9
        assert found.pinball_ensemble < 0.85 * found.pinball_bootstrap


def test_weeks_that_follow_each_other_are_left_to_ridge_and_smoothing() -> None:
    found = [forecast(autoregressive(0.8, 80, seed)) for seed in range(12)]
    assert all(each.weights["ridge"] + each.weights["smoothing"] > 0.6 for each in found)
    assert np.mean([each.weights["ridge"] for each in found]) > 1 / 6
    ratios = [each.pinball_ensemble / each.pinball_bootstrap for each in found]
    # Known coefficients would leave the share sqrt(1 - 0.8**2) = 0.6 of the bootstrap's loss.
    assert 0.5 < np.mean(ratios) < 0.8


def test_level_shift_is_left_to_the_recent_window_and_smoothing() -> None:
    for seed in range(8):
        draw = np.random.default_rng(seed)
        found = forecast(np.concatenate((draw.poisson(4, 30), draw.poisson(12, 18))))
        assert found.weights["recent"] + found.weights["smoothing"] > 0.6
        assert float(found.paths.mean()) == pytest.approx(12, abs=2)


@pytest.mark.parametrize("kind", ["steady", "bursts", "idle weeks"])
@pytest.mark.parametrize(("weeks", "teams"), [(8, 400), (30, 150), (60, 60)])
def test_bootstrap_is_hardly_lost_against_where_there_is_nothing_to_learn(kind: str, weeks: int, teams: int) -> None:
    unseen = independent(kind, 1_000, 999)
    together, alone = 0.0, 0.0
    for seed in range(teams):
        samples = independent(kind, weeks, seed)
        first = forecast(samples, horizon=1, paths=1_000).paths[:, 0]
        together += _loss(first, unseen)
        alone += _loss(samples, unseen)
    # The promised 1.02, here on weeks that nothing was chosen by, and a deviation of the mean over so few teams.
    assert together <= 1.025 * alone


def _loss(sample: Floats, unseen: Floats) -> float:
    return float(pinball_loss(unseen, weighted_quantiles(sample, np.ones(sample.size), LEVELS), LEVELS).mean())


@settings(max_examples=80, deadline=None)
@given(st.lists(st.floats(0, 1e5), min_size=8, max_size=60), st.integers(1, 12))
def test_promise_against_the_bootstrap_holds_for_any_series(samples: list[float], horizon: int) -> None:
    found = forecast(samples, horizon=horizon, paths=60)
    assert found.fell_back or found.pinball_ensemble <= 1.02 * found.pinball_bootstrap
    assert sum(found.weights.values()) == pytest.approx(1)
    assert min(found.weights.values()) >= 0
    assert found.paths.shape == (60, horizon)
    assert np.isfinite(found.paths).all()
    assert found.paths.min() >= 0
    for score in (*found.models, found.ensemble):
        assert math.isfinite(score.pinball)
        assert all(math.isfinite(each) for each in (score.errors.rmse, score.errors.r_squared, score.mae_pct or 0.0))


def test_coin_after_slow_steps_makes_the_bootstrap_answer_alone_and_says_so() -> None:
    found = forecast(STEPS_THEN_COIN)
    assert found.fell_back
    assert found.weights == {"bootstrap": 1.0, "recent": 0.0, "smoothing": 0.0, "ridge": 0.0}
    assert found.pinball_ensemble > 1.02 * found.pinball_bootstrap
    assert found.note.startswith("On the last 14 weeks the models together were ")
    assert found.note.endswith(
        " % worse than the bootstrap (pinball loss), and at most 2 % worse is allowed: "
        "this forecast is the bootstrap's alone."
    )
    assert set(found.paths.ravel().tolist()) == {0.0, 10.0}


def test_rejected_models_keep_their_scores() -> None:
    found = forecast(STEPS_THEN_COIN)
    assert [score.weight for score in found.models] == [1.0, 0.0, 0.0, 0.0]
    assert min(score.pinball for score in (*found.models, found.ensemble)) > 0


def test_week_is_judged_under_the_weights_that_were_learned_before_it() -> None:
    samples = autoregressive(0.7, 24, 3)
    whole, shorter = forecast(samples).ensemble, forecast(samples[:-1]).ensemble
    # 19 and 18 weeks walked through: what the last one adds.
    added = 19 * whole.pinball - 18 * shorter.pinball
    assert added == pytest.approx(float(pinball_loss(samples[-1], _law_of_last_week(samples), LEVELS)))


def _law_of_last_week(samples: list[float]) -> Floats:
    """Quantiles of the pool for the last week under the weights that a forecast from the weeks before it reports."""
    shorter, series = forecast(samples[:-1]), np.array(samples[:-1])
    laws = [make(series).predictive(np.array([series.size])) for make in FORECASTERS.values()]
    assert not shorter.fell_back
    shares = [law.weights[0] * weight for law, weight in zip(laws, shorter.weights.values(), strict=True)]
    return weighted_quantiles(np.concatenate([law.values[0] for law in laws]), np.concatenate(shares), LEVELS)


def test_weights_fall_exponentially_with_losses_in_units_of_the_bootstrap() -> None:
    learned = learned_weights(np.array([[2.0, 1.0, 2.0, 4.0], [2.0, 5.0, 2.0, 4.0]]))
    half, other = 1 / 2, 1 / 6
    # Rate 0.5 times sums of losses over the bootstrap's mean, 2.
    expected = [
        [half, other, other, other],
        [half * math.exp(-0.5), other * math.exp(-0.25), other * math.exp(-0.5), other * math.exp(-1)],
        [half * math.exp(-1), other * math.exp(-1.5), other * math.exp(-1), other * math.exp(-2)],
    ]
    for row, raw in zip(learned, expected, strict=True):
        assert row == pytest.approx(np.array(raw) / sum(raw))


def test_bootstrap_that_was_never_wrong_divides_nothing_by_zero() -> None:
    learned = learned_weights(np.array([[0.0, 0.0, 3.0, 0.0]]))
    assert np.isfinite(learned).all()
    assert learned[1, 2] < learned[0, 2]


@pytest.mark.parametrize(
    ("weights", "paths", "counts"),
    [
        ([0.5, 0.25, 0.25, 0.0], 10, [5, 3, 2, 0]),
        ([0.46, 0.33, 0.21, 0.0], 10, [5, 3, 2, 0]),
        ([0.34, 0.33, 0.33, 0.0], 1, [1, 0, 0, 0]),
        ([1.0, 0.0, 0.0, 0.0], 7, [7, 0, 0, 0]),
    ],
)
def test_paths_are_shared_out_by_largest_remainder(weights: list[float], paths: int, counts: list[int]) -> None:
    assert path_counts(np.array(weights), paths) == counts


def test_any_part_of_the_paths_holds_all_models() -> None:
    found = forecast([100, 101, 99, 100, 101] * 2 + [3, 5, 4, 6, 5] * 2, paths=2_000)
    # Weeks that are drawn are whole, and those that are computed are not.
    drawn = (found.paths == found.paths.round()).all(axis=1)
    expected = found.weights["bootstrap"] + found.weights["recent"]
    assert 0.3 < expected < 0.7
    # Three deviations of a share of 500.
    assert [float(part.mean()) for part in np.split(drawn, 4)] == pytest.approx([expected] * 4, abs=0.07)


def test_scores_of_the_bootstrap_are_worked_out_from_its_weeks() -> None:
    samples = [3.0, 5.0, 2.0, 8.0, 4.0, 6.0, 3.0, 5.0, 7.0]
    found = forecast(samples).models[0]
    # The means 22 / 5, 28 / 6, 31 / 7 and 36 / 8 against 6, 3, 5 and 7.
    assert found.errors.bias == pytest.approx((1.6 - 5 / 3 + 4 / 7 + 2.5) / 4)
    assert found.errors.mae == pytest.approx((1.6 + 5 / 3 + 4 / 7 + 2.5) / 4)
    assert found.mae_pct == pytest.approx((1.6 + 5 / 3 + 4 / 7 + 2.5) / 4 / 5.25 * 100)
    # P85 of 5, 6, 7 and 8 weeks is the 5th, 6th, 6th and 7th in order: 8, 8, 6 and 6.
    assert found.coverage_p85 == 0.75


def test_samples_are_read_to_three_decimals() -> None:
    assert forecast([1.0004] * 9).paths[0, 0] == 1.0
