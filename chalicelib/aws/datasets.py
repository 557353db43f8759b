"""Which version of a data set answers are to be made from: one small item each, beside the keys.

Submits ask for it, and they must not depend on Postgres, where the versions themselves are. It is read anew each time:
a version that was remembered would let an answer from before an import be given after it.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from chalicelib.jobs.clients import PROMPT_S, client, outages

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_WHAT = "the data set record"


class Datasets(Protocol):
    """Versions by the data set's name; raises Unavailable."""

    def version(self, name: str) -> int:
        """The version to answer from; 0 where none was published."""

    def publish(self, name: str, version: int) -> None:
        """Has answers be made from this version, unless a newer one is there already."""


class DynamoDatasets:
    """Versions in the table of the keys, as `dataset#<name>`."""

    def __init__(self, table: str) -> None:
        self._table = table

    def version(self, name: str) -> int:
        with outages(_WHAT):
            answer = self._db.get_item(TableName=self._table, Key=_key(name), ConsistentRead=True)
        return int(answer["Item"]["version"]["N"]) if "Item" in answer else 0

    def publish(self, name: str, version: int) -> None:
        with outages(_WHAT):
            try:
                self._db.put_item(
                    TableName=self._table,
                    Item={**_key(name), "version": {"N": str(version)}},
                    ConditionExpression="attribute_not_exists(id) OR #version < :version",
                    ExpressionAttributeNames={"#version": "version"},
                    ExpressionAttributeValues={":version": {"N": str(version)}},
                )
            except self._db.exceptions.ConditionalCheckFailedException:
                return

    @cached_property
    def _db(self) -> DynamoDBClient:
        api: DynamoDBClient = client("dynamodb", read_timeout_s=PROMPT_S)
        return api


class MemoryDatasets:
    """The twin in memory for tests."""

    def __init__(self) -> None:
        self._versions: dict[str, int] = {}

    def version(self, name: str) -> int:
        return self._versions.get(name, 0)

    def publish(self, name: str, version: int) -> None:
        self._versions[name] = max(version, self.version(name))


def _key(name: str) -> dict[str, dict[str, str]]:
    return {"id": {"S": f"dataset#{name}"}}
