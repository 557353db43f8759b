"""The id that a client is told stands on each line of its job, in the functions' own logs."""

from __future__ import annotations

import json
from typing import Any

from localstack.emulator import aws_session
from localstack.run import LocalStack
from tests.e2e.client import Client
from tests.localstack.tiny_project import wait_for


def lines_of(stack: LocalStack, text: str) -> list[dict[str, Any]]:
    """Every line of every function that has this in it, with the function that wrote it, oldest first."""
    logs: Any = aws_session().client("logs", endpoint_url=stack.endpoint)
    found = []
    for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]:
        name = group["logGroupName"]
        events = logs.filter_log_events(logGroupName=name, filterPattern=f'"{text}"', limit=10_000)["events"]
        found += [(event["timestamp"], name, json.loads(event["message"])) for event in events]
    return [line | {"group": name} for _, name, line in sorted(found, key=lambda each: each[0])]


def test_request_can_be_followed_from_its_answer_to_the_last_line_of_the_worker(stack: LocalStack) -> None:
    client = Client(stack.url)
    # The emulator loses the end of what a function writes in its very first run.
    client.wait(client.submit("/api/async/slow", {"seconds": 0}))
    reply = client.call("POST", "/api/async/slow", {"seconds": 0})
    request_id = reply.headers["X-Request-Id"]
    client.wait(reply.body["task_id"])
    # The last line is written before the function ends, and kept when it has ended.
    wait_for(lambda: "succeed" in [line.get("move") for line in lines_of(stack, request_id)], "the last line")
    told = [line for line in lines_of(stack, request_id) if line["request_id"] == request_id]
    by_function: dict[str, list[str]] = {}
    for line in told:
        by_function.setdefault(line["group"], []).append(line.get("move") or line["message"])
    assert sorted(by_function.values()) == [["claim", "succeed"], ["submit", "request"]]
    assert {line["job_id"] for line in told if "move" in line} == {reply.body["task_id"]}
    # In each function the id that Lambda gave the run.
    assert len({line["invocation_id"] for line in told}) == 2
