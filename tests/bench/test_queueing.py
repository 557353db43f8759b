"""The simulation against what queueing theory says of simple cases, and against cases that a hand can work out."""

from __future__ import annotations

import math
from random import Random

import pytest

from bench.queueing import Mapping, Outcome, Service, Shared, Simulation, poisson, share_that_waits

ENOUGH = 15_000


def run(
    arrivals: list[tuple[float, int]],
    mapping: Mapping,
    service: Service,
    *,
    processors: float = math.inf,
    seed: int = 1,
) -> Outcome:
    return Simulation(mapping, service, processors, Random(seed)).run(arrivals)


def exponential(mean_s: float) -> Service:
    """An empirical law of 2,000 quantiles; its mean is the law's."""
    raw = [-math.log(1 - (place + 0.5) / 2000) for place in range(2000)]
    mean = sum(raw) / len(raw)
    return Service(own_base_s=mean_s, factors=tuple(value / mean for value in raw))


def test_erlang_c_is_that_of_the_tables() -> None:
    # 10 erlangs on 15 servers: 0.1020 (Erlang's tables); of M/M/1 it is the load itself.
    assert share_that_waits(15, 10.0) == pytest.approx(0.1020, abs=0.0001)
    assert share_that_waits(1, 0.7) == pytest.approx(0.7)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.7), (3, 2.1), (5, 4.0)])
def test_mean_wait_of_random_arrivals_and_service_is_erlangs(servers: int, load: float) -> None:
    service_s, mapping = 0.1, Mapping(batch=1, concurrency=servers)
    waits = [
        run(poisson(load / service_s, ENOUGH, Random(seed)), mapping, exponential(service_s), seed=seed).mean_wait_s
        for seed in range(4)
    ]
    expected_s = share_that_waits(servers, load) * service_s / (servers - load)
    assert sum(waits) / 4 == pytest.approx(expected_s, rel=0.06)


def test_mean_wait_of_equal_service_is_half_of_that() -> None:
    arrivals = poisson(8.0, ENOUGH, Random(7))
    found = run(arrivals, Mapping(batch=1, concurrency=1), Service(own_base_s=0.1))
    # Pollaczek and Khinchine: load * service / (2 * (1 - load)), at a load of 0.8.
    assert found.mean_wait_s == pytest.approx(0.8 * 0.1 / (2 * 0.2), rel=0.06)


def test_mean_stay_at_shared_processors_is_that_of_processor_sharing() -> None:
    arrivals = poisson(7.0, ENOUGH, Random(7))
    found = run(arrivals, Mapping(batch=1, concurrency=5), Service(own_base_s=0.0, database_base_s=0.1), processors=5)
    assert found.mean_s == pytest.approx(0.1, rel=0.01)
    one = Shared(1)
    one.add(1, 2.0, 0.0)
    one.add(2, 1.0, 1.0)
    # From 1 s on both get half: each has a second left, and both end at 3 s.
    assert (one.next_s(), one.take_done(3.0), one.used_s) == (3.0, [1, 2], 3.0)


def test_what_waits_is_taken_together_up_to_the_batch() -> None:
    arrivals = [(0.0, 1)] * 25
    found = run(arrivals, Mapping(batch=10, concurrency=1), Service(own_base_s=1.0, own_each_s=0.1))
    # The first alone, for it came first, then 10, 10 and 4: 1.1 s, 2 s, 2 s and 1.4 s.
    assert [found.seconds, found.events_per_invocation] == pytest.approx([6.5, 25 / 4])
    assert found.p50_s == pytest.approx(5.1)


def test_a_window_waits_for_more_and_no_longer() -> None:
    arrivals = [(0.0, 1), (0.4, 1), (3.0, 1)]
    found = run(arrivals, Mapping(batch=100, window_s=1.0, concurrency=5), Service(own_base_s=0.5))
    # Both first at 1.5 s, the last at 4.5 s: lags 1.5, 1.1 and 1.5.
    assert found.events_per_invocation == pytest.approx(1.5)
    assert found.mean_s == pytest.approx((1.5 + 1.1 + 1.5) / 3)


def test_a_full_batch_does_not_wait_for_the_window() -> None:
    found = run([(0.0, 1), (0.1, 1)], Mapping(batch=2, window_s=60.0, concurrency=5), Service(own_base_s=0.5))
    assert found.seconds == pytest.approx(0.6)


def test_more_workers_come_as_fast_as_lambda_adds_them() -> None:
    # 100 messages of 10 s each: 5 at once, one more each 0.2 s, so 55 have begun by 10 s. Then 5 end, and from there on
    # each 0.2 s one ends and one more may run: 5 and 2 at a time, the last of the other 45 begins at 14 s.
    found = run([(0.0, 1)] * 100, Mapping(batch=1, concurrency=1_000), Service(own_base_s=10.0))
    assert found.seconds == pytest.approx(24.0, abs=0.5)


def test_concurrency_is_never_exceeded() -> None:
    found = run([(0.0, 1)] * 40, Mapping(batch=1, concurrency=2), Service(own_base_s=1.0))
    assert [found.seconds, found.busy_workers] == pytest.approx([20.0, 2.0])
