"""What a process asks of AWS, call by call, in the units that are billed; by botocore's own events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import msgspec

from bench.cost_units import SQS_BYTES, Item, Table, read_units, table_of, units, write_units


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """All calls of one operation."""

    count: float = 0.0
    # Of SQS: requests of 64 KB.
    requests: float = 0.0
    read_units: float = 0.0
    write_units: float = 0.0
    # There and back, without headers.
    body_bytes: float = 0.0

    def plus(self, more: Calls) -> Calls:
        return Calls(**{name: getattr(self, name) + getattr(more, name) for name in self.__struct_fields__})


class Recorder:
    """Listens to all clients of boto3's default session that are made after it."""

    def __init__(self, other: boto3.Session) -> None:
        """`other` is a session that is not listened to; it looks what lies in DynamoDB before and after a write."""
        self.waited_s = 0.0
        self._calls: dict[str, Calls] | None = None
        self._sent_s = 0.0
        self._db = other.client("dynamodb")
        self._tables: dict[str, Table] = {}
        boto3.setup_default_session()
        events = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
        events.register("before-send", self._before_send)
        events.register("response-received", self._received)
        events.register("before-parameter-build", self._before)
        events.register("after-call", self._after)

    @contextmanager
    def recording(self) -> Iterator[dict[str, Calls]]:
        """What is called in the block, by service and operation. It takes time, so nothing is to be timed in it."""
        self._calls = {}
        try:
            yield self._calls
        finally:
            self._calls = None

    def _before_send(self, **_: object) -> None:
        self._sent_s = time.perf_counter() - time.thread_time()

    def _received(self, **_: object) -> None:
        # Without what this process itself did meanwhile.
        self.waited_s += time.perf_counter() - time.thread_time() - self._sent_s

    def _before(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:
        if self._calls is None:
            return
        context["bench"] = params
        if writes := _writes(model.name, params):
            context["bench_before"] = [self._look(*write) for write in writes]

    def _after(self, http_response: Any, parsed: Any, model: Any, context: dict[str, Any], **_: object) -> None:
        if self._calls is None or "bench" not in context:
            return
        params, service = context["bench"], model.service_model.service_name
        counted = Calls(count=1, body_bytes=len(http_response.content) + len(msgspec.json.encode(params, enc_hook=str)))
        if service == "sqs":
            size = sum(len(str(params.get(name, ""))) for name in ("MessageBody", "Entries"))
            counted = msgspec.structs.replace(counted, requests=units(size, SQS_BYTES))
        if service == "dynamodb":
            counted = counted.plus(self._units(model.name, params, parsed, context.get("bench_before", [])))
        name = f"{service}.{model.name}"
        self._calls[name] = self._calls.get(name, Calls()).plus(counted)

    def _units(self, operation: str, params: dict[str, Any], parsed: Any, before: list[Item | None]) -> Calls:
        writes = _writes(operation, params)
        if writes:
            both = zip(writes, before, (self._look(*write) for write in writes), strict=True)
            is_all = operation == "TransactWriteItems"
            total = sum(
                write_units(self._table(table), old, new, in_transaction=is_all) for (table, _), old, new in both
            )
            return Calls(write_units=total)
        if operation in ("Query", "Scan", "GetItem"):
            items = parsed.get("Items", [parsed["Item"]] if "Item" in parsed else [])
            is_consistent = bool(params.get("ConsistentRead"))
            return Calls(read_units=read_units(items, is_consistent=is_consistent, is_query=operation != "GetItem"))
        if operation == "BatchGetItem":
            found = [item for items in parsed["Responses"].values() for item in items]
            return Calls(read_units=read_units(found, is_consistent=False, is_query=False))
        raise NotImplementedError(f"what {operation} costs is not known here")

    def _look(self, table: str, wanted: Item) -> Item | None:
        keys = self._table(table).key
        answer = self._db.get_item(TableName=table, Key={name: wanted[name] for name in keys}, ConsistentRead=True)
        found: Item | None = answer.get("Item")
        return found

    def _table(self, name: str) -> Table:
        if name not in self._tables:
            self._tables[name] = table_of(self._db.describe_table(TableName=name)["Table"])
        return self._tables[name]


def _writes(operation: str, params: dict[str, Any]) -> list[tuple[str, Item]]:
    """The table of each item that is written, and its key, alone or in the item."""
    match operation:
        case "PutItem":
            return [(params["TableName"], params["Item"])]
        case "UpdateItem" | "DeleteItem":
            return [(params["TableName"], params["Key"])]
        case "TransactWriteItems":
            parts = [part for each in params["TransactItems"] for part in each.values()]
            return [(part["TableName"], part.get("Item", part.get("Key"))) for part in parts]
        case _:
            return []


def timed(act: Callable[[], object], recorder: Recorder) -> tuple[float, float, float]:
    """Seconds of CPU of this process, of waiting for AWS, and of waiting for anything else, that something takes."""
    recorder.waited_s = 0.0
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    act()
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    return cpu_s, recorder.waited_s, max(0.0, wall_s - cpu_s - recorder.waited_s)
