"""The OpenAPI document: complete, valid, and true of what the routes answer."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from chalicelib import kinds
from chalicelib.accounts.tokens import issue_token
from chalicelib.api.answers import Index
from chalicelib.api.http import Answer, Call
from chalicelib.api.openapi import document as describe
from chalicelib.api.route import Access, Doc, Reply, Route
from chalicelib.api.routes import routes
from chalicelib.jobs.queue import Delivery, Message
from chalicelib.jobs.state import State
from chalicelib.jobs.worker import Worker
from chalicelib.model import Caller
from tests.api.calls import Api, document
from tests.api.published import broken, component, published
from tests.doubles import FIRST_ID, SECRET, EchoRequest, EchoResult, echo_kind, registry

TASK = f"/api/tasks/{FIRST_ID}"
OPENAPI = "/api/openapi.json"


class Reading(msgspec.Struct, frozen=True):
    at: int
    unit: str = "C"
    tags: list[str] = []


def view(call: Call) -> Answer:
    return Answer()


def operation_of(doc: Doc) -> Any:  # an OpenAPI operation
    return describe([Route("/x", "POST", view, lambda: doc)], server="/")["paths"]["/x"]["post"]


@pytest.mark.parametrize("stage", ["local", "prod"])
def test_document_is_valid(stage: str) -> None:
    openapi = published(Api(*kinds.registry(stage), stage=stage))
    assert [error.message for error in OpenAPIV31SpecValidator(openapi).iter_errors()] == []


@pytest.mark.parametrize("stage", ["local", "prod"])
def test_every_route_is_described_once(stage: str) -> None:
    paths = published(Api(*kinds.registry(stage), stage=stage))["paths"]
    described = sorted((path, method.upper()) for path, methods in paths.items() for method in methods)
    assert described == sorted((route.path, route.method) for route in routes(kinds.registry(stage)))


def test_every_example_is_as_its_schema_says() -> None:
    openapi = published(Api(*kinds.registry("local"), stage="local"))
    operations = [operation for methods in openapi["paths"].values() for operation in methods.values()]
    bodies = [operation["requestBody"] for operation in operations if "requestBody" in operation]
    wrong = [broken(openapi, component(openapi, body)[0], body["content"]["application/json"]["example"])
             for body in bodies]  # fmt: skip
    assert wrong == [[]] * len(bodies)


def test_example_leaves_defaults_out() -> None:
    doc = Doc(
        name="read",
        group="Readings",
        summary="Read",
        access=Access.OPEN,
        request=Reading,
        example=Reading(at=7, unit="C", tags=["a"]),
        replies={200: Reply(summary="Read")},
    )
    assert operation_of(doc)["requestBody"]["content"]["application/json"]["example"] == {"at": 7, "tags": ["a"]}


@pytest.mark.parametrize(
    ("access", "is_needed", "is_taken"),
    [(Access.OPEN, False, False), (Access.OPTIONAL, False, True), (Access.ACCOUNT, True, True)],
)
def test_access_says_which_credentials_are_needed(access: Access, is_needed: bool, is_taken: bool) -> None:
    doc = Doc(name="read", group="Readings", summary="Read", access=access, replies={200: Reply(summary="Read")})
    ways = operation_of(doc)["security"]
    assert (bool(ways) and {} not in ways, {"bearer": []} in ways) == (is_needed, is_taken)


def test_states_are_explained_one_by_one() -> None:
    state = published(Api())["components"]["schemas"]["State"]
    assert set(state["enum"]) == {str(one) for one in State} == set(state["x-enumDescriptions"])


def test_result_of_a_task_is_that_of_some_kind() -> None:
    openapi = published(Api(echo_kind(), echo_kind(name="read", path="/api/async/read", sync_path="", result=Reading)))
    assert openapi["components"]["schemas"]["Task"]["properties"]["result"]["anyOf"] == [
        {"$ref": "#/components/schemas/EchoResult"},
        {"$ref": "#/components/schemas/Reading"},
        # Of replays, and of the test of a saved search: their kinds have no route of their own.
        {"$ref": "#/components/schemas/ReplayResult"},
        {"$ref": "#/components/schemas/DeliveryResult"},
    ]


def test_two_kinds_with_types_of_one_name_are_told_apart() -> None:
    one = msgspec.defstruct("Same", [("a", int)], module="one", frozen=True)
    other = msgspec.defstruct("Same", [("b", int)], module="other", frozen=True)
    first = echo_kind(result=one, sync_path="")
    second = echo_kind(name="second", path="/api/async/second", result=other, sync_path="")
    openapi = published(Api(first, second))
    names = [one["$ref"].rpartition("/")[2] for one in openapi["components"]["schemas"]["Task"]["properties"]["result"]["anyOf"]]  # fmt: skip  # noqa: E501
    assert [list(openapi["components"]["schemas"][name]["properties"]) for name in names[:2]] == [["a"], ["b"]]


def test_server_is_the_public_address_if_there_is_one() -> None:
    assert published(Api())["servers"] == [{"url": "/"}]
    assert published(Api(public_url="https://sluice.test"))["servers"] == [{"url": "https://sluice.test"}]


def test_document_that_the_client_has_is_not_sent_again() -> None:
    api = Api()
    first = api.call("GET", OPENAPI)
    again = api.call("GET", OPENAPI, if_none_match=f'"other", W/{first.headers["ETag"]}')
    assert (again.status, again.body, again.headers["ETag"]) == (304, None, first.headers["ETag"])
    assert api.call("GET", OPENAPI, if_none_match='"other"').status == 200


def test_document_is_built_once() -> None:
    api = Api()
    assert api.call("GET", OPENAPI).body is api.call("GET", OPENAPI).body


@pytest.mark.parametrize(("path", "name"), [("/", "Index"), ("/api/health", "Health")])
def test_service_answers_as_published(path: str, name: str) -> None:
    api = Api()
    assert broken(published(api), name, document(api.call("GET", path))) == []


def run(api: Api, outcome: Exception | None = None) -> None:
    def end(request: EchoRequest, progress: object) -> EchoResult:
        if outcome:
            raise outcome
        return EchoResult(request.text)

    body = msgspec.json.encode(Message(FIRST_ID, "echo")).decode()
    delivery = Delivery(message_id="message-1", body=body, receipt="receipt-1")
    Worker(api.parts.engine, registry(echo_kind(end)), "simulations").settle([delivery])


def test_task_is_as_published_while_it_waits_and_when_it_has_failed() -> None:
    api = Api()
    accepted = document(api.call("POST", "/api/async/echo", {"text": "hello", "other": 1}))
    waiting = document(api.call("GET", TASK))
    run(api, ValueError("inside"))
    failed = document(api.call("GET", TASK))
    assert ("warnings" in accepted, waiting["state"], failed["state"]) == (True, "PENDING", "FAILURE")
    openapi = published(api)
    assert [broken(openapi, "Accepted", accepted), broken(openapi, "Task", waiting), broken(openapi, "Task", failed)] == [[], [], []]  # fmt: skip  # noqa: E501


def test_list_of_tasks_is_as_published() -> None:
    api = Api()
    token = issue_token(Caller("7", "student"), secret=SECRET, now_s=1_750_000_000, ttl_s=60)
    api.call("POST", "/api/async/echo", {"text": "hello"}, authorization=f"Bearer {token}")
    page = document(api.call("GET", "/api/tasks", authorization=f"Bearer {token}"))
    openapi = published(api)
    assert ([task["task_id"] for task in page["tasks"]], broken(openapi, "TaskPage", page)) == ([FIRST_ID], [])
    assert broken(openapi, "TaskSummary", page["tasks"][0]) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/async/echo", {}, 400),
        ("POST", "/api/async/echo", b"[", 400),
        ("GET", TASK, None, 404),
        ("DELETE", TASK, None, 404),
    ],
)
def test_refusal_is_a_published_problem_of_a_published_status(
    method: str, path: str, body: object, status: int
) -> None:
    api = Api()
    answer = api.call(method, path, body)
    assert (answer.status, broken(published(api), "Problem", document(answer))) == (status, [])
    described = path if path != TASK else "/api/tasks/{task_id}"
    assert str(status) in published(api)["paths"][described][method.lower()]["responses"]


def test_value_that_is_not_as_published_is_noticed() -> None:
    openapi = published(Api())
    index = msgspec.to_builtins(Index(service="sluice", version="1", links={}))
    assert broken(openapi, "Index", index | {"version": 1, "more": 2}) == [
        "$.version: 1 is not of type 'string'",
        "$.more: not published",
    ]
