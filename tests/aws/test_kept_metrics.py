"""Metrics are read from the logs (moto) as the functions write them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.aws.kept_metrics import KeptMetrics, Sample
from chalicelib.errors import Unavailable
from chalicelib.telemetry import Meter, Metric


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield boto3.client("logs")  # type: ignore[call-overload, unused-ignore]


def write(logs: Any, function: str, lines: list[tuple[int, str]]) -> None:
    group = f"/aws/lambda/{function}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    events = [{"timestamp": at_ms, "message": line} for at_ms, line in lines]
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)


def now_ms() -> int:
    return int(time.time() * 1000)


def measured(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Lines as the meter writes them: of a kind, of the stage alone, of another stage."""
    Meter("local").record({Metric.SUCCEEDED: 1, Metric.RUN_TIME: 250}, kind="echo")
    Meter("local").record({Metric.PUSHED: 3})
    Meter("test").record({Metric.PUSHED: 5})
    return capsys.readouterr().out.splitlines()


def test_metrics_of_the_stage_are_read_from_all_functions(logs: Any, capsys: pytest.CaptureFixture[str]) -> None:
    now, (of_kind, of_stage, of_another) = now_ms(), measured(capsys)
    write(logs, "sluice-local-work", [(now, "START"), (now, of_kind), (now, '{"message":"CloudWatchMetrics"}')])
    write(logs, "sluice-local-push", [(now, of_stage), (now, of_another)])
    samples = KeptMetrics("local").since(now - 1000)
    assert sorted(samples, key=lambda one: one.metric) == [
        Sample("Pushed", "", 3.0),
        Sample("RunTime", "echo", 250.0),
        Sample("Succeeded", "echo", 1.0),
    ]


def test_older_metrics_are_left_out(logs: Any, capsys: pytest.CaptureFixture[str]) -> None:
    now, (_, of_stage, _) = now_ms(), measured(capsys)
    write(logs, "sluice-local-push", [(now - 5000, of_stage), (now, of_stage)])
    assert len(KeptMetrics("local").since(now - 1000)) == 1


def test_more_lines_than_one_answer_holds_are_all_read(logs: Any, capsys: pytest.CaptureFixture[str]) -> None:
    now, (_, of_stage, _) = now_ms(), measured(capsys)
    write(logs, "sluice-local-push", [(now + each // 2, of_stage) for each in range(7)])
    assert len(KeptMetrics("local", page=3).since(now - 1000)) == 7


def test_log_that_cannot_be_reached_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_LOGS", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with pytest.raises(Unavailable):
        KeptMetrics("local").since(0)
