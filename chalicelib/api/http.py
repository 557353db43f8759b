"""The HTTP edge: a request as the views see it, and one wrapper that logs, translates errors and encodes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from chalice.app import Chalice, CORSConfig, Response

from chalicelib.api.client import client_of
from chalicelib.errors import InvalidRequest, SluiceError, Unauthenticated
from chalicelib.model import Caller
from chalicelib.runtime import Runtime
from chalicelib.telemetry import log

JSON = "application/json"
PROBLEM = "application/problem+json"
# Pages of any host may call, with a token or a key: those are sent on purpose, so the calls say nothing of who looks at
# the page. Without `allow_credentials` no browser sends them our cookie, nor shows them what it would open.
CORS = CORSConfig(
    allow_headers=["Idempotency-Key", "If-None-Match", "Prefer"],
    expose_headers=[
        "Content-Disposition", "Content-Location", "ETag", "Idempotency-Replayed", "Link", "Location",
        "Preference-Applied", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate",
        "X-Amzn-Remapped-WWW-Authenticate", "X-Cache-Status", "X-Request-Id",
    ],
    max_age=7200,  # what Chromium remembers a preflight for at most
)  # fmt: skip


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request; header names are in lower case."""

    runtime: Runtime
    method: str
    path: str
    params: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""
    request_id: str = ""
    # IP address that the request came from; no header of the client's own says it.
    client: str = ""
    # Who makes the call, or why that cannot be said; None: nobody has looked yet.
    caller: Caller | SluiceError | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP response; `body` is anything that msgspec can encode, bytes that are sent as they are, or None."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = {}
    # Each a line of its own in the answer.
    cookies: tuple[str, ...] = ()
    content_type: str = JSON


View = Callable[[Call], Answer]


def methods_of(method: str) -> list[str]:
    """The methods that a route answers: HEAD is a GET whose body the servers on the way leave out."""
    return ["GET", "HEAD"] if method == "GET" else [method]


def wrap(app: Chalice, runtime: Runtime, view: View) -> Callable[..., Response]:
    """The view as Chalice calls it: path parameters as keywords, a Chalice response back."""

    def chalice_view(**params: str) -> Response:
        call = _call(app, runtime, params)
        began = time.perf_counter()
        answer = respond(view, call)
        took_ms = round((time.perf_counter() - began) * 1000, 1)
        # Without the query: it may hold a token one day.
        log.info("request", method=call.method, path=call.path, status=answer.status, ms=took_ms)
        headers: dict[str, str | list[str]] = {
            "Content-Type": answer.content_type,
            "X-Request-Id": call.request_id,
            **answer.headers,
        }
        if answer.cookies:
            headers["Set-Cookie"] = list(answer.cookies)
        return Response(body=encode(answer.body).decode(), status_code=answer.status, headers=headers)

    chalice_view.__name__ = view.__name__
    return chalice_view


def encode(body: object) -> bytes:
    """The body of an answer as it is sent."""
    if body is None:
        return b""
    return body if isinstance(body, bytes) else msgspec.json.encode(body)


def respond(view: View, call: Call) -> Answer:
    """The view's answer, or its error as a problem document (RFC 9457)."""
    try:
        return view(call)
    except SluiceError as error:
        if error.status >= 500:
            log.exception("request failed", path=call.path, slug=error.slug)
        return problem(error, call.request_id)
    except Exception:  # noqa: BLE001 - the outer edge: logged with its stack, answered without
        log.exception("request crashed", path=call.path)
        return problem(SluiceError("an internal error occurred"), call.request_id)


def problem(error: SluiceError, request_id: str) -> Answer:
    """The problem document of an error; `error` repeats the detail for clients that read only that."""
    document: dict[str, object] = {
        "type": f"urn:sluice:problem:{error.slug}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "error": error.detail,
        "request_id": request_id,
    }
    headers: dict[str, str] = {"Cache-Control": "no-store"}
    if isinstance(error, InvalidRequest):
        document["errors"] = error.errors
    document |= error.members
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="sluice"'
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    return Answer(status=error.status, body=document, headers=headers, content_type=PROBLEM)


def _call(app: Chalice, runtime: Runtime, params: Mapping[str, str]) -> Call:
    request: Any = app.current_request  # Chalice leaves its request untyped
    headers = {name.lower(): value for name, value in dict(request.headers).items()}
    connected = request.context.get("identity", {}).get("sourceIp", "")
    return Call(
        runtime=runtime,
        method=request.method,
        path=request.path or "",
        params=params,
        # Chalice gives a multi-value mapping or None; the last value wins, as in most frameworks.
        query=dict(request.query_params or {}),
        headers=headers,
        body=request.raw_body or b"",
        request_id=request.context.get("requestId", ""),
        client=client_of(connected, headers, lambda: runtime.token_secret),
    )
