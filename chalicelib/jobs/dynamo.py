"""The job store on DynamoDB: three items per job, one conditional write per move; large bodies in S3.

A beat rewrites META alone, so it pays for one small item however large the request or the result is. The part
names sort so that one query reads META and RESULT and leaves REQUEST out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chalicelib.errors import Unavailable
from chalicelib.jobs.blobs import Blobs
from chalicelib.jobs.clients import PATIENT_S, client, outages
from chalicelib.jobs.items import (
    META,
    REQUEST,
    RESULT,
    SHARED,
    WATCHES,
    Item,
    key,
    number,
    pack,
    read_cursor,
    refusing,
    unpack,
    unpack_old,
    update_of,
    write_cursor,
)
from chalicelib.jobs.state import FOLLOW, LEAVE, REVOKE, SUBMIT, SUCCEED, Move, State
from chalicelib.jobs.store import (
    INLINE_LIMIT,
    REQUEST_ITEM_LIMIT,
    RESULT_ITEM_LIMIT,
    Change,
    Found,
    Job,
    Page,
    Refused,
    Taken,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# Of one BatchGetItem.
_BATCH = 100
# Two writes at once to an item that a transaction touches: one is refused, and gets through a round trip later.
_TRIES = 5


class DynamoStore:
    """A Store in one table with the keys `id` and `part`."""

    def __init__(self, table: str, blobs: Blobs, *, read_timeout_s: float = PATIENT_S) -> None:
        self._table = table
        self._blobs = blobs
        self._read_timeout_s = read_timeout_s

    def add(self, job: Job, request: bytes, *, instead_of: str = "") -> None:
        content = self._content(f"requests/{job.id}", request, REQUEST_ITEM_LIMIT)
        body = {**key(job.id, REQUEST), **content, "ttl": number(job.expires_s)}
        writes = [self._put_new(job), {"Put": {"TableName": self._table, "Item": body}}]
        if job.cache_key:
            writes.append(self._take_key(job, instead_of))
        reasons = self._transact(writes)
        if _is_refused(reasons[0]):
            raise Refused(SUBMIT, unpack_old(reasons[0]))
        if _is_refused(reasons[-1]):
            raise Taken(reasons[-1]["Item"]["job"]["S"])

    def follow(self, task: Job, change: Change) -> None:
        reasons = self._transact([self._put_new(task), self._update(task.follows, FOLLOW, change)])
        for move, reason in zip((SUBMIT, FOLLOW), reasons, strict=True):
            if _is_refused(reason):
                raise Refused(move, unpack_old(reason))

    def leave(self, task: Job, change: Change) -> None:
        own = self._update(task.id, REVOKE, change)
        reasons = self._transact([own, self._update(task.follows, LEAVE, Change(now_ms=change.now_ms))])
        for move, reason in zip((REVOKE, LEAVE), reasons, strict=True):
            if _is_refused(reason):
                raise Refused(move, unpack_old(reason))

    def withdraw(self, job_id: str) -> None:
        with outages("the job store"):
            try:
                self._db.delete_item(
                    TableName=self._table,
                    Key=key(job_id, META),
                    ConditionExpression="#state = :pending AND followers = :nobody",
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues={":pending": {"S": State.PENDING.value}, ":nobody": number(0)},
                )
                self._db.delete_item(TableName=self._table, Key=key(job_id, REQUEST))
            except self._db.exceptions.ConditionalCheckFailedException:
                return

    def find(self, job_id: str) -> Found | None:
        with outages("the job store"):
            answer = self._db.query(
                TableName=self._table,
                KeyConditionExpression="id = :id AND part BETWEEN :meta AND :result",
                ExpressionAttributeValues={":id": {"S": job_id}, ":meta": {"S": META}, ":result": {"S": RESULT}},
                ConsistentRead=True,
            )
        items = {item["part"]["S"]: item for item in answer["Items"]}
        if META not in items:
            return None
        job = unpack(items[META])
        if RESULT not in items:
            return Found(job, None)
        size = int(items[RESULT]["size"]["N"])
        return Found(job, self._read(items[RESULT]) if size <= INLINE_LIMIT else None, size)

    def holder(self, cache_key: str) -> str:
        with outages("the job store"):
            shared = key(f"cache#{cache_key}", SHARED)
            answer = self._db.get_item(TableName=self._table, Key=shared, ConsistentRead=True)
        return str(answer["Item"]["job"]["S"]) if "Item" in answer else ""

    def jobs(self, job_ids: Sequence[str]) -> dict[str, Job]:
        found: dict[str, Job] = {}
        wanted = sorted(set(job_ids))
        for start in range(0, len(wanted), _BATCH):
            asked: Any = {self._table: {"Keys": [key(one, META) for one in wanted[start : start + _BATCH]]}}
            while asked:
                with outages("the job store"):
                    answer = self._db.batch_get_item(RequestItems=asked)
                found |= {item["id"]["S"]: unpack(item) for item in answer["Responses"][self._table]}
                asked = answer.get("UnprocessedKeys")
        return found

    def result_link(self, job_id: str, file_name: str) -> str | None:
        with outages("the job store"):
            answer = self._db.get_item(TableName=self._table, Key=key(job_id, RESULT), ConsistentRead=True)
        item = answer.get("Item", {})
        return self._blobs.link(item["file"]["S"], file_name) if "file" in item else None

    def request_of(self, job_id: str) -> bytes | None:
        with outages("the job store"):
            answer = self._db.get_item(TableName=self._table, Key=key(job_id, REQUEST), ConsistentRead=True)
        return self._read(answer["Item"]) if "Item" in answer else None

    def due(self, now_ms: int, limit: int) -> list[str]:
        found: list[tuple[int, str]] = []
        for watch in WATCHES:
            with outages("the job store"):
                answer = self._db.query(
                    TableName=self._table,
                    IndexName="by-due",
                    KeyConditionExpression="watch = :watch AND due_ms <= :now_ms",
                    ExpressionAttributeValues={":watch": {"S": watch}, ":now_ms": number(now_ms)},
                    Limit=limit,
                )
            found += [(int(item["due_ms"]["N"]), item["id"]["S"]) for item in answer["Items"]]
        return [job_id for _, job_id in sorted(found)[:limit]]

    def page(self, owner: str, limit: int, cursor: str) -> Page:
        start = read_cursor(cursor, owner)
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
        return Page([unpack(item) for item in answer["Items"]], write_cursor(answer.get("LastEvaluatedKey")))

    def apply(self, job_id: str, move: Move, change: Change) -> Job:
        update = update_of(job_id, move, change)
        for _ in range(_TRIES):
            with outages("the job store"):
                try:
                    answer = self._db.update_item(TableName=self._table, **update, ReturnValues="ALL_NEW")
                    return unpack(answer["Attributes"])
                except self._db.exceptions.ConditionalCheckFailedException as error:
                    raise Refused(move, unpack_old(error.response)) from None
                except self._db.exceptions.TransactionConflictException:
                    continue
        raise _busy()

    def complete(self, job: Job, change: Change, result: bytes) -> None:
        # The attempt is in the name, so that a worker that is late overwrites nobody's file.
        content = self._content(f"results/{job.id}/{job.attempt}", result, RESULT_ITEM_LIMIT)
        body = {**key(job.id, RESULT), **content, "ttl": number(change.now_s + job.keep_s)}
        reasons = self._transact(
            [self._update(job.id, SUCCEED, change), {"Put": {"TableName": self._table, "Item": body}}]
        )
        if _is_refused(reasons[0]):
            raise Refused(SUCCEED, unpack_old(reasons[0]))

    def _put_new(self, job: Job) -> Item:
        return {"Put": {"TableName": self._table, "Item": pack(job), **refusing("attribute_not_exists(id)")}}

    def _take_key(self, job: Job, instead_of: str) -> Item:
        """Has the job stand for its cache key, if no other job does but the one that it may replace."""
        item = {**key(f"cache#{job.cache_key}", SHARED), "job": {"S": job.id}, "ttl": number(job.expires_s)}
        values = {":old": {"S": instead_of}}
        condition = refusing("attribute_not_exists(id) OR job = :old")
        return {"Put": {"TableName": self._table, "Item": item, "ExpressionAttributeValues": values, **condition}}

    def _update(self, job_id: str, move: Move, change: Change) -> Item:
        return {"Update": {"TableName": self._table, **update_of(job_id, move, change)}}

    def _content(self, file: str, body: bytes, limit: int) -> Item:
        """What an item says of a body: the body itself, or the file that it was put into."""
        size = {"size": number(len(body))}
        if len(body) <= limit:
            return {"body": {"B": body}, **size}
        self._blobs.put(file, body)
        return {"file": {"S": file}, **size}

    def _read(self, item: Item) -> bytes:
        body: bytes = item["body"]["B"] if "body" in item else self._blobs.get(item["file"]["S"])
        return body

    def _transact(self, writes: list[Item]) -> list[Any]:  # CancellationReasons of botocore's error response
        """Makes all writes or none; answers, by write, why there are none."""
        for _ in range(_TRIES):
            with outages("the job store"):
                try:
                    self._db.transact_write_items(TransactItems=writes)  # type: ignore[arg-type]
                    return [{} for _ in writes]
                except self._db.exceptions.TransactionCanceledException as error:
                    reasons: list[Any] = error.response["CancellationReasons"]
                    if any(_is_refused(reason) for reason in reasons):
                        return reasons
                    if not any(reason.get("Code") == "TransactionConflict" for reason in reasons):
                        raise
        raise _busy()

    @cached_property
    def _db(self) -> DynamoDBClient:
        api: DynamoDBClient = client("dynamodb", read_timeout_s=self._read_timeout_s)
        return api


def _busy() -> Unavailable:
    return Unavailable("the job store is busy with this job", retry_after_s=1)


def _is_refused(reason: Any) -> bool:
    return bool(reason.get("Code") == "ConditionalCheckFailed")
