"""What queues on SQS and in memory both keep, what the SQS adapter sends, and how it tells an outage."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from chalicelib.errors import ConfigurationError, Conflict, Unavailable
from chalicelib.jobs.memory import MemoryQueues
from chalicelib.jobs.queue import Depth, Message, Queues, SqsQueues
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


def test_message_that_is_to_wait_is_hidden_until_then(queues: SqsQueues) -> None:
    queues.send("events", Message("job-1", "echo"), delay_s=900)
    assert receive("sluice-test-events") == []
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="sluice-test-events")["QueueUrl"]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessagesDelayed"] == "1"


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


@pytest.mark.parametrize("look", ["depth", "is_paused"])
def test_queue_that_cannot_be_reached_cannot_be_looked_at(look: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        getattr(SqsQueues(Settings(stage="test")), look)("events")


def add_worker(queue: str) -> None:
    """A function that works on the queue."""
    role = boto3.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("app.py", "")
    api = boto3.client("lambda")
    api.create_function(
        FunctionName="work", Role=role, Runtime="python3.12", Handler="app.work", Code={"ZipFile": archive.getvalue()}
    )
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    api.create_event_source_mapping(EventSourceArn=arn, FunctionName="work")


@pytest.fixture(params=["SqsQueues", "MemoryQueues"])
def either(request: pytest.FixtureRequest) -> Iterator[Queues]:
    """Queues on SQS, and in memory."""
    if request.param == "MemoryQueues":
        yield MemoryQueues()
        return
    with mock_aws():
        for name in ("sluice-test-events", "sluice-test-events-dlq"):
            boto3.client("sqs").create_queue(QueueName=name)
        yield SqsQueues(Settings(stage="test"))


def test_depth_counts_what_waits_and_what_was_given_up(either: Queues) -> None:
    assert either.depth("events") == Depth(waiting=0, in_flight=0, dead=0)
    for number in range(3):
        either.send("events", Message(f"job-{number}", "echo"))
    either.bury("events", "broken", "not a job message")
    assert either.depth("events") == Depth(waiting=3, in_flight=0, dead=1)


def test_dead_messages_are_shown_up_to_a_limit_and_taken_out_one_by_one(either: Queues) -> None:
    for number in range(12):
        either.bury("events", f"broken {number}", "not a job message")
    deliveries = either.dead("events", 11)
    assert len({delivery.body for delivery in deliveries}) == 11
    for delivery in deliveries:
        either.delete_dead("events", delivery.receipt)
    assert either.depth("events") == Depth(waiting=0, in_flight=0, dead=1)


def test_dead_messages_that_are_looked_at_still_count(either: Queues) -> None:
    either.bury("events", "broken", "not a job message")
    (letter,) = either.dead("events", 10, hidden_s=0)
    assert (letter.body, letter.reason) == ("broken", "not a job message")
    assert either.depth("events").dead == 1


def test_dead_messages_that_come_again_while_they_are_looked_at_are_shown_once(either: Queues) -> None:
    for number in range(3):
        either.bury("events", f"broken {number}", "not a job message")
    letters = either.dead("events", 50, hidden_s=0)
    assert sorted(letter.body for letter in letters) == ["broken 0", "broken 1", "broken 2"]


def test_dead_message_has_the_time_that_it_was_sent(queues: SqsQueues) -> None:
    before_ms = int(time.time() * 1000)
    queues.bury("events", "broken", "not a job message")
    (letter,) = queues.dead("events", 10)
    assert before_ms - 1_000 <= letter.sent_ms <= int(time.time() * 1000) + 1_000


def test_purged_queue_is_empty_and_its_dead_letters_stay(either: Queues) -> None:
    either.send("events", Message("job-1", "echo"))
    either.bury("events", "broken", "not a job message")
    either.purge("events")
    assert either.depth("events") == Depth(waiting=0, in_flight=0, dead=1)


def test_queue_is_paused_until_it_is_resumed_however_often_each_is_asked(either: Queues) -> None:
    if isinstance(either, SqsQueues):
        add_worker("sluice-test-events")
    seen = [either.is_paused("events")]
    for switch in (either.pause, either.pause, either.resume, either.resume):
        switch("events")
        seen.append(either.is_paused("events"))
    assert seen == [False, True, True, False, False]


def test_queue_without_workers_is_not_paused_and_cannot_be(queues: SqsQueues) -> None:
    assert queues.is_paused("events") is False
    with pytest.raises(Conflict, match="the queue events has no workers to switch off"):
        queues.pause("events")
