"""Small projects with a few large numbers in them take little memory, and their answers are those worked out by hand.

A worker has 1,769 MB, of which its libraries take some 100; before these tests each of the requests took 0.8 to 5 GB.
"""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chalicelib.sim.forecast import forecast
from chalicelib.sim.inputs import Risk, SimulateRequest
from chalicelib.sim.questions.how_many import tell_how_many
from chalicelib.sim.questions.inputs import HowManyRequest

MOST_BYTES = 200_000_000
# The most that a week may be said to have finished, to the last decimal that is read.
BEST = 99_999.999


def quiet(_fraction: float, _stage: str) -> None: ...


@contextmanager
def little_memory() -> Iterator[None]:
    """Fails where the block holds MOST_BYTES at once, arrays of numpy included."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "project",
    [
        SimulateRequest(tp_samples=(1.0, BEST), number_of_tasks=20),
        SimulateRequest(tp_samples=(1.0, BEST), number_of_tasks=20, min_contributors=0.5, max_contributors=1),
        SimulateRequest(tp_samples=(1.0, BEST), number_of_tasks=20, engine="monte_carlo"),
        # A law fitted to weeks that differ so much goes to as many tasks as could ever be needed.
        SimulateRequest(
            tp_samples=(1.0, BEST),
            number_of_tasks=9_999,
            risks=(Risk(likelihood=50, low_impact=1, high_impact=5_000),),
            sampling="weibull",
            total_contributors=10,
            min_contributors=0.5,
            team_focus=0.5,
        ),
        SimulateRequest(tp_samples=(2.633, 617.222, 1.0), number_of_tasks=9_999, sampling="weibull"),
    ],
    ids=["constant", "changing", "trials", "weibull of a changing team", "weibull"],
)
def test_one_large_week_does_not_take_a_workers_memory(project: SimulateRequest) -> None:
    with little_memory():
        forecast(project, quiet)


def test_items_of_one_large_week_do_not_take_a_workers_memory() -> None:
    asked = HowManyRequest(tp_samples=(1.0, BEST), start_date="2026-01-05", end_date="2026-01-30")
    with little_memory():
        found = tell_how_many(asked, quiet)
    # Three weeks and a part of one. With 7/8 one of the three is large: 99,999.999 + 2 and the part of 1 at least. With
    # 1/16 not even the part is of a large one, so that not more than 3 and the part are sure with 95 %.
    assert (found.monte_carlo.items_p85, found.monte_carlo.items_p95) == (100_002, 3)


@pytest.mark.parametrize("best", [20.0, 21.0, 500.0, BEST])
def test_week_that_does_more_than_all_is_as_good_as_one_that_does_all(best: float) -> None:
    """Each week does 1 of 20 tasks or all of them: unfinished after w < 20 weeks with 0.5 ** w, never after 20."""
    found = forecast(SimulateRequest(tp_samples=(1.0, best), number_of_tasks=20, history_interval=False), quiet)
    assert found.engine == "exact"
    weeks = found.percentile_stats
    for level, name in ((0.50, "p50"), (0.85, "p85"), (0.95, "p95")):
        assert getattr(weeks, name) == math.ceil(-math.log2(1 - level) - 1e-9)
    # Open tasks after two weeks: none, or all but two.
    assert found.burn_down
    after_two = found.burn_down.weeks[2]
    assert (after_two.p50, after_two.p75, after_two.p95) == (0, 0, 18)
