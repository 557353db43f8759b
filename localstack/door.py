"""The front door: one origin on 127.0.0.1 for HTTP and WebSocket, in front of the emulator's two gateways.

It stands for what `infra/edge.yaml` is on AWS, so the console, cookies and links work without CORS, and for what API
Gateway does by itself: its limits, the answers that `infra/gateway.py` has it give, the header that it renames. It runs
in a thread of its own with kept-alive connections.
"""

import asyncio
import io
import json
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import aiohttp
import msgspec
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from infra.gateway import RESPONSES, wanted_response

MAX_BODY_BYTES = 10 * 2**20  # of an API Gateway request
MAX_EVENT_BYTES = 6 * 2**20  # of an invocation's event; the body is most of it
MIN_COMPRESSED_BYTES = 4096  # minimum_compression_size in .chalice/config.json
TIMEOUT_S = 29.0  # after which API Gateway gives up
# The emulator starts a process for each request of a function that is under way, without a limit: with fifty at once
# on two cores the starts alone outlast every timeout. A request that waits here is not timed yet.
MAX_IN_FLIGHT = 8 * (os.cpu_count() or 1)
MAX_FRAME_BYTES = 128 * 2**10  # of an API Gateway WebSocket message
_HOP_BY_HOP = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te",
               "trailer", "transfer-encoding", "upgrade"}  # fmt: skip
_REPLACED = {"host", "content-length", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
# of the gateway's 403 for a path that it does not know; the body says so too, but not on HEAD
_UNKNOWN_PATH = "MissingAuthenticationTokenException"
# As API Gateway calls a header that only it may send; a client finds it under this name on AWS.
_REMAPPED = {"WWW-Authenticate": "x-amzn-Remapped-WWW-Authenticate"}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where the door leads."""

    endpoint: str
    rest_api_id: str
    websocket_api_id: str | None
    websocket_endpoint: str = ""  # where it is another one
    timeout_s: float = TIMEOUT_S

    def http(self, path_and_query: str) -> URL:
        """The REST API's URL for a request line's path."""
        return URL(f"{self.endpoint}/_aws/execute-api/{self.rest_api_id}/api{path_and_query}", encoded=True)

    def websocket(self, query: str) -> URL:
        """The WebSocket API's URL; it has one address, whatever the path."""
        url = f"{self.websocket_endpoint or self.endpoint}/_aws/execute-api/{self.websocket_api_id}/api"
        return URL(f"{url}?{query}" if query else url, encoded=True)


@contextmanager
def open_door(listening: socket.socket, target: Target) -> Iterator[None]:
    """Serve on that socket until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="front door", daemon=True)
    thread.start()
    door = _Door(target)
    try:
        asyncio.run_coroutine_threadsafe(door.open(listening), loop).result(timeout=10)
        yield
    finally:
        asyncio.run_coroutine_threadsafe(door.close(), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=5)
        loop.close()


class _Door:
    def __init__(self, target: Target) -> None:
        self._target = target
        self._sockets: set[web.WebSocketResponse] = set()
        self._room = asyncio.Semaphore(MAX_IN_FLIGHT)

    async def open(self, listening: socket.socket) -> None:
        timeout = aiohttp.ClientTimeout(total=self._target.timeout_s, sock_connect=5)
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=timeout, auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )  # fmt: skip
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, auto_decompress=False)
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    async def close(self) -> None:
        for socket_ in list(self._sockets):
            await socket_.close(code=aiohttp.WSCloseCode.GOING_AWAY)
        await self._client.close()
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        is_socket = request.path.startswith("/ws/") and request.headers.get("Upgrade", "").lower() == "websocket"
        try:
            if is_socket and self._target.websocket_api_id:
                return await self._carry_socket(request)
            return await self._carry_request(request)
        except web.HTTPRequestEntityTooLarge:
            return _own_answer("REQUEST_TOO_LARGE")
        except TimeoutError:
            return _own_answer("INTEGRATION_TIMEOUT")
        except aiohttp.WSServerHandshakeError as e:
            return _problem(e.status, "the connection was refused")
        except aiohttp.ClientError:
            return _problem(502, "the AWS emulator does not answer")

    async def _carry_request(self, request: web.Request) -> web.Response:
        url = self._target.http(request.raw_path)
        body = await request.read()
        if len(body) > MAX_EVENT_BYTES:
            return _own_answer("REQUEST_TOO_LARGE")
        # a file-like body is sent in pieces: large bytes would hold up the other requests
        data = io.BytesIO(body) if body else None
        async with (
            self._room,
            self._client.request(
                request.method, url, headers=_forwarded(request), data=data, allow_redirects=False
            ) as answer,
        ):
            content = await answer.read()
            if answer.status == 403 and answer.headers.get("x-amzn-ErrorType") == _UNKNOWN_PATH:
                return _own_answer("MISSING_AUTHENTICATION_TOKEN")
            headers = _end_to_end(answer.headers)
            for name, other in _REMAPPED.items():
                if name in headers:
                    headers[other] = headers.pop(name)
            if request.method != "HEAD":
                headers.popall("Content-Length", None)  # aiohttp sets it from the body
            carried = web.Response(status=answer.status, reason=answer.reason, body=content, headers=headers)
            if len(content) >= MIN_COMPRESSED_BYTES and "gzip" in request.headers.get("Accept-Encoding", ""):
                carried.enable_compression(web.ContentCoding.gzip)
            return carried

    async def _carry_socket(self, request: web.Request) -> web.WebSocketResponse:
        protocols = [p.strip() for p in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if p.strip()]
        headers = _forwarded(request)
        for name in [n for n in headers if n.lower().startswith("sec-websocket-")]:
            del headers[name]
        url = self._target.websocket(request.rel_url.raw_query_string)
        async with self._client.ws_connect(
            url, headers=headers, protocols=protocols, max_msg_size=MAX_FRAME_BYTES,
            timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
        ) as inner:  # fmt: skip
            outer = web.WebSocketResponse(protocols=protocols, max_msg_size=MAX_FRAME_BYTES, timeout=1.0)
            await outer.prepare(request)
            self._sockets.add(outer)
            try:
                await _carry_both_ways(outer, inner)
            finally:
                self._sockets.discard(outer)
            return outer


async def _carry_both_ways(outer: web.WebSocketResponse, inner: aiohttp.ClientWebSocketResponse) -> None:
    """Carry frames until either side closes, then close the other with the same code."""
    inward = asyncio.create_task(_carry(outer, inner))
    outward = asyncio.create_task(_carry(inner, outer))
    done, _ = await asyncio.wait({inward, outward}, return_when=asyncio.FIRST_COMPLETED)
    for task in (inward, outward):
        task.cancel()
    await asyncio.gather(inward, outward, return_exceptions=True)
    from_client = inward in done
    code = _sendable((outer if from_client else inner).close_code)
    await (inner.close(code=code) if from_client else outer.close(code=code))


async def _carry(
    source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    sink: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
) -> None:
    async for frame in source:
        if frame.type is aiohttp.WSMsgType.TEXT:
            await sink.send_str(frame.data)
        elif frame.type is aiohttp.WSMsgType.BINARY:
            await sink.send_bytes(frame.data)


def _sendable(code: int | None) -> int:
    """A close code that may be sent: 1005 and 1006 only ever describe the absence of one."""
    if code is None or code == 1006:
        return aiohttp.WSCloseCode.INTERNAL_ERROR
    return aiohttp.WSCloseCode.OK if code == 1005 else code


def _forwarded(request: web.Request) -> "CIMultiDict[str]":
    headers = _end_to_end(request.headers)
    for name in _REPLACED:
        headers.popall(name, None)
    # the emulator picks the API by its own host, so the client's goes into X-Forwarded-Host
    headers["X-Forwarded-For"] = request.remote or "127.0.0.1"
    headers["X-Forwarded-Host"] = request.headers.get("Host", "")
    headers["X-Forwarded-Proto"] = "http"
    return headers


def _end_to_end(headers: CIMultiDictProxy[str]) -> "CIMultiDict[str]":
    named = {n.strip().lower() for value in headers.getall("Connection", []) for n in value.split(",")}
    return CIMultiDict((n, v) for n, v in headers.items() if n.lower() not in _HOP_BY_HOP | named)


def _own_answer(kind: str) -> web.Response:
    """What API Gateway is set to answer where it reaches no function."""
    wanted = wanted_response(RESPONSES[kind])
    headers = {
        name.removeprefix("gatewayresponse.header."): value.strip("'")
        for name, value in wanted["responseParameters"].items()
    }
    text = wanted["responseTemplates"]["application/json"].replace("$context.requestId", str(uuid.uuid4()))
    return web.Response(status=int(wanted["statusCode"]), body=text.encode(), headers=headers)


def _problem(status: int, detail: str) -> web.Response:
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "error": detail}
    headers = {"Content-Type": "application/problem+json"}  # `content_type=` would add a charset, which JSON has not
    return web.Response(status=status, body=json.dumps(body).encode(), headers=headers)
