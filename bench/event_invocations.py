"""Queued events as Lambda hands them to the worker: invocations of so many SQS messages, each of one event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import msgspec

from chalicelib.db.events.writer import NewEvent
from chalicelib.events.taken import EventMessage, TakenEvent

_QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:sluice-local-events"


def message(event: NewEvent) -> str:
    """What ingest puts on the queue for one event."""
    taken = TakenEvent(
        message_id=event.message_id,
        name=event.name,
        status=event.status,
        is_user=event.is_user,
        rules_version=event.rules_version,
        body=msgspec.Raw(event.body.encode()),
        results=msgspec.Raw(event.results.encode()),
    )
    return msgspec.json.encode(EventMessage(app=event.app, accepted_ms=event.accepted_ms, events=(taken,))).decode()


def invocation(bodies: Sequence[str], first: int = 0) -> dict[str, Any]:  # Lambda's own JSON
    """The worker's event with these messages; `first` is the number of the first of them."""
    return {"Records": [_record(body, first + place) for place, body in enumerate(bodies)]}


def write_invocations(events: Iterable[NewEvent], size: int, files: Sequence[Path]) -> None:
    """Writes invocations of `size` events to the files in turn, one in a line."""
    with ExitStack() as stack:
        outs = [stack.enter_context(file.open("wb")) for file in files]
        for (number, batch), out in zip(enumerate(_batches(events, size)), cycle(outs), strict=False):
            out.write(msgspec.json.encode(invocation([message(event) for event in batch], number * size)) + b"\n")


def _batches(events: Iterable[NewEvent], size: int) -> Iterator[list[NewEvent]]:
    rest = iter(events)
    while batch := list(islice(rest, size)):
        yield batch


def _record(body: str, number: int) -> dict[str, Any]:  # Lambda's own JSON
    return {
        "messageId": f"00000000-0000-4000-8000-{number:012d}",
        "receiptHandle": f"receipt-{number}",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1800000000000",
            "SenderId": "000000000000",
            "ApproximateFirstReceiveTimestamp": "1800000000000",
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": _QUEUE_ARN,
        "awsRegion": "us-east-1",
    }
