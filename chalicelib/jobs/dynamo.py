"""The job store on DynamoDB: three items per job, one conditional write per move; large bodies in S3.

A beat rewrites META alone, so it pays for one small item however large the request or the result is. The part
names sort so that one query reads META and RESULT and leaves REQUEST out.
"""

from __future__ import annotations

import base64
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.jobs.blobs import Blobs
from chalicelib.jobs.clients import client, outages
from chalicelib.jobs.state import SUCCEED, Guard, Move, State
from chalicelib.jobs.store import (
    INLINE_LIMIT,
    REQUEST_ITEM_LIMIT,
    RESULT_ITEM_LIMIT,
    TOMBSTONE_S,
    WAIT_LIMIT_S,
    WRITTEN,
    BadCursor,
    Change,
    Found,
    Job,
    Page,
    Refused,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

REQUEST, META, RESULT = "1-request", "2-meta", "3-result"
WATCHES = tuple("0123")

# An item as DynamoDB's wire format has it: {"name": {"S": "text"}}.
Item = dict[str, Any]

_SUBMIT = Move("submit", frozenset(), State.PENDING)
_GUARDS = {
    Guard.NOTHING: "",
    Guard.LEASE_EXPIRED: " AND lease_ms < :now_ms",
    Guard.MINE: " AND attempt = :attempt",
    Guard.SAME_RESENDS: " AND resends = :resends",
    Guard.MINE_NOT_CANCELLED: " AND attempt = :attempt AND cancel_requested = :no",
}


class DynamoStore:
    """A Store in one table with the keys `id` and `part`."""

    def __init__(self, table: str, blobs: Blobs) -> None:
        self._table = table
        self._blobs = blobs

    def add(self, job: Job, request: bytes) -> None:
        meta = {**_pack(job), **_key(job.id, META), "ttl": _number(job.forgotten_s), "watch": _watch(job.id)}
        content = self._content(f"requests/{job.id}", request, REQUEST_ITEM_LIMIT)
        body = {**_key(job.id, REQUEST), **content, "ttl": _number(job.expires_s)}
        if not job.owner:
            # An empty string cannot be an index key: public jobs are in nobody's list.
            del meta["owner"]
        self._transact(
            _SUBMIT,
            {"Put": {"TableName": self._table, "Item": meta, **_refusing("attribute_not_exists(id)")}},
            {"Put": {"TableName": self._table, "Item": body}},
        )

    def withdraw(self, job_id: str) -> None:
        with outages("the job store"):
            try:
                self._db.delete_item(
                    TableName=self._table,
                    Key=_key(job_id, META),
                    ConditionExpression="#state = :pending",
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues={":pending": {"S": State.PENDING.value}},
                )
                self._db.delete_item(TableName=self._table, Key=_key(job_id, REQUEST))
            except self._db.exceptions.ConditionalCheckFailedException:
                return

    def find(self, job_id: str) -> Found | None:
        with outages("the job store"):
            answer = self._db.query(
                TableName=self._table,
                KeyConditionExpression="id = :id AND part >= :meta",
                ExpressionAttributeValues={":id": {"S": job_id}, ":meta": {"S": META}},
                ConsistentRead=True,
            )
        items = {item["part"]["S"]: item for item in answer["Items"]}
        if META not in items:
            return None
        job = _unpack(items[META])
        if RESULT not in items:
            return Found(job, None)
        size = int(items[RESULT]["size"]["N"])
        return Found(job, self._read(items[RESULT]) if size <= INLINE_LIMIT else None, size)

    def result_link(self, job_id: str, file_name: str) -> str | None:
        with outages("the job store"):
            answer = self._db.get_item(TableName=self._table, Key=_key(job_id, RESULT), ConsistentRead=True)
        item = answer.get("Item", {})
        return self._blobs.link(item["file"]["S"], file_name) if "file" in item else None

    def request_of(self, job_id: str) -> bytes | None:
        with outages("the job store"):
            answer = self._db.get_item(TableName=self._table, Key=_key(job_id, REQUEST), ConsistentRead=True)
        return self._read(answer["Item"]) if "Item" in answer else None

    def due(self, now_ms: int, limit: int) -> list[str]:
        found: list[tuple[int, str]] = []
        for watch in WATCHES:
            with outages("the job store"):
                answer = self._db.query(
                    TableName=self._table,
                    IndexName="by-due",
                    KeyConditionExpression="watch = :watch AND due_ms <= :now_ms",
                    ExpressionAttributeValues={":watch": {"S": watch}, ":now_ms": _number(now_ms)},
                    Limit=limit,
                )
            found += [(int(item["due_ms"]["N"]), item["id"]["S"]) for item in answer["Items"]]
        return [job_id for _, job_id in sorted(found)[:limit]]

    def page(self, owner: str, limit: int, cursor: str) -> Page:
        start = _read_cursor(cursor, owner)
        with outages("the job store"):
            answer = self._db.query(
                TableName=self._table,
                IndexName="by-owner",
                KeyConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": {"S": owner}},
                ScanIndexForward=False,
                Limit=limit,
                **start,
            )
        return Page([_unpack(item) for item in answer["Items"]], _write_cursor(answer.get("LastEvaluatedKey")))

    def apply(self, job_id: str, move: Move, change: Change) -> Job:
        with outages("the job store"):
            try:
                answer = self._db.update_item(**self._update(job_id, move, change), ReturnValues="ALL_NEW")
            except self._db.exceptions.ConditionalCheckFailedException as error:
                raise Refused(move, _unpack_old(error.response)) from None
        return _unpack(answer["Attributes"])

    def complete(self, job: Job, change: Change, result: bytes) -> None:
        # The attempt is in the name, so that a worker that is late overwrites nobody's file.
        content = self._content(f"results/{job.id}/{job.attempt}", result, RESULT_ITEM_LIMIT)
        body = {**_key(job.id, RESULT), **content, "ttl": _number(change.now_s + job.keep_s)}
        self._transact(
            SUCCEED,
            {"Update": self._update(job.id, SUCCEED, change)},
            {"Put": {"TableName": self._table, "Item": body}},
        )

    def _content(self, file: str, body: bytes, limit: int) -> Item:
        """What an item says of a body: the body itself, or the file that it was put into."""
        size = {"size": _number(len(body))}
        if len(body) <= limit:
            return {"body": {"B": body}, **size}
        self._blobs.put(file, body)
        return {"file": {"S": file}, **size}

    def _read(self, item: Item) -> bytes:
        body: bytes = item["body"]["B"] if "body" in item else self._blobs.get(item["file"]["S"])
        return body

    @cached_property
    def _db(self) -> DynamoDBClient:
        api: DynamoDBClient = client("dynamodb", read_timeout_s=3)
        return api

    def _update(self, job_id: str, move: Move, change: Change) -> dict[str, Any]:
        writes, values = _writes(move, change)
        names = [name for name in WRITTEN if getattr(change, name) is not None]
        names += ["ttl"] if move.ends or move.revives else []
        if move.revives:
            writes.append("watch = :watch")
            values[":watch"] = _watch(job_id)
        states = {f":from{n}": {"S": state.value} for n, state in enumerate(sorted(move.sources))}
        condition = f"#state IN ({', '.join(states)})" + _GUARDS[move.guard]
        if move.guard in (Guard.MINE, Guard.MINE_NOT_CANCELLED):
            values[":attempt"] = _number(change.attempt or 0)
        if move.guard is Guard.SAME_RESENDS:
            values[":resends"] = _number(change.resends or 0)
        if move.guard is Guard.MINE_NOT_CANCELLED:
            values[":no"] = {"BOOL": False}
        return {
            "TableName": self._table,
            "Key": _key(job_id, META),
            "UpdateExpression": "SET " + ", ".join(writes) + _removes(move),
            **_refusing(condition),
            # Every name goes by a placeholder: DynamoDB reserves hundreds of words, "cursor" and "state" among them.
            "ExpressionAttributeNames": {"#state": "state", **{f"#{name}": name for name in names}},
            "ExpressionAttributeValues": {**values, **states},
        }

    def _transact(self, move: Move, first: dict[str, Any], second: dict[str, Any]) -> None:
        with outages("the job store"):
            try:
                self._db.transact_write_items(TransactItems=[first, second])  # type: ignore[list-item]
            except self._db.exceptions.TransactionCanceledException as error:
                reason = error.response["CancellationReasons"][0]
                if reason.get("Code") != "ConditionalCheckFailed":
                    raise
                raise Refused(move, _unpack_old(reason)) from None


def _writes(move: Move, change: Change) -> tuple[list[str], Item]:
    """The assignments of an update expression and their values."""
    writes = ["updated_ms = :now_ms"]
    values: Item = {":now_ms": _number(change.now_ms)}
    if move.target is not None:
        writes.append("#state = :to")
        values[":to"] = {"S": move.target.value}
    if move.begins:
        writes += ["attempt = attempt + :one", "resends = :none"]
        values |= {":one": _number(1), ":none": _number(0)}
    if move.guard is Guard.SAME_RESENDS:
        writes.append("resends = resends + :one")
        values[":one"] = _number(1)
    if move.ends:
        writes += ["expires_s = keep_s + :now_s", "#ttl = keep_s + :tomb_s"]
        values |= {":now_s": _number(change.now_s), ":tomb_s": _number(change.now_s + TOMBSTONE_S)}
    if move.revives:
        expires_s = change.now_s + WAIT_LIMIT_S
        writes += ["expires_s = :expires_s", "#ttl = :ttl"]
        values |= {":expires_s": _number(expires_s), ":ttl": _number(expires_s + TOMBSTONE_S)}
    for name in WRITTEN:
        value = getattr(change, name)
        if value is not None:
            writes.append(f"#{name} = :{name}")
            values[f":{name}"] = _value(value)
    return writes, values


def _removes(move: Move) -> str:
    if move.ends:
        # A job that has ended is not watched: it drops out of the sweeper's index.
        return " REMOVE watch"
    return " REMOVE problem" if move.revives else ""


def _watch(job_id: str) -> dict[str, str]:
    """The partition of the sweeper's index that the job is in: a few, so that no single one takes every beat."""
    return {"S": WATCHES[sum(job_id.encode()) % len(WATCHES)]}


def _write_cursor(key: Item | None) -> str:
    """Where a page ended, without the owner, who is added again when it is read."""
    if not key:
        return ""
    return base64.urlsafe_b64encode(f"{key['created_ms']['N']} {key['id']['S']}".encode()).decode()


def _read_cursor(cursor: str, owner: str) -> dict[str, Any]:  # a keyword argument of query()
    if not cursor:
        return {}
    try:
        created_ms, job_id = base64.urlsafe_b64decode(cursor).decode().split(" ")
        start = {**_key(job_id, META), "owner": {"S": owner}, "created_ms": _number(int(created_ms))}
    except ValueError:
        raise BadCursor(f"cursor must be one that a page gave out, got {cursor[:40]!r}") from None
    return {"ExclusiveStartKey": start}


def _refusing(condition: str) -> dict[str, str]:
    return {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


def _key(job_id: str, part: str) -> Item:
    return {"id": {"S": job_id}, "part": {"S": part}}


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def _value(value: object) -> dict[str, object]:
    match value:
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case _:
            return {"S": msgspec.json.encode(value).decode()}


def _pack(job: Job) -> Item:
    return {name: _value(value) for name in job.__struct_fields__ if (value := getattr(job, name)) not in (None, ())}


def _unpack(item: Item) -> Job:
    fields: dict[str, Any] = {}
    for name in Job.__struct_fields__:
        if name in item:
            ((kind, value),) = item[name].items()
            fields[name] = int(value) if kind == "N" else value
    for name in ("problem", "warnings"):
        if name in fields:
            fields[name] = msgspec.json.decode(fields[name])
    return msgspec.convert(fields, Job)


def _unpack_old(refusal: Any) -> Job | None:  # botocore's error response
    item = refusal.get("Item")
    return _unpack(item) if item else None
