"""Which connection watches which task, and which app's rows, in one DynamoDB table that reads both ways.

A subscription is an item `task#<task>` / `<connection>`: a push reads a task's subscribers with one query. To watch a
task that follows a job is to watch that job: `task#<job>` / `<connection>#<task>`. A connection is one item
`connection#<id>` / `connection` with the set of its tasks: a disconnect knows what to delete without an index, which
could lag behind. Readers need not look at `ttl`: a message to a connection that is over says so.

Who watches an app's rows is an item `rooms` / `<app>#<connection>`: all of them stand side by side, so that one query
tells a worker which of any number of apps are watched. Its connection's item has the set of its apps in `rooms`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from chalicelib.errors import Conflict, NotFound
from chalicelib.jobs.clients import PATIENT_S, client, outages

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# Of one connection. It bounds the connection's item and what a disconnect has to delete.
LIMIT = 100
# The same for apps whose rows it watches.
ROOM_LIMIT = 20
# API Gateway closes a connection after 2 hours; the rest is for the last disconnects.
KEEP_S = 2 * 3600 + 15 * 60

# An item as DynamoDB's wire format has it: {"name": {"S": "text"}}.
Item = dict[str, Any]

_WHAT = "the subscription store"
_CONNECTION = "connection"
_ROOMS = "rooms"
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
    # The app whose rows its address asked for.
    asked_app: str = ""
    # What its credential was: see model.Caller.
    key_id: str = ""
    ends_s: int = 0
    epoch: int = 0
    is_admin: bool = False
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


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A connection that watches an app's rows, and the credential by which it may: see model.Caller."""

    connection_id: str
    # The app's number, and its id as clients know it.
    app: int
    app_id: str
    user_id: str
    key_id: str = ""
    epoch: int = 0
    ends_s: int = 0


class Subscriptions(Protocol):
    """Keeps connections and what they watch. All methods raise Unavailable on an outage."""

    def connect(self, connection: Connection) -> None:
        """Stores a new connection."""

    def connection(self, connection_id: str) -> Connection | None:
        """The connection as last written."""

    def note_greeted(self, connection_id: str) -> None:
        """Notes that the connection has been sent its first message."""

    def disconnect(self, connection_id: str) -> None:
        """Removes the connection and all that it watches."""

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

    def join(self, member: Member) -> None:
        """Adds who watches an app, in place of what was said of it before; raises NotFound or Conflict as above."""

    def leave(self, connection_id: str, app: int) -> None:
        """Removes who watches an app, if it does."""

    def members(self, app: int | None = None) -> list[Member]:
        """All that watch the app, or any app, as last written; their credentials are left to check."""


class DynamoSubscriptions:
    """Subscriptions in one table with the keys `id` and `part`."""

    def __init__(self, table: str, *, read_timeout_s: float = PATIENT_S) -> None:
        self._table = table
        # Made here and not on first use: pushes go out from several threads, and making a client is not safe there.
        self._db: DynamoDBClient = client("dynamodb", read_timeout_s=read_timeout_s)

    def connect(self, connection: Connection) -> None:
        item = {
            **_connection_key(connection.id),
            "user_id": {"S": connection.user_id},
            "asked": {"S": connection.asked},
            "asked_app": {"S": connection.asked_app},
            "key_id": {"S": connection.key_id},
            "ends_s": {"N": str(connection.ends_s)},
            "epoch": {"N": str(connection.epoch)},
            "is_admin": {"BOOL": connection.is_admin},
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
            **_standing(item),
        )

    def note_greeted(self, connection_id: str) -> None:
        self._update_if_there(_connection_key(connection_id), "SET greeted = :yes", {":yes": {"BOOL": True}})

    def disconnect(self, connection_id: str) -> None:
        with outages(_WHAT):
            answer = self._db.delete_item(
                TableName=self._table, Key=_connection_key(connection_id), ReturnValues="ALL_OLD"
            )
        for app in answer.get("Attributes", {}).get(_ROOMS, {}).get("SS", []):
            self._delete(_member_key(connection_id, int(app)))
        for name in answer.get("Attributes", {}).get("tasks", {}).get("SS", []):
            job_id, _, task_id = name.rpartition(_FOLLOWED_BY)
            self._delete(_subscription_key(connection_id, task_id, job_id))

    def subscribe(self, connection_id: str, task_id: str, since: int, *, job_id: str = "") -> None:
        # The connection first: a crash in between leaves a name in its set, not a subscription nobody would delete.
        expires = self._add(connection_id, "tasks", _name(task_id, job_id), LIMIT)
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
        return [
            Subscriber(
                connection_id=item["part"]["S"].partition(_FOLLOWED_BY)[0],
                task_id=item["part"]["S"].partition(_FOLLOWED_BY)[2],
                since=int(item["since"]["N"]),
                sent=int(item.get("sent", {"S": "0"})["S"]),
            )
            for item in self._query("id = :id", {":id": {"S": f"task#{job_id}"}})
        ]

    def note_sent(self, connection_id: str, task_id: str, sent: int, *, job_id: str = "") -> None:
        # As text: a number of DynamoDB's has 38 digits, a sequence number up to 40.
        key = _subscription_key(connection_id, task_id, job_id)
        self._update_if_there(key, "SET sent = :sent", {":sent": {"S": str(sent)}})

    def join(self, member: Member) -> None:
        # The connection first, as for a task.
        expires = self._add(member.connection_id, _ROOMS, str(member.app), ROOM_LIMIT)
        item = {
            **_member_key(member.connection_id, member.app),
            "app_id": {"S": member.app_id},
            "user_id": {"S": member.user_id},
            "key_id": {"S": member.key_id},
            "epoch": {"N": str(member.epoch)},
            "ends_s": {"N": str(member.ends_s)},
            "ttl": expires,
        }
        with outages(_WHAT):
            self._db.put_item(TableName=self._table, Item=item)

    def leave(self, connection_id: str, app: int) -> None:
        self._delete(_member_key(connection_id, app))
        self._update_if_there(_connection_key(connection_id), "DELETE rooms :room", {":room": {"SS": [str(app)]}})

    def members(self, app: int | None = None) -> list[Member]:
        condition, values = "id = :id", {":id": {"S": _ROOMS}}
        if app is not None:
            condition, values = f"{condition} AND begins_with(part, :app)", values | {":app": {"S": f"{app}#"}}
        return [
            Member(
                connection_id=item["part"]["S"].partition("#")[2],
                app=int(item["part"]["S"].partition("#")[0]),
                app_id=item["app_id"]["S"],
                user_id=item["user_id"]["S"],
                key_id=item["key_id"]["S"],
                epoch=int(item["epoch"]["N"]),
                ends_s=int(item["ends_s"]["N"]),
            )
            for item in self._query(condition, values)
        ]

    def _query(self, condition: str, values: Item) -> Iterable[Item]:
        with outages(_WHAT):
            pages = self._db.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                # An index or a stale read could miss who has just been told that it watches.
                ConsistentRead=True,
            )
            return [item for page in pages for item in page["Items"]]

    def _add(self, connection_id: str, attribute: str, name: str, limit: int) -> Item:
        """Adds a task or an app to the connection's set; answers when the connection expires."""
        try:
            answer = self._update(
                _connection_key(connection_id),
                f"ADD {attribute} :names",
                {":names": {"SS": [name]}, ":name": {"S": name}, ":limit": {"N": str(limit)}},
                ConditionExpression="attribute_exists(id) AND "
                f"(attribute_not_exists({attribute}) OR size({attribute}) < :limit OR contains({attribute}, :name))",
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._db.exceptions.ConditionalCheckFailedException as error:
            refused = refusal if attribute == "tasks" else room_refusal
            raise refused(is_known="Item" in error.response) from None
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


def room_refusal(*, is_known: bool) -> NotFound | Conflict:
    """Why a connection, known or not, may not watch one more app."""
    if not is_known:
        return refusal(is_known=False)
    return Conflict(f"a connection must watch at most {ROOM_LIMIT} apps; leave one or open another connection")


def _connection_key(connection_id: str) -> Item:
    return {"id": {"S": f"{_CONNECTION}#{connection_id}"}, "part": {"S": _CONNECTION}}


def _subscription_key(connection_id: str, task_id: str, job_id: str) -> Item:
    part = f"{connection_id}{_FOLLOWED_BY}{task_id}" if job_id else connection_id
    return {"id": {"S": f"task#{job_id or task_id}"}, "part": {"S": part}}


def _standing(item: Item) -> dict[str, Any]:
    """What a connection's item says of its credential; those of an older release did not, and may join nothing."""
    if "ends_s" not in item:
        return {"ends_s": 1}
    return {
        "asked_app": item["asked_app"]["S"],
        "key_id": item["key_id"]["S"],
        "ends_s": int(item["ends_s"]["N"]),
        "epoch": int(item["epoch"]["N"]),
        "is_admin": item["is_admin"]["BOOL"],
    }


def _member_key(connection_id: str, app: int) -> Item:
    return {"id": {"S": _ROOMS}, "part": {"S": f"{app}#{connection_id}"}}


def _name(task_id: str, job_id: str) -> str:
    """What a connection's set says of a task: enough to find the subscription again."""
    return f"{job_id}{_FOLLOWED_BY}{task_id}" if job_id else task_id
