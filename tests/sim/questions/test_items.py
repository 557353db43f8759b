"""Items finished in a time: against enumeration by hand, and against the two ways of computing it."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.sim.lattice import Law, certain
from chalicelib.sim.laws import solve
from chalicelib.sim.pace import Pace
from chalicelib.sim.project import Plan, plan
from chalicelib.sim.questions.items import Items, Wait, _counted, items_in, items_of_backlog
from chalicelib.sim.ramp import people_by_percent
from tests.sim.cases import request, silent

NO_WAIT = Wait(certain(0), seed=1)


def team(**fields: Any) -> Plan:  # fields of a request
    return plan(request(**{"numberOfTasks": 1, "totalContributors": 1, **fields}))


def found(project: Plan, periods: float, wait: Wait = NO_WAIT) -> Items:
    return items_in(project, periods, wait, Pace(silent, 1.0))


def chances(items: Items) -> dict[int, Any]:  # pytest's approximations
    law = items.law
    return {law.start + i: pytest.approx(mass, abs=1e-12) for i, mass in enumerate(law.mass.tolist()) if mass > 1e-12}


def by_enumeration(samples: list[int], weeks: int) -> dict[int, float]:
    counts = Counter(sum(each) for each in itertools.product(samples, repeat=weeks))
    return {total: count / len(samples) ** weeks for total, count in counts.items()}


def test_whole_weeks_are_all_sums_of_draws() -> None:
    items = found(team(tpSamples=[0, 2, 5]), 3)
    assert chances(items) == by_enumeration([0, 2, 5], 3)
    assert items.method == "exact"
    assert items.mean == pytest.approx(7)


def test_begun_week_keeps_each_of_its_items_with_its_share() -> None:
    binomial = {k: comb(3, k) * 0.25**k * 0.75 ** (3 - k) for k in range(4)}
    assert chances(found(team(tpSamples=[3]), 0.25)) == binomial
    assert chances(found(team(tpSamples=[3]), 2.25)) == {6 + k: chance for k, chance in binomial.items()}


def test_begun_week_of_a_history_with_fractions_counts_by_its_share() -> None:
    # 0.5 of 2.5 items is 1.25, of which one is whole; two weeks and a half make 6.25.
    assert chances(found(team(tpSamples=[2.5]), 0.5)) == {1: 1.0}
    assert found(team(tpSamples=[2.5]), 2.5).mean == pytest.approx(6.25)


def test_85_percent_means_at_least_so_many() -> None:
    # Two draws of 1..4: 16 equally likely pairs; at least 3 in 15 of them, at least 4 in 13, at least 5 in 10.
    items = found(team(tpSamples=[1, 2, 3, 4]), 2)
    assert (items.at_least(0.85), items.at_least(0.80), items.at_least(0.50)) == (3, 4, 5)
    assert items.chance_of(4) == pytest.approx(13 / 16)
    assert (items.chance_of(0), items.chance_of(9)) == (1.0, 0.0)


def test_team_of_half_the_size_with_half_the_focus_finishes_a_quarter() -> None:
    project = team(tpSamples=[8], totalContributors=2, historicalTeamSize=4, teamFocus=0.5)
    assert chances(found(project, 3)) == {6: 1.0}


def test_wait_takes_its_weeks_from_the_time() -> None:
    wait = Wait(Law(1, np.array([0.5, 0.25, 0.25])), seed=1)
    assert chances(found(team(tpSamples=[4]), 2, wait)) == {4: 0.5, 0: 0.5}
    # A wait of three weeks outlasts the begun one as well; after two weeks 1 item in 4 is kept of the begun one.
    quarter = {k: comb(4, k) * 0.25**k * 0.75 ** (4 - k) for k in range(5)}
    expected = {k: 0.25 * chance for k, chance in quarter.items()}
    expected |= {4 + k: 0.5 * chance + expected.get(4 + k, 0) for k, chance in quarter.items()}
    expected[0] += 0.25
    assert chances(found(team(tpSamples=[4]), 2.25, wait)) == expected


def test_no_time_finishes_nothing() -> None:
    assert chances(found(team(tpSamples=[4, 6]), 0)) == {0: 1.0}
    assert chances(found(team(tpSamples=[4, 6]), 1, Wait(certain(5), seed=1))) == {0: 1.0}


def test_trials_agree_with_the_law() -> None:
    project, wait = team(tpSamples=[0, 3, 5, 8, 2]), Wait(Law(0, np.array([0.5, 0.5])), seed=7)
    exact = found(project, 6.0, wait)
    drawn = _counted(project, (6, 0.0), wait)
    assert drawn.method == "monte_carlo"
    assert drawn.mean == pytest.approx(exact.mean, rel=0.01)
    for items in range(5, 40):
        # 100,000 trials: four standard errors are at most 0.0064.
        assert drawn.chance_of(items) == pytest.approx(exact.chance_of(items), abs=0.0064)


def test_changing_team_is_that_of_trials_one_by_one() -> None:
    fields = {"tpSamples": [2, 4], "numberOfTasks": 20, "totalContributors": 4, "minContributors": 1, "sCurveSize": 30}
    project = team(**fields)
    tasks = solve(project, progress=silent).tasks
    items = items_of_backlog(project, 6, tasks, NO_WAIT)
    assert items.method == "monte_carlo"
    # The ramp of 1 to 4 people in tenths of its length (reference model), people / 4 x draw a week.
    people = people_by_percent(project.team)
    rng, totals = random.Random(3), Counter[int]()
    for _ in range(40_000):
        done = 0.0
        for _ in range(6):
            if done < 20:
                done += rng.choice([2, 4]) * people[min(99, int(100 * done / 20 + 0.5))] / 400
        totals[min(20, int(done + 1e-9))] += 1
    for count in range(21):
        by_hand = sum(seen for total, seen in totals.items() if total >= count) / 40_000
        assert items.chance_of(count) == pytest.approx(by_hand, abs=0.015)


@settings(max_examples=60)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any), st.floats(0, 8), st.floats(0, 3))
def test_more_time_never_finishes_less(samples: list[int], periods: float, more: float) -> None:
    project = team(tpSamples=samples)
    short, long = found(project, periods), found(project, periods + more)
    assert all(long.chance_of(count) >= short.chance_of(count) - 1e-9 for count in range(1, 80))


def test_large_histories_are_counted_and_say_so() -> None:
    items = found(team(tpSamples=[99_999.999, 12.345]), 520)
    assert items.method == "monte_carlo"
    assert items.mean == pytest.approx(520 * 50_006.172, rel=0.01)
