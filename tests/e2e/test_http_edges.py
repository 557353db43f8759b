"""HTTP at its edges, over a real connection to the one host: what docs/http.md says of every route."""

from __future__ import annotations

import gzip
import json
import re
import socket
from email.message import Message
from http.client import HTTPConnection
from typing import Any

import msgspec
import pytest

from chalicelib import kinds
from chalicelib.api.route import Access, Route
from chalicelib.api.routes import routes
from chalicelib.settings import Settings
from localstack.demo import APP
from localstack.run import LocalStack

JSON = {"Content-Type": "application/json"}
SIMULATION = {"tpSamples": [3, 4, 5], "numberOfTasks": 10}
LIMIT = Settings(stage="").body_limit
ROUTES = list(routes(kinds.registry("local")))
# Pages and texts that a GET without a parameter answers to everybody.
PLAIN = [
    "/",
    "/docs",
    "/api/health",
    "/api/openapi.json",
    "/api/auth/session",
    "/static/console.css",
    "/static/js/sluice.js",
]


class Answer(msgspec.Struct):
    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:  # whatever was answered
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        """The sort of problem that it tells."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        problem = self.json()
        assert (problem["status"], problem["error"]) == (self.status, problem["detail"])
        return str(problem["type"]).removeprefix("urn:sluice:problem:")


def ask(
    stack: LocalStack, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    connection = HTTPConnection(stack.url.removeprefix("http://"), timeout=60)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def post(stack: LocalStack, path: str, body: object, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ask(stack, "POST", path, data, JSON | {name.replace("_", "-"): value for name, value in headers.items()})


def filled(path: str) -> str:
    return re.sub(r"\{\w+\}", "1", path)


@pytest.mark.parametrize("path", PLAIN[1:])
def test_path_with_and_without_a_slash_at_its_end_is_the_same(stack: LocalStack, path: str) -> None:
    plain, slashed = ask(stack, "GET", path), ask(stack, "GET", f"{path}/")
    assert (plain.status, plain.headers["Content-Type"]) == (slashed.status, slashed.headers["Content-Type"])
    assert plain.status in (200, 401)


def test_job_is_taken_at_a_path_with_a_slash_too(stack: LocalStack) -> None:
    assert post(stack, "/api/async/simulate/", SIMULATION).status == 202


@pytest.mark.parametrize("path", PLAIN)
def test_head_is_answered_as_get_is_without_the_body(stack: LocalStack, path: str) -> None:
    got, head = ask(stack, "GET", path), ask(stack, "HEAD", path)
    assert (head.status, head.body) == (got.status, b"")
    assert (head.headers["Content-Type"], head.headers["ETag"]) == (got.headers["Content-Type"], got.headers["ETag"])


def test_head_of_what_is_not_there_is_404(stack: LocalStack) -> None:
    nowhere, unknown = ask(stack, "HEAD", "/nowhere"), ask(stack, "HEAD", "/api/tasks/1")
    assert [(each.status, each.body) for each in (nowhere, unknown)] == [(404, b"")] * 2


def test_preflight_of_every_path_names_its_methods_and_lets_pages_of_other_hosts_in(stack: LocalStack) -> None:
    told, wanted = {}, {}
    for path in {route.path for route in ROUTES}:
        methods = {route.method for route in ROUTES if route.path == path}
        wanted[path] = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": min(methods)}
        answer = ask(stack, "OPTIONS", filled(path), headers=asked)
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, "*"), path
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert {"Authorization", "Content-Type", "Idempotency-Key", "Prefer", "X-Api-Key"} <= set(
            answer.headers["Access-Control-Allow-Headers"].split(",")
        )
        told[path] = set(answer.headers["Access-Control-Allow-Methods"].split(","))
    assert told == wanted


def test_answer_of_each_sort_is_shown_to_pages_of_other_hosts_with_its_headers(stack: LocalStack) -> None:
    foreign = {"Origin": "https://elsewhere.example"}
    answers = [ask(stack, "GET", path, headers=foreign) for path in ("/api/health", "/api/tasks", "/nowhere")]
    answers.append(post(stack, "/api/async/simulate", SIMULATION, **foreign))
    assert [answer.status for answer in answers] == [200, 401, 404, 202]
    assert {answer.headers["Access-Control-Allow-Origin"] for answer in answers} == {"*"}
    exposed = set(answers[-1].headers["Access-Control-Expose-Headers"].split(","))
    assert {"Location", "Retry-After", "X-Request-Id"} <= exposed


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nowhere"), ("PATCH", "/api/health"), ("GET", "/api/async/simulate"), ("DELETE", "/"), ("TRACE", "/")],
)
def test_unknown_path_or_method_is_a_404_problem(stack: LocalStack, method: str, path: str) -> None:
    answer = ask(stack, method, path)
    assert (answer.status, answer.kind) == (404, "not-found")


def test_event_of_an_unknown_app_is_444(stack: LocalStack) -> None:
    answer = post(stack, "/api/logs/nobodys", {"eventName": "x"})
    assert (answer.status, answer.json()["error"], answer.kind) == (444, "App not found", "unknown-app")


def needs_account(route: Route) -> bool:
    return route.doc is not None and route.doc().access in (Access.ACCOUNT, Access.LOGIN)


@pytest.mark.parametrize(
    "sent", [{}, {"Authorization": "Bearer x.y.z"}, {"X-API-Key": "x"}, {"Authorization": "Basic eDp5"}]
)
def test_every_401_says_how_to_authenticate_under_the_name_that_api_gateway_lets_through(
    stack: LocalStack, sent: dict[str, str]
) -> None:
    asked = [route for route in ROUTES if needs_account(route)]
    assert len(asked) > 50
    for route in asked if not sent else asked[:3]:
        answer = ask(stack, route.method, filled(route.path), headers=JSON | sent)
        assert (answer.status, answer.kind) == (401, "unauthenticated"), (route.method, route.path)
        assert answer.headers["x-amzn-Remapped-WWW-Authenticate"] == 'Bearer realm="sluice"'
        assert answer.headers["WWW-Authenticate"] is None


def padded(size: int) -> bytes:
    """A body of so many bytes, with a field that is ignored."""
    body = json.dumps(SIMULATION | {"padding": ""}).encode()
    return body[:-2] + b"x" * (size - len(body)) + body[-2:]


def test_body_of_the_largest_size_is_taken(stack: LocalStack) -> None:
    assert len(padded(LIMIT)) == 4 * 2**20
    assert post(stack, "/api/async/simulate", padded(LIMIT)).status == 202


@pytest.mark.parametrize("size", [4 * 2**20 + 1, 7 * 2**20, 11 * 2**20], ids=["ours", "of Lambda", "of API Gateway"])
def test_body_beyond_each_limit_is_a_413_problem(stack: LocalStack, size: int) -> None:
    answer = post(stack, "/api/async/simulate", padded(size))
    assert (answer.status, answer.kind) == (413, "too-large")
    assert str(LIMIT) in answer.json()["detail"]


def test_longest_wait_ends_before_api_gateway_gives_up(stack: LocalStack) -> None:
    answer = post(stack, "/api/async/simulate", SIMULATION, Prefer="wait=9999")
    assert (answer.status, answer.headers["Preference-Applied"]) == (200, "wait=20")


def test_last_of_two_equal_parameters_counts(stack: LocalStack) -> None:
    body = SIMULATION | {"unheard": 1}
    assert post(stack, "/api/async/simulate?strict=1&strict=0", body).status == 202
    assert post(stack, "/api/async/simulate?strict=0&strict=1", body).status == 400


def test_switch_that_is_neither_on_nor_off_is_refused(stack: LocalStack) -> None:
    answer = post(stack, "/api/async/simulate?strict=perhaps", SIMULATION)
    assert (answer.status, answer.kind) == (400, "invalid-request")
    assert answer.json()["errors"][0]["detail"] == "strict must be one of 0, false, 1, true, got 'perhaps'"


def test_encoded_path_is_the_same_path(stack: LocalStack) -> None:
    event = {"eventName": "user_login", "payload": {"userId": 1}}
    plain, encoded = post(stack, f"/api/logs/{APP}", event), post(stack, f"/api/logs/%{ord(APP[0]):x}{APP[1:]}", event)
    assert (plain.status, encoded.status) == (202, 202)


@pytest.mark.parametrize("name", ["%ff", "%00", "%F0%9F%9A%A2", "a%2Fb", "%2e%2e%2fhealth", "%25", "x" * 900])
def test_name_of_any_bytes_in_a_path_is_a_404_problem(stack: LocalStack, name: str) -> None:
    answer = ask(stack, "GET", f"/api/tasks/{name}")
    assert (answer.status, answer.kind) == (404, "not-found")


def test_body_that_is_no_utf8_is_refused(stack: LocalStack) -> None:
    answer = post(stack, "/api/async/simulate", b'{"projectName": "\xff"}')
    assert (answer.status, answer.kind) == (400, "invalid-request")


@pytest.mark.parametrize("media", ["application/xml", "image/png", "multipart/form-data; boundary=x", "nonsense"])
def test_unknown_content_type_is_a_415_problem(stack: LocalStack, media: str) -> None:
    answer = ask(stack, "POST", "/api/async/simulate", b"<x/>", {"Content-Type": media})
    assert (answer.status, answer.kind) == (415, "unsupported-media-type")


def test_large_answer_is_compressed_for_who_asks_for_it(stack: LocalStack) -> None:
    packed = ask(stack, "GET", "/api/openapi.json", headers={"Accept-Encoding": "gzip"})
    plain = ask(stack, "GET", "/api/openapi.json")
    assert (packed.headers["Content-Encoding"], plain.headers["Content-Encoding"]) == ("gzip", None)
    assert gzip.decompress(packed.body) == plain.body


def test_long_query_is_carried_and_a_far_too_long_one_is_refused(stack: LocalStack) -> None:
    assert ask(stack, "GET", f"/api/health?x={'y' * 7_000}").status == 200
    assert 400 <= ask(stack, "GET", f"/api/health?x={'y' * 20_000}").status < 500


def test_connection_is_kept_for_the_next_request(stack: LocalStack) -> None:
    connection = HTTPConnection(stack.url.removeprefix("http://"), timeout=60)
    try:
        seen = []
        for path in ("/api/health", "/nowhere", "/api/health"):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            assert connection.sock is not None
            seen.append((answer.status, connection.sock.getsockname()))
        assert [status for status, _ in seen] == [200, 404, 200]
        assert len({own for _, own in seen}) == 1
    finally:
        connection.close()


def test_client_of_http_1_0_is_answered_and_hung_up_on(stack: LocalStack) -> None:
    host, port = stack.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as line:
        line.sendall(b"GET /api/health HTTP/1.0\r\n\r\n")
        said = b"".join(iter(lambda: line.recv(65536), b""))
    assert said.startswith((b"HTTP/1.0 200", b"HTTP/1.1 200"))
    assert json.loads(said.partition(b"\r\n\r\n")[2])["status"] == "ok"
