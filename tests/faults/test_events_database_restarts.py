"""Events while Postgres is ended and started again, with a backlog and under load."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.test_forecast import worker_paused
from tests.faults.events import EVENTS, MOST_REFUSED, QUEUE, Sender, wait_until_settled, warm_up
from tests.faults.site import Site, say, wait_for

BATCH = 50
AWAY_S = 5.0
PER_SECOND = 120.0
OUTAGES_UNDER_LOAD = 2
# Deliveries that have to meet an outage before it ends.
MET = 5


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGINT])
def test_events_wait_for_the_database_as_long_as_it_takes(site: Site, how: signal.Signals) -> None:
    warm_up(site)
    sender, half, batched = Sender(site), EVENTS // 2, EVENTS // 8
    with worker_paused(site.stack, "events"):
        sender.send_all(range(half - batched))
        sender.send_rest(range(half - batched))
        tasks = sender.send_batches(range(half - batched, half), BATCH)
        waiting, met = site.count(QUEUE), len(put_off(site))
    with site.database_stopped(how):
        began = time.monotonic()
        sender.send_all(range(half, EVENTS - batched))
        sender.send_rest(range(half, EVENTS - batched))
        tasks += sender.send_batches(range(EVENTS - batched, EVENTS), BATCH)
        wait_for(lambda: len(put_off(site)) >= met + MET, f"{MET} deliveries meet the outage")
        time.sleep(max(0.0, began + AWAY_S - time.monotonic()))
    away_s, back = time.monotonic() - began, time.monotonic()
    sender.wait_until_stored(300)
    stored_s = time.monotonic() - back
    states = [site.client.wait(task_id)["state"] for task_id in tasks]
    wait_until_settled(site)
    count, letters = sender.count(), site.dead_letters(QUEUE)
    say(
        f"database ended by {how.name} with {waiting} messages waiting, away for {away_s:.0f} s: {count}; "
        f"{len(put_off(site)) - met} deliveries put off, all there {stored_s:.0f} s after it was back; "
        f"answers {sender.statuses()}, {len(letters)} dead letters"
    )
    assert sender.refused() <= MOST_REFUSED
    assert (count.accepted, count.lost, count.doubled, count.unasked) == (EVENTS, 0, 0, 0)
    assert (sender.known(), states, letters) == (EVENTS, ["SUCCESS"] * len(tasks), {})


def test_ingest_goes_on_while_the_database_is_restarted_under_load(site: Site) -> None:
    warm_up(site)
    sender, met = Sender(site), len(put_off(site))
    began, during = time.monotonic(), 0
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(sender.send_steadily, range(EVENTS), PER_SECOND)
        for outage in range(OUTAGES_UNDER_LOAD):
            sender.wait_until_accepted(EVENTS * (outage + 1) // 4)
            with site.database_stopped(signal.SIGQUIT):
                before = len(sender.accepted)
                time.sleep(AWAY_S)
                during += len(sender.accepted) - before
        sending.result()
        sender.send_rest(range(EVENTS))
    sent_s = time.monotonic() - began
    sender.wait_until_stored(300)
    stored_s = time.monotonic() - began - sent_s
    wait_until_settled(site)
    count, letters = sender.count(), site.dead_letters(QUEUE)
    say(
        f"database ended {OUTAGES_UNDER_LOAD} times without notice under {EVENTS / sent_s:.0f} events a second, "
        f"{AWAY_S:.0f} s each: {count}, {during} accepted meanwhile; answers {sender.statuses()}, "
        f"202 {sender.times(202)}; {len(put_off(site)) - met} deliveries put off, "
        f"all there {stored_s:.0f} s after the last event; {len(letters)} dead letters"
    )
    assert (count.accepted, count.lost, count.doubled, count.unasked) == (EVENTS, 0, 0, 0)
    assert during > 0
    assert sender.refused() <= MOST_REFUSED
    assert (sender.known(), letters) == (EVENTS, {})


def put_off(site: Site) -> list[bytes]:
    """Requests that had a delivery of events come again soon, because it met an outage."""
    return site.sqs_proxy.requests(b"ChangeMessageVisibility", QUEUE.encode())
