"""One conformance suite for the subscription stores: the memory twin and DynamoDB's API (moto)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from chalicelib.aws.memory_sockets import MemorySubscriptions
from chalicelib.aws.subscriptions import (
    LIMIT,
    ROOM_LIMIT,
    Connection,
    DynamoSubscriptions,
    Member,
    Subscriber,
    Subscriptions,
    new_connections,
)
from chalicelib.errors import Conflict, NotFound
from tests.infra.template import resource

ANN = Connection(
    id="ann=",
    expires_s=1_750_008_100,
    user_id="7",
    asked="task-1",
    asked_app="shop",
    key_id="k1",
    ends_s=1_750_000_060,
    epoch=3,
    is_admin=True,
)
BOB = Connection(id="bob=", expires_s=1_750_008_100)


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoSubscriptions]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        declared = resource(Path("infra/stack.yaml"), "SocketTable")["Properties"]
        keys = {name: declared[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode")}
        boto3.client("dynamodb").create_table(TableName="sockets", **keys)
        yield DynamoSubscriptions("sockets")


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Subscriptions:
    found: Subscriptions = MemorySubscriptions() if request.param == "memory" else request.getfixturevalue("dynamodb")
    found.connect(ANN)
    found.connect(BOB)
    return found


def test_connection_is_found_as_it_was(store: Subscriptions) -> None:
    assert store.connection("ann=") == ANN
    assert store.connection("bob=") == BOB
    assert store.connection("eve=") is None


def test_greeting_is_noted_once_and_for_known_connections_only(store: Subscriptions) -> None:
    store.note_greeted("bob=")
    store.note_greeted("eve=")
    assert store.connection("bob=") == Connection(id="bob=", expires_s=1_750_008_100, greeted=True)
    assert store.connection("eve=") is None


def test_task_lists_its_subscribers_and_no_others(store: Subscriptions) -> None:
    store.subscribe("bob=", "task-1", 1001)
    store.subscribe("ann=", "task-1", 0)
    store.subscribe("ann=", "task-10", 200)
    assert store.subscribers("task-1") == [
        Subscriber(connection_id="ann="),
        Subscriber(connection_id="bob=", since=1001),
    ]
    assert store.subscribers("task-10") == [Subscriber(connection_id="ann=", since=200)]
    assert store.subscribers("task-2") == []


def test_second_subscription_to_a_task_leaves_the_first_as_it_is(store: Subscriptions) -> None:
    store.subscribe("ann=", "task-1", 5)
    store.note_sent("ann=", "task-1", 10**39)
    store.subscribe("ann=", "task-1", 9)
    assert store.subscribers("task-1") == [Subscriber(connection_id="ann=", since=5, sent=10**39)]


def test_what_was_sent_is_not_noted_after_the_end(store: Subscriptions) -> None:
    store.subscribe("ann=", "task-1", 0)
    store.unsubscribe("ann=", "task-1")
    store.note_sent("ann=", "task-1", 3)
    assert store.subscribers("task-1") == []


def test_unsubscribing_leaves_the_other_tasks_and_connections(store: Subscriptions) -> None:
    for connection, task in (("ann=", "task-1"), ("ann=", "task-2"), ("bob=", "task-1")):
        store.subscribe(connection, task, 0)
    store.unsubscribe("ann=", "task-1")
    store.unsubscribe("ann=", "never-watched")
    store.unsubscribe("eve=", "task-1")
    assert store.subscribers("task-1") == [Subscriber(connection_id="bob=")]
    assert store.subscribers("task-2") == [Subscriber(connection_id="ann=")]


def test_job_is_watched_under_its_own_name_and_under_those_of_tasks_that_follow_it(store: Subscriptions) -> None:
    store.subscribe("ann=", "job-1", 7)
    store.subscribe("ann=", "task-1", 5, job_id="job-1")
    store.subscribe("ann=", "task-2", 6, job_id="job-1")
    store.note_sent("ann=", "task-1", 3, job_id="job-1")
    store.unsubscribe("ann=", "task-2", job_id="job-1")
    assert store.subscribers("job-1") == [
        Subscriber(connection_id="ann=", since=7),
        Subscriber(connection_id="ann=", task_id="task-1", since=5, sent=3),
    ]
    assert store.subscribers("task-1") == []
    store.disconnect("ann=")
    assert store.subscribers("job-1") == []


def test_disconnect_removes_the_connection_and_all_it_watches(store: Subscriptions) -> None:
    for connection, task in (("ann=", "task-1"), ("ann=", "task-2"), ("bob=", "task-1")):
        store.subscribe(connection, task, 0)
    store.disconnect("ann=")
    store.disconnect("ann=")
    assert store.connection("ann=") is None
    assert store.subscribers("task-1") == [Subscriber(connection_id="bob=")]
    assert store.subscribers("task-2") == []


def test_connection_that_is_not_known_cannot_subscribe(store: Subscriptions) -> None:
    with pytest.raises(NotFound) as refused:
        store.subscribe("eve=", "task-1", 0)
    assert refused.value.detail == "this connection is not known any more; connect again"
    assert store.subscribers("task-1") == []


def test_connection_watches_100_tasks_at_most(store: Subscriptions) -> None:
    for n in range(LIMIT):
        store.subscribe("ann=", f"task-{n}", 0)
    with pytest.raises(Conflict) as refused:
        store.subscribe("ann=", "task-100", 0)
    assert refused.value.detail == (
        "a connection must watch at most 100 tasks; unsubscribe from one or open another connection"
    )
    assert store.subscribers("task-100") == []
    store.subscribe("ann=", "task-99", 0)
    store.unsubscribe("ann=", "task-0")
    store.subscribe("ann=", "task-100", 0)
    assert store.subscribers("task-100") == [Subscriber(connection_id="ann=")]


def member(connection_id: str, app: int, **changes: object) -> Member:
    said: dict[str, object] = {"connection_id": connection_id, "app": app, "app_id": f"app-{app}", "user_id": "7"}
    return Member(**(said | changes))  # type: ignore[arg-type]


def test_app_lists_who_watches_it_and_all_apps_are_listed_at_once(store: Subscriptions) -> None:
    ann = member("ann=", 1, key_id="k1", epoch=3, ends_s=1_750_000_060)
    for one in (member("bob=", 1), ann, member("ann=", 10), member("bob=", 2)):
        store.join(one)
    assert store.members(1) == [ann, member("bob=", 1)]
    assert store.members(10) == [member("ann=", 10)]
    assert store.members(3) == []
    assert sorted((one.app, one.connection_id) for one in store.members()) == [
        (1, "ann="),
        (1, "bob="),
        (2, "bob="),
        (10, "ann="),
    ]


def test_who_joins_again_is_there_once_as_it_was_said_last(store: Subscriptions) -> None:
    store.join(member("ann=", 1, epoch=1))
    store.join(member("ann=", 1, epoch=2))
    assert store.members() == [member("ann=", 1, epoch=2)]


def test_who_leaves_an_app_still_watches_the_others(store: Subscriptions) -> None:
    for one in (member("ann=", 1), member("ann=", 2), member("bob=", 1)):
        store.join(one)
    store.leave("ann=", 1)
    store.leave("ann=", 3)
    store.leave("eve=", 1)
    assert store.members() == [member("bob=", 1), member("ann=", 2)]


def test_disconnect_leaves_all_apps_and_tasks(store: Subscriptions) -> None:
    for one in (member("ann=", 1), member("ann=", 2), member("bob=", 1)):
        store.join(one)
    store.subscribe("ann=", "task-1", 0)
    store.disconnect("ann=")
    assert (store.members(), store.subscribers("task-1")) == ([member("bob=", 1)], [])


def test_connection_that_is_not_known_cannot_join(store: Subscriptions) -> None:
    with pytest.raises(NotFound) as refused:
        store.join(member("eve=", 1))
    assert refused.value.detail == "this connection is not known any more; connect again"
    assert store.members() == []


def test_connection_watches_20_apps_at_most(store: Subscriptions) -> None:
    for app in range(ROOM_LIMIT):
        store.join(member("ann=", app))
    with pytest.raises(Conflict) as refused:
        store.join(member("ann=", 20))
    assert refused.value.detail == "a connection must watch at most 20 apps; leave one or open another connection"
    assert store.members(20) == []
    store.join(member("ann=", 19))
    store.leave("ann=", 0)
    store.join(member("ann=", 20))
    assert store.members(20) == [member("ann=", 20)]


def test_items_expire_with_their_connection(dynamodb: DynamoSubscriptions) -> None:
    dynamodb.connect(ANN)
    dynamodb.subscribe("ann=", "task-1", 0)
    dynamodb.join(member("ann=", 1, ends_s=1_750_000_060))
    items = boto3.client("dynamodb").scan(TableName="sockets")["Items"]
    assert [item["ttl"] for item in items] == [{"N": "1750008100"}] * 3


def test_connection_of_an_older_release_is_read_as_one_whose_credential_has_ended(
    dynamodb: DynamoSubscriptions,
) -> None:
    item = {
        "id": {"S": "connection#old="},
        "part": {"S": "connection"},
        "user_id": {"S": "7"},
        "asked": {"S": ""},
        "greeted": {"BOOL": True},
        "ttl": {"N": "1750008100"},
    }
    boto3.client("dynamodb").put_item(TableName="sockets", Item=item)
    old = Connection(id="old=", expires_s=1_750_008_100, user_id="7", greeted=True, ends_s=1)
    assert dynamodb.connection("old=") == old


def test_stream_tells_of_new_connections_only() -> None:
    def record(event: str, item_id: str) -> dict[str, object]:
        return {"eventName": event, "dynamodb": {"Keys": {"id": {"S": item_id}, "part": {"S": "connection"}}}}

    records = [
        record("INSERT", "connection#ann="),
        record("INSERT", "task#task-1"),
        record("MODIFY", "connection#ann="),
        record("REMOVE", "connection#bob="),
        record("INSERT", "connection#eve="),
    ]
    assert new_connections(records) == ["ann=", "eve="]
