"""infra/stack.yaml: what must hold on AWS, where nobody is looking."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chalice.app import DynamoDBEventConfig

from chalicelib.settings import LIVE_QUEUE, QUEUES, Settings
from tests.infra.template import load, resources

STACK = Path("infra/stack.yaml")
CONFIG = json.loads(Path(".chalice/config.json").read_text("utf-8"))
FUNCTIONS = CONFIG["lambda_functions"]
FOURTEEN_DAYS_S = 14 * 24 * 3600


def queues() -> dict[str, Any]:
    """The queues by name, with the stage left out."""
    found = {}
    for resource in resources(STACK, "AWS::SQS::Queue").values():
        name = resource["Properties"]["QueueName"]["Fn::Sub"]
        found[name.removeprefix("sluice-${Stage}-")] = resource["Properties"]
    return found


def logical_name(queue: str) -> str:
    return queue.capitalize()


def test_each_queue_that_the_code_names_exists_with_its_dead_letter_queue() -> None:
    assert set(queues()) == set(QUEUES) | {f"{queue}-dlq" for queue in QUEUES} | {LIVE_QUEUE}


def test_live_rows_are_kept_for_a_minute_and_gone_before_they_would_come_again() -> None:
    properties = queues()[LIVE_QUEUE]
    assert properties["SqsManagedSseEnabled"] is True
    assert properties["MessageRetentionPeriod"] == 60
    assert "RedrivePolicy" not in properties
    timeout_s = FUNCTIONS["push_events"].get("lambda_timeout", CONFIG["lambda_timeout"])
    assert properties["VisibilityTimeout"] >= max(6 * timeout_s, properties["MessageRetentionPeriod"])
    alarms = [alarm["Properties"] for alarm in resources(STACK, "AWS::CloudWatch::Alarm").values()]
    (age,) = [alarm for alarm in alarms if alarm["AlarmName"] == {"Fn::Sub": "sluice-${Stage}-live-age"}]
    assert age["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": "LiveQueue.QueueName"}}]
    assert (age["MetricName"], age["Threshold"]) == ("ApproximateAgeOfOldestMessage", 30)


@pytest.mark.parametrize("queue", QUEUES)
def test_queue_is_encrypted_kept_for_14_days_and_gives_up_only_after_1000_deliveries(queue: str) -> None:
    properties = queues()[queue]
    assert properties["SqsManagedSseEnabled"] is True
    assert properties["MessageRetentionPeriod"] == FOURTEEN_DAYS_S
    assert properties["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": f"{logical_name(queue)}DeadLetters.Arn"},
        "maxReceiveCount": 1000,
    }


@pytest.mark.parametrize("queue", QUEUES)
def test_queue_has_an_alarm_on_its_age_and_one_on_its_dead_letters(queue: str) -> None:
    alarms = resources(STACK, "AWS::CloudWatch::Alarm")
    watched = {
        (alarm["Properties"]["MetricName"], alarm["Properties"]["Dimensions"][0]["Value"]["Fn::GetAtt"])
        for alarm in alarms.values()
        if alarm["Properties"]["Namespace"] == "AWS/SQS"
    }
    name = logical_name(queue)
    assert ("ApproximateAgeOfOldestMessage", f"{name}Queue.QueueName") in watched
    assert ("ApproximateNumberOfMessagesVisible", f"{name}DeadLetters.QueueName") in watched


def test_every_alarm_tells_somebody() -> None:
    silent = [
        name
        for name, alarm in resources(STACK, "AWS::CloudWatch::Alarm").items()
        if alarm["Properties"]["AlarmActions"] != [{"Ref": "Alarms"}]
    ]
    assert silent == []


def test_visibility_is_at_least_six_times_the_timeout_of_the_queues_worker() -> None:
    workers = {name.removeprefix("work_"): f for name, f in FUNCTIONS.items() if name.startswith("work_")}
    assert set(workers) <= set(QUEUES)
    for queue, function in workers.items():
        condition, own, default = queues()[queue]["VisibilityTimeout"]["Fn::If"]
        assert (condition, own) == ("OwnVisibility", {"Ref": "VisibilitySeconds"})
        assert default >= 6 * function["lambda_timeout"]


def test_job_table_has_ttl_stream_list_index_and_recovery() -> None:
    properties = load(STACK)["Resources"]["JobTable"]["Properties"]
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert properties["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert [index["IndexName"] for index in properties["GlobalSecondaryIndexes"]] == ["by-owner", "by-due"]
    assert properties["TableName"] == {"Fn::Sub": Settings(stage="${Stage}").job_table}


def test_key_table_has_ttl_list_index_and_recovery_and_outlives_its_stack() -> None:
    table = load(STACK)["Resources"]["KeyTable"]
    properties = table["Properties"]
    assert table["DeletionPolicy"] == "Retain"
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert [index["IndexName"] for index in properties["GlobalSecondaryIndexes"]] == ["by-owner"]
    assert properties["TableName"] == {"Fn::Sub": Settings(stage="${Stage}").key_table}


def test_socket_table_has_ttl_encryption_and_a_stream_of_keys() -> None:
    properties = load(STACK)["Resources"]["SocketTable"]["Properties"]
    assert properties["TableName"] == {"Fn::Sub": Settings(stage="${Stage}").socket_table}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}


def test_each_reader_of_a_stream_has_an_alarm_on_its_lag_and_imports_what_the_stack_exports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STAGE", "local")
    import app

    readers: dict[str, Any] = {
        one.name: one.stream_arn for one in app.app.event_sources if isinstance(one, DynamoDBEventConfig)
    }
    exported = {output["Export"]["Name"]["Fn::Sub"] for output in load(STACK)["Outputs"].values() if "Export" in output}
    stage = app.RUNTIME.settings.stage
    assert {stream["Fn::ImportValue"] for stream in readers.values()} == {
        name.replace("${Stage}", stage) for name in exported
    }
    lags = [
        alarm["Properties"]["Dimensions"][0]["Value"]["Fn::Sub"]
        for alarm in resources(STACK, "AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["MetricName"] == "IteratorAge"
    ]
    assert sorted(lags) == sorted(f"sluice-${{Stage}}-{name}" for name in readers)


def test_each_function_of_the_app_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE", "local")
    import app

    handlers = {handler.name for handler in app.app.pure_lambda_functions}
    handlers |= {handler.name for handler in app.app.event_sources}
    handlers |= {handler.name for handler in app.app.websocket_handlers.values()}
    assert handlers | {"api_handler"} == set(FUNCTIONS)


def test_worker_of_deliveries_is_told_neither_the_database_nor_the_secret_whatever_its_stage_is() -> None:
    stages = {name: stage for name, stage in CONFIG["stages"].items() if name != "local"}
    assert stages
    for stage in stages.values():
        own = stage["lambda_functions"]["work_emails"]["environment_variables"]
        assert own == {"DATABASE_URL": "", "TOKEN_SECRET": ""}
