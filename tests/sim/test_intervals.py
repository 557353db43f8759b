"""The 95 % interval of a percentile that was counted in trials."""

from __future__ import annotations

import numpy as np
import pytest

from chalicelib.sim.intervals import percentile_intervals
from chalicelib.sim.lattice import Law
from tests.sim.cases import CASES, answer


def ends(trials: int) -> list[tuple[int, int]]:
    """The ranks that the intervals end at: trial k of n lasted k weeks."""
    found = percentile_intervals(Law(1, np.full(trials, 1 / trials)), trials)
    return [(each.low, each.high) for each in found.values()]


# Binomial quantiles from scipy 1.17.1: max(1, binom.ppf(0.025, n, p)) and min(n, binom.ppf(0.975, n, p) + 1), p the
# levels 0.05, 0.10, 0.25, 0.50, 0.75, 0.85, 0.90, 0.95 and 0.99.
@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        (1, [(1, 1)] * 9),
        (20, [(1, 4), (1, 6), (2, 10), (6, 15), (11, 19), (14, 20), (15, 20), (17, 20), (19, 20)]),
        (
            1_000,
            [(37, 65), (82, 120), (223, 278), (469, 532), (723, 778), (828, 873), (881, 919), (936, 964), (983, 997)],
        ),
        (
            1_000_000,
            [
                (49573, 50429),
                (99412, 100589),
                (249152, 250850),
                (499020, 500981),
                (749151, 750849),
                (849300, 850701),
                (899412, 900589),
                (949572, 950428),
                (989805, 990196),
            ],
        ),
    ],
)
def test_ends_are_the_order_statistics_of_the_binomial_law(trials: int, expected: list[tuple[int, int]]) -> None:
    assert ends(trials) == expected


def test_interval_holds_the_true_percentile_in_95_of_100_runs_or_more() -> None:
    fields = {**CASES["zeros_in_throughput"]["input"], "numberOfSimulations": 300, "historyInterval": False}
    true = answer(**fields).percentiles.values()
    runs = [answer(**fields, engine="monte_carlo", seed=seed).percentile_intervals for seed in range(200)]
    for index, weeks in enumerate(true):
        held = sum(run is not None and run.values()[index].low <= weeks <= run.values()[index].high for run in runs)
        # Of 200 runs with 95 % each, 177 or fewer hold it in one case of 5,000.
        assert held >= 178


def test_interval_is_around_its_percentile_and_narrows_with_more_trials() -> None:
    fields = {"tpSamples": [0, 0, 0, 9], "numberOfTasks": 60}
    few, many = (answer(**fields, engine="monte_carlo", numberOfSimulations=trials) for trials in (100, 100_000))
    assert few.percentile_intervals is not None
    assert many.percentile_intervals is not None
    for run in (few, many):
        assert run.percentile_intervals is not None
        around = zip(run.percentile_intervals.values(), run.percentiles.values(), strict=True)
        assert all(each.low <= weeks <= each.high for each, weeks in around)
    both = zip(few.percentile_intervals.values(), many.percentile_intervals.values(), strict=True)
    assert all(wide.high - wide.low > close.high - close.low for wide, close in both)


def test_exact_answer_has_no_such_interval() -> None:
    assert answer().percentile_intervals is None
