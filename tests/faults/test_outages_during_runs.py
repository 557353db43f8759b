"""DynamoDB erring, slow, or losing its answers for some seconds while a job runs."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.test_forecast import worker_paused
from tests.faults.proxy import Sort
from tests.faults.site import SIMULATIONS, Site, say

OUTAGE_S = 10
# The request that takes a job, shows its progress, stores its result.
MOMENTS = {
    "claim": b'":to": {"S": "STARTED"}',
    "beat": b'":to": {"S": "PROGRESS"}',
    "finish": b'":to": {"S": "SUCCESS"}',
}


@pytest.mark.parametrize("sort", ["error", "hang", "lose", "slow"])
def test_jobs_survive_ten_seconds_without_dynamodb(site: Site, sort: Sort) -> None:
    began = time.monotonic()
    with worker_paused(site.stack):
        tasks = {moment: site.client.submit("/api/async/slow", {"seconds": 4}) for moment in MOMENTS}
        for moment, task_id in tasks.items():
            site.dynamodb_proxy.add_fault(sort, MOMENTS[moment], task_id.encode(), lasting_s=OUTAGE_S)
    with ThreadPoolExecutor(len(tasks)) as pool:
        attempts = dict(pool.map(lambda task: (task[0], _attempts(site, sort, task, began)), tasks.items()))
    # A lost beat alone costs nothing while the lease lasts.
    assert sort != "error" or attempts["beat"] == 1
    assert sort != "slow" or set(attempts.values()) == {1}
    assert site.dead_letters() == {}
    assert site.count(SIMULATIONS) == 0


def _attempts(site: Site, sort: Sort, task: tuple[str, str], began: float) -> int:
    """Waits for the job, says how it went and checks that it went well."""
    moment, task_id = task
    ended = site.client.wait(task_id, timeout_s=240)
    took_s = time.monotonic() - began
    faults = [e for e in list(site.dynamodb_proxy.exchanges) if e.fault and task_id.encode() in e.request]
    results = site.finishes()[task_id]
    say(
        f"{moment} {sort}: {len(faults)} requests met it, then {ended['state']} at attempt {ended['attempt']} "
        f"with {results} result, {took_s:.0f} s after the outage began"
    )
    assert faults, "the fault never happened"
    assert (ended["state"], results) == ("SUCCESS", 1)
    attempt: int = ended["attempt"]
    return attempt
