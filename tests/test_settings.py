"""Settings from the environment."""

from __future__ import annotations

import pytest

from chalicelib.errors import ConfigurationError
from chalicelib.settings import QUEUES, Settings, read_settings


def test_empty_environment_gives_the_defaults() -> None:
    assert read_settings({}) == Settings(stage="local")


def test_every_variable_is_read() -> None:
    environ = {
        "STAGE": "prod",
        "DATABASE_URL": "postgresql://db",
        "TOKEN_SECRET": "s" * 32,
        "TOKEN_TTL_S": "60",
        "PUBLIC_FORECASTS": "true",
        "PUBLIC_URL": "https://sluice.test/",
        "LEASE_S": "10",
        "RATE_SUBMIT": "0",
        "RATE_SUBMIT_ANONYMOUS": "7",
        "RATE_READ": "8",
        "MAIL_FROM": "alerts@example.org",
        "RESULT_BUCKET": "results",
        "WS_MANAGEMENT_ENDPOINT": "https://ws.test",
    }
    assert read_settings(environ) == Settings(
        stage="prod",
        database_url="postgresql://db",
        token_secret="s" * 32,
        token_ttl_s=60,
        public_forecasts=True,
        public_url="https://sluice.test",
        lease_s=10,
        rate_submit=0,
        rate_submit_anonymous=7,
        rate_read=8,
        mail_from="alerts@example.org",
        result_bucket="results",
        ws_management_endpoint="https://ws.test",
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("TOKEN_SECRET", "short", "TOKEN_SECRET must have at least 32 characters, got 5"),
        ("TOKEN_TTL_S", "0", "TOKEN_TTL_S must be a whole number of at least 1, got '0'"),
        ("LEASE_S", "1.5", "LEASE_S must be a whole number of at least 1, got '1.5'"),
        ("LEASE_S", "61", "LEASE_S must be at most 60, got 61"),
        ("DATABASE_PROCESSORS", "129", "DATABASE_PROCESSORS must be at most 128, got 129"),
        ("EVENT_PROFILE", "fast", "EVENT_PROFILE must be one of low-latency, high-volume, got 'fast'"),
        ("RATE_SUBMIT", "-1", "RATE_SUBMIT must be a whole number of at least 0, got '-1'"),
        ("PUBLIC_FORECASTS", "yes", "PUBLIC_FORECASTS must be true or false, got 'yes'"),
    ],
)
def test_wrong_value_is_refused_by_name(name: str, value: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_settings({name: value})
    assert refused.value.detail == message


def test_names_of_resources_carry_the_stage() -> None:
    settings = Settings(stage="qa")
    assert settings.job_table == "sluice-qa-jobs"
    assert settings.key_table == "sluice-qa-keys"
    assert [settings.queue_name(queue) for queue in QUEUES] == [f"sluice-qa-{queue}" for queue in QUEUES]
    assert settings.queue_name("live") == "sluice-qa-live"
