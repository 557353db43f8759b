"""What a fault test does to a running stack: look at its queues, end its workers, invoke its functions."""

from __future__ import annotations

import json
import os
import re
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from chalicelib.db.connect import connect
from chalicelib.errors import Unavailable
from localstack.emulator import aws_session
from localstack.run import LocalStack
from localstack.supervise import wait_until_up
from tests.e2e.client import Client
from tests.faults.proxy import FaultProxy

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

SIMULATIONS = "sluice-local-simulations"
# What EventBridge hands to a function on a schedule.
_SCHEDULED = {
    "version": "0", "id": "by-hand", "account": "000000000000", "region": "us-east-1", "time": "2000-01-01T00:00:00Z",
    "source": "aws.events", "detail-type": "Scheduled Event", "resources": [], "detail": {},
}  # fmt: skip
_ID, _TOKEN = re.compile(rb'"id": \{"S": "([^"]+)"\}'), re.compile(rb'"ClientRequestToken": "([^"]+)"')
SMALL = {"tpSamples": [1], "numberOfTasks": 1}


@dataclass
class Site:
    """A stack, the proxies before two of its services, and the folder that tells its functions wrong times."""

    stack: LocalStack
    sqs_proxy: FaultProxy
    dynamodb_proxy: FaultProxy
    clocks: Path

    @cached_property
    def client(self) -> Client:
        return Client(self.stack.url)

    @cached_property
    def demo(self) -> Client:
        return self.client.login("demo@sluice.test", "demo-password")

    @cached_property
    def sqs(self) -> SQSClient:
        """Straight to the emulator."""
        api: SQSClient = aws_session().client("sqs", endpoint_url=self.stack.endpoint)
        return api

    @cached_property
    def _lambda(self) -> Any:  # of boto3, whose calls are few here
        return aws_session().client("lambda", endpoint_url=self.stack.endpoint)

    def function(self, name: str) -> str:
        """The name that CloudFormation gave to the function."""
        functions = self._lambda.list_functions()["Functions"]
        (found,) = (f["FunctionName"] for f in functions if f["Handler"] == f"app.{name}")
        return str(found)

    def sweep(self) -> None:
        """Runs the sweeper as its schedule does."""
        answer = self._lambda.invoke(FunctionName=self.function("sweep"), Payload=json.dumps(_SCHEDULED))
        assert "FunctionError" not in answer, answer["Payload"].read()

    def workers(self, name: str = "work_simulations") -> list[psutil.Process]:
        """The processes of this stack that run a function; by default jobs of the simulations queue."""
        function = self.function(name)
        (emulator,) = (child.pid for child in self.stack.children if "emulator" in child.program.name)
        found = []
        for process in psutil.Process(emulator).children(recursive=True):
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if any(f"ministack-lambda-{function}-" in part for part in process.cmdline()):
                    found.append(process)
        return found

    def kill_workers(self, name: str = "work_simulations") -> int:
        """Ends all of them by SIGKILL and answers how many there were."""
        workers = self.workers(name)
        for process in workers:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        return len(workers)

    @contextmanager
    def wrong_clocks(self, *errors_s: float) -> Iterator[None]:
        """Has workers whose clocks are wrong by so much, in turn, inside the block."""
        file = self.clocks / self.function("work_simulations")
        self.kill_workers()
        file.write_text(" ".join(map(str, errors_s)))
        try:
            yield
        finally:
            file.unlink()
            self.kill_workers()

    @contextmanager
    def database_stopped(self, how: signal.Signals) -> Iterator[None]:
        """Ends the server before the block, and starts it after it."""
        (server,) = (child for child in self.stack.children if child.program.name == "PostgreSQL")
        os.kill(server.pid, how)
        server.wait(timeout_s=20)
        server.stop()
        try:
            yield
        finally:
            server.start()
            wait_until_up(server, self._database_answers, timeout_s=30)

    def _database_answers(self) -> bool:
        try:
            connect(self.stack.database_url).close()
        except Unavailable:
            return False
        return True

    def url(self, queue: str) -> str:
        return self.sqs.get_queue_url(QueueName=queue)["QueueUrl"]

    def send(self, body: str) -> None:
        """Puts any text on the simulations queue."""
        self.sqs.send_message(QueueUrl=self.url(SIMULATIONS), MessageBody=body)

    def count(self, queue: str, *, hidden: bool = False) -> int:
        """The messages that wait in the queue, or that somebody has received and not yet settled."""
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url(queue), AttributeNames=["All"])["Attributes"]
        if hidden:
            return int(attributes["ApproximateNumberOfMessagesNotVisible"])
        return int(attributes["ApproximateNumberOfMessages"])

    def dead_letters(self, queue: str = SIMULATIONS) -> dict[str, str]:
        """Takes what is in the dead-letter queue: body -> reason."""
        url = self.url(f"{queue}-dlq")
        letters: dict[str, str] = {}
        while True:
            answer = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
            if not answer.get("Messages"):
                return letters
            for message in answer["Messages"]:
                letters[message["Body"]] = message["MessageAttributes"]["reason"]["StringValue"]
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def finishes(self) -> Counter[str]:
        """How often each job was finished. A transaction sent again because its answer was lost is the same one."""
        requests = self.dynamodb_proxy.requests(b"TransactWriteItems", b'":to": {"S": "SUCCESS"}')
        found = ((_ID.search(request), _TOKEN.search(request)) for request in requests)
        distinct = {(task_id[1].decode(), token[1]) for task_id, token in found if task_id and token}
        return Counter(task_id for task_id, _ in distinct)

    def jobs_in(self, *needles: bytes) -> list[str]:
        """The jobs of the answered requests to DynamoDB that hold all needles, one for each request."""
        found = (_ID.search(request) for request in self.dynamodb_proxy.requests(*needles))
        return [task_id[1].decode() for task_id in found if task_id]

    def submit_until_accepted(self, path: str, body: object) -> str:
        """Submits as a careful client does: told 503, it asks again under the same key."""
        key = str(uuid.uuid4())
        for _ in range(20):
            answer = self.client.call("POST", path, body, Idempotency_Key=key)
            if answer.status == 202:
                return str(answer.body["task_id"])
            assert answer.status == 503, answer
            time.sleep(1)
        raise AssertionError(f"not accepted 20 times: {answer}")

    def own_tasks(self) -> list[str]:
        """The ids in the demo account's list."""
        return [task["task_id"] for task in self.demo.call("GET", "/api/tasks?limit=200").body["tasks"]]


def wait_for(is_so: Callable[[], bool], what: str, timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.05)


def say(text: str) -> None:
    """Shows a count that was measured; `pytest -s` lets it through."""
    print(f"\n  {text}", flush=True)  # noqa: T201
