"""DynamoDB refuses one of two writes at once to an item that a transaction touches; its doubles never do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from chalicelib.errors import Unavailable
from chalicelib.jobs.blobs import Blobs
from chalicelib.jobs.dynamo import DynamoStore
from chalicelib.jobs.items import pack
from chalicelib.jobs.state import CLAIM
from chalicelib.jobs.store import Change
from tests.jobs.test_stores import JOB, NOW_MS

CONFLICT = {"CancellationReasons": [{"Code": "TransactionConflict"}, {"Code": "None"}]}
CLAIMED = Change(now_ms=NOW_MS, lease_ms=NOW_MS)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> DynamoStore:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return DynamoStore("jobs", Blobs(""))


@pytest.fixture
def stub(store: DynamoStore) -> Iterator[Stubber]:
    with Stubber(store._db) as stub:
        yield stub
        stub.assert_no_pending_responses()


def refuse(stub: Stubber, operation: str, times: int) -> None:
    for _ in range(times):
        if operation == "update_item":
            stub.add_client_error(operation, service_error_code="TransactionConflictException")
        else:
            stub.add_client_error(operation, service_error_code="TransactionCanceledException", modeled_fields=CONFLICT)


def test_transaction_that_meets_another_is_tried_again(store: DynamoStore, stub: Stubber) -> None:
    refuse(stub, "transact_write_items", 4)
    stub.add_response("transact_write_items", {})
    store.add(JOB, b"{}")


def test_transaction_that_meets_others_five_times_is_an_outage(store: DynamoStore, stub: Stubber) -> None:
    refuse(stub, "transact_write_items", 5)
    with pytest.raises(Unavailable, match="busy"):
        store.add(JOB, b"{}")


def test_move_that_meets_a_transaction_is_tried_again(store: DynamoStore, stub: Stubber) -> None:
    refuse(stub, "update_item", 4)
    stub.add_response("update_item", {"Attributes": pack(JOB)})
    assert store.apply(JOB.id, CLAIM, CLAIMED) == JOB


def test_move_that_meets_transactions_five_times_is_an_outage(store: DynamoStore, stub: Stubber) -> None:
    refuse(stub, "update_item", 5)
    with pytest.raises(Unavailable, match="busy"):
        store.apply(JOB.id, CLAIM, CLAIMED)
