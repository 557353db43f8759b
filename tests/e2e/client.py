"""A plain HTTP client: what any user of the public API can do."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from email.message import Message
from typing import Any

FINAL = ("SUCCESS", "FAILURE", "REVOKED")


@dataclass(frozen=True)
class Reply:
    """One response."""

    status: int
    headers: Message
    body: Any  # decoded JSON, None if empty


@dataclass(frozen=True)
class Client:
    """Talks to one address, with a token if it has one."""

    url: str
    token: str = ""

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """Header names have _ for -."""
        named = {"Content-Type": "application/json"} if body is not None else {}
        if self.token:
            named["Authorization"] = f"Bearer {self.token}"
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=40) as response:
                return _reply(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return _reply(error.code, error.headers, error.read())

    def submit(self, path: str, body: object, *, tries: int = 1) -> str:
        """The task id of a submitted job; a service that is away for a moment is asked again when it says."""
        named = {"Idempotency_Key": str(uuid.uuid4())} if tries > 1 else {}
        for _ in range(tries):
            reply = self.call("POST", path, body, **named)
            if reply.status != 503:
                break
            time.sleep(float(reply.headers["Retry-After"]))
        assert reply.status == 202, reply
        task_id: str = reply.body["task_id"]
        return task_id

    def wait(self, task_id: str, states: tuple[str, ...] = FINAL, timeout_s: float = 60) -> Any:
        """The task once it is in one of the states; a service that is away for a moment is asked again."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            reply = self.call("GET", f"/api/tasks/{task_id}")
            task = reply.body
            if reply.status < 500 and task["state"] in states:
                return task
            time.sleep(0.05)
        raise AssertionError(f"task {task_id} did not come to {states} in {timeout_s} s: {task}")

    def login(self, email: str, password: str) -> Client:
        reply = self.call("POST", "/api/auth/login", {"email": email, "password": password})
        assert reply.status == 200, reply
        return Client(self.url, reply.body["token"])


def _reply(status: int, headers: Message, data: bytes) -> Reply:
    return Reply(status, headers, json.loads(data) if data else None)
