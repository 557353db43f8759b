"""The local stage as `make fault` meets it: its address, its services, its database; found where `make up` keeps it."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlparse

from chalicelib import kinds
from chalicelib.jobs.engine import Engine
from chalicelib.jobs.kind import Registry
from chalicelib.runtime import Runtime
from infra.ops import RUN_FILE, find_local
from localstack.demo import EMAIL, PASSWORD

WAIT_S = 60.0


class Answer(NamedTuple):
    """An HTTP answer: its status and what it says, as JSON."""

    status: int
    body: Any


class LocalStage(NamedTuple):
    """A running local stage."""

    url: str
    dsn: str
    engine: Engine
    registry: Registry

    @classmethod
    def find(cls, environ: Mapping[str, str] = os.environ, run_file: Path = RUN_FILE) -> LocalStage:
        """The stage that `make up` runs; raises SystemExit where there is none, or another one is meant."""
        if environ.get("STAGE", "local") != "local":
            raise SystemExit("faults are played on the local stage alone")
        os.environ.update(find_local({"STAGE": "local"}, run_file))
        found = json.loads(run_file.read_text("utf-8"))
        if urlparse(found["endpoint"]).hostname != "127.0.0.1":
            raise SystemExit(f"faults are played on this machine alone, got {found['endpoint']}")
        os.environ["STAGE"] = "local"
        return cls(found["url"], found["database_url"], Runtime().background, kinds.registry("local"))

    def call(self, method: str, path: str, body: object = None, *, token: str = "") -> Answer:
        """Asks the API as any client does."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:
                return Answer(answer.status, json.loads(answer.read() or b"null"))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.loads(error.read() or b"null"))

    def login(self) -> str:
        """A token of the demo account."""
        return str(self.ask("POST", "/api/auth/login", {"email": EMAIL, "password": PASSWORD})["token"])

    def ask(self, method: str, path: str, body: object = None, *, token: str = "") -> Any:  # any JSON value
        """The same, where nothing but success will do."""
        answer = self.call(method, path, body, token=token)
        if answer.status >= 400:
            raise SystemExit(f"{method} {path} answered {answer.status}: {answer.body}")
        return answer.body

    def submit(self, path: str, body: object, *, token: str = "") -> str:
        return str(self.ask("POST", path, body, token=token)["task_id"])


def wait_for(is_so: Callable[[], bool], what: str) -> None:
    """Returns when it is so; raises SystemExit after WAIT_S seconds."""
    end_s = time.monotonic() + WAIT_S
    while not is_so():
        if time.monotonic() > end_s:
            raise SystemExit(f"not within {WAIT_S:.0f} s: {what}")
        time.sleep(0.1)
