"""The messages that jobs travel in, and the SQS queues that carry them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import msgspec

from chalicelib.errors import Conflict
from chalicelib.jobs.clients import client, outages
from chalicelib.jobs.mappings import Mappings
from chalicelib.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import MessageTypeDef

VERSION = 1
_DEAD = "-dlq"
_REASON = "reason"
_WAITING: QueueAttributeNameType = "ApproximateNumberOfMessages"
_IN_FLIGHT: QueueAttributeNameType = "ApproximateNumberOfMessagesNotVisible"
# How long dead messages stay hidden from others while they are worked on, and while they are only looked at.
HIDDEN_S, LOOK_S = 60, 1
# After so many answers without a new one there are taken to be no more.
_EMPTY_POLLS = 3


class Header(msgspec.Struct, frozen=True):
    """What a message of every version has, so that each release can tell which job it is of."""

    id: str
    v: int = VERSION


class Posted(msgspec.Struct, frozen=True):
    """What a message has that is no job's: `type` says whose it is."""

    type: str


class Message(msgspec.Struct, frozen=True):
    """All that travels: the job's id and kind; everything else is in the store."""

    id: str
    kind: str
    v: int = VERSION


class Delivery(msgspec.Struct, frozen=True):
    """One message as a worker receives it."""

    message_id: str
    body: str
    receipt: str
    receive_count: int = 1
    # Of a dead one: why it was given up, where a worker said so, and when it was sent.
    reason: str = ""
    sent_ms: int = 0


class Depth(msgspec.Struct, frozen=True):
    """About how many messages a queue holds: to be delivered, delivered and not settled, given up."""

    waiting: int
    in_flight: int
    dead: int


class Queues(Protocol):
    """Carries messages; all methods raise Unavailable on an outage."""

    def send(self, queue: str, message: Message, *, delay_s: int = 0) -> None:
        """Puts the message on one of settings.QUEUES, hidden for at most 900 seconds."""

    def post(self, queue: str, body: str) -> None:
        """Puts a message that is no job's, but has a type (see Posted), on a queue whose worker knows it."""

    def delete(self, queue: str, receipt: str) -> None:
        """Acknowledges one delivery by hand."""

    def postpone(self, queue: str, receipt: str, seconds: int) -> None:
        """Hides a delivery for so long before it comes again."""

    def bury(self, queue: str, body: str, reason: str) -> None:
        """Puts a message that can never be worked on into the dead-letter queue, with the reason beside it."""

    def depth(self, queue: str) -> Depth:
        """How full the queue and its dead-letter queue are."""

    def dead(self, queue: str, limit: int, *, hidden_s: int = HIDDEN_S) -> list[Delivery]:
        """Up to `limit` messages of the dead-letter queue, which others do not get for so long."""

    def delete_dead(self, queue: str, receipt: str) -> None:
        """Takes one of them out of the dead-letter queue."""

    def purge(self, queue: str) -> None:
        """Drops every message of the queue; raises Conflict where that was done less than a minute ago."""

    def is_paused(self, queue: str) -> bool:
        """Whether the queue's workers are switched off; false for a queue without workers."""

    def pause(self, queue: str) -> None:
        """Switches them off; raises Conflict where there are none."""

    def resume(self, queue: str) -> None:
        """Switches them on; raises Conflict where there are none."""


class SqsQueues:
    """Queues on SQS."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._urls: dict[str, str] = {}
        self._mappings = Mappings()

    def send(self, queue: str, message: Message, *, delay_s: int = 0) -> None:
        with outages("the job queue"):
            self._sqs.send_message(
                QueueUrl=self._url(queue), MessageBody=msgspec.json.encode(message).decode(), DelaySeconds=delay_s
            )

    def post(self, queue: str, body: str) -> None:
        with outages("the job queue"):
            self._sqs.send_message(QueueUrl=self._url(queue), MessageBody=body)

    def delete(self, queue: str, receipt: str) -> None:
        with outages("the job queue"):
            self._sqs.delete_message(QueueUrl=self._url(queue), ReceiptHandle=receipt)

    def postpone(self, queue: str, receipt: str, seconds: int) -> None:
        with outages("the job queue"):
            self._sqs.change_message_visibility(
                QueueUrl=self._url(queue), ReceiptHandle=receipt, VisibilityTimeout=seconds
            )

    def bury(self, queue: str, body: str, reason: str) -> None:
        with outages("the dead-letter queue"):
            self._sqs.send_message(
                QueueUrl=self._url(queue, _DEAD),
                MessageBody=body,
                MessageAttributes={_REASON: {"DataType": "String", "StringValue": reason[:500]}},
            )

    def depth(self, queue: str) -> Depth:
        own, dead = self._counts(queue), self._counts(queue, _DEAD)
        return Depth(waiting=own[0], in_flight=own[1], dead=sum(dead))

    def dead(self, queue: str, limit: int, *, hidden_s: int = HIDDEN_S) -> list[Delivery]:
        found: dict[str, Delivery] = {}
        empty = 0
        # A short poll asks some of SQS's servers only, so one empty answer does not mean that there are no more.
        while len(found) < limit and empty < _EMPTY_POLLS:
            with outages("the dead-letter queue"):
                answer = self._sqs.receive_message(
                    QueueUrl=self._url(queue, _DEAD),
                    MaxNumberOfMessages=min(10, limit - len(found)),
                    VisibilityTimeout=hidden_s,
                    MessageAttributeNames=[_REASON],
                    MessageSystemAttributeNames=["SentTimestamp"],
                )
            # One that is shown again before all have come replaces itself.
            before = len(found)
            found |= {one["MessageId"]: _dead(one) for one in answer.get("Messages", [])}
            empty = 0 if len(found) > before else empty + 1
        return list(found.values())

    def delete_dead(self, queue: str, receipt: str) -> None:
        with outages("the dead-letter queue"):
            self._sqs.delete_message(QueueUrl=self._url(queue, _DEAD), ReceiptHandle=receipt)

    def purge(self, queue: str) -> None:
        with outages("the job queue"):
            try:
                self._sqs.purge_queue(QueueUrl=self._url(queue))
            except self._sqs.exceptions.PurgeQueueInProgress:
                raise Conflict(f"the queue {queue} was purged less than a minute ago; try again later") from None

    def is_paused(self, queue: str) -> bool:
        mapping = self._mappings.find(self._arn(queue))
        return mapping is not None and not mapping.is_enabled

    def pause(self, queue: str) -> None:
        self._switch(queue, on=False)

    def resume(self, queue: str) -> None:
        self._switch(queue, on=True)

    def _switch(self, queue: str, *, on: bool) -> None:
        mapping = self._mappings.find(self._arn(queue))
        if mapping is None:
            raise Conflict(f"the queue {queue} has no workers to switch {'on' if on else 'off'}")
        if mapping.is_enabled is not on:
            self._mappings.switch(mapping, on=on)

    def _arn(self, queue: str) -> str:
        with outages("the job queue"):
            answer = self._sqs.get_queue_attributes(QueueUrl=self._url(queue), AttributeNames=["QueueArn"])
        return answer["Attributes"]["QueueArn"]

    def _counts(self, queue: str, suffix: str = "") -> tuple[int, int]:
        """About how many messages wait and are in flight."""
        with outages("the job queue"):
            answer = self._sqs.get_queue_attributes(
                QueueUrl=self._url(queue, suffix), AttributeNames=[_WAITING, _IN_FLIGHT]
            )
        return int(answer["Attributes"][_WAITING]), int(answer["Attributes"][_IN_FLIGHT])

    @cached_property
    def _sqs(self) -> SQSClient:
        # Twice this and a pause of up to 1 s between the two tries: a submit is refused within 2 s.
        api: SQSClient = client("sqs", read_timeout_s=0.5)
        return api

    def _url(self, queue: str, suffix: str = "") -> str:
        name = self._settings.queue_name(queue) + suffix
        if name not in self._urls:
            self._urls[name] = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        return self._urls[name]


def _dead(message: MessageTypeDef) -> Delivery:
    reason = message.get("MessageAttributes", {}).get(_REASON)
    return Delivery(
        message["MessageId"],
        message["Body"],
        message["ReceiptHandle"],
        reason=reason.get("StringValue", "") if reason else "",
        sent_ms=int(message.get("Attributes", {}).get("SentTimestamp", 0)),
    )
