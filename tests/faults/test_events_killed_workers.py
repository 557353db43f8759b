"""Workers of events ended by SIGKILL with events in hand, while a backlog drains."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

from chalicelib.db.connect import connect
from tests.e2e.test_forecast import worker_paused
from tests.faults.events import EVENTS, QUEUE, Sender, failed_deliveries, wait_until_settled, warm_up
from tests.faults.site import Site, say, wait_for

BATCH = 50
PER_SECOND = 100.0
ROUNDS = 4
_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'event_ids'::regclass"


def test_no_event_is_lost_or_doubled_while_workers_are_killed(site: Site) -> None:
    backlog, batched = EVENTS // 2, EVENTS // 4
    warm_up(site)
    sender, failed, killed = Sender(site), failed_deliveries(site), 0
    with worker_paused(site.stack, "events"):
        sender.send_all(range(backlog))
        sender.send_batches(range(backlog, backlog + batched), BATCH)
        waiting = site.count(QUEUE)
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(sender.send_steadily, range(backlog + batched, EVENTS), PER_SECOND)
        for _ in range(ROUNDS):
            with writes_held(site) as writing:
                wait_for(writing, "workers have events in hand", 60)
                killed += site.kill_workers("work_events")
        sending.result()
    sender.send_rest(range(EVENTS))
    sender.wait_until_stored(300)
    took_s = time.monotonic() - began
    wait_until_settled(site)
    count, died, letters = sender.count(), failed_deliveries(site) - failed, site.dead_letters(QUEUE)
    say(
        f"{waiting} messages waiting, {killed} workers killed in {ROUNDS} rounds, {died} deliveries cut off: {count}; "
        f"all there after {took_s:.0f} s, {len(letters)} dead letters"
    )
    assert died >= ROUNDS
    assert (count.accepted, count.lost, count.doubled, count.unasked) == (EVENTS, 0, 0, 0)
    assert (sender.known(), letters) == (EVENTS, {})


@contextmanager
def writes_held(site: Site) -> Iterator[Callable[[], bool]]:
    """Has every write of events wait until the block ends; what it answers says whether one waits."""
    with closing(connect(site.stack.database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLE event_ids IN ACCESS EXCLUSIVE MODE")

        def is_any_waiting() -> bool:
            cursor.execute(_WAITING)
            return bool(cursor.fetchall()[0][0])

        yield is_any_waiting
