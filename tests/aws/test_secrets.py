"""Secrets as Secrets Manager's API (moto) has them, and what the runtime makes of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from chalicelib.aws import secrets
from chalicelib.errors import ConfigurationError, Unavailable
from chalicelib.runtime import Runtime
from chalicelib.settings import Settings, read_settings


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        secrets._secrets.cache_clear()
        yield
    secrets._secrets.cache_clear()


class Told(Runtime):
    """A runtime that is told its settings."""

    def __init__(self, settings: Settings) -> None:
        self.__dict__["settings"] = settings


def keep(name: str, text: str) -> str:
    arn: str = boto3.client("secretsmanager").create_secret(Name=name, SecretString=text)["ARN"]
    return arn


def test_login_from_a_secret_is_an_address_with_tls_whatever_is_in_the_password() -> None:
    arn = keep("login", json.dumps({"username": "sluice_api", "password": "p@ss/w:rd?", "engine": "postgres"}))
    runtime = Told(Settings(stage="prod", database_secret=arn, database_address="db.internal:5432/sluice"))
    assert runtime.database_url == "postgresql://sluice_api:p%40ss%2Fw%3Ard%3F@db.internal:5432/sluice?sslmode=require"
    assert runtime.has_database


def test_address_that_is_given_is_taken_and_no_secret_is_read() -> None:
    runtime = Told(Settings(stage="local", database_url="postgresql://here", database_secret="arn:of-nothing"))
    assert runtime.database_url == "postgresql://here"


def test_without_either_there_is_no_database() -> None:
    runtime = Told(Settings(stage="local"))
    assert (runtime.database_url, runtime.has_database, runtime.token_secret) == ("", False, "")


def test_token_secret_is_read_when_it_is_first_needed() -> None:
    runtime = Told(Settings(stage="prod", token_secret_arn=keep("token", "s" * 64)))
    first = runtime.ids.derived("a", "b")
    assert runtime.token_secret == "s" * 64
    assert Told(Settings(stage="prod", token_secret="s" * 64)).ids.derived("a", "b") == first
    assert Told(Settings(stage="prod", token_secret="t" * 64)).ids.derived("a", "b") != first


def test_secret_that_is_not_there_names_itself() -> None:
    runtime = Told(Settings(stage="prod", token_secret_arn="sluice-prod-token"))
    with pytest.raises(ConfigurationError, match="sluice-prod-token cannot be read: ResourceNotFoundException"):
        _ = runtime.token_secret


def test_secret_that_is_no_login_is_refused_without_its_text() -> None:
    arn = keep("odd", '{"username": "x", "pass": "hunter2"}')
    with pytest.raises(ConfigurationError, match="is no login") as caught:
        secrets.read_login(arn)
    assert "hunter2" not in str(caught.value)


def test_store_of_secrets_that_is_away_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:9")
    secrets._secrets.cache_clear()
    with pytest.raises(Unavailable, match="the store of secrets cannot be reached"):
        secrets.read_text("sluice-prod-token")


def test_secret_without_an_address_to_use_it_at_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_SECRET needs DATABASE_ADDRESS"):
        read_settings({"DATABASE_SECRET": "arn:x"})
