"""Dependencies on their own: the names of a forecast's analysis, and those that old clients read."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.sim.analyses.dependency_inputs import DependencyRequest, check
from chalicelib.sim.analyses.dependency_report import DependencySummary, report
from chalicelib.sim.dependencies import analyse, delay
from chalicelib.sim.pace import Pace
from tests.sim.cases import silent


def summary(*dependencies: dict[str, Any]) -> DependencySummary:
    asked = msgspec.convert({"dependencies": dependencies}, DependencyRequest)
    assert check(asked) == []
    return report(analyse(asked.dependencies, delay(asked.dependencies, Pace(silent, 1))))


def late(on_time: float, *days: float, **fields: Any) -> dict[str, Any]:
    return {"on_time_probability": on_time, "delay_impact_distribution": days, **fields}


def test_chances_are_told_as_shares_and_in_percent() -> None:
    found = summary(late(0.5, 10), late(0.5, 4))
    assert (found.on_time_probability, found.on_time_probability_percentage) == (0.25, 25.0)
    assert (found.at_least_one_delayed_probability, found.at_least_one_delayed_probability_percentage) == (0.75, 75.0)
    assert (found.odds_ratio, found.one_in) == ("1 in 4", 4.0)
    assert found.expected_delay_days == pytest.approx(7)
    # Late ones are 4, 10 and 14 days, each a third of the late cases.
    percentiles = found.delay_percentiles
    assert (percentiles.p25, percentiles.p50, percentiles.p75) == (4, 10, 14)
    assert found.recommendations == found.advice


def test_odds_have_three_figures_and_none_when_all_cannot_be_on_time() -> None:
    assert summary(late(0.54, 1)).odds_ratio == "1 in 1.85"
    assert summary(late(0, 1)).odds_ratio == "0"


def test_percentiles_are_zeros_when_nothing_can_be_late() -> None:
    found = summary(late(1, 10)).delay_percentiles
    assert found.values() == [0.0] * 9


def test_critical_path_names_the_five_worst_by_what_is_known_of_them() -> None:
    names = [
        late(0.5, 60, id="DEP-1", name="Payments"),
        late(0.5, 50, id=7),
        late(0.5, 40, name="Review"),
        late(0.5, 30),
        late(0.5, 20, id="DEP-5"),
        late(0.5, 10, id="DEP-6"),
    ]
    assert summary(*names).critical_path == ["DEP-1 (Payments)", "7", "Review", "unnamed", "DEP-5"]


def test_no_dependencies_are_refused() -> None:
    (error,) = check(DependencyRequest())
    assert (error.pointer, error.detail) == ("/dependencies", "No dependencies provided: at least 1 is needed, got 0")
