"""Alerts through the whole stack: an import, the queues, the workers, and a server that is called."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from typing import Any, NamedTuple

import pytest

from localstack.run import LocalStack
from tests.e2e.client import Client
from tests.e2e.test_contracts import admin, send

__all__ = ["admin"]

SEARCHES = "/api/v1/contracts/saved-searches"


class Called(NamedTuple):
    """What a webhook was sent."""

    headers: dict[str, str]
    body: bytes


class Hook(NamedTuple):
    """A server that takes whatever is sent to it."""

    url: str
    calls: Queue[Called]


@pytest.fixture
def hook() -> Iterator[Hook]:
    calls: Queue[Called] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            calls.put(Called(dict(self.headers), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Hook(f"http://127.0.0.1:{server.server_address[1]}/alerts", calls)
        server.shutdown()
        thread.join(5)


@pytest.fixture
def demo(stack: LocalStack) -> Client:
    return Client(stack.url).login("demo@sluice.test", "demo-password")


def save(demo: Client, **fields: object) -> Any:  # a saved search
    reply = demo.call("POST", SEARCHES, {"name": f"search {time.monotonic_ns()}"} | fields)
    assert reply.status == 201, reply
    return reply.body


def told(demo: Client, search: Any) -> Any:  # alerts
    """The alerts of a search once one is there and none waits."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        alerts = demo.call("GET", f"{SEARCHES}/{search['id']}/alerts").body
        if alerts and all(alert["delivery"] != "waiting" for alert in alerts):
            return alerts
        time.sleep(0.1)
    raise AssertionError(f"nothing was told: {alerts}")


def award(number: int, title: str) -> dict[str, str]:
    return {
        "contract_number": str(number),
        "award_title": title,
        "contract_amount": str(100 * number),
        "awardee_name": "Acme",
        "award_date": f"2024-01-{number:02}",
    }


def test_new_version_is_told_to_a_webhook_once_with_a_signature(demo: Client, admin: Client, hook: Hook) -> None:
    title = f"bridge no {time.monotonic_ns()}"
    assert send(admin, [award(1, title), award(2, "road")])["state"] == "SUCCESS"
    search = save(demo, filters={"keywords": [title]}, channel="webhook", target=hook.url)
    assert send(admin, [award(number, title) for number in range(1, 4)])["state"] == "SUCCESS"
    (alert,) = told(demo, search)
    assert (alert["new_matches"], alert["delivery"]) == (2, "sent")
    called = hook.calls.get(timeout=10)
    said = json.loads(called.body)
    assert said["id"] == called.headers["X-Sluice-Delivery"] == str(alert["id"])
    assert [row["contract_no"] for row in said["contracts"]] == ["3", "2"]
    signed = called.headers["X-Sluice-Timestamp"].encode() + b"." + called.body
    digest = hmac.new(search["secret"].encode(), signed, hashlib.sha256).hexdigest()
    assert called.headers["X-Sluice-Signature"] == f"sha256={digest}"
    with pytest.raises(Empty):
        hook.calls.get(timeout=1)


def test_test_message_comes_by_mail(demo: Client, stack: LocalStack) -> None:
    search = save(demo, filters={}, channel="email")
    task = demo.wait(demo.submit(f"{SEARCHES}/{search['id']}/test", None))
    assert task["state"] == "SUCCESS", task
    with urllib.request.urlopen(f"{stack.endpoint}/_ministack/ses/messages", timeout=10) as inbox:
        (account,) = json.load(inbox)["messages"].values()
    mails = [mail for mail in account if mail["Subject"].endswith(search["name"])]
    assert [(mail["Source"], mail["To"]) for mail in mails] == [("alerts@sluice.test", ["demo@sluice.test"])]
