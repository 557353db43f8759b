"""The messages that jobs travel in, and the SQS queues that carry them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import msgspec

from chalicelib.jobs.clients import client, outages
from chalicelib.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

VERSION = 1


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


class Queues(Protocol):
    """Carries messages; all methods raise Unavailable on an outage."""

    def send(self, queue: str, message: Message) -> None:
        """Puts the message on one of settings.QUEUES."""

    def delete(self, queue: str, receipt: str) -> None:
        """Acknowledges one delivery by hand."""

    def postpone(self, queue: str, receipt: str, seconds: int) -> None:
        """Hides a delivery for so long before it comes again."""

    def bury(self, queue: str, body: str, reason: str) -> None:
        """Puts a message that can never be worked on into the dead-letter queue, with the reason beside it."""


class SqsQueues:
    """Queues on SQS."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._urls: dict[str, str] = {}

    def send(self, queue: str, message: Message) -> None:
        with outages("the job queue"):
            self._sqs.send_message(QueueUrl=self._url(queue), MessageBody=msgspec.json.encode(message).decode())

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
                QueueUrl=self._url(queue, "-dlq"),
                MessageBody=body,
                MessageAttributes={"reason": {"DataType": "String", "StringValue": reason[:500]}},
            )

    @cached_property
    def _sqs(self) -> SQSClient:
        api: SQSClient = client("sqs", read_timeout_s=1)
        return api

    def _url(self, queue: str, suffix: str = "") -> str:
        name = self._settings.queue_name(queue) + suffix
        if name not in self._urls:
            self._urls[name] = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        return self._urls[name]
