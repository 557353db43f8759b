"""The front door and what is behind it: real Lambdas, queue, table and WebSocket in the emulator."""

import asyncio
import json
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from localstack.door import MAX_BODY_BYTES, MAX_EVENT_BYTES, Target, open_door
from localstack.emulator import aws_session
from localstack.run import LocalStack, local_stack
from localstack.settings import Settings
from tests.localstack.tiny_project import wait_for, write_project

JSON = {"Content-Type": "application/json"}


class Answer(msgspec.Struct):
    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:  # whatever the app answered
        return json.loads(self.body)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("door")
    environment = {"ADDED": "by the test", "AT_A_TIME": "3"}
    settings = Settings(root=write_project(folder), state=folder / "state", keep_data=False, environment=environment)
    with pytest.MonkeyPatch.context() as shell:
        shell.setenv("SHELL_ONLY", "of this shell")
        with local_stack(settings) as running:
            yield running


def ask(
    stack: LocalStack, path: str, method: str = "GET", *, body: bytes = b"", headers: dict[str, str] | None = None
) -> Answer:
    connection = HTTPConnection(stack.url.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, path, body=body or None, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def test_request_reaches_a_function_that_knows_the_public_address(stack: LocalStack) -> None:
    assert ask(stack, "/api/health").json()["public_url"] == stack.url


def test_function_gets_the_added_variables_and_none_of_the_shell(stack: LocalStack) -> None:
    answer = ask(stack, "/api/health").json()
    assert (answer["added"], answer["shell_only"]) == ("by the test", "")


def test_added_variables_are_known_when_the_app_is_packaged(stack: LocalStack) -> None:
    mappings = aws_session().client("lambda", endpoint_url=stack.endpoint).list_event_source_mappings()
    sizes = {each["EventSourceArn"].split(":")[-1]: each["BatchSize"] for each in mappings["EventSourceMappings"]}
    assert sizes == {"tiny-local-work": 3}


def test_posted_message_is_worked_off_the_queue_into_the_table(stack: LocalStack) -> None:
    accepted = ask(stack, "/api/items", "POST", body=b'{"id": "first"}', headers=JSON)
    assert (accepted.status, accepted.headers["Location"], accepted.body) == (202, "/api/items", b"")
    wait_for(lambda: ask(stack, "/api/items/first").status == 200, "the item is in the table")


def test_stack_parameters_reach_the_template(stack: LocalStack) -> None:
    sqs = aws_session().client("sqs", endpoint_url=stack.endpoint)
    url = sqs.get_queue_url(QueueName="tiny-local-work")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert attributes == {"VisibilityTimeout": "30"}
    assert stack.outputs == {"Table": "tiny-local-items"}


@pytest.mark.parametrize("status", [200, 202, 204, 303, 304, 404, 444, 500])
def test_status_and_headers_are_carried_unchanged(stack: LocalStack, status: int) -> None:
    answer = ask(stack, f"/api/status/{status}")
    assert (answer.status, answer.body, answer.headers["ETag"]) == (status, b"", '"x"')


def test_every_cookie_is_carried(stack: LocalStack) -> None:
    assert ask(stack, "/api/status/200").headers.get_all("Set-Cookie") == ["a=1; Path=/", "b=2; Path=/"]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_head_and_options_reach_the_app(stack: LocalStack, method: str) -> None:
    answer = ask(stack, "/api/status/202", method)
    assert (answer.status, answer.body) == (202, b"")


def test_query_and_encoded_characters_are_carried(stack: LocalStack) -> None:
    assert ask(stack, "/api/echo?a=%20x%2Fy&b=%C3%B1").json()["query"] == {"a": " x/y", "b": "ñ"}


def test_headers_of_the_hop_are_dropped_and_the_forwarded_ones_are_set(stack: LocalStack) -> None:
    sent = {"Connection": "X-Hop", "X-Hop": "1", "X-Kept": "2", "X-Forwarded-For": "6.6.6.6", "Host": "name.example"}
    got = ask(stack, "/api/echo", headers=sent).json()["headers"]
    assert "x-hop" not in got
    assert {k: v for k, v in got.items() if k.startswith("x-")} == {
        "x-kept": "2",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-host": "name.example",
        "x-forwarded-proto": "http",
    }


@pytest.mark.parametrize("size", [MAX_EVENT_BYTES + 1, MAX_BODY_BYTES + 1])
def test_body_of_the_largest_size_is_carried_and_a_larger_one_refused(stack: LocalStack, size: int) -> None:
    carried = ask(stack, "/api/echo", "POST", body=b"x" * MAX_EVENT_BYTES, headers=JSON)
    assert carried.json()["size"] == MAX_EVENT_BYTES
    refused = ask(stack, "/api/echo", "POST", body=b"x" * size)
    assert (refused.status, refused.headers["Content-Type"]) == (413, "application/problem+json")
    assert refused.json()["type"] == "urn:sluice:problem:too-large"


@pytest.mark.parametrize("path", ["/", "/nowhere", "/_ministack/health", "/api/health/below"])
def test_unknown_path_is_answered_as_api_gateway_is_set_to(stack: LocalStack, path: str) -> None:
    answer = ask(stack, path)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    detail = "there is nothing at this path and method"
    assert answer.json() == {
        "type": "urn:sluice:problem:not-found", "title": "Not found", "status": 404, "detail": detail, "error": detail,
        "request_id": answer.json()["request_id"],
    }  # fmt: skip
    assert answer.json()["request_id"] != ask(stack, path).json()["request_id"]


def test_unknown_path_is_404_for_head_too(stack: LocalStack) -> None:
    assert ask(stack, "/nowhere", "HEAD").status == 404


@pytest.mark.parametrize("path", ["/../../../../_ministack/health", "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/_ministack/health"])
def test_dots_in_a_path_do_not_lead_into_the_emulator(stack: LocalStack, path: str) -> None:
    assert ask(stack, path).status == 404


def test_websocket_carries_text_both_ways_through_a_function(stack: LocalStack) -> None:
    async def talk() -> list[str]:
        async with aiohttp.ClientSession() as client, client.ws_connect(f"{stack.url}/ws/x/?a=1") as ws:
            answers = []
            for text in ("one", "two ñ"):
                await ws.send_str(text)
                answers.append(await ws.receive_str(timeout=20))
            return answers

    assert asyncio.run(talk()) == ["echo one", "echo two ñ"]


def test_refused_websocket_is_refused_at_the_door(stack: LocalStack) -> None:
    async def connect() -> None:
        async with aiohttp.ClientSession() as client:
            await client.ws_connect(f"{stack.url}/ws/x/?refuse=1")

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        asyncio.run(connect())
    assert refused.value.status == 403


def test_run_file_says_where_everything_is_to_its_owner_alone(stack: LocalStack) -> None:
    path = stack.state / "run.json"
    told = json.loads(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o600
    assert (told["url"], told["endpoint"], told["prefix"]) == (stack.url, stack.endpoint, "tiny-local")
    assert os.getpid() in told["pids"]


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken


def _get(url: str) -> tuple[int, Any]:
    with pytest.raises(urllib.error.HTTPError) as failed:
        urllib.request.urlopen(url, timeout=20)
    with failed.value as answer:
        return answer.code, json.load(answer)


def test_emulator_that_is_gone_is_a_502_problem(listening: socket.socket) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    target = Target(endpoint=f"http://127.0.0.1:{port}", rest_api_id="a", websocket_api_id=None)
    with open_door(listening, target):
        status, problem = _get(f"http://127.0.0.1:{listening.getsockname()[1]}/api/health")
    assert (status, problem["error"]) == (502, "the AWS emulator does not answer")


def test_emulator_that_is_silent_is_a_504_problem(listening: socket.socket) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with open_door(listening, Target(endpoint=endpoint, rest_api_id="a", websocket_api_id=None, timeout_s=0.3)):
            status, problem = _get(f"http://127.0.0.1:{listening.getsockname()[1]}/api/health")
    assert (status, problem["error"]) == (504, "no answer within 29 s; long work is a task")


def test_packaging_error_is_told_with_the_reason(tmp_path: Path) -> None:
    from localstack.errors import LocalStackError

    root = write_project(tmp_path / "broken")
    (root / "app.py").write_text("import nowhere_to_be_found\n")
    with (
        pytest.raises(LocalStackError, match=r"cannot be packaged .* No module named 'nowhere_to_be_found'"),
        local_stack(Settings(root=root, state=tmp_path / "state", keep_data=False)),
    ):
        pass
