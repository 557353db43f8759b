"""The job table's stream, as the store writes it and Lambda hands it over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.aws.changes import read_changes
from chalicelib.jobs.blobs import Blobs
from chalicelib.jobs.dynamo import DynamoStore
from chalicelib.jobs.state import BEAT, CLAIM, FAIL, REVOKE
from chalicelib.jobs.store import Change, Problem
from tests.infra.template import resource
from tests.jobs.test_stores import JOB, NOW_MS, table_properties


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoStore]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        declared = resource(Path("infra/stack.yaml"), "JobTable")["Properties"]
        boto3.client("dynamodb").create_table(
            TableName="jobs",
            **table_properties(),
            StreamSpecification={"StreamEnabled": True, **declared["StreamSpecification"]},
        )
        yield DynamoStore("jobs", Blobs(""))


def records() -> list[dict[str, Any]]:
    """All records of the stream, with the time as Lambda has it."""
    streams: Any = boto3.client("dynamodbstreams")
    arn = streams.list_streams(TableName="jobs")["Streams"][0]["StreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    start = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    found: list[dict[str, Any]] = streams.get_records(ShardIterator=start["ShardIterator"])["Records"]
    for record in found:
        record["dynamodb"]["ApproximateCreationDateTime"] = 1_750_000_000.0
    return found


def test_changes_are_the_jobs_as_the_store_answered_them(store: DynamoStore) -> None:
    store.add(JOB, b"{}")
    started = store.apply("job-1", CLAIM, Change(now_ms=NOW_MS + 5, lease_ms=NOW_MS + 30_005, stage="started"))
    running = store.apply("job-1", BEAT, Change(now_ms=NOW_MS + 9, attempt=1, progress=10, stage="at it"))
    failed = store.apply("job-1", FAIL, Change(now_ms=NOW_MS + 12, attempt=1, problem=Problem("internal", "broken")))
    changes = read_changes(records())
    assert [(change.old, change.new) for change in changes] == [(JOB, started), (started, running), (running, failed)]
    assert [change.at_s for change in changes] == [1_750_000_000.0] * 3
    sequence = [change.sequence for change in changes]
    assert sequence == sorted(set(sequence))


def test_result_and_removal_are_no_changes(store: DynamoStore) -> None:
    store.add(JOB, b"{}")
    job = store.apply("job-1", CLAIM, Change(now_ms=NOW_MS))
    store.complete(job, Change(now_ms=NOW_MS, attempt=1, progress=100), b"{}")
    boto3.client("dynamodb").delete_item(TableName="jobs", Key={"id": {"S": "job-1"}, "part": {"S": "2-meta"}})
    assert [change.new.state for change in read_changes(records())] == ["STARTED", "SUCCESS"]


def test_record_that_cannot_be_read_does_not_hold_up_the_others(store: DynamoStore) -> None:
    store.add(JOB, b"{}")
    store.apply("job-1", REVOKE, Change(now_ms=NOW_MS))
    (good,) = [record for record in records() if record["eventName"] == "MODIFY"]
    image = good["dynamodb"]["NewImage"]
    of_tomorrow = good | {"dynamodb": good["dynamodb"] | {"NewImage": image | {"state": {"S": "PAUSED"}}}}
    newer = good | {"dynamodb": good["dynamodb"] | {"NewImage": image | {"colour": {"L": []}}}}
    assert [change.new.state for change in read_changes([of_tomorrow, newer, good])] == ["REVOKED", "REVOKED"]
