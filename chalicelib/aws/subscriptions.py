"""Which connection watches which task, in one DynamoDB table that reads both ways.

A subscription is an item `task#<task>` / `<connection>`: a push reads a task's subscribers with one query. To watch a
task that follows a job is to watch that job: `task#<job>` / `<connection>#<task>`. A connection is one item
`connection#<id>` / `connection` with the set of its tasks: a disconnect knows what to delete without an index, which
could lag behind. Readers need not look at `ttl`: a message to a connection that is over says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from chalicelib.errors import Conflict, NotFound
from chalicelib.jobs.clients import client, outages

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# Of one connection. It bounds the connection's item and what a disconnect has to delete.
LIMIT = 100
# API Gateway closes a connection after 2 hours; the rest is for the last disconnects.
KEEP_S = 2 * 3600 + 15 * 60

# An item as DynamoDB's wire format has it: {"name": {"S": "text"}}.
Item = dict[str, Any]

_WHAT = "the subscription store"
_CONNECTION = "connection"
# In no id of a task or a connection.
_FOLLOWED_BY = "#"


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """An open WebSocket connection: whose it is, and the task that its address named."""

    id: str
    expires_s: int
    # Empty: a connection without credentials.
    user_id: str = ""
    # Empty: none was named.
    asked: str = ""
    # Whether it has been sent its first message.
    greeted: bool = False


class Subscriber(msgspec.Struct, frozen=True, kw_only=True):
    """A connection that watches a job."""

    connection_id: str
    # The task by which the connection knows the job; empty: the job itself.
    task_id: str = ""
    # How far the task was when the subscription was made; what came before is not news.
    since: int = 0
    # The stream's number of the last change that was sent, noted when a batch has to come again.
    sent: int = 0


class Subscriptions(Protocol):
    """Keeps connections and subscriptions. All methods raise Unavailable on an outage."""

    def connect(self, connection: Connection) -> None:
        """Stores a new connection."""

    def connection(self, connection_id: str) -> Connection | None:
        """The connection as last written."""

    def note_greeted(self, connection_id: str) -> None:
        """Notes that the connection has been sent its first message."""

    def disconnect(self, connection_id: str) -> None:
        """Removes the connection and all its subscriptions."""

    def subscribe(self, connection_id: str, task_id: str, since: int, *, job_id: str = "") -> None:
        """Adds a subscription, or keeps the one there is; raises NotFound (no connection) or Conflict (too many).

        `job_id` here and below is the job that the task follows, if it follows one.
        """

    def unsubscribe(self, connection_id: str, task_id: str, *, job_id: str = "") -> None:
        """Removes a subscription, if there is one."""

    def subscribers(self, job_id: str) -> list[Subscriber]:
        """All that watch the job, also by tasks that follow it, as last written."""

    def note_sent(self, connection_id: str, task_id: str, sent: int, *, job_id: str = "") -> None:
        """Notes the last change that was sent, if the subscription is still there."""


class DynamoSubscriptions:
    """Subscriptions in one table with the keys `id` and `part`."""

    def __init__(self, table: str) -> None:
        self._table = table
        # Made here and not on first use: pushes go out from several threads, and making a client is not safe there.
        self._db: DynamoDBClient = client("dynamodb", read_timeout_s=3)

    def connect(self, connection: Connection) -> None:
        item = {
            **_connection_key(connection.id),
            "user_id": {"S": connection.user_id},
            "asked": {"S": connection.asked},
            "greeted": {"BOOL": connection.greeted},
            "ttl": {"N": str(connection.expires_s)},
        }
        with outages(_WHAT):
            self._db.put_item(TableName=self._table, Item=item)

    def connection(self, connection_id: str) -> Connection | None:
        with outages(_WHAT):
            answer = self._db.get_item(TableName=self._table, Key=_connection_key(connection_id), ConsistentRead=True)
        item = answer.get("Item")
        if item is None:
            return None
        return Connection(
            id=connection_id,
            expires_s=int(item["ttl"]["N"]),
            user_id=item["user_id"]["S"],
            asked=item["asked"]["S"],
            greeted=item["greeted"]["BOOL"],
        )

    def note_greeted(self, connection_id: str) -> None:
        self._update_if_there(_connection_key(connection_id), "SET greeted = :yes", {":yes": {"BOOL": True}})

    def disconnect(self, connection_id: str) -> None:
        with outages(_WHAT):
            answer = self._db.delete_item(
                TableName=self._table, Key=_connection_key(connection_id), ReturnValues="ALL_OLD"
            )
        for name in answer.get("Attributes", {}).get("tasks", {}).get("SS", []):
            job_id, _, task_id = name.rpartition(_FOLLOWED_BY)
            self._delete(_subscription_key(connection_id, task_id, job_id))

    def subscribe(self, connection_id: str, task_id: str, since: int, *, job_id: str = "") -> None:
        # The connection first: a crash in between leaves a name in its set, not a subscription nobody would delete.
        expires = self._add_task(connection_id, _name(task_id, job_id))
        self._update(
            _subscription_key(connection_id, task_id, job_id),
            "SET since = if_not_exists(since, :since), #ttl = :ttl",
            {":since": {"N": str(since)}, ":ttl": expires},
            ExpressionAttributeNames={"#ttl": "ttl"},
        )

    def unsubscribe(self, connection_id: str, task_id: str, *, job_id: str = "") -> None:
        self._delete(_subscription_key(connection_id, task_id, job_id))
        names = {":task": {"SS": [_name(task_id, job_id)]}}
        self._update_if_there(_connection_key(connection_id), "DELETE tasks :task", names)

    def subscribers(self, job_id: str) -> list[Subscriber]:
        with outages(_WHAT):
            pages = self._db.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="id = :id",
                ExpressionAttributeValues={":id": {"S": f"task#{job_id}"}},
                # An index or a stale read could miss who has just been told the present state.
                ConsistentRead=True,
            )
            items: Iterable[Item] = [item for page in pages for item in page["Items"]]
        return [
            Subscriber(
                connection_id=item["part"]["S"].partition(_FOLLOWED_BY)[0],
                task_id=item["part"]["S"].partition(_FOLLOWED_BY)[2],
                since=int(item["since"]["N"]),
                sent=int(item.get("sent", {"S": "0"})["S"]),
            )
            for item in items
        ]

    def note_sent(self, connection_id: str, task_id: str, sent: int, *, job_id: str = "") -> None:
        # As text: a number of DynamoDB's has 38 digits, a sequence number up to 40.
        key = _subscription_key(connection_id, task_id, job_id)
        self._update_if_there(key, "SET sent = :sent", {":sent": {"S": str(sent)}})

    def _add_task(self, connection_id: str, name: str) -> Item:
        """Adds the task to the connection's set; answers when the connection expires."""
        try:
            answer = self._update(
                _connection_key(connection_id),
                "ADD tasks :tasks",
                {":tasks": {"SS": [name]}, ":task": {"S": name}, ":limit": {"N": str(LIMIT)}},
                ConditionExpression="attribute_exists(id) AND "
                "(attribute_not_exists(tasks) OR size(tasks) < :limit OR contains(tasks, :task))",
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._db.exceptions.ConditionalCheckFailedException as error:
            raise refusal(is_known="Item" in error.response) from None
        expires: Item = answer["Attributes"]["ttl"]
        return expires

    def _update_if_there(self, key: Item, expression: str, values: Item) -> None:
        try:
            self._update(key, expression, values, ConditionExpression="attribute_exists(id)")
        except self._db.exceptions.ConditionalCheckFailedException:
            return

    def _update(self, key: Item, expression: str, values: Item, **more: Any) -> Any:  # arguments of update_item
        with outages(_WHAT):
            return self._db.update_item(
                TableName=self._table, Key=key, UpdateExpression=expression, ExpressionAttributeValues=values, **more
            )

    def _delete(self, key: Item) -> None:
        with outages(_WHAT):
            self._db.delete_item(TableName=self._table, Key=key)


def new_connections(records: Iterable[Item]) -> list[str]:
    """The ids of the connections that these records of the table's stream tell of."""
    keys = [record["dynamodb"]["Keys"] for record in records if record["eventName"] == "INSERT"]
    prefix = f"{_CONNECTION}#"
    return [key["id"]["S"].removeprefix(prefix) for key in keys if key["id"]["S"].startswith(prefix)]


def refusal(*, is_known: bool) -> NotFound | Conflict:
    """Why a connection, known or not, may not watch one more task."""
    if not is_known:
        return NotFound("this connection is not known any more; connect again")
    return Conflict(f"a connection must watch at most {LIMIT} tasks; unsubscribe from one or open another connection")


def _connection_key(connection_id: str) -> Item:
    return {"id": {"S": f"{_CONNECTION}#{connection_id}"}, "part": {"S": _CONNECTION}}


def _subscription_key(connection_id: str, task_id: str, job_id: str) -> Item:
    part = f"{connection_id}{_FOLLOWED_BY}{task_id}" if job_id else connection_id
    return {"id": {"S": f"task#{job_id or task_id}"}, "part": {"S": part}}


def _name(task_id: str, job_id: str) -> str:
    """What a connection's set says of a task: enough to find the subscription again."""
    return f"{job_id}{_FOLLOWED_BY}{task_id}" if job_id else task_id
