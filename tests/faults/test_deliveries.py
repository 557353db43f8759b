"""Deliveries that should not be: the same one twice, and poison of each sort."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

from tests.faults.site import SIMULATIONS, SMALL, Site, say, wait_for

_KNOWN = "this worker knows 1"
_CLAIMS = b'":to": {"S": "STARTED"}'


def test_message_delivered_many_times_at_once_is_run_once(site: Site) -> None:
    hidden = site.count(SIMULATIONS, hidden=True)
    task_id = site.client.submit("/api/async/slow", {"seconds": 2})
    message = json.dumps({"id": task_id, "kind": "slow", "v": 1})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(site.send, [message] * 8))
    ended = site.client.wait(task_id)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(site.send, [message] * 4))
    wait_until_settled(site, hidden)
    after = site.client.wait(task_id)
    claims = len(site.dynamodb_proxy.requests(_CLAIMS, task_id.encode()))
    results = site.finishes()[task_id]
    say(f"delivered 13 times, 9 of them at once: {claims} claim, {results} result, attempt {after['attempt']}")
    assert (claims, results, after["state"], after["attempt"]) == (1, 1, "SUCCESS", 1)
    assert after == ended
    assert site.dead_letters() == {}


def test_poison_of_each_sort_ends_in_the_dead_letter_queue_with_its_reason(site: Site) -> None:
    absent, hidden = "0" * 32, site.count(SIMULATIONS, hidden=True)
    poison = {
        "{not json": "not a job message",
        '{"order": 1}': "not a job message",
        '["id", "kind"]': "not a job message",
        json.dumps({"id": 7, "kind": "simulate", "v": 1}): "not a job message",
        json.dumps({"id": absent, "kind": "simulate", "v": 99}): f"message version 99 is not known; {_KNOWN}",
        json.dumps({"id": absent, "kind": "alchemy", "v": 1}): "unknown kind alchemy",
    }
    site.client.wait(site.client.submit("/api/async/simulate", SMALL))
    before = {process.pid for process in site.workers()}
    for body in poison:
        site.send(body)
    site.send(json.dumps({"id": absent, "kind": "simulate", "v": 1}))
    began = time.monotonic()
    ids = [site.client.submit("/api/async/simulate", SMALL) for _ in range(10)]
    states = [site.client.wait(task_id)["state"] for task_id in ids]
    took_s = time.monotonic() - began
    wait_until_settled(site, hidden)
    buried = site.dead_letters()
    after = {process.pid for process in site.workers()}
    say(
        f"{len(poison)} poison messages: {len(buried)} buried with a reason; 1 of a missing job acknowledged; "
        f"10 jobs behind them done in {took_s:.1f} s; {len(before - after)} of {len(before)} worker processes lost"
    )
    assert buried == poison
    assert states == ["SUCCESS"] * 10
    assert before <= after


def wait_until_settled(site: Site, hidden: int) -> None:
    """Until nothing waits and no more is hidden than before: messages of workers that other tests killed stay so."""
    wait_for(
        lambda: site.count(SIMULATIONS) == 0 and site.count(SIMULATIONS, hidden=True) <= hidden, "deliveries settled"
    )
