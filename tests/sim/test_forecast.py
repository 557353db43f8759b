"""The answer as a whole: its shape, its length, its progress, its limits."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from chalicelib.errors import InvalidRequest, TooLarge
from chalicelib.sim.cost import EXACT_LIMIT, SYNC_LIMIT, estimate
from chalicelib.sim.forecast import forecast
from chalicelib.sim.result import SimulateResult
from tests.sim.cases import CASES, answer, request, silent

LIMIT_BYTES = 100_000


def test_answer_names_weeks_dates_and_chances() -> None:
    result = answer(tpSamples=[5, 10], numberOfTasks=10, startDate="2025-01-06", projectName="Mill", confidenceLevel=80)
    assert (result.engine, result.project_name, result.number_of_simulations) == ("exact", "Mill", 10_000)
    assert msgspec.to_builtins(result.distribution) == [
        {"weeks": 1, "probability": 0.5, "cumulative": 0.5},
        {"weeks": 2, "probability": 0.5, "cumulative": 1.0},
    ]
    assert msgspec.to_builtins(result.completion_times) == [{"weeks": 1, "trials": 5000}, {"weeks": 2, "trials": 5000}]
    assert msgspec.to_builtins(result.confidence) == {"level": 80.0, "weeks": 2, "date": "2025-01-20"}
    assert result.dates is not None
    assert (result.dates.p50, result.dates.p75) == ("2025-01-13", "2025-01-20")
    assert (result.mean_weeks, result.percentile_stats.p50, result.percentile_stats.p95) == (1.5, 1, 2)


def test_wire_names_are_the_old_ones_and_the_new_ones() -> None:
    wire = msgspec.to_builtins(answer())
    assert {"resultsTable", "tpErrorRate", "ltErrorRate", "numberOfSimulations", "projectName"} <= set(wire)
    assert {"distribution", "percentiles", "percentile_stats", "completion_times", "input_stats"} <= set(wire)
    assert wire["resultsTable"][3] == {"Likelihood": 85, "Duration": 10, "TotalTasks": 50, "Effort": 10, "LT": 0}


def test_result_survives_the_wire() -> None:
    result = answer(**CASES["everything"]["input"], dependencies=[{"name": "api"}], startDate="1/9/2025")
    assert msgspec.json.decode(msgspec.json.encode(result), type=SimulateResult) == result


def test_dates_past_the_calendar_are_left_out() -> None:
    result = answer(startDate="9999-12-01")
    assert result.dates is not None
    assert result.dates.p50 is None


def test_dependencies_are_analysed() -> None:
    late = {
        "id": 1,
        "name": "api",
        "on_time_probability": 0.5,
        "delay_impact_distribution": [10],
        "criticality": "HIGH",
    }
    sure = {"id": 2, "name": "legal", "on_time_probability": 1.0, "delay_impact_days": 90, "criticality": "CRITICAL"}
    found = answer(dependencies=[sure, late]).dependency_analysis
    assert found is not None
    assert (found.total_dependencies, found.on_time_probability, found.one_in) == (2, 0.5, 2.0)
    assert found.expected_delay_days == pytest.approx(5.0)
    assert found.delay_percentiles is not None
    assert (found.delay_percentiles.p5, found.delay_percentiles.p99) == (10.0, 10.0)
    assert [each.name for each in found.critical_dependencies] == ["api", "legal"]
    # 0.4 * 50 + 0.3 * 100 * 5 / 30 + 0.2 * 100 * (5 / 5) + 0.1 * 100 * 2 / 10
    assert (found.risk_score, found.risk_level) == (47.0, "MEDIUM")
    assert found.advice == ["Begin with api: it is late in 50 % of the cases and makes 100 % of the expected delay."]
    assert answer().dependency_analysis is None


def test_advice_tells_how_much_to_allow_for() -> None:
    late = {"on_time_probability": 0.25, "delay_impact_distribution": [20]}
    found = answer(dependencies=[{**late, "name": "api"}, {**late, "name": "legal"}]).dependency_analysis
    assert found is not None
    assert found.advice == [
        "Begin with api: it is late in 75 % of the cases and makes 50 % of the expected delay.",
        "Allow 30 days for late dependencies; the forecast already holds them.",
        "Some dependency is late in 94 % of the cases: do not plan on none being late.",
    ]
    sure = answer(dependencies=[{"on_time_probability": 1}]).dependency_analysis
    assert sure is not None
    assert sure.advice == ["No dependency is expected to delay the project."]


def test_samples_are_described() -> None:
    stats = answer(tpSamples=[1, 2, 2, 3], ltSamples=[1, 2, 3, 4, 100]).input_stats
    assert (stats.throughput.mean, stats.throughput.mode, stats.throughput.mad) == (2, 2, 0.5)
    assert stats.throughput.std == pytest.approx(0.5**0.5)
    assert stats.lead_time is not None
    assert (stats.lead_time.iqr, stats.lead_time.above_10_medians, stats.lead_time.above_q3_fence) == (2, 1, 1)
    assert stats.lead_time.percentiles["p98"] == pytest.approx(92.32)
    assert stats.lead_time.weibull is not None
    assert stats.lead_time.weibull.shape < 1


def test_weibull_plot_finds_the_law_that_it_was_drawn_from() -> None:
    ranks = [(i - 0.3) / 20.4 for i in range(1, 21)]
    drawn = [10 * (-math.log(1 - rank)) ** (1 / 2) for rank in ranks]
    stats = answer(ltSamples=drawn).input_stats.lead_time
    assert stats is not None
    assert stats.weibull is not None
    assert (stats.weibull.shape, stats.weibull.scale, stats.weibull.r2) == pytest.approx((2, 10, 1))
    assert stats.weibull.predicted_mean == pytest.approx(8.8622692545)


def test_doubts_are_told() -> None:
    result = answer(
        tpSamples=[5.00049] * 3, sCurveSize=70, totalContributors=2, maxContributors=4, backlogAdjustedMin=4
    )
    assert result.warnings == [
        "Only 3 throughput samples: 7 to 24 weeks are advised.",
        "All 3 weeks finished 5.00049 tasks: the forecast has no spread from throughput.",
        "The backlog range was not used: both ends must be given and above 0.",
        "maxContributors is more than totalContributors.",
        "sCurveSize 70 was taken as 50.",
        "tpSamples were rounded to 3 decimals.",
    ]


WORST: list[dict[str, Any]] = [
    {"tpSamples": [0] * 99 + [1], "numberOfTasks": 100},
    {"tpSamples": [0] * 999 + [1], "numberOfTasks": 3, "numberOfSimulations": 10_000_000},
    {"tpSamples": [0] * 99 + [1], "numberOfTasks": 50, "engine": "monte_carlo", "numberOfSimulations": 50_000},
    {"tpSamples": [0] * 199 + [1], "numberOfTasks": 5, "sampling": "weibull", "engine": "monte_carlo"},
    {"tpSamples": [5, 70], "backlogAdjustedMin": 1, "backlogAdjustedMax": 9999},
    {
        "tpSamples": [0, 0, 0, 1],
        "numberOfTasks": 900,
        "projectName": "\u00e9" * 200,
        "ltSamples": [0, 3650],
        "dependencies": [{"id": "x" * 50, "name": "\u00e9" * 200, "criticality": "CRITICAL", "delay_impact_days": 99}]
        * 50,
        "startDate": "1/1/2025",
    },
    {
        # Six bytes a character, all rows of all tables, long numbers in each.
        "tpSamples": [0] * 750 + [1] * 250,
        "numberOfTasks": 400,
        "numberOfSimulations": 10_000_000,
        "projectName": "\x01" * 200,
        "ltSamples": [i % 365 for i in range(100)],
        "splitRateSamples": [1, 1.5],
        "risks": [{"likelihood": 50, "lowImpact": 0, "highImpact": 20, "description": "x" * 2000}] * 100,
        "dependencies": [{"id": "\x01" * 200, "name": "\x01" * 200, "criticality": "\x01" * 20, "delay_impact_days": 9}]
        * 50,
        "startDate": "1/1/2025",
    },
]


@pytest.mark.parametrize("fields", WORST)
def test_answer_stays_below_100_kb(fields: dict[str, Any]) -> None:
    assert len(msgspec.json.encode(answer(**fields))) < LIMIT_BYTES


def test_merged_rows_keep_the_cumulative_chance() -> None:
    rows = answer(tpSamples=[0] * 99 + [1], numberOfTasks=1).distribution
    assert 250 < len(rows) <= 500
    assert [row.cumulative for row in rows[:-1]] == pytest.approx([1 - 0.99**row.weeks for row in rows[:-1]])
    assert sum(row.probability for row in rows) == pytest.approx(1)


def test_trials_add_up_to_the_number_asked_for() -> None:
    result = answer(**CASES["everything"]["input"], numberOfSimulations=12_345)
    assert sum(row.trials for row in result.completion_times) == 12_345


def test_bad_request_is_refused_with_all_its_faults() -> None:
    with pytest.raises(InvalidRequest) as caught:
        answer(tpSamples=[0], teamFocus=0)
    assert [each.pointer for each in caught.value.errors] == ["/tpSamples", "/teamFocus"]


HUGE: dict[str, Any] = {
    "tpSamples": [value / 1000 for value in range(1, 1001)],
    "numberOfTasks": 9999,
    "totalContributors": 7.77,
    "minContributors": 0.13,
    "maxContributors": 7.77,
    "splitRateSamples": [0.2, 3.333],
}


def test_too_much_work_is_refused_before_it_is_begun() -> None:
    assert estimate(request(**HUGE)) > EXACT_LIMIT
    with pytest.raises(TooLarge, match="cell updates"):
        answer(**HUGE)


@pytest.mark.parametrize("name", sorted(CASES))
def test_usual_projects_are_answered_while_the_caller_waits(name: str) -> None:
    assert 0 < estimate(request(**CASES[name]["input"])) < SYNC_LIMIT / 10


LONG = {**CASES["everything"]["input"], "numberOfTasks": 300}


def test_progress_rises_to_1_through_named_stages() -> None:
    seen: list[tuple[float, str]] = []
    forecast(request(**LONG), progress=lambda fraction, stage: seen.append((fraction, stage)))
    assert all(before <= after for (before, _), (after, _) in pairwise(seen))
    assert (seen[0][0], seen[-1]) == (0.0, (1.0, "done"))
    assert {stage for _, stage in seen} == {"tasks", "delays", "burn-down", "history", "fan", "done"}
    assert len(seen) > 6


def test_what_the_progress_report_raises_ends_the_forecast() -> None:
    class Stop(Exception):
        pass

    calls = 0

    def stop_at_the_fifth(_fraction: float, _stage: str) -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise Stop

    with pytest.raises(Stop):
        forecast(request(**LONG), progress=stop_at_the_fifth)
    assert calls == 5


def test_silent_report_changes_nothing() -> None:
    assert forecast(request(), progress=silent) == forecast(request(), progress=lambda _fraction, _stage: None)
