"""One suite for both ways to keep the versions of data sets: DynamoDB's API (moto) and the memory twin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from chalicelib.aws.datasets import Datasets, DynamoDatasets, MemoryDatasets
from tests.infra.template import resource


@pytest.fixture(params=["dynamodb", "memory"])
def datasets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Datasets]:
    if request.param == "memory":
        yield MemoryDatasets()
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        properties = resource(Path("infra/stack.yaml"), "KeyTable")["Properties"]
        boto3.client("dynamodb").create_table(
            TableName="keys",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=properties["KeySchema"],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )
        yield DynamoDatasets("keys")


def test_data_set_that_was_never_published_has_version_0(datasets: Datasets) -> None:
    assert datasets.version("contracts") == 0


def test_newer_version_is_published_and_an_older_one_is_not(datasets: Datasets) -> None:
    datasets.publish("contracts", 3)
    datasets.publish("contracts", 2)
    assert datasets.version("contracts") == 3
    datasets.publish("contracts", 4)
    assert (datasets.version("contracts"), datasets.version("others")) == (4, 0)
