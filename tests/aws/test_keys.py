"""One conformance suite for every store of API keys: the memory twin and DynamoDB's API (moto)."""

from __future__ import annotations

import boto3
import msgspec
import pytest

from chalicelib.accounts.keys import ApiKey, Keys, digest
from chalicelib.aws.keys import DynamoKeys
from chalicelib.aws.memory_keys import MemoryKeys
from chalicelib.errors import Conflict, Unavailable

NOW_S = 1_750_000_000
DAY_S = 86_400
KEY = ApiKey(
    id="0123456789abcdef",
    digest=digest("secret"),
    name="nightly",
    owner="7",
    role="student",
    scopes=("jobs:read", "jobs:write"),
    created_s=NOW_S,
    expires_s=NOW_S + 90 * DAY_S,
)


def another(**changes: object) -> ApiKey:
    return msgspec.structs.replace(KEY, **changes)


@pytest.fixture(params=["memory", "dynamodb"])
def keys(request: pytest.FixtureRequest) -> Keys:
    if request.param == "memory":
        return MemoryKeys()
    return DynamoKeys(request.getfixturevalue("key_table"))


def test_added_key_is_found_as_it_was(keys: Keys) -> None:
    keys.add(KEY)
    assert keys.find("0123456789abcdef") == KEY


def test_key_without_an_end_is_found_as_it_was(keys: Keys) -> None:
    endless = another(expires_s=0)
    keys.add(endless)
    assert keys.find("0123456789abcdef") == endless


def test_unknown_key_is_not_found(keys: Keys) -> None:
    assert keys.find("0123456789abcdef") is None


def test_second_key_of_one_id_is_refused_and_the_first_kept(keys: Keys) -> None:
    keys.add(KEY)
    with pytest.raises(Conflict):
        keys.add(another(owner="8"))
    assert keys.find(KEY.id) == KEY


def test_list_has_the_owners_keys_newest_first(keys: Keys) -> None:
    newer = another(id="2" * 16, created_s=NOW_S + 1)
    keys.add(KEY)
    keys.add(newer)
    keys.add(another(id="3" * 16, owner="8"))
    assert keys.of("7") == [newer, KEY]


def test_owner_without_keys_has_an_empty_list(keys: Keys) -> None:
    assert keys.of("7") == []


def test_revoked_key_is_known_as_revoked_and_in_no_list(keys: Keys) -> None:
    keys.add(KEY)
    revoked = another(revoked_s=NOW_S + 5)
    assert keys.revoke(KEY.id, owner="7", at_s=NOW_S + 5) == revoked
    assert keys.find(KEY.id) == revoked
    assert keys.of("7") == []


def test_key_revoked_twice_keeps_its_first_time(keys: Keys) -> None:
    keys.add(KEY)
    keys.revoke(KEY.id, owner="7", at_s=NOW_S + 5)
    assert keys.revoke(KEY.id, owner="7", at_s=NOW_S + 9) == another(revoked_s=NOW_S + 5)


def test_key_of_somebody_else_is_not_revoked(keys: Keys) -> None:
    keys.add(KEY)
    assert keys.revoke(KEY.id, owner="8", at_s=NOW_S + 5) is None
    assert keys.find(KEY.id) == KEY
    keys.revoke(KEY.id, owner="7", at_s=NOW_S + 5)
    assert keys.revoke(KEY.id, owner="8", at_s=NOW_S + 6) is None


def test_unknown_key_is_not_revoked(keys: Keys) -> None:
    assert keys.revoke(KEY.id, owner="7", at_s=NOW_S) is None
    assert keys.find(KEY.id) is None


@pytest.mark.parametrize(("later_s", "recorded_s"), [(3599, NOW_S), (3600, NOW_S + 3600)])
def test_use_is_recorded_at_most_once_an_hour(keys: Keys, later_s: int, recorded_s: int) -> None:
    keys.add(KEY)
    keys.touch(KEY.id, at_s=NOW_S)
    keys.touch(KEY.id, at_s=NOW_S + later_s)
    assert keys.find(KEY.id) == another(last_used_s=recorded_s)


def test_use_of_a_revoked_or_unknown_key_changes_nothing(keys: Keys) -> None:
    keys.add(KEY)
    keys.revoke(KEY.id, owner="7", at_s=NOW_S + 5)
    keys.touch(KEY.id, at_s=NOW_S + 6)
    keys.touch("2" * 16, at_s=NOW_S)
    assert keys.find(KEY.id) == another(revoked_s=NOW_S + 5)
    assert keys.find("2" * 16) is None


def test_epoch_is_0_at_first_and_raised_by_one_for_that_user_alone(keys: Keys) -> None:
    assert keys.epoch_of("7") == 0
    assert [keys.raise_epoch("7"), keys.raise_epoch("7")] == [1, 2]
    assert [keys.epoch_of("7"), keys.epoch_of("8")] == [2, 0]


def test_epoch_is_in_no_list_of_keys(keys: Keys) -> None:
    keys.raise_epoch("7")
    assert keys.of("7") == []


def test_revoked_key_goes_after_30_days_and_an_epoch_never(key_table: str) -> None:
    keys = DynamoKeys(key_table)
    keys.add(KEY)
    keys.add(another(id="2" * 16, expires_s=0))
    keys.revoke(KEY.id, owner="7", at_s=NOW_S)
    keys.raise_epoch("7")
    items = boto3.client("dynamodb").scan(TableName=key_table)["Items"]
    assert {item["id"]["S"]: item.get("ttl", {}).get("N") for item in items} == {
        f"key#{KEY.id}": str(NOW_S + 30 * DAY_S),
        f"key#{'2' * 16}": None,
        # Without its epoch a user's revoked tokens would be good again.
        "epoch#7": None,
    }


def test_expiring_key_goes_30_days_after_it_has_expired(key_table: str) -> None:
    DynamoKeys(key_table).add(KEY)
    (item,) = boto3.client("dynamodb").scan(TableName=key_table)["Items"]
    assert item["ttl"] == {"N": str(NOW_S + 120 * DAY_S)}


def test_store_that_is_away_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        # The discard port: nothing listens there.
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Unavailable, match="the key store cannot be reached"):
        DynamoKeys("keys").find(KEY.id)
