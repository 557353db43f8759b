"""Poison among events: what Postgres refuses and what is no event is given up with its reason, and nothing else is."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from chalicelib.events.ids import Receipt, sign
from tests.faults.events import EVENTS, QUEUE, Sender, wait_until_settled
from tests.faults.site import Site, say

ACCEPTED_MS, NEVER_MS = 1_800_000_000_000, 10**18
NULS = 10
NOT_A_MESSAGE = (
    "{not json",
    "[]",
    '{"type":"events"}',
    '{"type":"events","app":"x","accepted_ms":1,"events":[]}',
    '{"type":"trains","app":1,"accepted_ms":1,"events":[]}',
    '{"type":"events","app":1,"accepted_ms":1,"events":' + "[" * 3000 + "]" * 3000 + "}",
    '{"type":"events","app":1,"accepted_ms":1,"events":[["m","e","valid",true,1,{"number":1e400},[]]]}',
)
UNKNOWN = '{"id":"00000000000000000000000000000000","kind":"alchemy","v":1}'
NUL = "the database refuses the event: unsupported Unicode escape sequence"
ODD = (
    'the database refuses the event: new row for relation "log_entries_other" violates check constraint '
    '"log_entries_status_check"'
)
REASONS = {
    NUL: NULS,
    ODD: 1,
    "the database refuses the event: it has no such time": 1,
    "not a job message": len(NOT_A_MESSAGE),
    "unknown kind alchemy": 1,
}


def test_poison_is_given_up_with_its_reason_and_takes_no_event_with_it(site: Site) -> None:
    sender, half = Sender(site), EVENTS // 2
    sender.send_all(range(half))
    sender.send_rest(range(half))
    app = number_of_app(site, sender)
    nuls = [sender.event(-number) | {"note": "\0"} for number in range(1, NULS + 1)]
    odd = sender.event(-100)
    # One poisoned event has good ones before and after it in its message.
    good = [taken(sender.event(number)) for number in range(EVENTS, EVENTS + 4)]
    messages = [
        message(app, *good[:2], taken(nuls[0]), *good[2:]),
        *(message(app, taken(event)) for event in nuls[1:]),
        message(app, taken(sender.event(-101)), accepted_ms=NEVER_MS),
        message(app, taken(odd, status="odd")),
        *NOT_A_MESSAGE,
        UNKNOWN,
    ]
    for body in messages:
        site.sqs.send_message(QueueUrl=site.url(QUEUE), MessageBody=body)
    sender.send_all(range(half, EVENTS))
    sender.send_rest(range(EVENTS))
    sender.accepted.update(range(EVENTS, EVENTS + len(good)))
    sender.wait_until_stored(120)
    wait_until_settled(site)
    buried, count = site.count(f"{QUEUE}-dlq"), sender.count()
    letters = site.dead_letters(QUEUE)
    tasks = [task(site, app, event) for event in (*nuls, odd)]
    say(
        f"{len(messages)} poison messages among {EVENTS + len(good)} events: {count}; {buried} dead letters with "
        f"{len(set(letters.values()))} reasons, tasks {dict(Counter(each['state'] for each in tasks))}"
    )
    assert (count.accepted, count.lost, count.doubled, count.unasked) == (EVENTS + len(good), 0, 0, 0)
    assert (buried, Counter(letters.values())) == (len(messages), Counter(REASONS))
    assert [(each["state"], each["error"]) for each in tasks] == [("FAILURE", NUL)] * NULS + [("FAILURE", ODD)]


def number_of_app(site: Site, sender: Sender) -> int:
    """What the queue calls the app that the sender sends to."""
    sent = site.sqs_proxy.requests(b"AmazonSQS.SendMessage\n", sender.name.encode())[0]
    app: int = json.loads(json.loads(sent.split(b"\n", 1)[1])["MessageBody"])["app"]
    return app


def taken(event: dict[str, Any], *, status: str = "valid") -> list[Any]:  # JSON
    """An event as the queue carries it, of which no request could make some."""
    return [event["messageId"], "user_login", status, True, 1, event, []]


def message(app: int, *events: list[Any], accepted_ms: int = ACCEPTED_MS) -> str:
    return json.dumps({"type": "events", "app": app, "accepted_ms": accepted_ms, "events": events, "v": 1})


def task(site: Site, app: int, event: dict[str, Any]) -> Any:  # a JSON object
    """The task of an event, by the id that its app would have been told."""
    receipt = Receipt(app, event["messageId"], ACCEPTED_MS)
    return site.client.call("GET", f"/api/tasks/{sign(receipt, (site.stack.state / 'token-secret').read_bytes())}").body
