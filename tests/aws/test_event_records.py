"""One suite for both ways to keep what ingest knows: DynamoDB's API (moto) and the memory twin."""

from __future__ import annotations

import random

import msgspec
import pytest

from chalicelib.aws.event_records import DynamoEventRecords, EventRecords, MemoryEventRecords, PublishedApp
from chalicelib.errors import TooLarge

SHOP = PublishedApp(id=7, app_id="shop", owner=3, salt=b"\x00\xff" * 16, rules_version=2, revision=5)


@pytest.fixture(params=["dynamodb", "memory"])
def records(request: pytest.FixtureRequest) -> EventRecords:
    return (
        MemoryEventRecords() if request.param == "memory" else DynamoEventRecords(request.getfixturevalue("key_table"))
    )


def test_app_is_known_as_it_was_published_last(records: EventRecords) -> None:
    assert records.app("shop") is None
    records.publish(SHOP)
    assert records.app("shop") == SHOP
    later = msgspec.structs.replace(SHOP, policy="drop", revision=8)
    records.publish(later)
    records.publish(msgspec.structs.replace(SHOP, policy="accept", revision=7))
    assert records.app("shop") == later


def test_app_that_an_older_release_published_is_taken_and_nobodys() -> None:
    said = msgspec.json.decode(msgspec.json.encode(SHOP))
    del said["owner"]
    old = msgspec.json.decode(msgspec.json.encode(said), type=PublishedApp)
    assert old == msgspec.structs.replace(SHOP, owner=0)


def test_app_that_ended_is_unknown_and_an_older_state_does_not_bring_it_back(records: EventRecords) -> None:
    records.publish(SHOP)
    records.withdraw("shop", 4, now_s=1_800_000_000)
    assert records.app("shop") == SHOP
    records.withdraw("shop", 9, now_s=1_800_000_000)
    records.publish(msgspec.structs.replace(SHOP, revision=8))
    assert records.app("shop") is None
    again = msgspec.structs.replace(SHOP, id=8, revision=10)
    records.publish(again)
    assert records.app("shop") == again


def test_versions_of_a_sheet_stand_beside_each_other(records: EventRecords) -> None:
    records.publish_sheet(7, 1, b"[1]")
    records.publish_sheet(7, 2, b"[2]")
    assert (records.sheet(7, 1), records.sheet(7, 2), records.sheet(8, 1)) == (b"[1]", b"[2]", None)


def test_sheet_that_an_item_cannot_hold_is_refused(records: EventRecords) -> None:
    with pytest.raises(TooLarge, match="at most 390000 bytes when compressed"):
        records.publish_sheet(7, 1, random.Random(1).randbytes(400_000))


def test_event_that_was_given_up_is_known_with_its_reason(records: EventRecords) -> None:
    records.give_up(7, "m", "the database refuses it", until_s=1_800_000_000)
    assert (records.given_up(7, "m"), records.given_up(7, "n")) == ("the database refuses it", None)
