"""Metric lines as CloudWatch reads them, and the request id on the lines of one invocation."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from chalice.app import Chalice, SQSEvent
from jsonschema import ValidationError, validate

from chalicelib.api.http import wrap
from chalicelib.api.routes import routes
from chalicelib.jobs.store import Problem
from chalicelib.telemetry import Meter, Metric, log, name_request
from tests.doubles import FIRST_ID, MemoryRuntime, echo_kind, registry
from tests.lines import Line, Reader

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
UNIT = "^((Micros|Millis|S)econds|((Kilo|Mega|Giga|Tera)(bytes|bits)|Bytes|Bits|Count)(/Second)?|Percent|None)$"
NAME = {"type": "string", "minLength": 1, "maxLength": 1024}
DIMENSIONS = {"type": "array", "minItems": 1, "maxItems": 30, "items": {**NAME, "maxLength": 250}}
DEFINITION = {
    "type": "object",
    "required": ["Name"],
    "properties": {"Name": NAME, "Unit": {"type": "string", "pattern": UNIT}, "StorageResolution": {"enum": [1, 60]}},
    "additionalProperties": False,
}
DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "properties": {
        "Namespace": NAME,
        "Dimensions": {"type": "array", "minItems": 1, "items": DIMENSIONS},
        "Metrics": {"type": "array", "minItems": 1, "maxItems": 100, "items": DEFINITION},
    },
    "additionalProperties": False,
}
METADATA = {
    "type": "object",
    "required": ["Timestamp", "CloudWatchMetrics"],
    "properties": {
        "Timestamp": {"type": "integer"},
        "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": DIRECTIVE},
    },
}
VALUE = {"anyOf": [{"type": "number"}, {"type": "array", "minItems": 1, "maxItems": 100, "items": {"type": "number"}}]}
LINE = {"type": "object", "required": ["_aws"], "properties": {"_aws": METADATA}}


def check(line: Line) -> None:
    """Raises where CloudWatch would not take the line: the schema, and that what it names stands in the line."""
    validate(line, LINE)
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for name in {name for names in directive["Dimensions"] for name in names}:
            validate(line[name], NAME)
        for metric in directive["Metrics"]:
            validate(line[metric["Name"]], VALUE)


def test_metric_of_a_kind_is_one_line_for_the_stage_and_for_the_kind(written: Reader) -> None:
    before_ms = int(time.time() * 1000)
    Meter("prod").record({Metric.SUCCEEDED: 1, Metric.RUN_TIME: 2500}, kind="simulate")
    (line,) = written()
    check(line)
    assert before_ms <= line["_aws"].pop("Timestamp") <= time.time() * 1000
    assert line == {
        "_aws": {
            "CloudWatchMetrics": [
                {
                    "Namespace": "Sluice",
                    "Dimensions": [["stage"], ["stage", "kind"]],
                    "Metrics": [
                        {"Name": "Succeeded", "Unit": "Count"},
                        {"Name": "RunTime", "Unit": "Milliseconds"},
                    ],
                }
            ],
        },
        "stage": "prod",
        "kind": "simulate",
        "Succeeded": [1.0],
        "RunTime": [2500.0],
    }


def test_metric_without_a_kind_is_for_the_stage_alone(written: Reader) -> None:
    Meter("prod").record({Metric.PUSHED: 3, Metric.GONE: 0})
    (line,) = written()
    check(line)
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["stage"]]
    assert (line["Pushed"], line["Gone"], "kind" in line) == ([3], [0], False)


@pytest.mark.parametrize("metric", Metric)
def test_every_metric_is_one_that_cloudwatch_takes(metric: Metric, written: Reader) -> None:
    Meter("prod").record({metric: 1}, kind="simulate")
    (line,) = written()
    check(line)


def test_line_keeps_nothing_of_the_one_before(written: Reader) -> None:
    Meter("prod").record({Metric.FAILED: 1}, kind="simulate")
    Meter("prod").record({Metric.PUSHED: 1})
    last = written()[-1]
    assert set(last) == {"_aws", "stage", "Pushed"}


@pytest.mark.parametrize(
    "spoilt",
    [
        {"_aws": {"Timestamp": "now", "CloudWatchMetrics": []}},
        {"Succeeded": "one"},
        {"kind": 7},
    ],
)
def test_the_check_sees_what_cloudwatch_refuses(spoilt: Line, written: Reader) -> None:
    Meter("prod").record({Metric.SUCCEEDED: 1}, kind="simulate")
    (line,) = written()
    with pytest.raises(ValidationError):
        check(line | spoilt)


def context(request_id: str) -> Any:  # as much of Lambda's context as an edge looks at
    return SimpleNamespace(aws_request_id=request_id)


def worker_app(**doing: Any) -> Any:  # a Lambda handler
    """A function that logs one line, or does what `do` does."""
    app = Chalice("telemetry")
    app.register_middleware(name_request)

    @app.on_sqs_message(queue="any")
    def handle(event: SQSEvent) -> None:
        doing.get("do", lambda: log.info("working"))()

    return handle


def ids(lines: list[Line]) -> list[str | None]:
    return [line.get("request_id") for line in lines]


def test_lines_of_an_invocation_carry_its_id_and_not_the_one_of_the_invocation_before(written: Reader) -> None:
    handle = worker_app()
    for name in ("first", "second"):
        handle({"Records": []}, context(name))
    log.info("between invocations")
    assert ids(written()) == ["first", "second", None]


@pytest.mark.parametrize("shape", [None, SimpleNamespace(), SimpleNamespace(aws_request_id=None), {}])
def test_invocation_without_an_id_has_none_on_its_lines(shape: object, written: Reader) -> None:
    handle = worker_app()
    handle({"Records": []}, context("first"))
    handle({"Records": []}, shape)
    assert ids(written()) == ["first", None]


def test_id_of_an_invocation_that_raises_is_taken_off_the_lines(written: Reader) -> None:
    def crash() -> None:
        raise RuntimeError("crashed")

    with pytest.raises(RuntimeError):
        worker_app(do=crash)({"Records": []}, context("first"))
    log.info("between invocations")
    assert ids(written()) == [None]


def test_lines_of_a_thread_carry_the_id_of_its_invocation(written: Reader) -> None:
    def log_in_a_thread() -> None:
        thread = threading.Thread(target=log.warning, args=("beat lost",))
        thread.start()
        thread.join()

    worker_app(do=log_in_a_thread)({"Records": []}, context("first"))
    assert ids(written()) == ["first"]


class Gateway:
    """The routes of one kind over a memory runtime, called as API Gateway calls Lambda."""

    def __init__(self) -> None:
        self.runtime = MemoryRuntime()
        self.app = Chalice("telemetry")
        self.app.register_middleware(name_request)
        for route in routes(registry(echo_kind())):
            view = wrap(self.app, self.runtime, route.view)
            self.app.route(route.path, methods=[route.method], content_types=[])(view)

    def request(self, method: str, path: str, request_id: str, *, body: str = "", **params: str) -> int:
        status: int = self.app(request_of(method, path, request_id, body, params), context("of-lambda"))["statusCode"]
        return status


def request_of(method: str, path: str, request_id: str, body: str, params: dict[str, str]) -> Any:  # a proxy event
    return {
        "requestContext": {"httpMethod": method, "resourcePath": path, "requestId": request_id, "path": path},
        "headers": {"Content-Type": "application/json"},
        "multiValueQueryStringParameters": None,
        "pathParameters": params,
        "stageVariables": None,
        "isBase64Encoded": False,
        "body": body,
    }


def test_moves_made_in_a_request_carry_the_id_that_its_client_is_told(written: Reader) -> None:
    gateway, path = Gateway(), "/api/tasks/{task_id}"
    assert gateway.request("POST", "/api/async/echo", "of-submit", body='{"text": "hello"}') == 202
    lifecycle = gateway.runtime.engine.lifecycle
    lifecycle.fail(lifecycle.claim(FIRST_ID), Problem("broken", "it broke"))
    assert gateway.request("POST", f"{path}/retry", "of-retry", task_id=FIRST_ID) == 202
    assert gateway.request("DELETE", path, "of-cancel", task_id=FIRST_ID) == 200
    told = [(line.get("move") or line["message"], line.get("request_id")) for line in written() if "message" in line]
    assert told == [
        ("submit", "of-submit"),
        ("request", "of-submit"),
        ("claim", "of-submit"),
        ("fail", None),
        ("redrive", "of-retry"),
        ("request", "of-retry"),
        ("revoke", "of-cancel"),
        ("request", "of-cancel"),
    ]


def test_functions_of_the_app_name_their_requests(monkeypatch: pytest.MonkeyPatch, written: Reader) -> None:
    monkeypatch.setenv("STAGE", "local")
    import app

    app.app(request_of("GET", "/api/health", "of-gateway", "", {}), context("of-lambda"))
    unreadable = {"eventName": "MODIFY", "dynamodb": {"Keys": {"id": {"S": "job-1"}, "part": {"S": "2-meta"}}}}
    app.push_changes({"Records": [unreadable]}, context("of-push"))
    assert [(line["message"], line["request_id"]) for line in written()] == [
        ("request", "of-gateway"),
        ("unreadable change", "of-push"),
        ("changes read", "of-push"),
    ]
