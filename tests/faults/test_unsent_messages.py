"""Jobs that were stored and whose message was not sent: whoever asked saw an error, and the sweeper sends it."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.faults.proxy import Sort
from tests.faults.site import SMALL, Site, say, wait_for

# A job's message is sent again this long after its submit, by a sweeper that runs each minute.
PATIENCE_S = 60 + 60 + 15
# Stored, but the answer comes never or too late.
UNCERTAIN: tuple[Sort, ...] = ("lose", "slow")


def test_job_of_an_api_process_that_was_killed_between_write_and_send_is_run_once(site: Site) -> None:
    key, before = str(uuid.uuid4()), set(site.own_tasks())
    site.sqs_proxy.add_fault("hang", b"SendMessage", lasting_s=1.5)
    with ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        call = pool.submit(site.demo.call, "POST", "/api/async/simulate", SMALL, Idempotency_Key=key)
        wait_for(lambda: bool(site.sqs_proxy.requests(b"SendMessage", status=0)), "the send hangs")
        killed = site.kill_workers("app")
        failed = call.result()
    (task_id,) = set(site.own_tasks()) - before
    left = site.demo.call("GET", f"/api/tasks/{task_id}").body["state"]
    again = site.demo.call("POST", "/api/async/simulate", SMALL, Idempotency_Key=key)
    ended = site.demo.wait(task_id, timeout_s=PATIENCE_S)
    healed_s = time.monotonic() - began
    say(
        f"API processes killed between write and send: {killed}; answered {failed.status}, job left {left}, "
        f"{how_it_ended(site, ended)}, {healed_s:.0f} s after its submit"
    )
    assert (failed.status, left) == (502, "PENDING")
    assert (again.status, again.body["task_id"], again.headers["Idempotency-Replayed"]) == (202, task_id, "true")
    assert ran_once(site, ended)


def test_submit_whose_write_was_done_and_not_answered_in_time_is_one_job_under_its_key(site: Site) -> None:
    before, tasks = set(site.own_tasks()), {}
    for sort in UNCERTAIN:
        key = f"{sort}-{uuid.uuid4()}"
        with site.dynamodb_proxy.failing(sort):
            began = time.monotonic()
            refused = site.demo.call("POST", "/api/async/simulate", SMALL, Idempotency_Key=key)
            took_s = time.monotonic() - began
        again = site.demo.call("POST", "/api/async/simulate", SMALL, Idempotency_Key=key)
        say(f"answer of DynamoDB {sort}: {refused.status} after {took_s:.2f} s, under the same key then {again.status}")
        assert (refused.status, again.status, again.headers["Idempotency-Replayed"]) == (503, 202, "true")
        tasks[sort] = again.body["task_id"]
    assert set(site.own_tasks()) - before == set(tasks.values())
    for sort, task_id in tasks.items():
        ended = site.demo.wait(task_id, timeout_s=PATIENCE_S)
        say(f"answer of DynamoDB {sort}: {how_it_ended(site, ended)}")
        assert ran_once(site, ended)


def how_it_ended(site: Site, ended: Any) -> str:  # a task as JSON
    return f"{ended['state']}, attempt {ended['attempt']}, results: {site.finishes()[ended['task_id']]}"


def ran_once(site: Site, ended: Any) -> bool:
    return (ended["state"], ended["attempt"], site.finishes()[ended["task_id"]]) == ("SUCCESS", 1, 1)
