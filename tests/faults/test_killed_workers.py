"""Worker processes ended by SIGKILL while they run jobs."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import psutil

from tests.faults.site import SIMULATIONS, SMALL, Site, say

JOBS = int(os.environ.get("FAULT_JOBS", "2000"))
KILL_EVERY_S = 1.5
# Where a worker dies while it starts, the emulator ends every other one of the function, and so on without an end.
GROWN_UP_S = 3


def test_job_of_a_killed_worker_runs_again_within_90_s_and_finishes_once(site: Site) -> None:
    task_id = site.client.submit("/api/async/slow", {"seconds": 6})
    assert site.client.wait(task_id, ("PROGRESS", "SUCCESS"))["state"] == "PROGRESS"
    killed, began = site.kill_workers(), time.monotonic()
    again = site.client.wait(task_id, ("PENDING", "SUCCESS"), timeout_s=90)
    noticed_s = time.monotonic() - began
    ended = site.client.wait(task_id, timeout_s=90)
    took_s = time.monotonic() - began
    results = site.finishes()[task_id]
    healer = "the sweeper" if again["state"] == "PENDING" else "a delivery"
    say(
        f"{killed} workers killed: {healer} noticed after {noticed_s:.0f} s, done after {took_s:.0f} s, "
        f"attempt {ended['attempt']}, {results} result"
    )
    assert (ended["state"], ended["attempt"], results) == ("SUCCESS", 2, 1)
    assert took_s < 90


def test_no_job_is_lost_or_finished_twice_while_workers_are_killed_at_random(site: Site) -> None:
    began = time.monotonic()
    with workers_killed_at_random(site) as killed, ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: site.client.submit("/api/async/simulate", SMALL), range(JOBS)))
        submitted_s = time.monotonic() - began
        ended = list(pool.map(lambda task_id: site.client.wait(task_id, timeout_s=900), ids))
    took_s = time.monotonic() - began
    states = Counter(task["state"] for task in ended)
    results = {task["result"]["task_id"] for task in ended if task["state"] == "SUCCESS"}
    attempts = Counter(task["attempt"] for task in ended)
    finishes = site.finishes()
    twice = sum(finishes[task_id] > 1 for task_id in ids)
    letters = site.dead_letters()
    say(
        f"{JOBS} jobs, {len(killed)} workers killed: {len(results)} finished, {JOBS - len(results)} lost, "
        f"{twice} finished twice, {len(letters)} dead letters; attempts {dict(sorted(attempts.items()))}; "
        f"submitted in {submitted_s:.0f} s, all done in {took_s:.0f} s"
    )
    assert killed, "no worker was killed"
    assert (states, results) == ({"SUCCESS": JOBS}, set(ids))
    assert [finishes[task_id] for task_id in ids] == [1] * JOBS
    assert (letters, site.count(SIMULATIONS)) == ({}, 0)


@contextmanager
def workers_killed_at_random(site: Site) -> Iterator[list[int]]:
    """Ends one worker process after the other inside the block; answers their ids."""
    over, killed, chance = threading.Event(), list[int](), random.Random(2000)

    def kill() -> None:
        while not over.wait(KILL_EVERY_S):
            born_before = time.time() - GROWN_UP_S
            workers = [worker for worker in site.workers() if worker.create_time() < born_before]
            if workers:
                victim = chance.choice(workers)
                with suppress(psutil.NoSuchProcess):
                    victim.kill()
                    killed.append(victim.pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()
