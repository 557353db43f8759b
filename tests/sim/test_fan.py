"""The burn-down fan against trials followed one by one in fractions, and against the law of the duration."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from fractions import Fraction
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from chalicelib.sim.ramp import contributors_by_percent
from chalicelib.sim.result import BurnDown
from tests.sim.cases import CASES, answer, request

TRIALS = 4_000
LEVELS = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


def fan(**fields: Any) -> BurnDown:
    found = answer(**{"historyInterval": False, **fields}).burn_down
    assert found is not None
    return found


def rows(found: BurnDown) -> list[tuple[int, ...]]:
    return [msgspec.structs.astuple(row) for row in found.weeks]


def test_sure_project_goes_down_in_one_line() -> None:
    found = fan(tpSamples=[4], numberOfTasks=10)
    assert found.method == "exact"
    assert rows(found) == [(0, *[10] * 5), (1, *[6] * 5), (2, *[2] * 5), (3, *[0] * 5)]


def test_begun_task_is_open() -> None:
    found = fan(tpSamples=[1], numberOfTasks=2, teamFocus=0.4)
    assert [row.p50 for row in found.weeks] == [2, 2, 2, 1, 1, 0]


def test_start_delay_passes_without_progress() -> None:
    late = {"on_time_probability": 0, "delay_impact_distribution": [8]}
    found = fan(tpSamples=[5], numberOfTasks=10, dependencies=[late])
    assert [row.p50 for row in found.weeks] == [10, 10, 10, 5, 0]


PROJECTS: list[dict[str, Any]] = [
    {"tpSamples": [0, 1, 3, 8], "numberOfTasks": 21},
    {"tpSamples": [0.5, 1.25, 3], "numberOfTasks": 12, "teamFocus": 0.8},
    {"tpSamples": [2, 3, 7], "backlogAdjustedMin": 8, "backlogAdjustedMax": 30, "numberOfTasks": 1},
    {"tpSamples": [2, 3, 7], "numberOfTasks": 23, "totalContributors": 4, "minContributors": 1, "sCurveSize": 35},
    {
        "tpSamples": [2, 3, 7],
        "numberOfTasks": 15,
        "totalContributors": 3,
        "minContributors": 1.5,
        "risks": [{"likelihood": 40, "lowImpact": 2, "highImpact": 9}],
        "dependencies": [{"on_time_probability": 0.5, "delay_impact_distribution": [4, 10, 25]}],
    },
]


@pytest.mark.parametrize("engine", ["exact", "monte_carlo"])
@pytest.mark.parametrize("fields", PROJECTS)
def test_fan_agrees_with_trials_followed_one_by_one(fields: dict[str, Any], engine: str) -> None:
    found = fan(**fields, engine=engine, seed=8)
    assert found.method == engine
    trials = [follow(fields, random.Random(number), len(found.weeks)) for number in range(TRIALS)]
    # Five deviations of a share among the trials; counted fans have such an error of their own.
    doubt = 5 * math.sqrt(0.25 / TRIALS) * (1.3 if engine == "monte_carlo" else 1)
    for row in found.weeks:
        seen = sorted(trial[row.week] for trial in trials)
        for name, level in LEVELS.items():
            tasks = getattr(row, name)
            assert bisect_right(seen, tasks) / TRIALS > level - doubt
            assert bisect_right(seen, tasks - 1) / TRIALS < level + doubt


def follow(fields: dict[str, Any], draw: random.Random, weeks: int) -> list[int]:
    """Open tasks at the end of each week of one trial, from the description of the model, in fractions."""
    tasks = draw.randint(fields.get("backlogAdjustedMin", fields["numberOfTasks"]), backlog_end(fields))
    for risk in fields.get("risks", []):
        if draw.random() < risk["likelihood"] / 100:
            tasks += draw.randint(risk["lowImpact"], risk["highImpact"])
    idle = 0
    for each in fields.get("dependencies", []):
        if draw.random() >= each["on_time_probability"]:
            idle += math.ceil(draw.choice(each["delay_impact_distribution"]) / 7)
    total = Fraction(str(fields.get("totalContributors", 1)))
    least = fields.get("minContributors", float(total))
    curve = contributors_by_percent(least, float(total), fields.get("sCurveSize", 20))
    focus, left, seen = Fraction(str(fields.get("teamFocus", 1))), Fraction(tasks), [tasks]
    for week in range(1, weeks):
        if week > idle and left > 0:
            percent = min(99, math.floor(100 * (tasks - left) / tasks + Fraction(1, 2)))
            left -= Fraction(str(draw.choice(fields["tpSamples"]))) * Fraction(str(curve[percent])) / total * focus
        seen.append(max(0, math.ceil(left)))
    return seen


def backlog_end(fields: dict[str, Any]) -> int:
    end: int = fields.get("backlogAdjustedMax", fields["numberOfTasks"])
    return end


@pytest.mark.parametrize("name", sorted(CASES))
def test_fan_ends_where_the_duration_says(name: str) -> None:
    result = answer(**CASES[name]["input"], historyInterval=False)
    assert result.burn_down is not None
    first, *_, last = [*result.burn_down.weeks, result.burn_down.weeks[-1]]
    assert (first.week, first.p50) == (0, result.tasks.percentiles.p50)
    assert (last.week, last.p95) == (result.percentiles.p95, 0)
    for column, weeks in (("p50", result.percentiles.p50), ("p75", result.percentiles.p75)):
        shown = {row.week: getattr(row, column) for row in result.burn_down.weeks}
        # Done with that chance from that week on, and not in the week before.
        assert shown.get(weeks, 0) == 0
        assert shown.get(weeks - 1, 1) > 0


def test_long_fan_is_thinned_evenly_and_keeps_its_end() -> None:
    result = answer(tpSamples=[0, 0, 0, 1], numberOfTasks=300, historyInterval=False)
    assert result.burn_down is not None
    weeks = [row.week for row in result.burn_down.weeks]
    assert 100 < len(weeks) <= 121
    assert {later - sooner for sooner, later in pairwise(weeks[:-1])} == {weeks[1]}
    assert weeks[-1] == result.percentiles.p95


def test_fan_is_counted_in_trials_where_its_laws_cost_too_much() -> None:
    wide = {"tpSamples": [5, 70], "backlogAdjustedMin": 1, "backlogAdjustedMax": 9999, "numberOfTasks": 1}
    slow = {**wide, "tpSamples": [0.125, 2.5]}
    assert fan(**wide).method == "exact"
    assert fan(**slow).method == "monte_carlo"


def test_fan_that_takes_too_long_is_left_out_and_told() -> None:
    result = answer(tpSamples=[0] * 999 + [1], numberOfTasks=200, engine="monte_carlo", numberOfSimulations=20)
    assert result.burn_down is None
    assert any("burn_down" in each for each in result.warnings)


def test_seed_decides_a_counted_fan() -> None:
    fields = {**PROJECTS[0], "engine": "monte_carlo"}
    assert fan(**fields, seed=3) == fan(**fields, seed=3)
    assert fan(**fields, seed=3) != fan(**fields, seed=4)
    assert request(**fields).seed is None
