"""Two sweepers at once do the work of one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.faults.site import Site, say, wait_for

_REQUEUES = (b"lease_ms < :now_ms", b'":to": {"S": "PENDING"}')
_RESENDS = b"resends = resends + :one"


def test_two_sweepers_at_once_requeue_each_expired_job_once(site: Site) -> None:
    ids = [site.client.submit("/api/async/slow", {"seconds": 5}) for _ in range(5)]
    for task_id in ids:
        assert site.client.wait(task_id, ("PROGRESS", "SUCCESS"))["state"] == "PROGRESS"
    killed = site.kill_workers()

    def requeued() -> list[int]:
        return [len(site.dynamodb_proxy.requests(*_REQUEUES, task_id.encode())) for task_id in ids]

    def sweep_twice() -> bool:
        with ThreadPoolExecutor(2) as pool:
            for swept in [pool.submit(site.sweep) for _ in range(2)]:
                swept.result()
        return all(requeued())

    wait_for(sweep_twice, "each job requeued")
    resent = [len(site.dynamodb_proxy.requests(_RESENDS, task_id.encode())) for task_id in ids]
    ended = [site.client.wait(task_id) for task_id in ids]
    counts = requeued()
    say(f"5 jobs whose {killed} workers died, swept by two at once: requeued {counts}, sent once more {resent}")
    assert (counts, resent) == ([1] * 5, [0] * 5)
    assert [(task["state"], task["attempt"]) for task in ended] == [("SUCCESS", 2)] * 5
