"""The exact engine against vectors that were computed by another program."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.sim.lattice import Law
from chalicelib.sim.laws import Laws
from chalicelib.sim.project import plan, schedule
from chalicelib.sim.ramp import contributors_by_percent
from chalicelib.sim.statistics import error_rate, percentile
from tests.sim.cases import CASES, GOLDEN, answer, laws, request

NAMES = sorted(CASES)
LEVELS = ["p5", "p10", "p25", "p50", "p75", "p85", "p90", "p95", "p99"]
UNIT: dict[str, list[dict[str, Any]]] = GOLDEN["unit_vectors"]


@pytest.fixture(scope="module")
def solved() -> dict[str, Laws]:
    return {name: laws(**CASES[name]["input"]) for name in NAMES}


def _mass(law: Law) -> dict[int, float]:
    return dict(zip(law.points().tolist(), law.mass.tolist(), strict=True))


def _expected(name: str, quantity: str) -> dict[int, float]:
    return {int(value): p for value, p in CASES[name]["exact"][quantity]["pmf"].items()}


@pytest.mark.parametrize("name", NAMES)
def test_duration_law_is_the_golden_one(solved: dict[str, Laws], name: str) -> None:
    mass, expected = _mass(solved[name].weeks), _expected(name, "duration_weeks")
    assert {week: mass.get(week, 0.0) for week in expected} == pytest.approx(expected, rel=0, abs=1e-9)
    assert sum(p for week, p in mass.items() if week not in expected) < 1e-8


@pytest.mark.parametrize("name", NAMES)
def test_task_law_is_the_golden_one(solved: dict[str, Laws], name: str) -> None:
    mass, expected = _mass(solved[name].tasks), _expected(name, "total_tasks")
    assert {tasks: mass.get(tasks, 0.0) for tasks in expected} == pytest.approx(expected, rel=0, abs=1e-9)
    assert sum(p for tasks, p in mass.items() if tasks not in expected) < 1e-8


@pytest.mark.parametrize("name", NAMES)
def test_means_are_the_golden_ones(solved: dict[str, Laws], name: str) -> None:
    exact, found = CASES[name]["exact"], solved[name]
    means = [found.weeks.mean(), found.tasks.mean(), found.effort.mean()]
    expected = [exact[key]["mean"] for key in ("duration_weeks", "total_tasks", "effort_person_weeks")]
    assert means == pytest.approx(expected, rel=0, abs=2e-9)


@pytest.mark.parametrize("name", NAMES)
def test_percentiles_in_the_answer_are_the_golden_ones(name: str) -> None:
    exact, result = CASES[name]["exact"], answer(**CASES[name]["input"])
    assert {level: getattr(result.percentiles, level) for level in LEVELS} == exact["duration_weeks"]["percentiles"]
    effort = {level: getattr(result.effort.percentiles, level) for level in LEVELS}
    assert effort == exact["effort_person_weeks"]["percentiles"]


@pytest.mark.parametrize("vector", UNIT["percentile"])
def test_percentile_interpolates_like_the_reference(vector: dict[str, Any]) -> None:
    assert percentile(vector["array"], vector["p"]) == pytest.approx(vector["value"], abs=1e-12)


@pytest.mark.parametrize("vector", UNIT["error_rate"])
def test_error_rate_is_the_reference_one_and_0_where_that_is_not_a_number(vector: dict[str, Any]) -> None:
    assert error_rate(vector["array"]) == (0 if vector["value"] == "NaN" else vector["value"])


@pytest.mark.parametrize("vector", UNIT["contributors_distribution"])
def test_s_curve_is_the_reference_array(vector: dict[str, Any]) -> None:
    ramp = max(0, min(50, vector["sCurveSize"]))
    curve = contributors_by_percent(vector["minContributors"], vector["maxContributors"], ramp)
    assert list(curve) == vector["value"]


@pytest.mark.parametrize("vector", UNIT["in_progress"])
def test_project_in_progress_is_reduced_like_in_the_reference(vector: dict[str, Any]) -> None:
    now, expected = schedule(request(**vector["input"])), vector["output"]
    assert now.tasks == expected["numberOfTasks"]
    assert (now.start.isoformat() if now.start else None) == expected.get("startDate")
    assert list(now.lt_samples) == expected["ltSamples"]
    assert now.ramp_percent == expected["sCurveSize"]


def test_plan_of_a_project_in_progress_uses_what_is_left() -> None:
    project = plan(request(**UNIT["in_progress"][1]["input"], backlogAdjustedMin=5, backlogAdjustedMax=9))
    assert (project.backlog_low, project.backlog_high, project.lead_times) == (40, 40, ())
    assert project.team.ramp_percent == 10
