"""The forecasters' answers under the old names: weeks, totals, durations, and how much they are to be trusted."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.errors import InsufficientData
from chalicelib.sim.forecasters.answers import steps_of, summarise_weeks, tell_both, tell_throughput, tell_weeks
from chalicelib.sim.forecasters.inputs import (
    CombinedRequest,
    MlForecastRequest,
    ThroughputRequest,
    check_forecasters,
    require_enough,
)
from chalicelib.sim.lattice import Floats
from chalicelib.sim.questions.inputs import WhenRequest
from chalicelib.sim.questions.when import tell_when
from tests.sim.cases import silent

SAMPLES = [5, 6, 7, 8, 4, 9, 6, 7, 5, 8, 6, 7]
MODELS = {"bootstrap", "recent", "smoothing", "ridge"}


def weeks(**fields: Any) -> Any:  # the answer of a request with these fields
    request = msgspec.convert({"tpSamples": SAMPLES, **fields}, MlForecastRequest)
    assert check_forecasters(request) == []
    return tell_weeks(request, silent)


def test_each_step_has_all_models_and_the_spread_of_the_week() -> None:
    found = weeks(forecastSteps=6)
    assert set(found.forecasts) == MODELS | {"ensemble"}
    assert {len(each) for each in found.forecasts.values()} == {6}
    stats = found.ensemble_stats
    for step in range(6):
        assert stats.p10[step] <= stats.p25[step] <= stats.median[step] <= stats.p75[step] <= stats.p90[step]
        # The weeks have a deviation of 1.4; the spread between models would be a tenth of that.
        assert 0.7 < stats.std[step] < 3


def test_figures_of_a_step_are_those_of_its_column() -> None:
    import numpy as np

    paths: Floats = np.array([[1.0, 10.0], [2.0, 10.0], [3.0, 10.0], [4.0, 10.0], [10.0, 10.0]])
    found = steps_of(paths)
    assert (found.mean, found.median, found.p25, found.p75) == ([4.0, 10.0], [3.0, 10.0], [2.0, 10.0], [4.0, 10.0])
    assert found.std == [pytest.approx(10**0.5, abs=1e-6), 0.0]


def test_one_model_can_be_listed_alone() -> None:
    assert set(weeks(model="ridge").forecasts) == {"ridge"}


def test_models_are_told_with_their_walk_forward_errors_best_first() -> None:
    found = weeks()
    assert {each.model for each in found.model_results} == MODELS
    assert [each.mae for each in found.model_results] == sorted(each.mae for each in found.model_results)
    assert sum(each.weight for each in found.model_results) == pytest.approx(1)
    assert set(found.walk_forward) == MODELS | {"ensemble"}
    # Twelve samples, five to learn from.
    assert {each.n_forecasts for each in found.walk_forward.values()} == {7}
    assert found.blend.pinball_ensemble <= 1.02 * found.blend.pinball_bootstrap or found.blend.fell_back


def test_weeks_have_days_where_there_is_a_start() -> None:
    assert weeks().dates is None
    assert weeks(startDate="05/01/2026", forecastSteps=3).dates == ["2026-01-05", "2026-01-12", "2026-01-19"]


def test_total_is_at_least_so_many() -> None:
    total = weeks(forecastSteps=10).total
    assert total.p95 <= total.p85 <= total.p50
    assert total.mean == pytest.approx(65, rel=0.15)


def test_unsteady_weeks_recommend_monte_carlo() -> None:
    assert weeks().risk_assessment.recommend_monte_carlo is False
    wild = weeks(tpSamples=[0, 0, 30, 0, 1, 0, 0, 25, 0, 0, 40, 60]).risk_assessment
    assert (wild.risk_level, wild.recommend_monte_carlo) == ("HIGH", True)
    assert wild.warning


def test_same_request_gives_the_same_weeks() -> None:
    assert weeks() == weeks()
    assert weeks(seed=weeks().seed) == weeks()


@pytest.mark.parametrize(("provided", "is_enough"), [(7, False), (8, True)])
def test_fewer_than_eight_samples_are_refused_as_the_old_service_did(provided: int, is_enough: bool) -> None:
    request = msgspec.convert({"tpSamples": SAMPLES[:provided]}, MlForecastRequest)
    if is_enough:
        require_enough(request)
        return
    with pytest.raises(InsufficientData) as refused:
        require_enough(request)
    assert refused.value.members == {
        "error": "insufficient_data",
        "message": "/tpSamples: must have at least 8 values to learn from, got 7",
        "recommendation": "Use the Monte Carlo forecast (/api/forecast-when), which needs no more than one sample.",
        "min_required": 8,
        "provided": 7,
        "use_monte_carlo": True,
    }


def test_throughput_alone_is_when_with_a_team_that_goes_on_as_it_was() -> None:
    body = {"tpSamples": SAMPLES, "backlog": 50, "startDate": "2026-01-05"}
    found = tell_throughput(msgspec.convert(body, ThroughputRequest), silent)
    same = tell_when(msgspec.convert(body, WhenRequest), silent)
    assert found.percentile_stats == same.monte_carlo.percentile_stats
    # 50 / 6.5 weeks, and half a week more because weeks are whole.
    assert found.mean == pytest.approx(50 / 6.5 + 0.5, abs=0.1)
    assert found.machine_learning
    few = msgspec.convert(body | {"tpSamples": SAMPLES[:4]}, ThroughputRequest)
    assert tell_throughput(few, silent).machine_learning is None


def test_both_forecasts_stand_beside_each_other() -> None:
    body = {"tpSamples": SAMPLES, "backlog": 50}
    found = tell_both(msgspec.convert(body, CombinedRequest), silent)
    alone = tell_throughput(msgspec.convert(body, ThroughputRequest), silent)
    assert found.monte_carlo.percentile_stats == alone.percentile_stats
    assert set(found.ml.forecasts) == MODELS | {"ensemble"}
    assert found.ml.duration == alone.machine_learning


def test_saved_figures_are_the_items_of_85_percent_after_the_weeks() -> None:
    request = msgspec.convert({"tpSamples": SAMPLES, "forecastSteps": 6, "startDate": "2026-01-05"}, MlForecastRequest)
    result = tell_weeks(request, silent)
    found = summarise_weeks(request, result)
    assert (found.backlog, found.projected_weeks_p85, found.forecast_type) == (result.total.p85, 6.0, "ml_forecast")
