"""infra/watch.yaml in the emulator: created, changed and deleted, but for what the emulator does not know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.stack_parts import without
from infra.stacks import apply, delete, find, read_template
from infra.stage import UNKNOWN_TO_EMULATOR
from localstack.emulator import Emulator, aws_session, running_emulator
from localstack.settings import Settings
from tests.infra.template import resources

WATCH = Path("infra/watch.yaml")
NAME = "sluice-prod-watch"
GIVEN = {
    "Stage": "prod",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:000000000000:sluice-prod-alarms",
    "WebSocketApiId": "socket1",
}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    state = tmp_path_factory.mktemp("watch")
    with running_emulator(Settings(root=state, state=state)) as running:
        yield running


def alarms(cloudwatch: Any) -> dict[str, str]:
    """The text of each alarm."""
    pages = cloudwatch.get_paginator("describe_alarms").paginate()
    return {alarm["AlarmName"]: alarm["AlarmDescription"] for page in pages for alarm in page["MetricAlarms"]}


def test_stack_is_created_changed_and_deleted_with_all_that_it_made(emulator: Emulator) -> None:
    session = aws_session()
    cloudwatch: Any = session.client("cloudwatch", endpoint_url=emulator.endpoint)
    cloudformation = session.client("cloudformation", endpoint_url=emulator.endpoint)
    body = without(read_template(WATCH.read_text("utf-8")), UNKNOWN_TO_EMULATOR)

    apply(cloudformation, NAME, body, GIVEN)
    made = alarms(cloudwatch)
    declared = resources(WATCH, "AWS::CloudWatch::Alarm").values()
    assert set(made) == {alarm["Properties"]["AlarmName"]["Fn::Sub"].replace("${Stage}", "prod") for alarm in declared}
    assert made["sluice-prod-api-5xx"].endswith("Runbook: docs/runbook.md#api-5xx")
    # What is drawn is JSON only after the names and the one number were put in.
    shown = json.loads(cloudwatch.get_dashboard(DashboardName="sluice-prod")["DashboardBody"])["widgets"]
    assert "arn:aws:cloudwatch:us-east-1:000000000000:alarm:sluice-prod-api-5xx" in shown[1]["properties"]["alarms"]
    (limit,) = [each["properties"]["annotations"] for each in shown if "annotations" in each["properties"]]
    assert limit == {"horizontal": [{"label": "alarm", "value": 360}]}

    apply(cloudformation, NAME, body, {"RunbookUrl": "https://wiki.example.org/runbook"})
    assert alarms(cloudwatch)["sluice-prod-api-5xx"].endswith("Runbook: https://wiki.example.org/runbook#api-5xx")
    assert set(alarms(cloudwatch)) == set(made)

    delete(cloudformation, NAME)
    assert find(cloudformation, NAME) is None
    assert alarms(cloudwatch) == {}
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []
