"""Jobs as DynamoDB items, and moves as its update expressions.

Every name goes by a placeholder: DynamoDB reserves hundreds of words, "cursor" and "state" among them.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from chalicelib.jobs.state import Guard, Move
from chalicelib.jobs.store import TOMBSTONE_S, WAIT_LIMIT_S, WRITTEN, BadCursor, Change, Job

REQUEST, META, RESULT = "1-request", "2-meta", "3-result"
# Of an item of its own: which job stands for a cache key.
SHARED = "shared"
WATCHES = tuple("0123")

# An item as DynamoDB's wire format has it: {"name": {"S": "text"}}.
Item = dict[str, Any]

# Of Job, as JSON text inside an item.
JSON_FIELDS = ("problem", "warnings")
_GUARDS = {
    Guard.NOTHING: "",
    Guard.LEASE_EXPIRED: " AND lease_ms < :now_ms",
    Guard.MINE: " AND attempt = :attempt",
    Guard.SAME_RESENDS: " AND resends = :resends",
    Guard.MINE_NOT_CANCELLED: " AND attempt = :attempt AND cancel_requested = :no",
    Guard.NOT_CANCELLED: " AND cancel_requested = :no",
    Guard.UNFOLLOWED: " AND followers = :nobody",
    Guard.FOLLOWED: " AND followers > :nobody",
}


def update_of(job_id: str, move: Move, change: Change) -> dict[str, Any]:
    """The arguments of update_item, but for the table, that make the move if it is allowed."""
    writes, values = _writes(job_id, move, change)
    names = [name for name in WRITTEN if getattr(change, name) is not None]
    names += ["ttl"] if move.ends or move.revives else []
    states = {f":from{n}": {"S": state.value} for n, state in enumerate(sorted(move.sources))}
    return {
        "Key": key(job_id, META),
        "UpdateExpression": "SET " + ", ".join(writes) + _removes(move),
        **refusing(f"#state IN ({', '.join(states)})" + _GUARDS[move.guard]),
        "ExpressionAttributeNames": {"#state": "state", **{f"#{name}": name for name in names}},
        "ExpressionAttributeValues": {**values, **_guard_values(move.guard, change), **states},
    }


def refusing(condition: str) -> dict[str, str]:
    """A condition whose refusal answers with what is stored."""
    return {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


def key(job_id: str, part: str) -> Item:
    return {"id": {"S": job_id}, "part": {"S": part}}


def number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def pack(job: Job) -> Item:
    """The attributes of a job's META item."""
    values = {name: getattr(job, name) for name in job.__struct_fields__}
    fields: Item = {name: _value(value) for name, value in values.items() if value not in (None, ())}
    if not job.owner:
        # An empty string cannot be an index key: public jobs are in nobody's list.
        del fields["owner"]
    if not job.follows:
        # What another job does is not watched: it is that one that may need help.
        fields["watch"] = _watch(job.id)
    return {**fields, **key(job.id, META), "ttl": number(job.forgotten_s)}


def unpack(item: Item) -> Job:
    """The job of a META item. What is not known is left out: during a deploy a newer worker's items are read too."""
    fields: dict[str, Any] = {}
    for name in Job.__struct_fields__:
        if name in item:
            ((kind, value),) = item[name].items()
            fields[name] = int(value) if kind == "N" else msgspec.json.decode(value) if name in JSON_FIELDS else value
    return msgspec.convert(fields, Job)


def unpack_old(refusal: Any) -> Job | None:  # botocore's error response
    """The job that stood in the way of a move or a new job."""
    item = refusal.get("Item")
    return unpack(item) if item else None


def write_cursor(last: Item | None) -> str:
    """Where a page ended, without the owner, who is added again when it is read."""
    if not last:
        return ""
    return base64.urlsafe_b64encode(f"{last['created_ms']['N']} {last['id']['S']}".encode()).decode()


def read_cursor(cursor: str, owner: str) -> dict[str, Any]:  # a keyword argument of query()
    """Where the next page begins; raises BadCursor."""
    if not cursor:
        return {}
    try:
        created_ms, job_id = base64.urlsafe_b64decode(cursor).decode().split(" ")
        start = {**key(job_id, META), "owner": {"S": owner}, "created_ms": number(int(created_ms))}
    except ValueError:
        raise BadCursor(f"cursor must be one that a page gave out, got {cursor[:40]!r}") from None
    return {"ExclusiveStartKey": start}


def _writes(job_id: str, move: Move, change: Change) -> tuple[list[str], Item]:
    """The assignments of an update expression and their values."""
    writes = ["updated_ms = :now_ms"]
    values: Item = {":now_ms": number(change.now_ms)}
    if move.target is not None:
        writes.append("#state = :to")
        values[":to"] = {"S": move.target.value}
    if move.begins:
        writes += ["attempt = attempt + :one", "resends = :none"]
        writes += ["first_start_ms = if_not_exists(first_start_ms, :now_ms)", "last_start_ms = :now_ms"]
        values |= {":one": number(1), ":none": number(0)}
    if move.guard is Guard.SAME_RESENDS:
        writes.append("resends = resends + :one")
        values[":one"] = number(1)
    if move.followers:
        writes.append("followers = followers + :more")
        values[":more"] = number(move.followers)
    if move.ends:
        writes += ["ended_ms = :now_ms", "expires_s = keep_s + :now_s", "#ttl = keep_s + :tomb_s"]
        values |= {":now_s": number(change.now_s), ":tomb_s": number(change.now_s + TOMBSTONE_S)}
    if move.revives:
        expires_s = change.now_s + WAIT_LIMIT_S
        writes += ["expires_s = :expires_s", "#ttl = :ttl", "watch = :watch"]
        values |= {":expires_s": number(expires_s), ":ttl": number(expires_s + TOMBSTONE_S), ":watch": _watch(job_id)}
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
    return " REMOVE problem, ended_ms" if move.revives else ""


def _guard_values(guard: Guard, change: Change) -> Item:
    """What the guard's condition compares with; DynamoDB refuses values that no expression names."""
    match guard:
        case Guard.MINE:
            return {":attempt": number(change.attempt or 0)}
        case Guard.MINE_NOT_CANCELLED:
            return {":attempt": number(change.attempt or 0), ":no": {"BOOL": False}}
        case Guard.SAME_RESENDS:
            return {":resends": number(change.resends or 0)}
        case Guard.NOT_CANCELLED:
            return {":no": {"BOOL": False}}
        case Guard.UNFOLLOWED | Guard.FOLLOWED:
            return {":nobody": number(0)}
        case _:
            return {}


def _watch(job_id: str) -> dict[str, str]:
    """The partition of the sweeper's index that the job is in: a few, so that no single one takes every beat."""
    return {"S": WATCHES[sum(job_id.encode()) % len(WATCHES)]}


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
