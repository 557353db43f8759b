"""An HTTP proxy before one AWS service that can be told to refuse, hang, err, be slow or lose its answers."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

# error: a 500 without asking the service. hang: no answer and nothing done. lose: done, but no answer. slow: answered
# after SLOW_S, which is too late for a caller of the API and in time for a worker.
Sort = Literal["error", "hang", "lose", "slow"]
SLOW_S = 2


@dataclass(frozen=True)
class Fault:
    """What happens to the requests in which every needle is found, until a time."""

    sort: Sort
    needles: tuple[bytes, ...]
    until_s: float  # of time.monotonic

    def hits(self, request: bytes) -> bool:
        return time.monotonic() < self.until_s and all(needle in request for needle in self.needles)


@dataclass(frozen=True)
class Exchange:
    """One request that reached the proxy; status 0 where nothing was answered."""

    request: bytes  # operation and body
    status: int
    fault: str  # empty: none


class FaultProxy:
    """Forwards to the emulator of a stack that may be about to start, except for faults."""

    def __init__(self, run_file: Path) -> None:
        self._run_file = run_file
        self.exchanges: list[Exchange] = []
        self.is_refusing = False
        self._faults: list[Fault] = []
        self._server = self._listen(0)
        self.port = self._server.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def target(self) -> str:
        """Host and port of the emulator, which the stack says before the first of its functions is called."""
        endpoint: str = json.loads(self._run_file.read_text())["endpoint"]
        return endpoint.removeprefix("http://")

    def add_fault(self, sort: Sort, *needles: bytes, lasting_s: float) -> None:
        """Lets matching requests fail from now on; ends by itself."""
        self._faults.append(Fault(sort, needles, time.monotonic() + lasting_s))

    @contextmanager
    def failing(self, sort: Sort | Literal["refuse"]) -> Iterator[None]:
        """Lets every request fail inside the block."""
        if sort == "refuse":
            self.is_refusing = True
            self.close()
            try:
                yield
            finally:
                self._server = self._listen(self.port)
                self.is_refusing = False
            return
        self.add_fault(sort, lasting_s=600)
        try:
            yield
        finally:
            self._faults.clear()

    def fault_of(self, request: bytes) -> Fault | None:
        return next((fault for fault in self._faults if fault.hits(request)), None)

    def is_on(self, fault: Fault) -> bool:
        return fault in self._faults and time.monotonic() < fault.until_s

    def requests(self, *needles: bytes, status: int = 200) -> list[bytes]:
        """The requests with all needles in them that the service answered so."""
        seen = list(self.exchanges)
        return [e.request for e in seen if e.status == status and all(needle in e.request for needle in needles)]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _listen(self, port: int) -> _Server:
        server = _Server(("127.0.0.1", port), _Handler)
        server.proxy = self
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server


class _Server(ThreadingHTTPServer):
    proxy: FaultProxy
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing of a caller that was killed or has lost its patience."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # headers and body in one packet
    server: _Server

    def do_POST(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = self.headers.get("X-Amz-Target", "").encode() + b"\n" + body
        fault = proxy.fault_of(request)
        status, kind, data = 0, "application/x-amz-json-1.0", b'{"__type": "InternalServerError"}'
        if fault and fault.sort == "error":
            status = 500
        elif proxy.is_refusing:
            pass
        elif fault is None or fault.sort in ("lose", "slow"):
            status, kind, data = self._forward(body)
        proxy.exchanges.append(Exchange(request, status, fault.sort if fault else ""))
        if fault and fault.sort == "slow":
            time.sleep(SLOW_S)
        while fault and fault.sort in ("hang", "lose") and proxy.is_on(fault):
            time.sleep(0.02)
        if status == 0 or (fault and fault.sort == "lose"):
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def _forward(self, body: bytes) -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection(self.server.proxy.target, timeout=30)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            connection.request("POST", self.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type", ""), answer.read()
        finally:
            connection.close()
