"""What ingest knows without Postgres: apps and their rule sheets as they were published, and events that were given up.

One table with the keys and data sets: `app#<app id>`, `rules#<app>#<version>` and `lost#<app>#<message id>`.
"""

from __future__ import annotations

import zlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from chalicelib.errors import TooLarge, Unavailable
from chalicelib.jobs.clients import PROMPT_S, client, outages

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_WHAT = "the store of published apps"
# An item has at most 400 KB.
MOST_BYTES = 390_000
# Seconds that the end of an app is remembered, so that an older state of it cannot come back.
_END_S = 24 * 3600


class PublishedApp(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to judge an app's events."""

    # Its number in Postgres.
    id: int
    app_id: str
    # The account that it belongs to; 0, which no account has: it was published before that was said.
    owner: int = 0
    policy: Literal["record", "accept", "drop"] = "record"
    optional_absent_is_invalid: bool = False
    integer_for_float: bool = False
    ingest_key_digest: str | None = None
    keep_bodies_per_minute: int | None = None
    salt: bytes
    rules_version: int = 0
    # A later state of the app has a higher one.
    revision: int


class EventRecords(Protocol):
    """Published apps and rule sheets; raises Unavailable."""

    def publish(self, app: PublishedApp) -> None:
        """Has events be taken by this state of the app, unless a later one is there."""

    def withdraw(self, app_id: str, revision: int, *, now_s: int) -> None:
        """Has no more events be taken, unless a later state is there."""

    def app(self, app_id: str) -> PublishedApp | None:
        """The app as it was published; None if it is not, or not any more."""

    def publish_sheet(self, app: int, version: int, rules: bytes) -> None:
        """Stores a version, which never changes, before its app is published with it; raises TooLarge."""

    def sheet(self, app: int, version: int) -> bytes | None:
        """The rules of a version; None if it was not published."""

    def give_up(self, app: int, message_id: str, reason: str, *, until_s: int) -> None:
        """Remembers why an event was not stored."""

    def given_up(self, app: int, message_id: str) -> str | None:
        """Why an event was not stored; None if nothing is known of it."""


class DynamoEventRecords:
    """Records in the table of the keys."""

    def __init__(self, table: str) -> None:
        self._table = table

    def publish(self, app: PublishedApp) -> None:
        self._put_app(app.app_id, app.revision, {"app": {"B": msgspec.json.encode(app)}})

    def withdraw(self, app_id: str, revision: int, *, now_s: int) -> None:
        self._put_app(app_id, revision, {"ttl": {"N": str(now_s + _END_S)}})

    def app(self, app_id: str) -> PublishedApp | None:
        item = self._get(f"app#{app_id}")
        return msgspec.json.decode(item["app"]["B"], type=PublishedApp) if item and "app" in item else None

    def publish_sheet(self, app: int, version: int, rules: bytes) -> None:
        self._put({"id": {"S": f"rules#{app}#{version}"}, "rules": {"B": pack(rules)}})

    def sheet(self, app: int, version: int) -> bytes | None:
        item = self._get(f"rules#{app}#{version}")
        return zlib.decompress(item["rules"]["B"]) if item else None

    def give_up(self, app: int, message_id: str, reason: str, *, until_s: int) -> None:
        self._put({"id": {"S": f"lost#{app}#{message_id}"}, "reason": {"S": reason}, "ttl": {"N": str(until_s)}})

    def given_up(self, app: int, message_id: str) -> str | None:
        item = self._get(f"lost#{app}#{message_id}")
        return str(item["reason"]["S"]) if item else None

    def _put_app(self, app_id: str, revision: int, said: dict[str, Any]) -> None:
        with outages(_WHAT):
            try:
                self._db.put_item(
                    TableName=self._table,
                    Item={"id": {"S": f"app#{app_id}"}, "revision": {"N": str(revision)}, **said},
                    ConditionExpression="attribute_not_exists(id) OR revision <= :revision",
                    ExpressionAttributeValues={":revision": {"N": str(revision)}},
                )
            except self._db.exceptions.ConditionalCheckFailedException:
                return

    def _put(self, item: dict[str, Any]) -> None:
        with outages(_WHAT):
            self._db.put_item(TableName=self._table, Item=item)

    def _get(self, key: str) -> dict[str, Any] | None:
        with outages(_WHAT):
            return self._db.get_item(TableName=self._table, Key={"id": {"S": key}}, ConsistentRead=True).get("Item")

    @cached_property
    def _db(self) -> DynamoDBClient:
        api: DynamoDBClient = client("dynamodb", read_timeout_s=PROMPT_S)
        return api


def pack(rules: bytes) -> bytes:
    """The rules as an item can hold them; raises TooLarge."""
    packed = zlib.compress(rules, 9)
    if len(packed) > MOST_BYTES:
        raise TooLarge(f"the rule sheet must have at most {MOST_BYTES} bytes when compressed, got {len(packed)}")
    return packed


class MemoryEventRecords:
    """The twin in memory for tests; while it `is_away`, it raises Unavailable."""

    def __init__(self) -> None:
        self.is_away = False
        self.reads = 0
        self._apps: dict[str, tuple[int, PublishedApp | None]] = {}
        self._sheets: dict[tuple[int, int], bytes] = {}
        self._lost: dict[tuple[int, str], str] = {}

    def publish(self, app: PublishedApp) -> None:
        self._put_app(app.app_id, app.revision, app)

    def withdraw(self, app_id: str, revision: int, *, now_s: int) -> None:
        self._put_app(app_id, revision, None)

    def app(self, app_id: str) -> PublishedApp | None:
        self._answer()
        return self._apps.get(app_id, (0, None))[1]

    def publish_sheet(self, app: int, version: int, rules: bytes) -> None:
        self._answer()
        self._sheets[app, version] = pack(rules)

    def sheet(self, app: int, version: int) -> bytes | None:
        self._answer()
        packed = self._sheets.get((app, version))
        return None if packed is None else zlib.decompress(packed)

    def give_up(self, app: int, message_id: str, reason: str, *, until_s: int) -> None:
        self._answer()
        self._lost[app, message_id] = reason

    def given_up(self, app: int, message_id: str) -> str | None:
        self._answer()
        return self._lost.get((app, message_id))

    def _put_app(self, app_id: str, revision: int, app: PublishedApp | None) -> None:
        self._answer()
        if self._apps.get(app_id, (0, None))[0] <= revision:
            self._apps[app_id] = revision, app

    def _answer(self) -> None:
        self.reads += 1
        if self.is_away:
            raise Unavailable(f"{_WHAT} cannot be reached", retry_after_s=5)
