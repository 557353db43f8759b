"""What AWS counts of a call: request units of DynamoDB, requests of SQS.

Written from AWS's rules, for the emulator's own `ConsumedCapacity` follows none of them: an item is its attributes'
names and values; a write unit is a KB, a read unit 4 KB, rounded up for each item; transactions count twice, reads that
may be stale half; a write to an index is counted where what the index holds has changed, and twice where its key has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

Item = Mapping[str, Mapping[str, Any]]  # DynamoDB's wire format

WRITE_BYTES, READ_BYTES, SQS_BYTES = 1024, 4096, 64 * 1024


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """A global secondary index: its key, and the attributes that it holds (None: all)."""

    key: tuple[str, ...]
    holds: frozenset[str] | None


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table's key and its indexes."""

    key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()


def table_of(description: Mapping[str, Any]) -> Table:
    """The table as DescribeTable tells of it."""
    key = _key(description)
    return Table(key=key, indexes=tuple(_index(each, key) for each in description.get("GlobalSecondaryIndexes", ())))


def item_bytes(item: Item) -> int:
    """The size of an item as DynamoDB counts it."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def write_units(table: Table, before: Item | None, after: Item | None, *, in_transaction: bool = False) -> int:
    """Units of a write that turned one item into the other; None is no item.

    Entries of indexes are counted once also in transactions, which prepare and commit the table's items alone.
    """
    own = units(max(_bytes(before), _bytes(after)), WRITE_BYTES)
    return own * (2 if in_transaction else 1) + sum(_index_units(each, before, after) for each in table.indexes)


def read_units(items: Sequence[Item], *, is_consistent: bool, is_query: bool) -> float:
    """Units of a read: a query adds sizes up before it rounds, other reads round for each item; none counts as one."""
    sizes = [item_bytes(item) for item in items] or [1]
    rounded = units(sum(sizes), READ_BYTES) if is_query else sum(units(size, READ_BYTES) for size in sizes)
    return rounded if is_consistent else rounded / 2


def units(size: int, unit: int) -> int:
    """How many units so many bytes are; at least one."""
    return max(1, math.ceil(size / unit))


def _bytes(item: Item | None) -> int:
    return item_bytes(item) if item is not None else 0


def _value_bytes(value: Mapping[str, Any]) -> int:
    kind: str
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(str(content).encode())
        case "N":
            # Two digits a byte, one more for the exponent, one for a sign.
            digits = content.lstrip("-").replace(".", "").strip("0")
            return math.ceil(len(digits) / 2) + 1 + int(str(content).startswith("-"))
        case "B":
            return len(bytes(content))
        case "BOOL" | "NULL":
            return 1
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(inner) for name, inner in content.items())
        case "L":
            return 3 + sum(1 + _value_bytes(inner) for inner in content)
        case _:
            return sum(_value_bytes({kind[0]: each}) for each in content)


def _key(description: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(each["AttributeName"] for each in description["KeySchema"])


def _index(description: Mapping[str, Any], table_key: tuple[str, ...]) -> Index:
    key, projection = _key(description), description["Projection"]
    if projection["ProjectionType"] == "ALL":
        return Index(key=key, holds=None)
    return Index(key=key, holds=frozenset({*key, *table_key, *projection.get("NonKeyAttributes", ())}))


def _index_units(index: Index, before: Item | None, after: Item | None) -> int:
    old, new = _entry(index, before), _entry(index, after)
    if old == new:
        return 0
    if old is None or new is None:
        return units(_bytes(old) or _bytes(new), WRITE_BYTES)
    if any(old[name] != new[name] for name in index.key):
        return units(item_bytes(old), WRITE_BYTES) + units(item_bytes(new), WRITE_BYTES)
    return units(max(item_bytes(old), item_bytes(new)), WRITE_BYTES)


def _entry(index: Index, item: Item | None) -> Item | None:
    """What the index holds of an item; None where the item lacks a part of the index's key."""
    if item is None or any(name not in item for name in index.key):
        return None
    return item if index.holds is None else {name: value for name, value in item.items() if name in index.holds}
