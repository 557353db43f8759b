"""Each part of the model against cases small enough to be worked out by hand or state by state."""

from __future__ import annotations

import itertools
from collections import defaultdict
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from chalicelib.sim.lattice import Law, convolve
from chalicelib.sim.ramp import contributors_by_percent
from tests.sim.cases import as_dict, burn_down_by_states, largest_gap, laws


def test_backlog_range_is_uniform_between_its_rounded_ends_in_either_order() -> None:
    found = laws(numberOfTasks=99, backlogAdjustedMin=6.4, backlogAdjustedMax=2.5)
    assert as_dict(found.tasks) == pytest.approx({3: 0.25, 4: 0.25, 5: 0.25, 6: 0.25})
    assert as_dict(found.weeks) == pytest.approx({1: 0.75, 2: 0.25})


def test_backlog_range_with_one_end_is_ignored() -> None:
    assert as_dict(laws(numberOfTasks=10, backlogAdjustedMin=6).tasks) == {10: 1.0}


def test_risk_with_a_most_likely_impact_follows_the_rounded_triangular_law() -> None:
    risk = {"likelihood": 100, "lowImpact": 0, "mediumImpact": 2, "highImpact": 4}
    found = as_dict(laws(numberOfTasks=0, risks=[risk]).tasks)
    assert found == pytest.approx({0: 0.03125, 1: 0.25, 2: 0.4375, 3: 0.25, 4: 0.03125})


@pytest.mark.parametrize(
    ("mode", "expected"), [(0, {0: 0.4375, 1: 0.5, 2: 0.0625}), (2, {0: 0.0625, 1: 0.5, 2: 0.4375})]
)
def test_triangular_law_may_have_its_mode_at_an_end(mode: int, expected: dict[int, float]) -> None:
    risk = {"likelihood": 100, "lowImpact": 0, "mediumImpact": mode, "highImpact": 2}
    assert as_dict(laws(numberOfTasks=0, risks=[risk]).tasks) == pytest.approx(expected)


def test_risk_without_a_high_impact_adds_its_low_one() -> None:
    assert as_dict(laws(numberOfTasks=1, risks=[{"likelihood": 25, "lowImpact": 4}]).tasks) == {1: 0.75, 5: 0.25}


def test_risk_without_a_low_impact_starts_at_1() -> None:
    found = as_dict(laws(numberOfTasks=1, risks=[{"likelihood": 100, "highImpact": 2}]).tasks)
    assert found == {2: 0.5, 3: 0.5}


def test_likelihood_below_1_is_a_probability_and_1_is_one_percent() -> None:
    assert as_dict(laws(numberOfTasks=1, risks=[{"likelihood": 0.5, "lowImpact": 4}]).tasks)[5] == 0.5
    assert as_dict(laws(numberOfTasks=1, risks=[{"likelihood": 1, "lowImpact": 4}]).tasks)[5] == 0.01


def test_split_rate_is_the_average_of_1_to_3m_draws_and_rounds_half_up() -> None:
    rates = [Fraction("0.75"), Fraction("1.5")]
    expected: dict[float, float] = defaultdict(float)
    for count in range(1, 7):
        for draws in itertools.product(rates, repeat=count):
            for tasks, p in ((6, 0.5), (8, 0.5)):
                expected[int(tasks * sum(draws) / count + Fraction(1, 2))] += p / 6 / 2**count
    risk = {"likelihood": 50, "lowImpact": 2}
    found = as_dict(laws(numberOfTasks=6, risks=[risk], splitRateSamples=[0.75, 1.5]).tasks)
    assert found == pytest.approx(dict(expected))


def test_split_rate_leaves_no_tasks_at_none() -> None:
    assert as_dict(laws(numberOfTasks=0, splitRateSamples=[1.5, 2]).tasks) == {0: 1.0}


@pytest.mark.parametrize(
    ("samples", "draws"), [(["3", "17.5"], range(3)), (["1", "4", "9.5", "12", "20", "31"], range(1, 6))]
)
def test_lead_time_is_the_average_of_a_tenth_to_nine_tenths_of_the_samples(samples: list[str], draws: range) -> None:
    weeks: dict[float, float] = defaultdict(float)
    days: dict[float, float] = defaultdict(float)
    for count in draws:
        chance = 1 / len(draws) / len(samples) ** count
        for drawn in itertools.product([Fraction(sample) for sample in samples], repeat=count):
            mean = sum(drawn) / count if count else Fraction(0)
            weeks[int(mean / 7 + Fraction(1, 2))] += chance
            days[int(mean + Fraction(1, 2))] += chance
    found = laws(numberOfTasks=0, ltSamples=[float(sample) for sample in samples]).lead_time
    assert as_dict(found.weeks) == pytest.approx(dict(weeks))
    assert as_dict(found.days) == pytest.approx(dict(days))


def test_lead_time_delays_the_end_and_costs_no_effort() -> None:
    found = laws(numberOfTasks=10, ltSamples=[14] * 10, totalContributors=3)
    assert as_dict(found.weeks) == {4: pytest.approx(1.0)}
    assert as_dict(found.effort) == {6: pytest.approx(1.0)}


LATE = {"on_time_probability": 0}


@pytest.mark.parametrize(
    ("dependencies", "expected"),
    [
        ([{"on_time_probability": 1, "delay_impact_days": 30}], {0: 1}),
        ([{"on_time_probability": 0.75, "delay_impact_distribution": [7, 7, 8, 0]}], {0: 0.8125, 1: 0.125, 2: 0.0625}),
        ([{**LATE, "delay_impact_days": 10}], {1: 0.0, 2: 1.0}),
        ([LATE], {1: 0.2, 2: 0.7, 3: 0.1}),
        ([LATE, LATE], {2: 0.08, 3: 0.515, 4: 0.385, 5: 0.02}),
        ([LATE, {**LATE, "delay_impact_distribution": [2]}], {1: 0.0, 2: 0.7, 3: 0.3}),
        ([LATE, {"delay_impact_distribution": [7]}], {1: 0.1, 2: 0.45, 3: 0.4, 4: 0.05}),
    ],
)
def test_late_dependencies_add_whole_weeks(dependencies: list[dict[str, Any]], expected: dict[int, float]) -> None:
    found = as_dict(laws(numberOfTasks=0, dependencies=dependencies).weeks)
    assert {weeks: found.get(weeks, 0.0) for weeks in expected} == pytest.approx(expected, abs=1e-6)
    assert sum(found.values()) == pytest.approx(1.0)


def test_very_long_delays_are_summed_on_a_coarser_lattice() -> None:
    long = [{**LATE, "delay_impact_days": 1000}] * 9
    law = laws(numberOfTasks=0, dependencies=long).weeks
    assert law.mean() * 7 == pytest.approx(9000 + 3.5, abs=0.1)


@pytest.mark.parametrize(
    ("fields", "weeks"),
    [
        ({"tpSamples": [2.5], "numberOfTasks": 5}, 2),
        ({"tpSamples": [5], "numberOfTasks": 10, "teamFocus": 0.5}, 4),
        ({"tpSamples": [5], "numberOfTasks": 5, "totalContributors": 5, "historicalTeamSize": 10}, 2),
        ({"tpSamples": [5], "numberOfTasks": 5, "totalContributors": 5, "historical_team_size": 10}, 2),
        ({"tpSamples": [5], "numberOfTasks": 5, "totalContributors": 5, "historicalTeamSize": 0}, 1),
        (
            {"tpSamples": [3], "numberOfTasks": 10, "totalContributors": 3, "minContributors": 2, "maxContributors": 2},
            5,
        ),
        ({"tpSamples": [1], "numberOfTasks": 3, "totalContributors": 2.5, "maxContributors": 1.5}, 5),
    ],
)
def test_progress_of_a_week_is_sample_times_people_by_history_times_focus(fields: dict[str, Any], weeks: int) -> None:
    assert as_dict(laws(**fields).weeks) == {weeks: pytest.approx(1.0)}


RAMPS: dict[str, dict[str, Any]] = {
    "whole people, an idle week": {
        "tasks": 7, "samples": ["0", "1", "3"], "low": "1", "high": "3", "history": "3", "ramp": 10,
    },
    "fractional people": {
        "tasks": 6, "samples": ["1", "2"], "low": "3", "high": "5.5", "history": "4.5", "ramp": 30,
    },
    "fractional samples": {
        "tasks": 5, "samples": ["0.5", "1.25", "2"], "low": "1", "high": "4", "history": "4", "ramp": 50,
    },
    "half a person": {
        "tasks": 4, "samples": ["1", "2"], "low": "0.5", "high": "2.5", "history": "2.5", "ramp": 50,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(RAMPS))
def test_changing_team_matches_every_path_followed_one_by_one(name: str) -> None:
    case = RAMPS[name]
    curve = [str(size) for size in contributors_by_percent(float(case["low"]), float(case["high"]), case["ramp"])]
    weeks, effort = burn_down_by_states(case["tasks"], case["samples"], curve, case["history"])
    found = laws(
        tpSamples=[float(sample) for sample in case["samples"]],
        numberOfTasks=case["tasks"],
        totalContributors=float(case["history"]),
        minContributors=float(case["low"]),
        maxContributors=float(case["high"]),
        sCurveSize=case["ramp"],
    )
    assert largest_gap(as_dict(found.weeks), weeks) < 2e-12
    assert largest_gap(as_dict(found.effort), effort) < 2e-12


def test_constant_team_matches_every_path_followed_one_by_one() -> None:
    weeks, effort = burn_down_by_states(9, ["0", "0.5", "2", "2", "3.5"], ["2"] * 100, "3")
    found = laws(
        tpSamples=[0, 0.5, 2, 2, 3.5], numberOfTasks=9, totalContributors=3, minContributors=2, maxContributors=2
    )
    assert largest_gap(as_dict(found.weeks), weeks) < 2e-12
    assert largest_gap(as_dict(found.effort), effort) < 2e-12


def test_ramp_over_nothing_is_the_largest_team() -> None:
    fields = {"totalContributors": 4, "minContributors": 1, "maxContributors": 4, "tpSamples": [4, 8]}
    assert as_dict(laws(**fields, sCurveSize=0).weeks) == as_dict(laws(tpSamples=[4, 8]).weeks)


@pytest.mark.parametrize("sizes", [(30, 40), (3_000, 900), (20_000, 20_000)])
def test_every_way_to_convolve_gives_the_same_sums(sizes: tuple[int, int]) -> None:
    left, right = (np.abs(np.sin(np.arange(1.0, size + 1))) for size in sizes)
    right[5 : right.size // 2] = 0
    left, right = left / left.sum(), right / right.sum()
    expected = np.fft.irfft(np.fft.rfft(left, 65_536) * np.fft.rfft(right, 65_536))[: sum(sizes) - 1]
    assert convolve(left, right) == pytest.approx(expected, abs=1e-15)


def test_quantile_is_the_first_value_that_reaches_its_chance() -> None:
    law = Law(3, np.array([0.5, 0.35, 0.15]))
    assert law.quantiles([0, 0.5, 0.5001, 0.85, 0.86, 1]) == [3, 3, 4, 4, 5, 5]
