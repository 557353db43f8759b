"""How many messages of a queue the emulator hands to a function at a time."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from localstack.emulator import Emulator, aws_session, running_emulator
from localstack.settings import Settings
from tests.localstack.tiny_project import wait_for

# It tells on another queue how many messages it was handed.
_FUNCTION = """
import boto3, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["TOLD"], MessageBody=str(len(event["Records"])))
"""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    state = tmp_path_factory.mktemp("batching")
    with running_emulator(Settings(root=state, state=state)) as running:
        yield running


class Work:
    """A queue with a function of its own, which is off until the messages are there: no test depends on their pace."""

    def __init__(self, emulator: Emulator, name: str, *, at_a_time: int, window_s: int) -> None:
        self._sqs: Any = aws_session().client("sqs", endpoint_url=emulator.endpoint)
        self._lambda: Any = aws_session().client("lambda", endpoint_url=emulator.endpoint)
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        self._told = self._sqs.create_queue(QueueName=f"{name}-told")["QueueUrl"]
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as bundle:
            bundle.writestr("app.py", _FUNCTION)
        self._lambda.create_function(
            FunctionName=name, Runtime="python3.12", Role="arn:aws:iam::000000000000:role/any", Handler="app.handler",
            Code={"ZipFile": code.getvalue()}, Timeout=20, Environment={"Variables": {"TOLD": self._told}},
        )  # fmt: skip
        self._mapping = self._lambda.create_event_source_mapping(
            EventSourceArn=f"arn:aws:sqs:us-east-1:000000000000:{name}", FunctionName=name, Enabled=False,
            BatchSize=at_a_time, MaximumBatchingWindowInSeconds=window_s, ScalingConfig={"MaximumConcurrency": 2},
        )["UUID"]  # fmt: skip

    def handed(self, count: int, body: str = "x") -> list[int]:
        """How many of so many messages came at a time, fewest first."""
        for first in range(0, count, 10):
            entries = [{"Id": str(n), "MessageBody": body} for n in range(first, min(first + 10, count))]
            answer = self._sqs.send_message_batch(QueueUrl=self._queue, Entries=entries)
            assert len(answer["Successful"]) == len(entries), answer.get("Failed")
        self._lambda.update_event_source_mapping(UUID=self._mapping, Enabled=True)
        told: list[int] = []

        def is_done() -> bool:
            answer = self._sqs.receive_message(QueueUrl=self._told, MaxNumberOfMessages=10)
            told.extend(int(each["Body"]) for each in answer.get("Messages", []))
            return sum(told) >= count

        wait_for(is_done, f"{count} messages at the function", timeout_s=60)
        return sorted(told)


def test_function_is_handed_as_many_messages_as_its_mapping_takes(emulator: Emulator) -> None:
    assert Work(emulator, "full", at_a_time=40, window_s=1).handed(80) == [40, 40]


def test_what_is_no_full_batch_comes_when_the_window_is_over(emulator: Emulator) -> None:
    assert Work(emulator, "rest", at_a_time=40, window_s=1).handed(45) == [5, 40]


def test_small_batches_are_as_small_as_before(emulator: Emulator) -> None:
    assert Work(emulator, "small", at_a_time=10, window_s=0).handed(25) == [5, 10, 10]


def test_batch_ends_where_an_invocation_would_be_too_large(emulator: Emulator) -> None:
    # 4 MiB hold 167 of 25,000 bytes.
    assert Work(emulator, "large", at_a_time=1_000, window_s=1).handed(200, body="x" * 25_000) == [33, 167]
