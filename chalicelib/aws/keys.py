"""API keys and token epochs in one DynamoDB table: `key#<id>` and `epoch#<user id>`.

The index by owner is sparse: only items with `listed_for` are in it, and a revoked key loses that attribute, so that a
list never reads past what was revoked.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.accounts.keys import KEEP_S, USE_GRAIN_S, ApiKey
from chalicelib.errors import Conflict
from chalicelib.jobs.clients import PROMPT_S, client, outages

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# An item as DynamoDB's wire format has it: {"name": {"S": "text"}}.
Item = dict[str, Any]

_WHAT = "the key store"


class DynamoKeys:
    """Keys in one table with the key `id` and the index `by-owner`."""

    def __init__(self, table: str) -> None:
        self._table = table

    def add(self, key: ApiKey) -> None:
        with outages(_WHAT):
            try:
                self._db.put_item(
                    TableName=self._table, Item=_pack(key), ConditionExpression="attribute_not_exists(id)"
                )
            except self._db.exceptions.ConditionalCheckFailedException:
                raise Conflict(f"there is already a key {key.id}; try again") from None

    def find(self, key_id: str) -> ApiKey | None:
        item = self._get(_key(key_id))
        return _unpack(item) if item else None

    def of(self, owner: str) -> list[ApiKey]:
        # One page: an owner's few keys are far from the megabyte at which DynamoDB would make a second.
        with outages(_WHAT):
            answer = self._db.query(
                TableName=self._table,
                IndexName="by-owner",
                KeyConditionExpression="listed_for = :owner",
                ExpressionAttributeValues={":owner": {"S": owner}},
                ScanIndexForward=False,
            )
        return [_unpack(item) for item in answer["Items"]]

    def revoke(self, key_id: str, *, owner: str, at_s: int) -> ApiKey | None:
        with outages(_WHAT):
            try:
                answer = self._db.update_item(
                    TableName=self._table,
                    Key=_key(key_id),
                    UpdateExpression="SET revoked_s = :at, #ttl = :ttl REMOVE listed_for",
                    ConditionExpression="#owner = :owner AND revoked_s = :never",
                    ExpressionAttributeNames={"#owner": "owner", "#ttl": "ttl"},
                    ExpressionAttributeValues={
                        ":owner": {"S": owner},
                        ":at": _number(at_s),
                        ":ttl": _number(at_s + KEEP_S),
                        ":never": _number(0),
                    },
                    ReturnValues="ALL_NEW",
                )
            except self._db.exceptions.ConditionalCheckFailedException:
                key = self.find(key_id)
                return key if key is not None and key.owner == owner else None
        return _unpack(answer["Attributes"])

    def touch(self, key_id: str, *, at_s: int) -> None:
        with outages(_WHAT):
            try:
                self._db.update_item(
                    TableName=self._table,
                    Key=_key(key_id),
                    UpdateExpression="SET last_used_s = :at",
                    # An item that is not there has no last_used_s, so that this never makes one.
                    ConditionExpression="last_used_s <= :before AND revoked_s = :never",
                    ExpressionAttributeValues={
                        ":at": _number(at_s),
                        ":before": _number(at_s - USE_GRAIN_S),
                        ":never": _number(0),
                    },
                )
            except self._db.exceptions.ConditionalCheckFailedException:
                return

    def epoch_of(self, user_id: str) -> int:
        item = self._get(_epoch(user_id))
        return int(item["epoch"]["N"]) if item else 0

    def raise_epoch(self, user_id: str) -> int:
        with outages(_WHAT):
            answer = self._db.update_item(
                TableName=self._table,
                Key=_epoch(user_id),
                UpdateExpression="ADD epoch :one",
                ExpressionAttributeValues={":one": _number(1)},
                ReturnValues="UPDATED_NEW",
            )
        return int(answer["Attributes"]["epoch"]["N"])

    @cached_property
    def _db(self) -> DynamoDBClient:
        # Every request with a credential waits for this one.
        api: DynamoDBClient = client("dynamodb", read_timeout_s=PROMPT_S)
        return api

    def _get(self, key: Item) -> Item | None:
        # Consistent, so that what was revoked is refused from that moment on.
        with outages(_WHAT):
            return self._db.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")


def _key(key_id: str) -> Item:
    return {"id": {"S": f"key#{key_id}"}}


def _epoch(user_id: str) -> Item:
    return {"id": {"S": f"epoch#{user_id}"}}


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def _pack(key: ApiKey) -> Item:
    item = {name: _value(value) for name in key.__struct_fields__ if (value := getattr(key, name)) != ()}
    item |= {**_key(key.id), "listed_for": {"S": key.owner}}
    return item | ({"ttl": _number(key.expires_s + KEEP_S)} if key.expires_s else {})


def _value(value: str | int | tuple[str, ...]) -> Item:
    match value:
        case int():
            return _number(value)
        case str():
            return {"S": value}
        case _:
            return {"L": [{"S": text} for text in value]}


def _unpack(item: Item) -> ApiKey:
    fields: dict[str, Any] = {name: _plain(item[name]) for name in ApiKey.__struct_fields__ if name in item}
    return msgspec.convert(fields | {"id": item["id"]["S"].removeprefix("key#")}, ApiKey)


def _plain(value: Item) -> object:
    ((kind, plain),) = value.items()
    match kind:
        case "N":
            return int(plain)
        case "L":
            return [_plain(inner) for inner in plain]
        case _:
            return plain
