"""A forecast through the running stack: front door, API Gateway, Lambda, SQS, Lambda, DynamoDB, and back."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from localstack.run import LocalStack
from tests.e2e.client import Client

GOLDEN = {case["name"]: case for case in json.loads(Path("tests/golden/montecarlo.json").read_text("utf-8"))["cases"]}
# The shortest body that the old system's guide shows.
SHORTEST = {
    "projectName": "My Project",
    "numberOfSimulations": 10000,
    "tpSamples": [5, 6, 7, 8],
    "numberOfTasks": 50,
    "totalContributors": 5,
}


@pytest.fixture
def client(stack: LocalStack) -> Client:
    return Client(stack.url)


@pytest.fixture
def demo(client: Client) -> Client:
    return client.login("demo@sluice.test", "demo-password")


def test_shortest_body_of_the_guide_is_forecast(client: Client) -> None:
    accepted = client.call("POST", "/api/async/simulate", SHORTEST)
    assert accepted.status == 202
    assert (accepted.body["status"], "warnings" in accepted.body) == ("PENDING", False)
    assert accepted.headers["Location"] == accepted.body["poll_url"]
    task = client.wait(accepted.body["task_id"])
    exact = GOLDEN["seed_doc_example"]["exact"]["duration_weeks"]
    assert task["state"] == "SUCCESS", task
    assert task["result"]["percentiles"] == exact["percentiles"]
    assert task["result"]["task_id"] == accepted.body["task_id"]


def test_hardest_golden_case_comes_back_exact(client: Client) -> None:
    case = GOLDEN["everything"]
    task = client.wait(client.submit("/api/async/simulate", case["input"]))
    distribution = {str(row["weeks"]): row["probability"] for row in task["result"]["distribution"]}
    expected = case["exact"]["duration_weeks"]["pmf"]
    assert {weeks: distribution[weeks] for weeks in expected} == pytest.approx(expected, abs=1e-9)


def test_in_line_route_gives_the_same_numbers_as_the_task(client: Client) -> None:
    in_line = client.call("POST", "/api/simulate", SHORTEST)
    task = client.wait(client.submit("/api/async/simulate", SHORTEST))
    result = {name: value for name, value in task["result"].items() if name not in ("task_id", "completed_at")}
    assert (in_line.status, in_line.body) == (200, result)


def test_large_result_comes_with_its_task_and_as_a_file(client: Client) -> None:
    # Mostly idle weeks: the law of the duration has hundreds of rows.
    wide = {"tpSamples": [0] * 12 + [1, 9], "numberOfTasks": 900, "totalContributors": 1}
    task = client.wait(client.submit("/api/async/simulate", wide))
    assert task["state"] == "SUCCESS", task
    assert task["result_bytes"] > 32 * 1024
    # urllib follows the 303 to the bucket.
    file = client.call("GET", task["result_url"]).body
    result = {name: value for name, value in task["result"].items() if name not in ("task_id", "completed_at")}
    assert file == result


def test_forecast_of_an_account_is_private(client: Client, demo: Client) -> None:
    task_id = demo.submit("/api/async/simulate", SHORTEST)
    assert demo.wait(task_id)["state"] == "SUCCESS"
    assert client.call("GET", f"/api/tasks/{task_id}").status == 404
    assert client.call("DELETE", f"/api/tasks/{task_id}").status == 404


def test_forecast_cancelled_while_it_runs_ends_revoked(client: Client) -> None:
    task_id = client.submit("/api/async/slow", {"seconds": 30})
    running = client.wait(task_id, ("PROGRESS", "SUCCESS", "FAILURE", "REVOKED"))
    assert running["state"] == "PROGRESS", "the job ended before it could be cancelled"
    answer = client.call("DELETE", f"/api/tasks/{task_id}")
    assert (answer.status, answer.body["message"]) == (200, "The task was asked to stop")
    ended = client.wait(task_id)
    assert (ended["state"], ended["attempt"], "result" in ended) == ("REVOKED", 1, False)
    assert ended["progress"] < 100
    again = client.call("DELETE", f"/api/tasks/{task_id}")
    assert (again.status, again.body["state"]) == (200, "REVOKED")


def test_forecast_cancelled_before_it_starts_is_never_run(client: Client, stack: LocalStack) -> None:
    with worker_paused(stack):
        task_id = client.submit("/api/async/simulate", SHORTEST)
        assert client.call("DELETE", f"/api/tasks/{task_id}").body["state"] == "REVOKED"
    after = client.submit("/api/async/simulate", SHORTEST)
    assert client.wait(after)["state"] == "SUCCESS"
    task = client.wait(task_id)
    assert (task["state"], task["attempt"]) == ("REVOKED", 0)


def test_200_jobs_of_20_clients_give_200_results(client: Client) -> None:
    """Each client forecasts backlogs of its own, so that a result of somebody else's job would show.

    On a busy machine the emulator's queue may not answer in time: then nothing was submitted, and a client asks again.
    """

    def use(number: int) -> list[tuple[int, str, int]]:
        mine = [(number * 10 + n + 1) for n in range(10)]
        ids = [
            client.submit("/api/async/simulate", {"tpSamples": [1], "numberOfTasks": tasks}, tries=5) for tasks in mine
        ]
        ended = [client.wait(task_id, timeout_s=240) for task_id in ids]
        return [
            (tasks, task["state"], task["result"]["percentiles"]["p50"])
            for tasks, task in zip(mine, ended, strict=True)
        ]

    with ThreadPoolExecutor(20) as pool:
        results = [result for results in pool.map(use, range(20)) for result in results]
    # One task a week: as many weeks as tasks.
    assert results == [(tasks, "SUCCESS", tasks) for tasks in range(1, 201)]


def test_every_dead_letter_queue_is_empty_after_healthy_work(client: Client, stack: LocalStack) -> None:
    client.wait(client.submit("/api/async/simulate", SHORTEST))
    sqs = boto3.client("sqs", **_emulator(stack))
    waiting = {
        url.rsplit("/", 1)[-1]: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"][
            "ApproximateNumberOfMessages"
        ]
        for url in sqs.list_queues()["QueueUrls"]
        if url.endswith("-dlq")
    }
    names = ("simulations", "searches", "events", "emails", "batch")
    assert waiting == {f"sluice-local-{name}-dlq": "0" for name in names}


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({"numberOfTasks": 10}, "/tpSamples", "is required"),
        ({"tpSamples": [0.5, 0.8], "numberOfTasks": 10}, "/tpSamples", None),
        ({"tpSamples": [5], "numberOfTasks": 10000}, "/numberOfTasks", "must be at most 9999, got 10000"),
        ({"tpSamples": "5,6", "numberOfTasks": 10}, "/tpSamples", 'must be a list, got "5,6"'),
    ],
)
def test_bad_forecast_is_refused_with_field_value_and_bound(
    client: Client, body: dict[str, Any], pointer: str, detail: str | None
) -> None:
    for path in ("/api/async/simulate", "/api/simulate"):
        reply = client.call("POST", path, body)
        assert (reply.status, reply.headers["Content-Type"]) == (400, "application/problem+json")
        errors = {error["pointer"]: error["detail"] for error in reply.body["errors"]}
        assert list(errors) == [pointer]
        assert detail is None or errors[pointer] == detail
        assert reply.body["error"]


def test_unknown_path_is_a_problem_document(client: Client) -> None:
    reply = client.call("GET", "/api/nowhere")
    assert (reply.status, reply.headers["Content-Type"]) == (404, "application/problem+json")


def test_login_gives_token_and_cookie_and_refuses_a_wrong_password(client: Client) -> None:
    body = {"email": "Demo@Sluice.test", "password": "demo-password"}
    reply = client.call("POST", "/api/auth/login", body)
    assert reply.status == 200
    assert (reply.body["token_type"], reply.body["user"]["email"]) == ("Bearer", "demo@sluice.test")
    cookie = reply.headers["Set-Cookie"]
    assert re.fullmatch(r"sluice_token=[^;]+; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax", cookie)
    by_cookie = client.call("POST", "/api/async/simulate", SHORTEST, Cookie=cookie.split(";")[0])
    assert by_cookie.status == 202
    assert client.call("GET", by_cookie.body["poll_url"]).status == 404
    for wrong in ({"password": "demo-passwork"}, {"email": "nobody@sluice.test"}):
        refused = client.call("POST", "/api/auth/login", body | wrong)
        assert (refused.status, refused.body["detail"]) == (401, "the e-mail address or the password is wrong")


def test_nothing_listens_beyond_the_loopback_address(stack: LocalStack) -> None:
    port = int(stack.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass
    with pytest.raises(OSError, match="refused"):
        # 127.0.0.2 is this machine as well: only a socket bound to every address answers there.
        socket.create_connection(("127.0.0.2", port), timeout=5)


def _emulator(stack: LocalStack) -> dict[str, Any]:  # keyword arguments of boto3.client
    return {
        "endpoint_url": stack.endpoint,
        "region_name": "us-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }


@contextmanager
def worker_paused(stack: LocalStack, queue: str = "simulations") -> Iterator[None]:
    """Switches the mapping from the queue to its worker off, and on again."""
    functions = boto3.client("lambda", **_emulator(stack))
    (mapping,) = (
        mapping["UUID"]
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]
        if mapping["EventSourceArn"].endswith(f"sluice-local-{queue}")
    )
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping, Enabled=True)
