"""Calls to the routes of a registry without a server: what a view gets and what a client would see."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from chalicelib.api.http import Answer, Call, encode, respond
from chalicelib.api.routes import routes
from chalicelib.jobs.kind import AnyKind
from tests.doubles import MemoryRuntime, echo_kind, registry


class Api:
    """The routes of some kinds over one memory runtime."""

    def __init__(self, *kinds: AnyKind, **settings: object) -> None:
        self.runtime = MemoryRuntime(**settings)
        self.parts = self.runtime.parts
        offered = msgspec.structs.replace(registry(*(kinds or (echo_kind(),))), stage=self.runtime.settings.stage)
        self._routes = list(routes(offered))
        # The IP address that calls come from.
        self.client = "198.51.100.7"

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """`body` is sent as JSON, or as it is if it is bytes; header names have _ for -."""
        path, _, query = path.partition("?")
        view, params = self._find(method, path)
        call = Call(
            runtime=self.runtime,
            method=method,
            path=path,
            params=params,
            query=dict(pair.split("=") for pair in query.split("&") if pair),
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            body=body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body),
            request_id="request-1",
            client=self.client,
        )
        return respond(view, call)

    def _find(self, method: str, path: str) -> tuple[Any, dict[str, str]]:
        for route in self._routes:
            match = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path), path)
            if route.method == method and match:
                return route.view, match.groupdict()
        raise AssertionError(f"no route {method} {path}")


def document(answer: Answer) -> Any:  # any JSON value
    """The body as a client reads it."""
    return msgspec.json.decode(encode(answer.body))


def details(answer: Answer) -> list[tuple[str, str]]:
    """The errors of a problem document as (pointer, detail)."""
    return [(error["pointer"], error["detail"]) for error in document(answer)["errors"]]
