"""A row of an old installation as it is written here, and what of it is set aside.

Nothing is lost: what does not fit is kept in `set_aside` in its original form; what refers to it stays where it can.

* A reference to an account or a version that does not exist becomes NULL. A forecast without a project and what came
  of a forecast that is not there are set aside as rows, since here they cannot be without.
* Addresses are lower case here and differ from each other. The account with the lowest id keeps the address that
  several share; another's gets its id behind a plus, which most mail servers deliver to the same box. What is no
  address is replaced by one that no mail is ever sent to (RFC 2606). Such an account keeps its projects.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import chain, count

import msgspec

from chalicelib.db.takeover.documents import Json, canonical, clean, encode, parse
from chalicelib.db.takeover.schema import Column, Table
from chalicelib.db.takeover.values import Raw, Reading, Reference, Text

_ADDRESS = Text(200)


class Aside(msgspec.Struct, frozen=True):
    """A row or a value that is kept in `set_aside`."""

    table: str
    id: int
    # Empty for a row.
    column: str
    reason: str
    # The original as JSON.
    value: str


class OldRow(msgspec.Struct, frozen=True):
    """One row of the source."""

    id: int
    # Every column as Postgres is to hold it, as JSON; empty where the whole row is set aside.
    content: str
    asides: tuple[Aside, ...]


class Surroundings(msgspec.Struct, frozen=True):
    """What has to be known beside a row in order to read it."""

    # By table, the ids of the rows that are kept, and of those that are set aside, among those read so far.
    kept: Mapping[str, set[int]]
    gone: Mapping[str, set[int]]
    # By column and id: readings that other rows decide on.
    readings: Mapping[tuple[str, int], Reading]


def read_row(table: Table, raw: Mapping[str, Raw], around: Surroundings) -> OldRow:
    """The row as it is written here; a column that `raw` lacks is read as NULL."""
    row_id = raw["id"]
    assert isinstance(row_id, int)  # the source was refused otherwise
    values: dict[str, Json] = {"id": row_id}
    asides = []
    for column in table.columns:
        reading = around.readings.get((column.name, row_id)) or _read(column, raw.get(column.name), around)
        if reading.reason and column.decides:
            value = canonical(encode({name: _keepable(item) for name, item in raw.items()}))
            return OldRow(row_id, "", (Aside(table.name, row_id, "", f"{column.name}: {reading.reason}", value),))
        if reading.reason:
            value = canonical(encode(_keepable(raw.get(column.name))))
            asides.append(Aside(table.name, row_id, column.name, reading.reason, value))
        values[column.name] = reading.value
    return OldRow(row_id, encode(values | _stand_ins(table, values)), tuple(asides))


def restore_row(table: Table, stored: str) -> str:
    """The content that `read_row` gave to a row which came back from Postgres as JSON."""
    found = parse(stored)
    assert isinstance(found, Mapping)  # to_jsonb of a row
    values: dict[str, Json] = {column.name: column.kind.restore(found.get(column.name)) for column in table.columns}
    return encode({"id": int(str(found["id"])), **values})


def settle_addresses(accounts: Iterable[tuple[int, Raw]]) -> dict[tuple[str, int], Reading]:
    """A reading for every account's address, no two the same; by the column's name and the id.

    The accounts come in the order of their ids.
    """
    wanted = {row_id: _address(raw) for row_id, raw in accounts}
    taken, owners = set(wanted.values()), dict[str, int]()
    readings = {}
    for row_id, address in wanted.items():
        reading = Reading(address)
        if not address:
            reading = _replaced(row_id, "", taken, "must be an e-mail address")
        elif owners.setdefault(address, row_id) != row_id:
            reading = _replaced(row_id, address, taken, f"account {owners[address]} has the same address")
        readings["email", row_id] = reading
    return readings


def _read(column: Column, raw: Raw, around: Surroundings) -> Reading:
    reading = column.kind.read(raw)
    if not isinstance(column.kind, Reference):
        return reading
    table, row_id = column.kind.table, reading.value
    if row_id in around.kept[table] or (row_id is None and not column.decides):
        return reading
    if row_id in around.gone[table]:
        return Reading(None, f"row {row_id} of {table} was set aside")
    return Reading(None, reading.reason or f"there is no row {'NULL' if row_id is None else row_id} in {table}")


def _stand_ins(table: Table, values: dict[str, Json]) -> dict[str, Json]:
    """Values for the columns that need one and have none; the earlier ones are there for the later ones."""
    found: dict[str, Json] = {}
    for column in table.columns:
        if column.stand_in is not None and values[column.name] in (None, ""):
            found[column.name] = column.stand_in(values | found)
    return found


def _keepable(raw: Raw) -> Json:
    """The original as JSON; what JSON in Postgres cannot hold as the hexadecimal digits of its bytes."""
    if isinstance(raw, str) and clean(raw) != raw:
        return {"hex": raw.encode().hex()}
    if isinstance(raw, bytes):
        return {"hex": raw.hex()}
    return str(raw) if isinstance(raw, float) and not math.isfinite(raw) else raw


def _address(raw: Raw) -> str:
    """The address in lower case; empty where it is none."""
    reading = _ADDRESS.read(raw)
    address = "" if reading.value is None or reading.reason else str(reading.value).strip().lower()
    return address if address.find("@") > 0 and len(address) <= _ADDRESS.most else ""


def _replaced(row_id: int, address: str, taken: set[str], why: str) -> Reading:
    """A reading with the first address for the account that is free, and takes it."""
    name, _, domain = address.rpartition("@")
    spares = (f"user-{row_id}{'-' * tries}@migrated.invalid" for tries in count())
    tagged = [f"{name}+{row_id}@{domain}"] if name else []
    free = next(spare for spare in chain(tagged, spares) if spare not in taken and len(spare) <= _ADDRESS.most)
    taken.add(free)
    return Reading(free, f"{why}; {free} stands in its place")


def settled(table: Table, content: str) -> str:
    """The content of a row without what the service goes on writing by itself."""
    row = parse(content)
    assert isinstance(row, Mapping)
    moving = {column.name for column in table.columns if column.lives_on}
    return encode({name: value for name, value in row.items() if name not in moving})
