"""The table of keys, data sets and published apps, as DynamoDB's API (moto) has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.infra.template import resource


@pytest.fixture
def key_table(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        # The table as the stack declares it, so that the stores and the template cannot drift apart.
        boto3.client("dynamodb").create_table(TableName="keys", **_properties())
        yield "keys"


def _properties() -> dict[str, Any]:
    declared = resource(Path("infra/stack.yaml"), "KeyTable")["Properties"]
    return {
        name: declared[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")
    }
