"""SQS or DynamoDB away while somebody submits: an honest answer, and nothing left behind."""

from __future__ import annotations

import time
import uuid
from typing import Literal

import pytest

from tests.faults.site import SMALL, Site, say

# API Gateway gives up after 29 s.
PATIENCE_S = 29


@pytest.mark.parametrize("sort", ["refuse", "hang", "error"])
@pytest.mark.parametrize("service", ["sqs", "dynamodb"])
def test_submit_during_an_outage_answers_503_and_its_key_works_later(
    site: Site, service: str, sort: Literal["refuse", "hang", "error"]
) -> None:
    proxy = site.sqs_proxy if service == "sqs" else site.dynamodb_proxy
    key = f"{service}-{sort}-{uuid.uuid4()}"
    before = site.own_tasks()
    with proxy.failing(sort):
        began = time.monotonic()
        refused = site.demo.call("POST", "/api/async/simulate", SMALL, Idempotency_Key=key)
        took_s = time.monotonic() - began
    ghosts = set(site.own_tasks()) - set(before)
    say(f"{service} {sort}: {refused.status} after {took_s:.2f} s, {len(ghosts)} ghost jobs")
    assert (refused.status, refused.headers["Content-Type"]) == (503, "application/problem+json")
    assert int(refused.headers["Retry-After"]) >= 1
    assert took_s < PATIENCE_S
    assert ghosts == set()
    accepted = site.demo.call("POST", "/api/async/simulate", SMALL, Idempotency_Key=key)
    again = site.demo.call("POST", "/api/async/simulate", SMALL, Idempotency_Key=key)
    assert (accepted.status, accepted.headers["Idempotency-Replayed"]) == (202, None)
    assert (again.body["task_id"], again.headers["Idempotency-Replayed"]) == (accepted.body["task_id"], "true")
    ended = site.demo.wait(accepted.body["task_id"])
    assert (ended["state"], ended["attempt"]) == ("SUCCESS", 1)
