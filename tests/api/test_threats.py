"""What stolen things give: each test takes one and tries what docs/threats.md says that it does not give."""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import msgspec
import pytest
from moto import mock_aws

from chalicelib import kinds
from chalicelib.accounts.keys import ApiKey, digest, write_key
from chalicelib.api.http import Answer
from chalicelib.api.route import Route
from chalicelib.api.routes import routes
from chalicelib.api.socket import answer
from chalicelib.aws.event_records import PublishedApp
from chalicelib.aws.files import S3Files
from chalicelib.aws.job_files import S3JobFiles
from chalicelib.aws.subscriptions import Connection
from chalicelib.ids import Ids
from chalicelib.jobs.kind import AnyKind, ResultFile
from chalicelib.model import Scope
from tests.api.calls import Api, document
from tests.api.test_tasks import TASK, bearer, work
from tests.doubles import FIRST_ID

NOW = 1_750_000_000
KINDS = kinds.registry("prod")
ROUTES = list(routes(KINDS))
INGEST_KEY = "an-ingest-key"
HUGE = ["1e308", "-1e308", "1e400", f"1{'0' * 30}", f"1{'0' * 5000}"]
# What anybody may ask, whatever a stage keeps for accounts. A new line here is a decision.
OPEN = {
    "GET /",
    "GET /api/auth/session",
    "GET /api/health",
    "GET /api/health/celery",
    "GET /api/openapi.json",
    "GET /docs",
    "GET /static/js/{file}",
    "GET /static/{file}",
    "POST /api/auth/forgot",
    "POST /api/auth/login",
    "POST /api/auth/logout",
    "POST /api/auth/register",
    "POST /api/auth/reset",
    "POST /api/auth/verify",
    "POST /api/logs/{app_id}",
    "POST /api/logs/{app_id}/batch",
    "POST /auth/api/forgot-password",
    "POST /auth/api/login",
    "POST /auth/api/register",
    "POST /auth/api/reset-password",
    "POST /auth/api/verify-otp",
}
LOGINS = {"POST /api/auth/login", "POST /auth/api/login"}
# POST for its body alone: these read.
READING = {
    f"POST {prefix}/{{app_id}}/{name}"
    for prefix in ("/api/apps", "/app")
    for name in ("filter", "filter-logs", "download-report", "download-all-results", "download-valid-events")
}
# Open for tasks that are nobody's; a task of an account is tested by itself.
OF_TASKS = {
    "DELETE /api/tasks/{task_id}",
    "GET /api/tasks/{task_id}",
    "GET /api/tasks/{task_id}/download",
    "GET /api/v1/data-processing/tasks/status",
    "POST /api/tasks/{task_id}/retry",
    "POST /api/v1/data-processing/tasks/cancel",
}


def closed() -> Api:
    """All routes of a stage that keeps forecasts and searches for accounts."""
    return Api(*KINDS, stage="prod", public_forecasts=False, public_search=False, public_url="https://sluice.test")


def ask(api: Api, route: Route, **headers: str) -> Answer:
    """The route called with its published example, for the thing `1` wherever it names one."""
    assert route.doc is not None
    example = route.doc().example
    body: object = example if example is not None else {} if route.method in ("POST", "PUT") else None
    return api.call(route.method, re.sub(r"\{\w+\}", "1", route.path), body, **headers)


def answering_other_than(status: int, asked: list[Route], api: Api | None = None, **headers: str) -> set[str]:
    api = api or closed()
    return {f"{each.method} {each.path}" for each in asked if ask(api, each, **headers).status != status}


def key_of(api: Api, *scopes: Scope) -> str:
    """An API key of the admin 7."""
    secret = "5" * 64
    api.runtime.keys.add(
        ApiKey(
            id="0" * 15 + "1",
            digest=digest(secret),
            name="stolen",
            owner="7",
            role="admin",
            scopes=scopes,
            created_s=NOW,
            expires_s=0,
        )
    )
    return write_key("0" * 15 + "1", secret)


def cookie(user_id: str = "7", role: str = "admin") -> str:
    return f"sluice_token={bearer(user_id, role).removeprefix('Bearer ')}"


def submitted(owner: str = "", api: Api | None = None) -> Api:
    """An API with the task FIRST_ID, of an account or of nobody."""
    api = api or Api()
    credentials = {"authorization": bearer(owner)} if owner else {}
    assert api.call("POST", "/api/async/echo", {"text": "a secret"}, **credentials).status == 202
    return api


def test_no_route_is_open_by_omission() -> None:
    assert answering_other_than(401, ROUTES) == OPEN | OF_TASKS


def test_no_route_changes_anything_for_a_cookie_from_another_site() -> None:
    unsafe = [route for route in ROUTES if route.method != "GET"]
    taken = answering_other_than(403, unsafe, cookie=cookie(), origin="https://evil.test")
    assert taken == {route for route in (OPEN | OF_TASKS) - LOGINS if not route.startswith("GET ")}


@pytest.mark.parametrize("path", ["/api/auth/login", "/auth/api/login"])
@pytest.mark.parametrize("origin", ["https://evil.test", "null", "https://sluice.test.evil.test", "http://sluice.test"])
def test_no_page_of_another_site_logs_its_visitor_in(path: str, origin: str) -> None:
    api = Api(public_url="https://sluice.test")
    # A form of that page can send this without asking.
    sent = {"email": "mallory@example.org", "password": "her own"}
    answered = api.call("POST", path, sent, content_type="text/plain", origin=origin)
    assert (answered.status, answered.cookies) == (403, ())


@pytest.mark.parametrize(("method", "path"), [("DELETE", TASK), ("POST", f"{TASK}/retry")])
def test_task_of_an_account_is_not_changed_by_its_cookie_from_another_site(method: str, path: str) -> None:
    api = submitted("7", Api(public_url="https://sluice.test"))
    assert api.call(method, path, cookie=cookie("7", "student"), origin="https://evil.test").status == 403
    assert document(api.call("GET", TASK, authorization=bearer("7")))["state"] == "PENDING"


@pytest.mark.parametrize("scopes", [("jobs:read",), ("jobs:write",), ("jobs:read", "jobs:write")])
def test_key_of_an_admin_without_the_scope_operates_nothing(scopes: tuple[Scope, ...]) -> None:
    api = closed()
    key = key_of(api, *scopes)
    operators = [route for route in ROUTES if route.path.startswith("/api/admin/")]
    assert {ask(api, route, x_api_key=key).status for route in operators} == {403}
    assert len(operators) >= 9


def test_key_that_may_read_changes_nothing() -> None:
    api = closed()
    unsafe = [route for route in ROUTES if route.method != "GET"]
    allowed = answering_other_than(403, unsafe, api, x_api_key=key_of(api, "jobs:read"))
    assert allowed == {route for route in OPEN | OF_TASKS | READING if not route.startswith("GET ")}
    api = submitted("7")
    key = key_of(api, "jobs:read")
    assert api.call("DELETE", TASK, x_api_key=key).status == 403
    assert document(api.call("GET", TASK, x_api_key=key))["state"] == "PENDING"


def test_key_that_may_write_reads_nothing() -> None:
    api = closed()
    safe = [route for route in ROUTES if route.method == "GET"]
    allowed = answering_other_than(403, safe, api, x_api_key=key_of(api, "jobs:write"))
    assert allowed == {route for route in OPEN | OF_TASKS if route.startswith("GET ")} - {"GET /api/auth/session"}


@pytest.mark.parametrize("stranger", [{}, {"authorization": bearer("8")}, {"authorization": bearer("9", "instructor")}])
@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/download"), ("DELETE", ""), ("POST", "/retry")])
@pytest.mark.parametrize("is_done", [False, True])
def test_task_of_another_is_answered_word_for_word_like_one_that_is_not_there(
    method: str, path: str, stranger: dict[str, str], is_done: bool
) -> None:
    api = submitted("7")
    if is_done:
        work(api)
    before = document(api.call("GET", TASK, authorization=bearer("7")))
    unknown = FIRST_ID.replace("1", "9")
    theirs, nothing = (api.call(method, f"/api/tasks/{task_id}{path}", **stranger) for task_id in (FIRST_ID, unknown))
    assert theirs.status == nothing.status == 404
    assert msgspec.json.encode(theirs.body) == msgspec.json.encode(nothing.body).replace(
        unknown.encode(), FIRST_ID.encode()
    )
    assert document(api.call("GET", TASK, authorization=bearer("7"))) == before


def test_public_task_is_for_whoever_holds_its_id() -> None:
    api = submitted()
    assert document(api.call("GET", TASK, authorization=bearer("8")))["state"] == "PENDING"
    assert document(api.call("GET", "/api/tasks", authorization=bearer("8")))["tasks"] == []
    assert document(api.call("DELETE", TASK))["state"] == "REVOKED"


def test_ids_of_tasks_cannot_be_counted_up() -> None:
    ids = {Ids().job() for _ in range(1000)}
    assert (len(ids), {UUID(each).version for each in ids}) == (1000, {4})


def shop_with_a_key() -> Api:
    api = closed()
    app = PublishedApp(
        id=11,
        app_id="shop",
        owner=7,
        salt=b"s" * 32,
        revision=1,
        ingest_key_digest=hashlib.sha256(INGEST_KEY.encode()).hexdigest(),
    )
    api.runtime.records.publish(app)
    return api


@pytest.mark.parametrize(
    "headers",
    [{}, {"x_ingest_key": INGEST_KEY}, {"x_api_key": INGEST_KEY}, {"authorization": f"Bearer {INGEST_KEY}"}],
)
def test_app_id_and_ingest_key_open_nothing_but_ingest(headers: dict[str, str]) -> None:
    api = shop_with_a_key()
    of_apps = [each for each in ROUTES if "{app_id}" in each.path and not each.path.startswith("/api/logs/{app_id}")]
    assert {ask(api, each, **headers).status for each in of_apps} == {401}
    reading = [each for each in ROUTES if each.path == "/api/logs/{app_id}/{row_id}"]
    assert [ask(api, each, **headers).status for each in reading] == [401, 401]
    assert len(of_apps) >= 40


def test_ingest_key_of_one_app_is_not_anothers() -> None:
    api = shop_with_a_key()
    other = PublishedApp(id=12, app_id="bank", owner=8, salt=b"s" * 32, revision=1, ingest_key_digest="0" * 64)
    api.runtime.records.publish(other)
    event = {"eventName": "login", "payload": {"a": 1}}
    statuses = [api.call("POST", f"/api/logs/{app}", event, x_ingest_key=INGEST_KEY).status for app in ("shop", "bank")]
    assert statuses == [202, 401]


def test_socket_of_the_owner_tells_the_state_and_no_result() -> None:
    api = submitted("7")
    work(api)
    result = document(api.call("GET", TASK, authorization=bearer("7")))["result"]
    assert result["text"] == "a secret"
    api.runtime.subscriptions.connect(Connection(id="ann", expires_s=NOW + 8100, user_id="7"))
    for action in ("subscribe", "check_status"):
        answer(api.runtime, "ann", msgspec.json.encode({"action": action, "task_id": FIRST_ID}).decode())
    sent = api.runtime.gateway.sent["ann"]
    assert [each["type"] for each in sent] == ["subscribed", "task_status", "task_status"]
    assert "a secret" not in msgspec.json.encode(sent).decode()


@pytest.mark.parametrize("connection", [{}, {"user_id": "8"}, {"user_id": "1", "is_admin": True}])
def test_socket_of_another_is_answered_like_one_that_asks_for_nothing(connection: dict[str, Any]) -> None:
    api = submitted("7")
    api.runtime.subscriptions.connect(Connection(id="bob", expires_s=NOW + 8100, **connection))
    unknown = FIRST_ID.replace("1", "9")
    for task_id in (FIRST_ID, unknown):
        for action in ("subscribe", "check_status"):
            answer(api.runtime, "bob", msgspec.json.encode({"action": action, "task_id": task_id}).decode())
    assert api.runtime.gateway.sent["bob"] == [
        {"type": "error", "task_id": task_id, "message": f"there is no task {task_id}"}
        for task_id in (FIRST_ID, FIRST_ID, unknown, unknown)
    ]
    assert list(api.runtime.subscriptions.subscribers(FIRST_ID)) == []


def test_presigned_links_name_one_file_one_method_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        up = S3Files("files").offer("7", FIRST_ID, size=5)
        down = S3JobFiles("files").link(FIRST_ID, ResultFile("a.csv", "text/csv"))
    path, query = signed(up.url)
    assert (up.method, path, query["X-Amz-Expires"]) == ("PUT", f"/uploads/7/{FIRST_ID}", ["900"])
    # What is not in this list the sender may choose: not the length.
    assert query["X-Amz-SignedHeaders"] == ["content-length;host"]
    path, query = signed(down)
    assert (path, query["X-Amz-Expires"]) == (f"/files/{FIRST_ID}", ["300"])
    assert query["response-content-disposition"] == ['attachment; filename="a.csv"']


def signed(url: str) -> tuple[str, dict[str, list[str]]]:
    """The path and the parameters of a link; the bucket stands in the host, or first in the path."""
    parts = urlsplit(url)
    return parts.path.removeprefix("/files") if parts.netloc.startswith("s3") else parts.path, parse_qs(parts.query)


def numbers_replaced(value: Any, number: int | float) -> Any:
    """A JSON value with this in the place of each of its numbers."""
    match value:
        case bool():
            return value
        case int() | float():
            return number
        case list():
            return [numbers_replaced(each, number) for each in value]
        case dict():
            return {name: numbers_replaced(each, number) for name, each in value.items()}
    return value


def example_of(kind: AnyKind) -> Any:  # a JSON object
    return msgspec.json.decode(msgspec.json.encode(kind.example))


def has_numbers(kind: AnyKind) -> bool:
    return bool(numbers_replaced(example_of(kind), 0) != numbers_replaced(example_of(kind), 1))


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.path and has_numbers(kind)], ids=lambda kind: kind.name
)
@pytest.mark.parametrize(
    "number", ["1e308", "-1e308", "1e400", f"1{'0' * 30}", f"1{'0' * 5000}"], ids=lambda text: text[:9]
)
def test_huge_numbers_are_refused_and_crash_nothing(kind: AnyKind, number: str) -> None:
    api = Api(*KINDS, stage="prod")
    body = msgspec.json.encode(numbers_replaced(example_of(kind), 4711)).replace(b"4711", number.encode())
    assert api.call("POST", kind.path, body, authorization=bearer("1", "admin")).status == 400


def test_share_link_is_the_value_itself_and_stores_nothing() -> None:
    api = Api()
    link = document(api.call("POST", "/api/encode", {"tpSamples": [1, 2]}))["encoded"]
    assert link == "eyJ0cFNhbXBsZXMiOlsxLDJdfQ=="
    elsewhere = Api()
    assert document(elsewhere.call("POST", "/api/decode", {"encoded": link})) == {"tpSamples": [1, 2]}
    assert api.parts.queues.sent == {}
