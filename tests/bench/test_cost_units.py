"""What AWS counts of a call, by sizes that were added up by hand."""

from __future__ import annotations

import pytest

from bench.cost_units import Index, Item, Table, item_bytes, read_units, table_of, units, write_units

KEYS_ONLY = Table(
    key=("id", "part"), indexes=(Index(key=("watch", "due_ms"), holds=frozenset({"watch", "due_ms", "id", "part"})),)
)
WATCHED = {"id": {"S": "job"}, "part": {"S": "2-meta"}, "watch": {"S": "0"}, "due_ms": {"N": "1000"}}


def test_an_item_is_its_names_and_values() -> None:
    # "id" and 3 bytes, "n" and 12345 in 3 bytes and one more, "is" and a bit, "b" and 4 bytes.
    item: Item = {"id": {"S": "job"}, "n": {"N": "12345"}, "is": {"BOOL": True}, "b": {"B": b"1234"}}
    assert item_bytes(item) == (2 + 3) + (1 + 4) + (2 + 1) + (1 + 4)
    # A map and a list: 3 bytes each, one more for each member.
    assert item_bytes({"m": {"M": {"a": {"S": "xy"}}}}) == 1 + 3 + 1 + 1 + 2
    assert item_bytes({"l": {"L": [{"S": "xy"}, {"NULL": True}]}}) == 1 + 3 + (1 + 2) + (1 + 1)
    assert item_bytes({"s": {"SS": ["ab", "c"]}}) == 1 + 3
    assert item_bytes({"é": {"S": "é"}}) == 4


@pytest.mark.parametrize(("size", "of_1_kb"), [(0, 1), (1, 1), (1024, 1), (1025, 2), (10_240, 10)])
def test_units_are_rounded_up_and_at_least_one(size: int, of_1_kb: int) -> None:
    assert units(size, 1024) == of_1_kb


def test_a_write_counts_the_larger_of_what_was_and_what_is() -> None:
    table = Table(key=("id",))
    small: Item = {"id": {"S": "a"}}
    large: Item = {"id": {"S": "a"}, "body": {"B": b"x" * 3000}}
    assert write_units(table, None, large) == 3
    assert write_units(table, large, small) == 3
    assert write_units(table, small, None) == 1


def test_a_transaction_counts_the_items_twice_and_the_entries_of_indexes_once() -> None:
    assert write_units(KEYS_ONLY, None, WATCHED) == 1 + 1
    assert write_units(KEYS_ONLY, None, WATCHED, in_transaction=True) == 2 + 1


def test_an_index_counts_what_it_holds_where_that_has_changed() -> None:
    progress = WATCHED | {"progress": {"N": "1"}}
    later = WATCHED | {"due_ms": {"N": "2000"}}
    ended = {name: value for name, value in WATCHED.items() if name != "watch"}
    # It does not hold the progress; a later time is a new key, so one entry goes and one comes; an ended job has none.
    assert write_units(KEYS_ONLY, WATCHED, progress) == 1
    assert write_units(KEYS_ONLY, WATCHED, later) == 1 + 2
    assert write_units(KEYS_ONLY, WATCHED, ended) == 1 + 1
    assert write_units(KEYS_ONLY, ended, ended) == 1


def test_an_index_of_everything_counts_once_what_keeps_its_key() -> None:
    table = Table(key=("id",), indexes=(Index(key=("owner",), holds=None),))
    mine = {"id": {"S": "a"}, "owner": {"S": "me"}, "state": {"S": "PENDING"}}
    assert write_units(table, mine, mine | {"state": {"S": "STARTED"}}) == 1 + 1
    assert write_units(table, {"id": {"S": "a"}}, {"id": {"S": "a"}, "state": {"S": "STARTED"}}) == 1


def test_a_query_adds_up_before_it_rounds_and_other_reads_do_not() -> None:
    items = [{"body": {"B": b"x" * 2996}}] * 2  # 3,000 bytes each
    assert read_units(items, is_consistent=True, is_query=True) == 2
    assert read_units(items[:1] * 4, is_consistent=True, is_query=True) == 3
    assert read_units(items[:1] * 4, is_consistent=True, is_query=False) == 4
    assert read_units(items, is_consistent=False, is_query=True) == 1
    # What is not there costs as much as a small item.
    assert read_units([], is_consistent=False, is_query=False) == 0.5


def test_a_table_is_read_from_its_description() -> None:
    schema = [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "part", "KeyType": "RANGE"}]
    index = {
        "KeySchema": [{"AttributeName": "watch", "KeyType": "HASH"}, {"AttributeName": "due_ms", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    assert table_of({"KeySchema": schema, "GlobalSecondaryIndexes": [index]}) == KEYS_ONLY
    assert table_of({"KeySchema": schema}) == Table(key=("id", "part"))
