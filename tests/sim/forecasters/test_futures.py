"""What simulated weeks mean for a project, on paths that are written down instead of drawn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from chalicelib.sim.forecasters.ensemble import predict
from chalicelib.sim.forecasters.futures import Ahead, Futures, foretell, items_ahead
from chalicelib.sim.lattice import Law, certain
from chalicelib.sim.laws import solve
from chalicelib.sim.project import Plan, plan
from tests.sim.cases import request, silent


def project(**fields: Any) -> Plan:  # fields of a request
    return plan(request(**{"numberOfTasks": 10, "totalContributors": 1, **fields}))


def steady(**fields: Any) -> Futures:
    """Eight weeks of five: whoever foretells them says five a week, or close to it."""
    made = project(tpSamples=[5] * 8, **fields)
    tasks = solve(made, progress=silent).tasks
    return foretell(made, (5.0,) * 8, Ahead(tasks, certain(0), 10, seed=3))


def test_weeks_are_counted_until_the_tasks_are_done() -> None:
    assert [steady(numberOfTasks=count).quantile(0.5) for count in (0, 5, 6, 10, 11)] == [0, 1, 2, 2, 3]


def test_team_and_focus_change_the_pace() -> None:
    assert steady(numberOfTasks=20, totalContributors=4, historicalTeamSize=2).quantile(0.5) == 2
    assert steady(numberOfTasks=10, teamFocus=0.5).quantile(0.5) == 4


def test_wait_comes_before_the_work() -> None:
    made = project(tpSamples=[5] * 8)
    waiting = foretell(made, (5.0,) * 8, Ahead(certain(10), certain(3), 10, seed=3))
    assert waiting.quantile(0.5) == 5
    assert waiting.chance_within(4) == 0.0
    assert waiting.work_within(4, 0.85) == 5
    assert waiting.work_within(3, 0.85) == 0


def test_random_tasks_and_waits_are_mixed_with_their_chances() -> None:
    made = project(tpSamples=[5] * 8)
    both = Law(0, np.array([0.25, 0.75]))
    tasks = Law(5, np.array([0.5, 0, 0, 0, 0, 0.5]))
    futures = foretell(made, (5.0,) * 8, Ahead(tasks, both, 10, seed=3))
    # 1 week or 2, and 0 or 1 of waiting: 1 (1/8), 2 (1/2), 3 (3/8); 2,000 futures, four standard errors.
    for periods, chance in ((0, 0.0), (1, 0.125), (2, 0.625), (3, 1.0)):
        assert futures.chance_within(periods) == pytest.approx(chance, abs=4 * math.sqrt(0.25 / 2000))


def test_growing_team_is_slower_at_both_ends() -> None:
    ramped = steady(numberOfTasks=40, totalContributors=4, minContributors=1, sCurveSize=40)
    assert (ramped.quantile(0.5) or 0) > (steady(numberOfTasks=40, totalContributors=4).quantile(0.5) or 0)
    assert ramped.work_within(400, 0.5) == 40


def test_what_is_not_done_within_the_horizon_has_no_quantile() -> None:
    made = project(tpSamples=[1] * 8)
    futures = foretell(made, (1.0,) * 8, Ahead(certain(1000), certain(0), 10, seed=3))
    assert (futures.unfinished, futures.quantile(0.5), futures.chance_within(26)) == (1.0, None, 0.0)


def test_items_of_a_begun_period_are_its_share() -> None:
    made = project(tpSamples=[5] * 8)
    ahead = items_ahead(made, predict((5.0,) * 8, horizon=4, seed=1), 2.4)
    assert ahead.tolist() == pytest.approx([12.0] * 2000)
    assert items_ahead(made, predict((5.0,) * 8, horizon=4, seed=1), 0.0).tolist() == [0.0] * 2000
