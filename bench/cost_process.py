"""A process that runs the app's functions as Lambda does, against the emulator's DynamoDB, SQS, S3 and a real Postgres.

bench.cost starts it with the environment of the functions while all mappings are off: what the API puts on a queue is
fetched here and handed to the worker, and what stands in the job table's stream to push_changes. `app` is imported in
`main`, for its clients have to be made after the recorder. Figures go to the stdout that was there before the
functions' own lines took it.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import msgspec
import psutil

from bench.cost_recorder import Calls, Recorder, timed
from bench.cost_scenarios import SCENARIOS, Scenario
from bench.cost_work import Invocation, Measured, Work
from bench.event_invocations import invocation
from chalicelib.events.taken import EventMessage
from localstack.emulator import REGION, aws_session

_RECORDED_ROUNDS = 3
# Elsewhere what is neither CPU nor a call of AWS is waiting for this machine's processors.
_ASKS_POSTGRES = ("work_events", "work_searches")


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One invocation as it was."""

    cpu_s: float
    other_s: float
    log_bytes: int
    answer_bytes: int
    messages: int
    message_bytes: int


class Functions:
    """The app's functions, and what their invocations took."""

    def __init__(self, app: Any, recorder: Recorder, log: Path) -> None:
        self._app, self._recorder, self._log = app, recorder, log
        session = aws_session()
        endpoint = os.environ["AWS_ENDPOINT_URL"]
        self._sqs = session.client("sqs", endpoint_url=endpoint)
        self._streams = session.client("dynamodbstreams", endpoint_url=endpoint)
        self._table = app.RUNTIME.settings.job_table
        self._iterator = self._latest()
        self.token = ""
        self._last_body = ""
        self.samples: dict[tuple[str, str], list[Sample]] = {}
        self.calls: dict[tuple[str, str], dict[str, Calls]] = {}
        self.is_recording = False
        self._count = 0

    def request(self, step: str, method: str, resource: str, body: object = None, **parts: str) -> Any:
        """The decoded answer of an HTTP request."""
        event = _http_event(method, resource, body, parts, self.token)
        answer = self._invoke("api_handler", step, self._app.app, event)
        if answer["statusCode"] >= 300:
            raise SystemExit(f"{method} {resource}: {answer}")
        return json.loads(answer["body"])

    def work(self, queue: str, count: int = 1) -> None:
        """Has a queue's worker take so many messages at once."""
        function = f"work_{queue}"
        url = self._sqs.get_queue_url(QueueName=self._app.RUNTIME.settings.queue_name(queue))["QueueUrl"]
        found: list[Any] = []
        while len(found) < count:
            wanted = min(10, count - len(found))
            found += self._sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=wanted, WaitTimeSeconds=2, MessageSystemAttributeNames=["All"]
            )["Messages"]
        event = {"Records": [_record(each, queue) for each in found]}
        if count > 1:
            # Of events; a queue of jobs is worked off one by one.
            self._last_body = found[-1]["Body"]
        self._invoke(function, "work", getattr(self._app, function), event, found)
        for each in found:
            self._sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])

    def store(self, count: int) -> None:
        """Has the worker of events take so many messages that were never on a queue, like the last one that was."""
        last = msgspec.json.decode(self._last_body, type=EventMessage)
        events = [msgspec.structs.replace(last.events[0], message_id=str(uuid.uuid4())) for _ in range(count)]
        bodies = [msgspec.json.encode(msgspec.structs.replace(last, events=(each,))).decode() for each in events]
        self._invoke(
            "work_events", "work", self._app.work_events, invocation(bodies), [{"Body": body} for body in bodies]
        )

    def push(self) -> None:
        """Has push_changes take what is new in the job table's stream."""
        answer = self._streams.get_records(ShardIterator=self._iterator)
        self._iterator = answer["NextShardIterator"]
        records = [msgspec.to_builtins(each, enc_hook=_plain) for each in answer["Records"]]
        if records:
            self._invoke("push_changes", "push", self._app.push_changes, {"Records": records})

    def sweep(self) -> None:
        """What happens once a minute."""
        event = dict.fromkeys(("version", "id", "detail-type", "source", "account", "time", "region"), "")
        self._invoke("sweep", "sweep", self._app.sweep, event | {"resources": [], "detail": {}})

    def _invoke(self, function: str, step: str, handler: Any, event: Any, messages: list[Any] | None = None) -> Any:
        self._count += 1
        answers: list[Any] = []
        context = SimpleNamespace(aws_request_id=f"00000000-0000-4000-8000-{self._count:012d}")

        def act() -> None:
            answers.append(handler(event, context))
            sys.stdout.flush()

        before = self._log.stat().st_size
        key = function, step
        if self.is_recording:
            with self._recorder.recording() as calls:
                act()
            kept = self.calls.setdefault(key, {})
            for name, more in calls.items():
                kept[name] = kept.get(name, Calls()).plus(more)
        cpu_s, _, other_s = (0.0, 0.0, 0.0) if self.is_recording else timed(act, self._recorder)
        if not self.is_recording:
            self.samples.setdefault(key, []).append(
                Sample(
                    cpu_s=cpu_s,
                    other_s=other_s,
                    log_bytes=self._log.stat().st_size - before,
                    answer_bytes=_answer_bytes(answers[0]),
                    messages=len(messages or ()),
                    message_bytes=sum(len(each["Body"]) for each in messages or ()),
                )
            )
        return answers[0]

    def _latest(self) -> str:
        (stream,) = self._streams.list_streams(TableName=self._table)["Streams"]
        arn = stream["StreamArn"]
        (shard,) = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        found = self._streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST")
        return str(found["ShardIterator"])


def measure(functions: Functions, scenario: Scenario, database: psutil.Process) -> Work:
    """Runs one scenario: some rounds timed, and some with all calls noted."""
    scenario.act(functions)
    functions.samples.clear()
    functions.calls.clear()
    before = _cpu_s(database)
    for _ in range(scenario.rounds):
        scenario.act(functions)
    spent = _cpu_s(database) - before
    # Once more: what a process asks again after some seconds is not to fall among the calls.
    scenario.act(functions)
    functions.is_recording = True
    for _ in range(_RECORDED_ROUNDS):
        scenario.act(functions)
    functions.is_recording = False
    rounds = scenario.rounds + 1
    return Work(
        name=scenario.name,
        events=scenario.events,
        rounds=rounds,
        database_cpu_ms=round(1000 * spent / scenario.rounds, 3),
        invocations=tuple(_invocation(functions, key, rounds) for key in functions.samples),
    )


def _invocation(functions: Functions, key: tuple[str, str], rounds: int) -> Invocation:
    samples = functions.samples[key]
    times = len(samples) / rounds

    def middle(of: Callable[[Sample], float]) -> float:
        return statistics.median(map(of, samples))

    return Invocation(
        function=key[0],
        step=key[1],
        times=round(times, 3),
        cpu_ms=round(1000 * middle(lambda one: one.cpu_s), 3),
        database_ms=round(1000 * middle(lambda one: one.other_s), 3) if key[0] in _ASKS_POSTGRES else 0.0,
        log_bytes=round(middle(lambda one: one.log_bytes)),
        answer_bytes=round(middle(lambda one: one.answer_bytes)),
        messages=round(middle(lambda one: one.messages)),
        message_bytes=round(middle(lambda one: one.message_bytes)),
        calls={name: _each(calls, _RECORDED_ROUNDS * times) for name, calls in functions.calls.get(key, {}).items()},
    )


def _each(calls: Calls, invocations: float) -> Calls:
    """Of one invocation, on average."""
    return msgspec.convert(
        {name: round(getattr(calls, name) / invocations, 3) for name in calls.__struct_fields__}, Calls
    )


def _cpu_s(process: psutil.Process) -> float:
    """Of a process and of all that it has started, ended ones included."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + (times.children_user + times.children_system if one == process else 0)
    return total


def _http_event(method: str, resource: str, body: object, parts: dict[str, str], token: str) -> dict[str, Any]:
    """What API Gateway hands to the function."""
    path = resource.format(**parts)
    headers = {"content-type": "application/json", "user-agent": "bench", "host": "bench.example.org"}
    return {
        "requestContext": {"resourcePath": resource, "httpMethod": method, "requestId": "bench", "path": path},
        "path": path,
        "httpMethod": method,
        "pathParameters": parts or None,
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "headers": headers | ({"authorization": f"Bearer {token}"} if token else {}),
        "body": json.dumps(body) if body is not None else None,
        "stageVariables": None,
        "isBase64Encoded": False,
    }


def _record(message: Any, queue: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:000000000000:sluice-local-{queue}",
        "awsRegion": REGION,
    }


def _answer_bytes(answer: Any) -> int:
    if not isinstance(answer, dict) or "body" not in answer:
        return 0
    headers = sum(len(f"{name}: {value}\r\n") for name, value in (answer.get("headers") or {}).items())
    return headers + len(answer["body"] or "")


def _plain(value: Any) -> Any:
    """Of a record as boto3 gives it: as Lambda gives it."""
    return value.timestamp() if hasattr(value, "timestamp") else str(value)


def main() -> None:
    figures = os.fdopen(os.dup(1), "w")
    log = Path(sys.argv[1])
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    recorder = Recorder(boto3.Session())
    import app

    functions = Functions(app, recorder, log)
    given = {"email": sys.argv[3], "password": sys.argv[4]}
    functions.token = functions.request("login", "POST", "/api/auth/login", given)["token"]
    database = psutil.Process(int(sys.argv[2]))
    works = tuple(measure(functions, scenario, database) for scenario in SCENARIOS)
    print(msgspec.json.encode(Measured(works=works)).decode(), file=figures, flush=True)


if __name__ == "__main__":
    main()
