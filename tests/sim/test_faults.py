"""Faults of the engines that this one replaces; each could come back, so each has a test."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import msgspec
import pytest

from chalicelib.sim.forecast import forecast
from chalicelib.sim.project import plan
from chalicelib.sim.result import SimulateResult
from tests.sim.cases import CASES, answer, as_dict, laws, request, silent


def test_likelihood_85_is_the_85th_percentile_not_the_15th() -> None:
    result = answer(**CASES["zeros_in_throughput"]["input"])
    rows = {row.likelihood: row.duration for row in result.results_table}
    assert (rows[95], rows[85], rows[50], rows[10]) == (22, 19, 15, 11)
    assert list(rows) == list(range(100, -1, -5))
    assert list(rows.values()) == sorted(rows.values(), reverse=True)


def test_history_is_the_output_of_the_whole_team_unless_said_otherwise() -> None:
    team = {"tpSamples": [5, 6, 7, 8, 9, 10], "numberOfTasks": 20, "totalContributors": 3}
    assert answer(**team).percentiles.p85 == 4
    assert answer(**team, historical_team_size=1).percentiles.p85 == 2


def test_baseline_is_stated_in_the_answer() -> None:
    assert answer(totalContributors=3).assumptions[0] == (
        "The throughput samples were produced by 3 people (totalContributors, as no historicalTeamSize was given)."
    )
    assert answer(totalContributors=3, historicalTeamSize=2).assumptions[0] == (
        "The throughput samples were produced by 2 people (historicalTeamSize)."
    )


def test_idle_weeks_are_drawn_like_the_others() -> None:
    assert answer(tpSamples=[0, 0, 3, 5, 0, 8, 4, 0, 6, 2], numberOfTasks=40).percentiles.p85 == 19


@pytest.mark.parametrize(("samples", "mean"), [([0, 0, 0, 0, 0, 0, 0, 8], 8.0), ([0, 0, 0, 0, 4, 8], 4.5)])
def test_mostly_idle_history_comes_to_an_end(samples: list[float], mean: float) -> None:
    result = answer(tpSamples=samples, numberOfTasks=8)
    assert result.mean_weeks == pytest.approx(mean)
    assert any("weeks were idle" in each for each in result.warnings)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_few_lead_times_do_not_fail(count: int) -> None:
    assert answer(ltSamples=[7] * count).percentiles.p99 == 11


def test_request_is_not_changed_and_a_second_run_gives_the_same() -> None:
    sent = request(**CASES["everything"]["input"])
    before = msgspec.json.encode(sent)
    first, second = (msgspec.json.encode(forecast(sent, progress=silent)) for _ in range(2))
    assert msgspec.json.encode(sent) == before
    assert first == second


def test_certain_risk_stays_certain_on_a_second_run() -> None:
    sent = request(risks=[{"likelihood": 100, "lowImpact": 5}])
    means = [forecast(sent, progress=silent).tasks.mean for _ in range(2)]
    assert means == [55, 55]


@pytest.mark.parametrize(("sample", "tasks", "weeks"), [(1.1, 11, 10), (1.4, 7, 5), (2.3, 69, 30)])
def test_no_residue_of_binary_fractions_costs_a_week(sample: float, tasks: int, weeks: int) -> None:
    assert as_dict(laws(tpSamples=[sample], numberOfTasks=tasks).weeks) == {weeks: pytest.approx(1.0)}


def test_half_a_task_is_rounded_up_whatever_its_binary_fraction() -> None:
    # 50 * 1.15 is 57.49999999999999 in float64.
    assert as_dict(laws(numberOfTasks=50, splitRateSamples=[1.15]).tasks) == {58: pytest.approx(1.0)}


def drawn(**fields: Any) -> SimulateResult:
    return answer(**fields, engine="monte_carlo", numberOfSimulations=20_000, seed=3)


def test_likelihood_85_of_trials_is_the_85th_percentile_too() -> None:
    rows = {row.likelihood: row.duration for row in drawn(**CASES["zeros_in_throughput"]["input"]).results_table}
    assert (rows[95], rows[85], rows[50], rows[10]) == (22, 19, 15, 11)


@pytest.mark.parametrize("sampling", ["bootstrap", "weibull"])
def test_idle_weeks_are_drawn_like_the_others_in_trials(sampling: str) -> None:
    samples = [0, 0, 3, 5, 0, 8, 4, 0, 6, 2]
    assert drawn(tpSamples=samples, numberOfTasks=40, sampling=sampling).percentiles.p85 == 19


@pytest.mark.parametrize("sampling", ["bootstrap", "weibull"])
@pytest.mark.parametrize("samples", [[0, 0, 0, 0, 0, 0, 0, 8], [0, 0, 0, 0, 4, 8]])
def test_no_trial_is_endless(samples: list[float], sampling: str) -> None:
    result = drawn(tpSamples=samples, numberOfTasks=8, sampling=sampling)
    exact = answer(tpSamples=samples, numberOfTasks=8, sampling=sampling, engine="exact")
    assert result.mean_weeks == pytest.approx(exact.mean_weeks, 0.1)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_few_lead_times_do_not_fail_in_trials(count: int) -> None:
    assert drawn(ltSamples=[7] * count).percentiles.p99 == 11


@pytest.mark.parametrize(("sample", "tasks", "weeks"), [(1.1, 11, 10), (1.4, 7, 5), (2.3, 69, 30)])
def test_no_residue_costs_a_trial_a_week(sample: float, tasks: int, weeks: int) -> None:
    assert set(drawn(tpSamples=[sample], numberOfTasks=tasks).percentiles.values()) == {weeks}


def test_no_residue_costs_a_changing_team_a_week_in_trials() -> None:
    fields = {"tpSamples": [1.1, 2.2, 0.7], "totalContributors": 3, "minContributors": 1, "numberOfTasks": 11}
    mean = answer(**fields, engine="exact").mean_weeks
    # A residue costs about one trial in eight a week; the standard error is below 0.01.
    assert drawn(**fields).mean_weeks == pytest.approx(mean, abs=0.04)


def test_half_a_task_is_rounded_up_in_trials() -> None:
    assert drawn(numberOfTasks=50, splitRateSamples=[1.15]).tasks.mean == 58


@pytest.mark.parametrize("engine", ["exact", "monte_carlo"])
def test_answer_holds_plain_values_that_every_json_encoder_takes(engine: str) -> None:
    result = answer(**CASES["everything"]["input"], dependencies=[{"name": "api"}], engine=engine)
    assert json.loads(json.dumps(msgspec.to_builtins(result))) == json.loads(msgspec.json.encode(result))


def test_longest_lists_of_samples_are_described() -> None:
    result = answer(tpSamples=[1.0] * 999 + [2.0], ltSamples=[1.0] * 999 + [2.0], numberOfTasks=3)
    assert (result.tp_error_rate, result.lt_error_rate) == (0, 0)


def test_equal_samples_have_an_error_rate_of_0() -> None:
    result = answer(tpSamples=[5, 5, 5], ltSamples=[3, 3])
    assert (result.tp_error_rate, result.lt_error_rate) == (0, 0)


def test_fractional_contributors_are_accepted() -> None:
    result = answer(totalContributors=5.5, minContributors=3, maxContributors=5.5, sCurveSize=30)
    assert result.effort.mean > 50 * 5.5 / 5


def test_half_focus_takes_twice_as_long() -> None:
    assert answer(teamFocus=0.5).percentiles.p50 == 2 * answer().percentiles.p50


def test_lattice_of_the_samples_has_no_residue_either() -> None:
    assert plan(request(tpSamples=[0.1 + 0.2, 1.005])).throughput == ((300, 1), (1005, 1))


def test_requests_and_costs_and_results_load_no_numpy() -> None:
    code = (
        "import sys, chalicelib.sim.inputs, chalicelib.sim.engine, chalicelib.sim.cost, chalicelib.sim.result; "
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
