"""Random trials: the same answer as without them, the same for the same seed, and stoppable."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from chalicelib.errors import TooLarge
from chalicelib.sim.cost import TRIALS_PER_BLOCK
from chalicelib.sim.forecast import forecast
from chalicelib.sim.lattice import Law
from chalicelib.sim.laws import Laws
from chalicelib.sim.montecarlo import simulate
from chalicelib.sim.project import plan
from tests.sim.cases import CASES, answer, as_dict, laws, request, silent

TRIALS = 100_000
SEED = 20_250_101


def drawn(trials: int = TRIALS, seed: int = SEED, **fields: Any) -> Laws:
    return simulate(plan(request(**fields)), trials, seed=seed, progress=silent)


def counts(law: Law, trials: int) -> dict[float, int]:
    return {value: round(p * trials) for value, p in as_dict(law).items()}


def distance(left: dict[float, float], right: dict[float, float]) -> float:
    """The largest gap between two cumulative laws (Kolmogorov and Smirnov)."""
    gap = largest = 0.0
    for value in sorted({*left, *right}):
        gap += left.get(value, 0.0) - right.get(value, 0.0)
        largest = max(largest, abs(gap))
    return largest


def pmf(name: str, quantity: str) -> dict[float, float]:
    return {float(value): p for value, p in CASES[name]["exact"][quantity]["pmf"].items()}


# The golden file's limit at 0.1 %, against a law instead of a second sample.
KS_LIMIT = 1.95 / math.sqrt(TRIALS)


@pytest.fixture(scope="module")
def golden() -> dict[str, Laws]:
    return {name: drawn(**case["input"]) for name, case in CASES.items()}


@pytest.mark.parametrize("name", sorted(CASES))
def test_durations_and_tasks_have_the_golden_laws(golden: dict[str, Laws], name: str) -> None:
    assert distance(as_dict(golden[name].weeks), pmf(name, "duration_weeks")) < KS_LIMIT
    assert distance(as_dict(golden[name].tasks), pmf(name, "total_tasks")) < KS_LIMIT


@pytest.mark.parametrize("name", sorted(CASES))
def test_effort_and_lead_time_have_the_exact_laws(golden: dict[str, Laws], name: str) -> None:
    exact = laws(**CASES[name]["input"])
    assert distance(as_dict(golden[name].effort), as_dict(exact.effort)) < KS_LIMIT
    assert distance(as_dict(golden[name].lead_time.days), as_dict(exact.lead_time.days)) < KS_LIMIT
    assert distance(as_dict(golden[name].lead_time.weeks), as_dict(exact.lead_time.weeks)) < KS_LIMIT


@pytest.mark.parametrize("name", sorted(name for name, case in CASES.items() if not case["float_sensitive"]))
def test_durations_have_the_law_of_the_reference_where_its_floats_allow(golden: dict[str, Laws], name: str) -> None:
    theirs, trials = CASES[name]["js"]["duration_weeks"]["counts"], CASES[name]["trials"]
    limit = 1.95 * math.sqrt(1 / TRIALS + 1 / trials)
    assert distance(as_dict(golden[name].weeks), {float(k): v / trials for k, v in theirs.items()}) < limit


SPECIAL: dict[str, dict[str, Any]] = {
    "fractions of samples and people": {
        "tpSamples": [0.5, 1.25, 2.125, 0], "numberOfTasks": 17, "totalContributors": 4.5, "minContributors": 0.7,
        "maxContributors": 5.5, "sCurveSize": 37, "teamFocus": 0.85,
    },
    "backlog range": {"backlogAdjustedMin": 3, "backlogAdjustedMax": 700, "tpSamples": [1, 20, 300]},
    "triangular risk": {"risks": [{"likelihood": 0.4, "lowImpact": 2, "mediumImpact": 30, "highImpact": 90}]},
    "late dependencies": {
        "dependencies": [
            {"on_time_probability": 0.3},
            {"on_time_probability": 0.6, "delay_impact_days": 20},
            {"on_time_probability": 0.5, "delay_impact_distribution": [7, 14, 14, 3]},
        ]
    },
    "two lead times": {"ltSamples": [3.5, 30], "tpSamples": [5, 9]},
    "weibull": {"tpSamples": [0, 3, 5, 8, 4, 0, 6, 2], "sampling": "weibull"},
    "weibull with a ramp": {
        "tpSamples": [0, 3, 5, 8, 4], "sampling": "weibull", "totalContributors": 4, "minContributors": 1,
    },
    "300 different samples": {"tpSamples": [value / 10 for value in range(300)], "numberOfTasks": 200},
    "mostly idle": {"tpSamples": [0] * 49 + [7], "numberOfTasks": 20},
    "one day for all": {"tpSamples": [5, 70_000], "numberOfTasks": 30},
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SPECIAL))
def test_every_part_of_the_model_has_its_exact_law(name: str) -> None:
    found, exact = drawn(**SPECIAL[name]), laws(**SPECIAL[name])
    for ours, theirs in ((found.weeks, exact.weeks), (found.tasks, exact.tasks), (found.effort, exact.effort)):
        assert distance(as_dict(ours), as_dict(theirs)) < KS_LIMIT


def test_same_seed_gives_the_same_bytes() -> None:
    sent = request(**CASES["everything"]["input"], engine="monte_carlo", seed=7)
    first, second = (msgspec.json.encode(forecast(sent, progress=silent)) for _ in range(2))
    assert first == second


def test_another_seed_gives_other_trials() -> None:
    fields = CASES["everything"]["input"]
    assert counts(drawn(seed=1, **fields).weeks, TRIALS) != counts(drawn(seed=2, **fields).weeks, TRIALS)


def test_trials_of_a_seed_are_these_on_any_machine() -> None:
    found = drawn(1_000, 42, **CASES["everything"]["input"], dependencies=[{"on_time_probability": 0.5}])
    assert counts(found.weeks, 1_000) == {
        10: 5, 11: 25, 12: 124, 13: 180, 14: 218, 15: 207, 16: 112, 17: 72, 18: 33, 19: 15, 20: 9,
    }  # fmt: skip
    constant = drawn(1_000, 42, tpSamples=[0, 2, 3, 7, 9], sampling="weibull", numberOfTasks=40)
    assert counts(constant.weeks, 1_000) == {
        5: 9, 6: 39, 7: 85, 8: 139, 9: 164, 10: 151, 11: 142, 12: 115, 13: 65, 14: 39, 15: 25, 16: 13, 17: 10, 18: 2,
        19: 1, 20: 1,
    }  # fmt: skip


def test_block_of_a_long_run_is_the_same_as_that_of_a_short_one() -> None:
    fields, size = CASES["everything"]["input"], TRIALS_PER_BLOCK
    one, both = (counts(drawn(blocks * size, **fields).weeks, blocks * size) for blocks in (1, 2))
    assert all(both[weeks] >= count for weeks, count in one.items())
    assert sum(both.values()) == 2 * sum(one.values()) == 2 * size


@pytest.mark.parametrize("trials", [1, 2, TRIALS_PER_BLOCK - 1, TRIALS_PER_BLOCK + 1])
def test_as_many_trials_are_counted_as_were_asked_for(trials: int) -> None:
    result = answer(**CASES["everything"]["input"], engine="monte_carlo", numberOfSimulations=trials)
    assert (result.number_of_simulations, sum(row.trials for row in result.completion_times)) == (trials, trials)


def test_completion_times_are_the_trials_themselves() -> None:
    fields = CASES["zeros_in_throughput"]["input"]
    result = answer(**fields, engine="monte_carlo", numberOfSimulations=TRIALS, seed=SEED)
    rows = {row.weeks: row.trials for row in result.completion_times}
    assert rows == {int(weeks): count for weeks, count in counts(drawn(**fields).weeks, TRIALS).items()}


def test_rows_100_and_0_of_the_table_are_the_longest_and_the_shortest_trial() -> None:
    result = answer(**CASES["zeros_in_throughput"]["input"], engine="monte_carlo", numberOfSimulations=5_000_000)
    table = {row.likelihood: row.duration for row in result.results_table}
    assert (table[100], table[0]) == (result.completion_times[-1].weeks, result.completion_times[0].weeks)


def test_progress_is_the_share_of_the_trials_that_are_done() -> None:
    seen: list[tuple[float, str]] = []
    project, trials = plan(request(**CASES["everything"]["input"])), 4 * TRIALS_PER_BLOCK
    simulate(project, trials, seed=1, progress=lambda fraction, stage: seen.append((fraction, stage)))
    assert [each for each in seen if each[1] == "trials"] == [(part / 4, "trials") for part in range(4)]
    assert all(before <= after for (before, _), (after, _) in pairwise(seen))


class Stop(Exception):
    """What a cancelled job's progress report raises."""


def stopping_at(call: int) -> Callable[[float, str], None]:
    calls = iter(range(1, call + 1))

    def report(_fraction: float, _stage: str) -> None:
        if next(calls) == call:
            raise Stop

    return report


@pytest.mark.parametrize("call", [1, 2, 3])
def test_cancel_is_seen_between_blocks(call: int) -> None:
    with pytest.raises(Stop):
        simulate(plan(request()), 10 * TRIALS_PER_BLOCK, seed=1, progress=stopping_at(call))


@pytest.mark.parametrize("team", [{}, {"totalContributors": 3, "minContributors": 1}])
def test_cancel_is_seen_within_a_block_that_takes_thousands_of_weeks(team: dict[str, float]) -> None:
    seldom = plan(request(tpSamples=[0] * 199 + [1], numberOfTasks=50, **team))
    with pytest.raises(Stop):
        simulate(seldom, 10, seed=1, progress=stopping_at(5))


def test_work_above_the_limit_is_refused_before_it_is_begun() -> None:
    with pytest.raises(TooLarge, match="at most 16000000000 cell updates"):
        simulate(plan(request(tpSamples=[0] * 999 + [1])), 10_000_000, seed=1, progress=stopping_at(1))
