"""What a deploy has to show before it is called done: the API answers, a job goes through the queue, a forecast comes.

Asked over HTTPS as clients ask. Forecasts may need an account; so the forecast is asked for with an API key that is
made for it and revoked after it.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from chalicelib.accounts.keys import ApiKey, digest, write_key
from chalicelib.runtime import Runtime

# Long enough for cold starts of a new deployment.
PATIENCE_S = 90.0
_REQUEST = {
    "projectName": "smoke test", "tpSamples": [3, 5, 2, 4, 6, 3, 4, 5], "numberOfTasks": 20, "totalContributors": 1,
    "numberOfSimulations": 2_000, "seed": 7,
}  # fmt: skip
_OWNER = "smoke-test"


class SmokeFailed(Exception):
    """The stage does not do what it is for; the message says which step, and what was answered."""


def run(runtime: Runtime, url: str) -> Iterator[str]:
    """A line for each step that was seen to work; raises SmokeFailed at the first that was not."""
    health = _until_healthy(f"{url}/api/health")
    yield f"{url}/api/health answers: {health.get('status')}"
    queue = _until_healthy(f"{url}/api/health/celery")
    yield f"a job went through the queue to {queue['test_result']['worker']}"
    with _key(runtime) as key:
        began_s = time.monotonic()
        result = _forecast(url, key)
    yield f"a forecast of {_REQUEST['numberOfTasks']} tasks took {time.monotonic() - began_s:.1f} s: {result}"


@contextmanager
def _key(runtime: Runtime) -> Iterator[str]:
    """The text of a key that may ask for forecasts for ten minutes, revoked at the end."""
    now_s = int(runtime.clock.now())
    key_id, secret = runtime.ids.key(), runtime.ids.secret()
    key = ApiKey(
        id=key_id, digest=digest(secret), name="smoke test", owner=_OWNER, role="student",
        scopes=("jobs:read", "jobs:write"), created_s=now_s, expires_s=now_s + 600,
    )  # fmt: skip
    runtime.keys.add(key)
    try:
        yield write_key(key_id, secret)
    finally:
        runtime.keys.revoke(key_id, owner=_OWNER, at_s=int(runtime.clock.now()))


def _forecast(url: str, key: str) -> str:
    headers = {"X-API-Key": key}
    status, task = _ask(f"{url}/api/async/simulate", body=_REQUEST, headers=headers)
    if status != 202:
        raise SmokeFailed(f"POST {url}/api/async/simulate answered {status}: {task}")
    ends_s = time.monotonic() + PATIENCE_S
    while True:
        status, found = _ask(f"{url}/api/tasks/{task['task_id']}", headers=headers)
        state = found.get("state")
        if state == "SUCCESS":
            return json.dumps(found["result"]["percentiles"])
        if status != 200 or state in ("FAILURE", "REVOKED") or time.monotonic() > ends_s:
            raise SmokeFailed(f"the forecast {task['task_id']} is {state} ({status}): {found}")
        time.sleep(0.5)


def _until_healthy(url: str) -> dict[str, Any]:
    """What is answered with 200; a new deployment may need some tries."""
    ends_s = time.monotonic() + PATIENCE_S
    while True:
        status, found = _ask(url)
        if status == 200:
            return found
        if time.monotonic() > ends_s:
            raise SmokeFailed(f"GET {url} answers {status} for {PATIENCE_S:.0f} s: {found}")
        time.sleep(1)


def _ask(url: str, *, body: object = None, headers: Mapping[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=content, headers={"Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=35) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, {"body": error.read(1_000).decode(errors="replace")}
    except (OSError, ValueError) as error:
        return 0, {"error": f"{type(error).__name__}: {error}"}
