"""docs/limits.md: each number is that of the code or of the template."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from chalice.app import SQSEventConfig

from chalicelib import kinds
from chalicelib.accounts import pace
from chalicelib.api import admin, body, event_apps, keys, limits, queue_health, submission, tasks
from chalicelib.api.limits import limit_of
from chalicelib.aws import files, subscriptions
from chalicelib.db.connect import STATEMENT_TIMEOUT_MS, Turns
from chalicelib.db.contracts.saved_searches import MOST_SEARCHES
from chalicelib.events.bodies import MAX_BATCH_BYTES, MAX_EVENT_BYTES, MAX_EVENTS
from chalicelib.jobs.blobs import LINK_S
from chalicelib.jobs.kind import OUTAGE_S, JobKind
from chalicelib.jobs.store import INLINE_LIMIT, TOMBSTONE_S, WAIT_LIMIT_S
from chalicelib.model import ANONYMOUS, Caller
from chalicelib.nesting import MAX_DEPTH
from chalicelib.settings import QUEUES, Settings
from tests.infra.template import load

PAGE = Path("docs/limits.md").read_text("utf-8")
DEFAULT = Settings(stage="any")
KINDS = kinds.registry("prod").kinds
TOLD = ("simulate", "contract_search", "event_batch", "contract_export")
MIB, HOUR_S, DAY_S = 2**20, 3600, 24 * 3600
SUBMIT, ANONYMOUS_SUBMIT, READ = (
    limit_of(method, caller, DEFAULT)
    for method, caller in (("POST", Caller("7")), ("DELETE", ANONYMOUS), ("GET", ANONYMOUS))
)


def kind(name: str) -> JobKind[Any, Any]:
    return KINDS[name]


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("| `{}`: every request but GET, with credentials | {} in ", (SUBMIT.name, SUBMIT.quota)),
        ("| `{}`: the same without credentials", (ANONYMOUS_SUBMIT.name,)),
        ("or with wrong ones | {} in {} s |", (ANONYMOUS_SUBMIT.quota, limits.WINDOW_S)),
        ("| `{}`: GET | {} in {} s |", (READ.name, READ.quota, limits.WINDOW_S)),
        ("it fills evenly, {} a second for `submit`", (SUBMIT.quota // limits.WINDOW_S,)),
        ('RateLimit-Policy: "submit";q={};w={}\n', (SUBMIT.quota, limits.WINDOW_S)),
        ('RateLimit: "submit";r={};t=1\n', (SUBMIT.quota - 1,)),
        ("| {} a second, after {} at once | one app |", (DEFAULT.event_rate, MAX_EVENTS)),
        ("| {} passwords, {} codes, {} mails are free", (pace.PASSWORDS.free, pace.CODES.free, pace.MAILS.free)),
        ("| 1 in {} s, shared", (queue_health.WINDOW_S,)),
        ("as many API keys as it may have ({})", (keys.MAX_KEYS,)),
        ("remembers the {} callers", (limits.MOST_CALLERS,)),
        ("| body of a request | {} MB |", (DEFAULT.body_limit // MIB,)),
        ("| {} MB; admins {} GB |", (files.MAX_BYTES // MIB, files.MOST_BYTES // 2**30)),
        ("| {} KB; {} KB and {} events |", (MAX_EVENT_BYTES // 1024, MAX_BATCH_BYTES // 1024, MAX_EVENTS)),
        ("| nesting of JSON | {} levels |", (MAX_DEPTH,)),
        ("| errors listed of one body | {} |", (body.MAX_ERRORS,)),
        ("| result in line | {} MB |", (INLINE_LIMIT // MIB,)),
        ("| `Idempotency-Key` | {} characters |", (submission.MAX_KEY_LENGTH,)),
        ("saved searches; apps | {}; {}; {} |", (keys.MAX_KEYS, MOST_SEARCHES, event_apps.MAX_APPS)),
        ("that a socket watches | {}; {} |", (subscriptions.LIMIT, subscriptions.ROOM_LIMIT)),
        ("of operators' lists | {}; {} |", (tasks.MAX_PAGE, admin.MAX_LIMIT)),
        ("`Prefer: wait` {} s", (submission.LONGEST_WAIT_S,)),
        ("| a statement of a route | {} s |", (STATEMENT_TIMEOUT_MS // 1000,)),
        ("| {} s; {} s; {} s; {} s | FAILURE |", tuple(kind(name).time_limit_s for name in TOLD)),
        ("| a job that waits | {} days |", (WAIT_LIMIT_S // DAY_S,)),
        ("| {} hours from its submit;", (OUTAGE_S // HOUR_S,)),
        ("count: {}, searches {};", (kind("simulate").max_attempts, kind("contract_search").max_attempts)),
        ("| {} s (`LEASE_S`), at most 60 |", (DEFAULT.lease_s,)),
        ("searches {} minutes;", (kind("contract_search").keep_s // 60,)),
        ("exports, batches of events {} hours |", (kind("event_batch").keep_s // HOUR_S,)),
        ("| 410 for {} days, then 404 |", (TOMBSTONE_S // DAY_S,)),
        ("known | {} days (`EVENT_DAYS`)", (DEFAULT.event_days,)),
        ("| a token | {} hours (`TOKEN_TTL_S`)", (DEFAULT.token_ttl_s // HOUR_S,)),
        ("for a download | {} minutes; {} minutes |", (files.LINK_S // 60, LINK_S // 60)),
        ("| `DATABASE_PROCESSORS` ({});", (DEFAULT.database_processors,)),
        ("; the others wait up to {} s |", (round(Turns().patience_s),)),
    ],
)  # fmt: skip
def test_number_is_that_of_the_code(said: str, values: tuple[object, ...]) -> None:
    assert said.format(*values) in PAGE


def test_kinds_that_are_told_as_one_have_the_same_limits() -> None:
    assert kind("contract_export").time_limit_s == kind("contracts_import").time_limit_s
    assert kind("contract_export").keep_s == kind("event_batch").keep_s
    assert kind("simulate").keep_s == HOUR_S
    # Those that wait for outages no longer than their attempts last are of mails and of messages to others.
    assert {one.name for one in KINDS.values() if one.outage_s != OUTAGE_S} == {"account_mail", "alert_delivery"}


def test_dead_letters_are_kept_as_long_as_told() -> None:
    kept = {
        each["Properties"]["MessageRetentionPeriod"]
        for name, each in load(Path("infra/stack.yaml"))["Resources"].items()
        if each["Type"] == "AWS::SQS::Queue" and name.endswith("DeadLetters")
    }
    assert kept == {14 * DAY_S}
    assert "| a dead letter | 14 days |" in PAGE


def test_workers_are_as_many_as_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE", "local")
    sources = [one for one in importlib.import_module("app").app.event_sources if isinstance(one, SQSEventConfig)]
    most = {str(source.queue).rpartition("-")[2]: source.maximum_concurrency for source in sources}
    names, counts = (
        ", ".join(f"{given}" for given in each) for each in (map("`{}`".format, QUEUES), map(most.get, QUEUES))
    )
    assert f"| workers of {names} | {counts} |" in PAGE


def test_api_gateway_gives_up_as_told() -> None:
    timeout_s = json.loads(Path(".chalice/config.json").read_text("utf-8"))["lambda_timeout"]
    assert f"| one request | {timeout_s} s, API Gateway's;" in PAGE


def test_every_setting_that_is_told_is_one() -> None:
    told = {name.lower() for name in re.findall(r"`([A-Z]+_[A-Z_]+)`", PAGE)}
    assert told <= set(Settings.__struct_fields__)
    assert {"rate_submit", "rate_submit_anonymous", "rate_read", "event_rate"} <= told
