"""LocalStack 4.14 without Docker: on the loopback address alone, each Lambda environment a process of its own.

Started as a script under the Python of .venv-localstack, where `localstack` is LocalStack's own package and not ours.
By itself it runs functions in containers only; here AWS's Python runtime client runs them, fed by a Runtime API like
the one that Lambda has inside. Functions share LocalStack's process group, so that they end with it.
"""

import functools
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import CancelledError, Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any

_START_S = 20.0
_POLL_S = 0.05
# Lambda cuts a log off later; what a function says in one run is never this long here.
_LOG_BYTES = 4 * 2**20
_API = "/2018-06-01/runtime"

Invocation = dict[str, str]  # LocalStack's own


class _Api(ThreadingHTTPServer):
    """Lambda's Runtime API for one process: hands out invocations, takes their answers."""

    daemon_threads = True

    def __init__(self, timeout_s: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.timeout_s = timeout_s
        self.waiting: queue.Queue[Invocation | None] = queue.Queue()
        self.answer: Future[tuple[bytes, bool]] = Future()
        self.is_ready = threading.Event()  # the function's module is loaded, or has failed to load
        self.failure: bytes | None = None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def close(self) -> None:
        self.waiting.put(None)
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Api

    def do_GET(self) -> None:
        """The next invocation."""
        self.server.is_ready.set()
        asked = self.server.waiting.get()
        if asked is None:
            self.close_connection = True
            return
        deadline_ms = int((time.time() + self.server.timeout_s) * 1000)
        self._reply(
            200,
            asked["payload"].encode(),
            {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": asked["invoke-id"],
                "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": asked["invoked-function-arn"],
                "Lambda-Runtime-Trace-Id": asked.get("trace-id", ""),
            },
        )

    def do_POST(self) -> None:
        """An answer, or why there is none."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == f"{_API}/init/error":
            self.server.failure = body
            self.server.is_ready.set()
        elif not self.server.answer.done():
            self.server.answer.set_result((body, self.path.endswith("/error")))
        self._reply(202, b"", {})

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Requests are no news."""


class Executor:
    """One execution environment, in the shape that LocalStack expects of its own."""

    def __init__(self, id: str, function_version: Any) -> None:
        self.id = id
        self._config = function_version.config
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 closed by stop()
        self._environment: dict[str, str] = {}
        self._api: _Api | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, env_vars: dict[str, object]) -> None:
        """Run the function's process until its module is loaded; raises with its own error if it cannot be."""
        code = str(self._config.code.get_unzipped_code_location())
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = {
            "LAMBDA_TASK_ROOT": code,
            "PYTHONPATH": os.pathsep.join([code, os.environ["SLUICE_RUNTIME_CLIENT"]]),
            "TZ": "UTC",
        }
        self._environment = kept | {name: str(value) for name, value in env_vars.items()} | own
        self._start_process()

    def _start_process(self) -> None:
        if self._api is not None:
            self._api.close()
        self._api = api = _Api(self._config.timeout)
        self._process = process = subprocess.Popen(
            [os.environ["SLUICE_FUNCTION_PYTHON"], "-m", "awslambdaric", self._environment["_HANDLER"]],
            cwd=self._environment["LAMBDA_TASK_ROOT"],
            env={**self._environment, "AWS_LAMBDA_RUNTIME_API": api.address},
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        deadline_s = time.monotonic() + _START_S
        while not api.is_ready.wait(_POLL_S) and process.poll() is None and time.monotonic() < deadline_s:
            pass
        if api.failure is not None or not api.is_ready.is_set():
            failed = import_module("localstack.services.lambda_.invocation.executor_endpoint").StatusErrorException
            raise failed("the function does not start", payload=api.failure or _error(self.get_logs()[-800:]))

    def stop(self) -> None:
        """End the process, in the middle of an invocation too."""
        if self._api is not None:
            self._api.answer.cancel()
            self._api.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def invoke(self, payload: Invocation) -> Any:
        """Run it once; a process that has died or was ended for its time is replaced by the next invocation."""
        if self._process is None or self._process.poll() is not None:
            self._start_process()
        assert self._api is not None
        said_before, began_s = os.fstat(self._log.fileno()).st_size, time.monotonic()
        self._api.answer = Future()
        self._api.waiting.put(payload)
        body, is_error = self._wait(payload["invoke-id"], self._api.answer)
        ms, said = 1000 * (time.monotonic() - began_s), self._logs_from(said_before)
        run = payload["invoke-id"]
        logs = f"START RequestId: {run} Version: $LATEST\n{said}END RequestId: {run}\n"
        logs += f"REPORT RequestId: {run}\tDuration: {ms:.2f} ms\n"
        result = import_module("localstack.services.lambda_.invocation.lambda_models").InvocationResult
        return result(run, body, is_error=is_error, logs=logs)

    def _wait(self, run: str, answer: "Future[tuple[bytes, bool]]") -> tuple[bytes, bool]:
        assert self._process is not None
        deadline_s = time.monotonic() + self._config.timeout
        while True:
            try:
                return answer.result(timeout=_POLL_S)
            except CancelledError:
                return _error(f"RequestId: {run} Error: the environment was stopped"), True
            except TimeoutError:
                if self._process.poll() is not None:
                    return _error(f"RequestId: {run} Error: Runtime exited"), True
                if time.monotonic() > deadline_s:
                    self._process.kill()
                    self._process.wait()
                    return _error(f"{run} Task timed out after {self._config.timeout:.2f} seconds"), True

    def get_logs(self) -> str:
        """All that the process has written."""
        return self._logs_from(0)

    def _logs_from(self, place: int) -> str:
        return os.pread(self._log.fileno(), _LOG_BYTES, place).decode("utf-8", "replace")

    def get_address(self) -> str:
        """Where LocalStack finds the environment."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """Where the function finds LocalStack."""
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        """Of LocalStack's own runtime, which does not run here."""
        return ""

    @classmethod
    def prepare_version(cls, function_version: Any) -> None:
        """Unpack the code."""
        function_version.config.code.prepare_for_execution()

    @classmethod
    def validate_environment(cls) -> bool:
        """Whether there is a Docker engine, which is not asked for here."""
        return True

    @classmethod
    def cleanup_version(cls, function_version: Any) -> None:
        """Nothing is kept."""


def _error(message: str) -> bytes:
    return json.dumps({"errorType": "Runtime.ExitError", "errorMessage": message}).encode()


def main() -> None:
    """Run LocalStack with its two parts replaced."""
    # its server would listen on every address, whatever GATEWAY_LISTEN says (localstack/runtime/server/twisted.py)
    endpoints: Any = import_module("twisted.internet.endpoints")
    endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")
    plugins: Any = import_module("localstack.services.lambda_.invocation.plugins")
    plugins.DockerRuntimeExecutorPlugin.load = lambda *_, **__: Executor
    sys.exit(import_module("localstack.runtime.main").main())


if __name__ == "__main__":
    main()
