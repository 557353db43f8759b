"""CPU of one submit in the API's Lambda handler, and the AWS calls of a submit, a poll and a run.

AWS is cut off below botocore: requests are built, signed and serialised as ever, then answered by a canned response
instead of a socket. The bar is 2 ms of CPU at the median; a bare GET /api/health through the same handler is the
yardstick of the same run.
"""

from __future__ import annotations

import json
import logging
import os
import statistics
import time
from collections import Counter
from contextlib import redirect_stdout
from typing import Any

ROUNDS = 2000
# Where the metrics go.
NOWHERE = open(os.devnull, "w")  # noqa: SIM115 - until the end
BAR_MS = 2.0
os.environ |= {
    "STAGE": "prod",
    "PUBLIC_FORECASTS": "true",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
}

from botocore.awsrequest import AWSResponse, HTTPHeaders  # noqa: E402 - the environment decides what these read

import app  # noqa: E402
from chalicelib.jobs.dynamo import DynamoStore  # noqa: E402
from chalicelib.jobs.queue import Delivery, SqsQueues  # noqa: E402
from chalicelib.jobs.worker import Worker  # noqa: E402

FORECAST = {"tpSamples": [5, 6, 7, 8, 5, 6, 4, 7, 9, 6, 8, 5], "numberOfTasks": 50, "totalContributors": 5}
JOB = {
    "id": {"S": "job-1"}, "part": {"S": "2-meta"}, "kind": {"S": "simulate"}, "state": {"S": "STARTED"},
    "created_ms": {"N": "0"}, "updated_ms": {"N": "0"}, "expires_s": {"N": "9999999999"}, "keep_s": {"N": "3600"},
    "attempt": {"N": "1"},
}  # fmt: skip


class Raw:
    """A response body as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: object) -> list[bytes]:
        return [self._content]


class Aws:
    """Answers for AWS, and counts."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def __call__(self, request: Any, **_: object) -> AWSResponse:  # botocore's AWSPreparedRequest
        operation = request.headers["X-Amz-Target"].decode().split(".")[-1]
        self.calls[operation] += 1
        answers: dict[str, Any] = {
            "GetQueueUrl": {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/1/sluice-prod-simulations"},
            "SendMessage": {"MessageId": "m"},
            "Query": {"Items": [JOB], "Count": 1},
            "GetItem": {"Item": {"body": {"B": "eyJ0cFNhbXBsZXMiOls1XSwibnVtYmVyT2ZUYXNrcyI6NTB9"}}},
            "UpdateItem": {"Attributes": JOB},
            "TransactWriteItems": {},
        }
        body = json.dumps(answers[operation]).encode()
        return AWSResponse(request.url, 200, HTTPHeaders(), Raw(body))


def event(method: str, path: str, body: object = None, **params: str) -> dict[str, Any]:
    """What API Gateway hands to the function."""
    filled = path.format(**params)
    return {
        "requestContext": {"resourcePath": path, "httpMethod": method, "requestId": "r", "path": filled},
        "path": filled, "httpMethod": method, "pathParameters": params or None, "queryStringParameters": None,
        "multiValueQueryStringParameters": None, "headers": {"content-type": "application/json"},
        "body": json.dumps(body) if body is not None else None, "stageVariables": None, "isBase64Encoded": False,
    }  # fmt: skip


def cpu_ms(request: dict[str, Any], status: int) -> float:
    began = time.process_time()
    with redirect_stdout(NOWHERE):
        answer = app.app(request, None)
    took = (time.process_time() - began) * 1000
    if answer["statusCode"] != status:
        raise SystemExit(f"{request['path']}: {answer}")
    return took


def counted(aws: Aws, name: str, act: Any) -> None:  # a function without arguments
    aws.calls.clear()
    with redirect_stdout(NOWHERE):
        act()
    print(f"{name:7} {sum(aws.calls.values())} AWS calls: {dict(aws.calls)}")


def main() -> None:
    logging.getLogger("sluice").handlers.clear()  # the lines are made, not written
    aws, engine = Aws(), app.RUNTIME.engine
    assert isinstance(engine.store, DynamoStore)
    assert isinstance(engine.queues, SqsQueues)
    answer: Any = aws  # the stubs know only handlers that answer nothing
    for api in (engine.store._db, engine.queues._sqs):
        api.meta.events.register("before-send", answer)
    submit, health = event("POST", "/api/async/simulate", FORECAST), event("GET", "/api/health")
    poll = event("GET", "/api/tasks/{task_id}", task_id="job-1")
    cpu_ms(submit, 202)  # loads what is loaded once, and asks for the queue's address
    taken = {
        name: sorted(cpu_ms(request, status) for _ in range(ROUNDS))
        for name, request, status in (("health", health, 200), ("submit", submit, 202), ("poll", poll, 200))
    }
    for name, values in taken.items():
        print(f"{name:7} p50 {statistics.median(values):.2f} ms CPU   p95 {values[int(0.95 * ROUNDS)]:.2f} ms")
    median = statistics.median(taken["submit"])
    print(f"submit is {median / statistics.median(taken['health']):.1f} x health; {median:.2f} of {BAR_MS} ms")
    message = Delivery(message_id="m", body='{"id":"job-1","kind":"simulate"}', receipt="r")
    counted(aws, "submit", lambda: app.app(submit, None))
    counted(aws, "poll", lambda: app.app(poll, None))
    counted(aws, "run", lambda: Worker(engine, app.REGISTRY, "simulations").settle([message]))


if __name__ == "__main__":
    main()
