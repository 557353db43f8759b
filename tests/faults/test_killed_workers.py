"""Worker processes ended by SIGKILL while they run jobs."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import psutil

from tests.faults.site import SIMULATIONS, SMALL, Site, say, wait_for

JOBS = int(os.environ.get("FAULT_JOBS", "2000"))
MAX_ATTEMPTS = 4
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


def test_job_whose_worker_dies_each_time_fails_and_its_message_is_buried(site: Site) -> None:
    task_id = site.client.submit("/api/async/slow", {"seconds": 60})
    for attempt in range(1, MAX_ATTEMPTS + 1):
        wait_for_attempt(site, task_id, attempt)
        site.kill_workers()
        sweep_until_noticed(site, task_id, attempt)
    ended, letters = site.client.wait(task_id), site.dead_letters()
    say(f"{MAX_ATTEMPTS} workers killed: {ended['state']} at attempt {ended['attempt']}, {len(letters)} dead letter")
    message = json.dumps({"id": task_id, "kind": "slow", "v": 1}, separators=(",", ":"))
    reason = f"the job was begun {MAX_ATTEMPTS} times and its worker died each time"
    assert (ended["state"], ended["attempt"], ended["error"]) == ("FAILURE", MAX_ATTEMPTS, reason)
    assert letters == {message: reason}


def test_no_job_is_lost_or_finished_twice_while_workers_are_killed_at_random(site: Site) -> None:
    began = time.monotonic()
    with workers_killed_at_random(site) as killed, ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: site.submit_until_accepted("/api/async/simulate", SMALL), range(JOBS)))
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


def wait_for_attempt(site: Site, task_id: str, attempt: int) -> None:
    def is_running() -> bool:
        task = site.client.call("GET", f"/api/tasks/{task_id}").body
        return (task["state"], task["attempt"]) == ("PROGRESS", attempt)

    wait_for(is_running, f"attempt {attempt} runs")


def sweep_until_noticed(site: Site, task_id: str, attempt: int) -> None:
    """Sweeps until the job waits for another attempt than this one, runs it or has ended."""

    def is_noticed() -> bool:
        site.sweep()
        task = site.client.call("GET", f"/api/tasks/{task_id}").body
        return task["attempt"] > attempt or task["state"] in ("PENDING", "FAILURE")

    wait_for(is_noticed, f"the end of attempt {attempt} is noticed")


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
