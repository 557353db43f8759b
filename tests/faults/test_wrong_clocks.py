"""Workers whose clocks are a minute fast or slow, beside a sweeper and an API whose clocks are right."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.faults.site import SMALL, Site, say

SKEW_S = 60
SHORT_JOBS = 200
# Longer than several leases.
LONG_JOBS, LONG_S = 4, 20
MAX_ATTEMPTS = 4
# Workers are killed right before the submit: a message that goes to one of them is sent again after a minute.
FIRST_S = 120


def test_jobs_of_workers_with_wrong_clocks_finish_once_at_their_first_attempt(site: Site) -> None:
    began = time.monotonic()
    with site.wrong_clocks(SKEW_S, -SKEW_S), swept_without_pause(site) as sweeps, ThreadPoolExecutor(8) as pool:
        long = [site.client.submit("/api/async/slow", {"seconds": LONG_S}) for _ in range(LONG_JOBS)]
        short = list(pool.map(lambda _: site.client.submit("/api/async/simulate", SMALL), range(SHORT_JOBS)))
        ended = list(pool.map(lambda task_id: site.client.wait(task_id, timeout_s=240), long + short))
        took_s = time.monotonic() - began
    states = Counter(task["state"] for task in ended)
    attempts = Counter(task["attempt"] for task in ended)
    finishes = site.finishes()
    twice = sum(finishes[task_id] > 1 for task_id in long + short)
    say(
        f"{SHORT_JOBS} short jobs and {LONG_JOBS} of {LONG_S} s, clocks {SKEW_S} s fast and slow, "
        f"{len(sweeps)} sweeps: {dict(states)}, {twice} finished twice, "
        f"attempts {dict(sorted(attempts.items()))}, {took_s:.0f} s"
    )
    assert states == {"SUCCESS": SHORT_JOBS + LONG_JOBS}
    assert {finishes[task_id] for task_id in long + short} == {1}
    assert attempts == {1: SHORT_JOBS + LONG_JOBS}
    assert site.dead_letters() == {}


def test_message_that_workers_with_wrong_clocks_get_many_times_has_one_result(site: Site) -> None:
    with site.wrong_clocks(-SKEW_S, SKEW_S), swept_without_pause(site), ThreadPoolExecutor(8) as pool:
        task_id = site.client.submit("/api/async/slow", {"seconds": LONG_S})
        message = json.dumps({"id": task_id, "kind": "slow", "v": 1})
        assert site.client.wait(task_id, ("PROGRESS", "SUCCESS"), timeout_s=FIRST_S)["state"] == "PROGRESS"
        list(pool.map(site.send, [message] * 8))
        ended = site.client.wait(task_id, timeout_s=120)
    results = site.finishes()[task_id]
    say(f"delivered 9 times: {ended['state']} at attempt {ended['attempt']}, {results} result")
    # A job may be taken from a slow clock, but attempts that others took do not make it a failure.
    assert (ended["state"], results) == ("SUCCESS", 1)
    assert ended["attempt"] <= MAX_ATTEMPTS


@pytest.mark.parametrize("error_s", [SKEW_S, -SKEW_S])
def test_job_of_a_dead_worker_with_a_wrong_clock_is_healed_later_by_the_error_at_most(site: Site, error_s: int) -> None:
    with site.wrong_clocks(error_s):
        task_id = site.client.submit("/api/async/slow", {"seconds": 5})
        assert site.client.wait(task_id, ("PROGRESS", "SUCCESS"), timeout_s=FIRST_S)["state"] == "PROGRESS"
        site.kill_workers()
        began = time.monotonic()
        with swept_without_pause(site):
            site.client.wait(task_id, ("PENDING", "STARTED"), timeout_s=120)
            noticed_s = time.monotonic() - began
            ended = site.client.wait(task_id, timeout_s=60)
    results = site.finishes()[task_id]
    say(
        f"worker with a clock {error_s:+} s killed: noticed after {noticed_s:.0f} s, attempt {ended['attempt']}, "
        f"{results} result"
    )
    assert (ended["state"], ended["attempt"], results) == ("SUCCESS", 2, 1)


@contextmanager
def swept_without_pause(site: Site) -> Iterator[list[float]]:
    """Runs one sweep after the other inside the block: far more of them than a minute's one."""
    over, sweeps = threading.Event(), list[float]()

    def sweep() -> None:
        while not over.wait(0.2):
            site.sweep()
            sweeps.append(time.monotonic())

    thread = threading.Thread(target=sweep)
    thread.start()
    try:
        yield sweeps
    finally:
        over.set()
        thread.join()
