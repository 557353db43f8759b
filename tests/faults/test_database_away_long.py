"""Postgres away for two and a half minutes under load, which stand for an hour: all is accepted, and all comes true.

What makes an outage long is that it outlasts the attempts of a job: three of a search, 30 s apart. The pauses grow with
the outage, up to 15 minutes; that hours are waited out as well is tested with a clock, in tests/jobs/test_worker.py.
"""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Lock
from typing import Any

from chalicelib import kinds
from tests.e2e.client import Client, Reply
from tests.faults.events import LOGS, QUEUE, Sender, wait_until_settled
from tests.faults.site import SIMULATIONS, SMALL, Site, say, wait_for
from tests.faults.test_database_restarts import saved_forecasts

AWAY_S = float(os.environ.get("FAULT_AWAY_S", "150"))
SEARCHES = "sluice-local-searches"
QUEUES = (SIMULATIONS, SEARCHES, QUEUE)
BATCH = 20
# Each client does one thing, takes a breath and does the next; before the outage each has done it so often.
BREATH_S, WARM = 3.0, 3


@dataclass
class Load:
    """Clients that submit, send and poll until they are told to stop, and what they were answered."""

    site: Site
    sender: Sender
    name: str
    # By what was asked for: the tasks that came of it.
    tasks: dict[str, list[str]] = field(default_factory=dict)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    # Why something was answered neither 200 nor 202.
    refusals: list[str] = field(default_factory=list)
    sent: int = 0
    stop: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    def clients(self) -> tuple[Callable[[], object], ...]:
        public, demo = self.site.client, self.site.demo
        saving = SMALL | {"projectName": self.name}
        return (
            lambda: self._begin("forecast", public, "/api/async/simulate", SMALL),
            lambda: self._begin("saved", demo, "/api/async/simulate?save=true", saving),
            # Each is a question of its own, for the same one would be answered once.
            lambda: self._begin("search", public, "/api/async/contracts/search", {"keywords": [str(uuid.uuid4())]}),
            lambda: self._begin("event", public, LOGS, self._events(1)[0]),
            lambda: self._begin("batch", public, f"{LOGS}/batch", self._events(BATCH)),
            self._poll,
        )

    def repeat(self, act: Callable[[], object]) -> None:
        while not self.stop.wait(BREATH_S):
            act()

    def owner(self, sort: str) -> Client:
        return self.site.demo if sort == "saved" else self.site.client

    def _begin(self, sort: str, client: Client, path: str, body: object) -> None:
        """Asks until it is accepted, as careful clients do: under the same key, or with the same message ids."""
        key = str(uuid.uuid4())
        while (reply := self._ask(sort, client, "POST", path, body, Idempotency_Key=key)).status != 202:
            time.sleep(float(reply.headers.get("Retry-After", "1")))
        self.tasks.setdefault(sort, []).append(reply.body["task_id"])

    def _poll(self) -> None:
        """Each client looks at its newest task."""
        for sort, ids in list(self.tasks.items()):
            self._ask("poll", self.owner(sort), "GET", f"/api/tasks/{ids[-1]}")

    def _ask(self, sort: str, client: Client, method: str, path: str, body: object = None, **headers: str) -> Reply:
        reply = client.call(method, path, body, **headers)
        with self.lock:
            self.answers[sort, reply.status] += 1
            if reply.status not in (200, 202):
                self.refusals.append(f"{reply.status}: {reply.body.get('detail', reply.body)}")
        return reply

    def _events(self, count: int) -> Sequence[dict[str, Any]]:  # JSON objects
        with self.lock:
            first, self.sent = self.sent, self.sent + count
        return [self.sender.event(number) for number in range(first, first + count)]


def test_everything_is_accepted_while_the_database_is_away_for_long_and_drains_afterwards(site: Site) -> None:
    # A login needs the database.
    assert site.demo.token
    load = Load(site, Sender(site), f"away {uuid.uuid4()}")
    with ThreadPoolExecutor(len(load.clients())) as pool:
        working = [pool.submit(load.repeat, act) for act in load.clients()]
        try:
            wait_for(lambda: sorted(map(len, load.tasks.values()))[-5:-4] >= [WARM], "each does its work", 300)
            before = len(load.tasks["forecast"])
            with site.database_stopped(signal.SIGQUIT):
                time.sleep(AWAY_S)
                end = datetime.now(UTC)
        finally:
            load.stop.set()
        back = time.monotonic()
        for each in working:
            each.result()
    load.sender.accepted.update(range(load.sent))
    # Single events are counted in Postgres, all the others by their tasks.
    ended = {sort: ends(load.owner(sort), ids) for sort, ids in load.tasks.items() if sort != "event"}
    load.sender.wait_until_stored(300)
    drained_s = time.monotonic() - back
    wait_until_settled(site, 120)
    # Of the forecasts that are not saved and were submitted meanwhile, whether they were done meanwhile.
    done = [datetime.fromisoformat(task["ended_at"]) < end for task in ended["forecast"][before:]]
    count, rows = load.sender.count(), saved_forecasts(site, load.name)
    letters = {queue: site.dead_letters(queue) for queue in QUEUES}
    states = {sort: dict(Counter(task["state"] for task in tasks)) for sort, tasks in ended.items()}
    attempts = {sort: max(task["attempt"] for task in tasks) for sort, tasks in ended.items()}
    say(
        f"database ended without notice, away for {AWAY_S:.0f} s: answers {dict(load.answers)}, refused for "
        f"{sorted(set(load.refusals))}; tasks {states}, most attempts {attempts}; {sum(done)} of {len(done)} "
        f"forecasts without saving done meanwhile, {len(rows)} rows of {len(load.tasks['saved'])} saved ones; events "
        f"{count}; drained {drained_s:.0f} s after it was back; {sum(map(len, letters.values()))} dead letters"
    )
    # The emulator on a machine full of tests may be slow to take a message; it is never the database that refuses.
    assert not [why for why in load.refusals if "database" in why]
    assert len(load.refusals) < sum(load.answers.values()) // 10
    assert states == {sort: {"SUCCESS": len(ids)} for sort, ids in load.tasks.items() if sort != "event"}
    assert Counter(job for job, _, _ in rows) == Counter(load.tasks["saved"])
    assert (count.accepted, count.lost, count.doubled, count.unasked) == (load.sent, 0, 0, 0)
    assert load.sender.known() == load.sent
    assert letters == {queue: {} for queue in QUEUES}
    # The outage was a long one, and did not hold up what needs no database.
    assert attempts["search"] > kinds.registry("local").kinds["contract_search"].max_attempts
    assert sum(done) > len(done) // 4
    wait_for(lambda: site.count(SIMULATIONS) + site.count(SEARCHES) == 0, "the queues are empty")


def ends(client: Client, ids: Sequence[str]) -> list[Any]:  # tasks
    """The tasks as they have ended."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda task_id: client.wait(task_id, timeout_s=600), ids))
