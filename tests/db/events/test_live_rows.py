"""Live rows from the request of an event through Postgres to the sockets: what is new alone, and never at a price."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from chalicelib import kinds
from chalicelib.accounts.tokens import issue_token
from chalicelib.api.http import Answer
from chalicelib.api.live import push_rows
from chalicelib.api.socket import answer, open_connection
from chalicelib.db.connect import Database
from chalicelib.errors import Unavailable
from chalicelib.jobs.memory import MemoryQueues
from chalicelib.jobs.queue import Delivery
from chalicelib.live import Live
from chalicelib.model import Caller
from chalicelib.storing import EventWorker
from tests.api.calls import Api, document
from tests.db.test_database import query
from tests.doubles import SECRET

NOW = 1_750_000_000
RULES = {
    "rules": [
        {"event": "user_login", "path": "userId", "type": "integer", "required": True},
        {"event": "user_login", "path": "email", "type": "text", "pii": "hash"},
    ]
}
LOGIN = {"eventName": "user_login", "userId": 123}


class Site:
    """The service over one database: an account with the app `shop`, its device, the worker, and sockets."""

    def __init__(self, database: Database, owner: int) -> None:
        self.api = Api(*kinds.registry("local"))
        self.runtime = self.api.runtime
        self.runtime.__dict__["database"] = database
        self.queues = self.api.parts.queues
        self.owner = issue_token(Caller(str(owner), "student"), secret=SECRET, now_s=NOW, ttl_s=3600)
        self.make_app("shop")

    def call(self, method: str, path: str, body: object = None) -> Answer:
        answer = self.api.call(method, path, body, authorization=f"Bearer {self.owner}")
        assert answer.status < 300, document(answer)
        return answer

    def make_app(self, app_id: str) -> None:
        self.call("POST", "/api/apps", {"app_id": app_id, "name": "App"})
        self.call("POST", f"/api/apps/{app_id}/rules", RULES)
        self.api.parts.clock.sleep(10)

    def send(self, *events: dict[str, Any], app_id: str = "shop") -> None:
        for event in events:
            assert self.api.call("POST", f"/api/logs/{app_id}", event).status in (202, 422)

    def batch(self, *events: dict[str, Any]) -> None:
        assert self.api.call("POST", "/api/logs/shop/batch", events).status == 202

    def watch(self, connection_id: str, *app_ids: str) -> None:
        assert open_connection(self.runtime, connection_id, query={"token": self.owner}, headers={}) == 200
        for app_id in app_ids:
            answer(self.runtime, connection_id, msgspec.json.encode({"action": "join", "app_id": app_id}).decode())
            assert self.heard(connection_id)[-1]["type"] == "joined"
        self.api.parts.clock.sleep(2)

    def work(self, *, times: int = 1) -> None:
        """Has the worker settle what is in its queue, as one batch; more than once, as when it comes again."""
        posted = [body for queue, body in self.queues.posted if queue == "events"]
        jobs = [msgspec.json.encode(message).decode() for message in self.queues.sent.pop("events", ())]
        self.queues.posted[:] = [one for one in self.queues.posted if one[0] != "events"]
        deliveries = [Delivery(f"d-{place}", body, f"r-{place}") for place, body in enumerate([*posted, *jobs])]
        for _ in range(times):
            EventWorker(self.runtime, kinds.registry("local")).settle(deliveries)

    def push(self) -> None:
        bodies = [body for queue, body in self.queues.posted if queue == "live"]
        self.queues.posted[:] = [one for one in self.queues.posted if one[0] != "live"]
        push_rows(self.runtime, bodies)

    def heard(self, connection_id: str) -> list[Any]:
        return self.runtime.gateway.sent.get(connection_id, [])

    def updates(self, connection_id: str) -> list[Any]:
        return [message for message in self.heard(connection_id) if message["type"] == "validation_update"]

    def logs(self, app_id: str = "shop") -> list[Any]:
        found: list[Any] = document(self.call("GET", f"/api/apps/{app_id}/logs"))["logs"]
        return found


@pytest.fixture
def site(database: Database, owner: int) -> Iterator[Site]:
    site = Site(database, owner)
    yield site
    site.runtime.database.close()


def test_rows_of_a_batch_are_one_message_and_the_same_as_in_the_logs(site: Site) -> None:
    site.watch("ann", "shop")
    site.send(LOGIN, {"eventName": "User_Login", "userId": "x", "email": "ann@example.org"}, {"eventName": "other"})
    site.work()
    site.push()
    (update,) = site.updates("ann")
    assert (update["app_id"], update["stored"], update["is_complete"]) == ("shop", 3, True)
    assert update["logs"] == site.logs()
    assert [row["validation_status"] for row in update["logs"]] == ["no_rules", "invalid", "valid"]
    assert "ann@example.org" not in str(update)
    assert "sha256:" in str(update)


def test_bodies_that_are_not_kept_are_in_no_row(site: Site) -> None:
    site.call("PUT", "/api/apps/shop", {"keep_bodies_per_minute": 0})
    site.api.parts.clock.sleep(10)
    site.watch("ann", "shop")
    site.send(LOGIN, {"eventName": "user_login", "userId": "x"})
    site.work()
    site.push()
    (update,) = site.updates("ann")
    assert update["logs"] == site.logs()
    assert [row["payload"] for row in update["logs"]] == [{"eventName": "user_login", "userId": "x"}, None]


def test_each_app_has_a_message_of_its_own_and_only_for_who_watches_it(site: Site) -> None:
    site.make_app("bank")
    site.make_app("mill")
    site.watch("ann", "shop", "bank")
    site.watch("bob", "bank")
    for app_id in ("shop", "bank", "mill"):
        site.send(LOGIN, LOGIN, app_id=app_id)
    site.work()
    assert [queue for queue, _ in site.queues.posted] == ["live", "live"]
    site.push()
    assert [(one["app_id"], one["logs"]) for one in site.updates("ann")] == [
        ("shop", site.logs("shop")),
        ("bank", site.logs("bank")),
    ]
    assert [one["app_id"] for one in site.updates("bob")] == ["bank"]


def test_only_what_is_new_is_pushed(site: Site) -> None:
    site.watch("ann", "shop")
    site.send(LOGIN | {"messageId": "a"}, LOGIN | {"messageId": "a"}, LOGIN | {"messageId": "b"})
    site.work()
    # The same again, later; another event under a known id; and one that is new.
    site.send(LOGIN | {"messageId": "a"}, LOGIN | {"messageId": "b", "userId": 9}, LOGIN | {"messageId": "c"})
    site.work()
    site.send(LOGIN | {"messageId": "c"})
    site.work()
    site.push()
    assert [[row["message_id"] for row in one["logs"]] for one in site.updates("ann")] == [["b", "a"], ["c"]]


def test_delivery_that_comes_again_pushes_nothing_again(site: Site) -> None:
    site.watch("ann", "shop")
    site.send(LOGIN, LOGIN)
    site.work(times=3)
    site.push()
    assert [one["stored"] for one in site.updates("ann")] == [2]


def test_rows_of_a_batch_request_are_pushed_as_well(site: Site) -> None:
    site.watch("ann", "shop")
    site.batch(LOGIN | {"messageId": "a"}, LOGIN | {"messageId": "b"}, LOGIN | {"messageId": "a"})
    site.work()
    site.push()
    (update,) = site.updates("ann")
    assert update["logs"] == site.logs()
    assert update["stored"] == 2


def test_event_that_cannot_be_stored_is_not_pushed_and_the_others_are(site: Site) -> None:
    site.watch("ann", "shop")
    site.send(LOGIN | {"messageId": "good"}, LOGIN | {"messageId": "bad"})
    queue, body = site.queues.posted[1]
    # As no request can bring it: Postgres has no place for U+0000.
    site.queues.posted[1] = queue, body.replace('"userId":123', '"userId":"\\u0000"')
    site.work()
    site.push()
    assert [row["message_id"] for one in site.updates("ann") for row in one["logs"]] == ["good"]


class NoLiveQueue(MemoryQueues):
    """Queues of which the one of live rows cannot be reached."""

    def post(self, queue: str, body: str) -> None:
        if queue == "live":
            raise Unavailable("the job queue cannot be reached")
        super().post(queue, body)


@pytest.mark.parametrize("away", ["watchers", "queue"])
def test_events_are_stored_and_acknowledged_while_nothing_can_be_pushed(site: Site, dsn: str, away: str) -> None:
    site.watch("ann", "shop")
    if away == "watchers":
        site.runtime.watchers.is_away = True
    else:
        site.runtime.__dict__["live"] = Live(site.runtime.watchers, NoLiveQueue(), site.runtime.clock)
    site.send(LOGIN, LOGIN)
    # Raises where some must come again.
    site.work()
    assert query(dsn, "SELECT count(*) FROM log_entries") == [(2,)]
    assert site.updates("ann") == []


def test_app_that_nobody_watches_puts_nothing_on_the_queue(site: Site) -> None:
    site.send(LOGIN)
    site.work()
    assert site.queues.posted == []


def test_who_watches_hears_of_the_end_of_the_app_and_nothing_of_one_of_the_same_name(site: Site) -> None:
    site.watch("ann", "shop")
    site.call("DELETE", "/api/apps/shop")
    site.push()
    assert site.heard("ann")[-1] == {"type": "left", "app_id": "shop", "message": "the app was removed"}
    site.make_app("shop")
    site.send(LOGIN)
    site.work()
    site.push()
    assert site.updates("ann") == []
