"""Scenarios beside each other, and which input moves the date most."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import numpy as np
import pytest

from chalicelib.sim.lattice import Law
from chalicelib.sim.questions.scenarios import compare, sooner, summarise_scenarios
from chalicelib.sim.questions.sensitivity import changes, sensitivity, summarise_sensitivity
from chalicelib.sim.questions.whatif_inputs import (
    ScenariosRequest,
    SensitivityRequest,
    check_scenarios,
    check_sensitivity,
)
from chalicelib.sim.questions.whatif_result import ScenariosResult, SensitivityResult
from tests.sim.cases import answer as forecast
from tests.sim.cases import request as simulation
from tests.sim.cases import silent

BASE = {"tpSamples": [3, 5, 4, 6], "numberOfTasks": 40, "totalContributors": 4, "startDate": "2026-01-05"}


def compared(*scenarios: dict[str, Any], **fields: Any) -> ScenariosResult:
    body = {"base": BASE, "scenarios": list(scenarios), **fields}
    request = msgspec.convert(body, ScenariosRequest)
    assert check_scenarios(request) == []
    return compare(request, silent)


def named(name: str, **changed: Any) -> dict[str, Any]:
    return {"name": name, "changes": changed}


def test_each_scenario_is_the_forecast_of_its_changed_project() -> None:
    found = compared(named("fewer", numberOfTasks=30), named("focus", teamFocus=0.5), deadlineDate="2026-03-16")
    assert [row.name for row in found.scenarios] == ["base", "fewer", "focus"]
    changed_by: list[dict[str, Any]] = [{}, {"numberOfTasks": 30}, {"teamFocus": 0.5}]
    for row, changed in zip(found.scenarios, changed_by, strict=True):
        alone = forecast(**BASE | changed, historyInterval=False)
        assert row.percentiles == alone.percentiles
        assert row.mean_weeks == alone.mean_weeks
        within = [bar.cumulative for bar in alone.distribution if bar.weeks <= 10]
        assert row.probability_met == pytest.approx(within[-1] if within else 0.0, abs=1e-9)
    assert found.best == "fewer"
    assert found.scenarios[1].weeks_p85_less_base == found.scenarios[1].weeks_p85 - found.scenarios[0].weeks_p85


def test_chance_to_be_sooner_counts_ties_half() -> None:
    left, right = Law(2, np.array([0.5, 0.5])), Law(3, np.array([0.25, 0.75]))
    pairs = [(a, p, b, q) for (a, p), (b, q) in itertools.product([(2, 0.5), (3, 0.5)], [(3, 0.25), (4, 0.75)])]
    by_hand = sum(p * q * (1.0 if a < b else 0.5 if a == b else 0.0) for a, p, b, q in pairs)
    assert sooner(left, right) == pytest.approx(by_hand)
    assert sooner(left, right) + sooner(right, left) == pytest.approx(1)
    assert sooner(left, left) == pytest.approx(0.5)


def test_broken_scenarios_are_named_where_they_stand() -> None:
    body = {
        "base": BASE | {"teamFocus": 0.001},
        "scenarios": [
            named("a", numberOfTask=3),
            named("a", tpSamples=[0]),
            named("b", numberOfTasks="many"),
        ],
        "deadlineDate": "soon",
    }
    found = check_scenarios(msgspec.convert(body, ScenariosRequest))
    assert [error.pointer for error in found] == [
        "/base/teamFocus",
        "/scenarios/0/changes/numberOfTask",
        "/scenarios/1/name",
        "/scenarios/1/changes/tpSamples",
        "/scenarios/1/changes/teamFocus",
        "/scenarios/2/changes",
        "/deadlineDate",
    ]
    assert "$.numberOfTasks" in found[5].detail


def test_six_scenarios_are_too_many() -> None:
    with pytest.raises(msgspec.ValidationError, match="length <= 5"):
        msgspec.convert({"base": BASE, "scenarios": [named(str(n)) for n in range(6)]}, ScenariosRequest)


def influences(**fields: Any) -> SensitivityResult:
    request = msgspec.convert({"base": BASE | fields}, SensitivityRequest)
    assert check_sensitivity(request) == []
    return sensitivity(request, silent)


def test_input_with_the_largest_swing_comes_first() -> None:
    found = influences(risks=[{"likelihood": 50, "lowImpact": 60, "highImpact": 60, "description": "new law"}])
    first = found.influences[0]
    assert first.input == "risks/0 (new law)"
    # 40 and 100 tasks at 4.5 a week, and half a week because weeks are whole.
    assert first.better_mean_weeks == pytest.approx(40 / 4.5 + 0.5, abs=0.2)
    assert first.worse_mean_weeks == pytest.approx(100 / 4.5 + 0.5, abs=0.2)
    assert found.conclusion.startswith("risks/0 (new law) moves p85 most: from ")
    swings = [each.swing_weeks_p85 for each in found.influences]
    assert swings == sorted(swings, reverse=True)


def test_every_input_of_the_project_is_changed_and_no_other() -> None:
    plain = [pair.input for pair in changes(simulation(**BASE), 0.1)]
    assert plain == ["tpSamples", "numberOfTasks", "totalContributors", "teamFocus", "tpSamples (one week)"]
    full = simulation(
        **BASE | {"backlogAdjustedMin": 30, "backlogAdjustedMax": 50},
        splitRateSamples=[1, 1.2],
        ltSamples=[3, 4, 5, 6, 7],
        risks=[{"likelihood": 10, "lowImpact": 1}] * 2,
        dependencies=[{"name": "API"}],
    )
    assert [pair.input for pair in changes(full, 0.1)] == [
        "tpSamples",
        "backlogAdjustedMin, backlogAdjustedMax",
        "totalContributors",
        "teamFocus",
        "splitRateSamples",
        "ltSamples",
        "risks/0",
        "risks/1",
        "dependencies/0 (API)",
        "tpSamples (one week)",
    ]
    assert "remainingTasks" in [
        pair.input for pair in changes(simulation(**BASE, currentDate="2026-02-02", remainingTasks=7), 0.1)
    ]


def test_worse_is_never_sooner_than_better() -> None:
    found = influences(
        splitRateSamples=[1, 1.2], ltSamples=[30, 40, 50, 20, 10], dependencies=[{"delay_impact_days": 20}],
        minContributors=2,
    )  # fmt: skip
    assert all(each.swing_mean_weeks > 0 for each in found.influences)
    assert all(each.better_mean_weeks <= found.base_mean_weeks + 1e-9 for each in found.influences)
    assert all(each.worse_mean_weeks >= found.base_mean_weeks - 1e-9 for each in found.influences)


def test_saved_figures_are_those_of_the_base() -> None:
    body = {"base": BASE, "scenarios": [named("fewer", numberOfTasks=30)], "deadlineDate": "2026-03-16"}
    request = msgspec.convert(body, ScenariosRequest)
    found = summarise_scenarios(request, compare(request, silent))
    base = forecast(**BASE, historyInterval=False).percentiles.p85
    assert (found.forecast_type, found.backlog, found.projected_weeks_p85) == ("scenarios", 40, base)
    assert (found.weeks_to_deadline, found.can_meet_deadline) == (10.0, base <= 10)
    alone = msgspec.convert({"base": BASE, "projectName": "Relaunch"}, SensitivityRequest)
    kept = summarise_sensitivity(alone, sensitivity(alone, silent))
    assert (kept.name, kept.forecast_type, kept.projected_weeks_p85) == ("Relaunch", "sensitivity", base)


def test_broken_base_is_named() -> None:
    request = msgspec.convert({"base": BASE | {"tpSamples": [0.5]}}, SensitivityRequest)
    assert [error.pointer for error in check_sensitivity(request)] == ["/base/tpSamples"]
