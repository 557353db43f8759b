"""Events sent to a stack that is at fault, what was answered, and what there is of them in Postgres."""

from __future__ import annotations

import os
import statistics
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from chalicelib.db.connect import connect
from chalicelib.errors import Unavailable
from tests.e2e.client import Reply
from tests.faults.site import Site, say, wait_for

LOGS = "/api/logs/test-app"
QUEUE = "sluice-local-events"
# All of them in `make faults`, some otherwise.
EVENTS = int(os.environ.get("FAULT_EVENTS", "2000" if os.environ.get("FAULTS") else "200"))
# Requests at a time: less than the front door lets in, so that none of them waits there for others.
THREADS = 8
# Answers other than 202 that a machine full of tests is forgiven; what an outage refuses is more.
MOST_REFUSED = EVENTS // 100
_ROWS = """
SELECT message_id, (body #>> '{payload,userId}')::integer, count(*)
FROM log_entries
WHERE message_id LIKE %(name)s
GROUP BY 1, 2
"""
_IDS = "SELECT count(*) FROM event_ids WHERE message_id LIKE %(name)s"


class Count(NamedTuple):
    """Of the events that were accepted how many have their row, none, or more than one; and rows of other events."""

    accepted: int
    stored: int
    lost: int
    doubled: int
    unasked: int

    def __str__(self) -> str:
        return f"{self.accepted} accepted, {self.stored} stored, {self.lost} lost, {self.doubled} doubled"


@dataclass
class Sender:
    """Sends numbered events of one run and remembers which of them were accepted."""

    site: Site
    name: str = field(default_factory=lambda: f"fault-{uuid.uuid4()}-")
    accepted: set[int] = field(default_factory=set)
    # How each request was answered, and after how many seconds.
    answers: list[tuple[int, float]] = field(default_factory=list)
    # By the last 503.
    told_to_wait_s: int = 1

    def event(self, number: int) -> dict[str, Any]:  # a JSON object
        payload = {"userId": number, "method": "fault"}
        return {"eventName": "user_login", "messageId": f"{self.name}{number}", "payload": payload}

    def send(self, number: int) -> Reply:
        """Sends one event by itself."""
        return self._ask(LOGS, self.event(number), [number])

    def send_all(self, numbers: Sequence[int]) -> None:
        """Sends single events as fast as they are answered."""
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self.send, numbers))

    def send_batches(self, numbers: Sequence[int], size: int) -> list[str]:
        """Sends events in requests of so many until all are accepted; answers their tasks."""
        parts = [numbers[first : first + size] for first in range(0, len(numbers), size)]
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(self._send_batch, parts))

    def send_steadily(self, numbers: Sequence[int], per_second: float) -> None:
        """Sends single events when they are due, or as soon as one of the threads is free."""
        began = time.monotonic()
        with ThreadPoolExecutor(THREADS) as pool:
            sent = []
            for place, number in enumerate(numbers):
                time.sleep(max(0.0, began + place / per_second - time.monotonic()))
                sent.append(pool.submit(self.send, number))
            for each in sent:
                each.result()

    def send_rest(self, numbers: Sequence[int]) -> None:
        """Sends those that were not accepted once more, again and again, as apps do that are told 503."""
        deadline = time.monotonic() + 120
        while rest := sorted(set(numbers) - self.accepted):
            assert time.monotonic() < deadline, f"{len(rest)} events are not accepted: {self.statuses()}"
            time.sleep(self.told_to_wait_s)
            self.send_all(rest)

    def statuses(self) -> dict[int, int]:
        return dict(Counter(status for status, _ in self.answers))

    def times(self, status: int) -> str:
        """How long answers of this status took."""
        took_s = [took_s for each, took_s in self.answers if each == status]
        if len(took_s) < 2:
            return "never"
        cuts = statistics.quantiles(took_s, n=100, method="inclusive")
        return f"p50 {cuts[49]:.3f} s, p99 {cuts[98]:.3f} s, most {max(took_s):.3f} s"

    def rows(self) -> dict[tuple[str, int], int]:
        """How many rows there are of each message with each content."""
        with closing(connect(self.site.stack.database_url)) as connection, connection.cursor() as cursor:
            cursor.execute(_ROWS, {"name": f"{self.name}%"})
            return {(str(message_id), int(number)): int(count) for message_id, number, count in cursor.fetchall()}

    def count(self) -> Count:
        """What is there now."""
        rows = self.rows()
        asked = {(f"{self.name}{number}", number) for number in self.accepted}
        return Count(
            accepted=len(asked),
            stored=len(asked & rows.keys()),
            lost=len(asked - rows.keys()),
            doubled=sum(count > 1 for count in rows.values()),
            unasked=len(rows.keys() - asked),
        )

    def known(self) -> int:
        """How many of the run's message ids are known to have been stored."""
        with closing(connect(self.site.stack.database_url)) as connection, connection.cursor() as cursor:
            cursor.execute(_IDS, {"name": f"{self.name}%"})
            ((count,),) = cursor.fetchall()
        return int(count)

    def refused(self) -> int:
        """How many answers were none of 202."""
        return sum(status != 202 for status, _ in self.answers)

    def wait_until_stored(self, timeout_s: float) -> None:
        """Waits for the rows of all that was accepted."""

        def is_stored() -> bool:
            try:
                return self.known() >= len(self.accepted)
            except Unavailable:
                return False

        try:
            wait_for(is_stored, "events stored", timeout_s)
        except AssertionError:
            say(f"not stored in {timeout_s:.0f} s: {self.count()}")
            raise

    def wait_until_accepted(self, number: int) -> None:
        """Waits until so many are."""
        wait_for(lambda: len(self.accepted) >= number, f"{number} events accepted", 60)

    def _send_batch(self, numbers: Sequence[int]) -> str:
        for _ in range(20):
            reply = self._ask(f"{LOGS}/batch", [self.event(number) for number in numbers], numbers)
            if reply.status == 202:
                return str(reply.body["task_id"])
            assert reply.status == 503, reply
            time.sleep(self.told_to_wait_s)
        raise AssertionError(f"not accepted 20 times: {reply}")

    def _ask(self, path: str, body: object, numbers: Sequence[int]) -> Reply:
        began = time.monotonic()
        reply = self.site.client.call("POST", path, body)
        self.answers.append((reply.status, time.monotonic() - began))
        if reply.status == 202:
            self.accepted.update(numbers)
        if reply.status == 503:
            self.told_to_wait_s = int(reply.headers["Retry-After"])
        return reply


def warm_up(site: Site) -> None:
    """Has the processes be there that will be used: to start many at once takes the emulator longer than a test has."""
    sender = Sender(site)
    sender.send_all(range(10 * THREADS))
    sender.wait_until_stored(120)


def wait_until_settled(site: Site, timeout_s: float = 60) -> None:
    """Until no event waits and none is hidden: what workers left behind has come again, and was settled."""
    wait_for(lambda: site.count(QUEUE) + site.count(QUEUE, hidden=True) == 0, "deliveries of events settled", timeout_s)


def failed_deliveries(site: Site) -> int:
    """How often the emulator has seen a worker of events die or raise."""
    log = (site.stack.state / "emulator.log").read_text(errors="replace")
    return log.count(f"failed processing SQS batch from {QUEUE}")
