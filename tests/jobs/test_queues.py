"""What the SQS adapter sends, and how it tells an outage."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from chalicelib.errors import ConfigurationError, Unavailable
from chalicelib.jobs.queue import Message, SqsQueues
from chalicelib.settings import Settings


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.fixture
def queues() -> Iterator[SqsQueues]:
    with mock_aws():
        for name in ("sluice-test-events", "sluice-test-events-dlq"):
            boto3.client("sqs").create_queue(QueueName=name)
        yield SqsQueues(Settings(stage="test"))


def receive(name: str) -> list[tuple[str, dict[str, str]]]:
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    answer = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], MaxNumberOfMessages=10)
    return [
        (m["Body"], {name: value["StringValue"] for name, value in m.get("MessageAttributes", {}).items()})
        for m in answer.get("Messages", [])
    ]


def test_message_carries_id_kind_and_version_only(queues: SqsQueues) -> None:
    queues.send("events", Message("job-1", "echo"))
    assert receive("sluice-test-events") == [('{"id":"job-1","kind":"echo","v":1}', {})]


def test_buried_message_has_its_reason_beside_it(queues: SqsQueues) -> None:
    queues.bury("events", "broken", "not a job message")
    assert receive("sluice-test-events-dlq") == [("broken", {"reason": "not a job message"})]


def test_deleted_delivery_does_not_come_again_and_postponed_one_waits(queues: SqsQueues) -> None:
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="sluice-test-events")["QueueUrl"]
    queues.send("events", Message("job-1", "echo"))
    receipt = sqs.receive_message(QueueUrl=url, VisibilityTimeout=600)["Messages"][0]["ReceiptHandle"]
    queues.postpone("events", receipt, 0)
    again = sqs.receive_message(QueueUrl=url)["Messages"][0]
    queues.delete("events", again["ReceiptHandle"])
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (queue["ApproximateNumberOfMessages"], queue["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")


def test_queue_that_no_stage_has_is_a_configuration_error(queues: SqsQueues) -> None:
    with pytest.raises(ConfigurationError, match=r"queue must be one of .* got 'nowhere'"):
        queues.send("nowhere", Message("job-1", "echo"))


def test_queue_that_cannot_be_reached_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    # Port 9 (discard) of the loopback address: nothing listens there.
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9")
    with pytest.raises(Unavailable) as unavailable:
        SqsQueues(Settings(stage="test")).send("events", Message("job-1", "echo"))
    assert (unavailable.value.status, unavailable.value.retry_after_s) == (503, 5)
