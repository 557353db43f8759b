"""Contracts through HTTP, the queues and the workers: an import, and the steps of the portal's own client."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import time
import urllib.request
from typing import Any

import openpyxl
import pytest

from bench.contract_rows import rows
from chalicelib.accounts.tokens import issue_token
from chalicelib.model import Caller
from localstack.run import LocalStack
from tests.e2e.client import Client, Reply

TASKS = "/api/v1/data-processing/tasks"
ROWS = 3_000


def send(admin: Client, made: list[dict[str, str]]) -> Any:  # a task
    """Imports rows as an admin's client does, and answers the task as it has ended."""
    file = io.StringIO()
    writer = csv.DictWriter(file, made[0])
    writer.writeheader()
    writer.writerows(made)
    body = file.getvalue().encode()
    offer = admin.call("POST", "/api/uploads", {"size": len(body)}).body
    request = urllib.request.Request(offer["url"], body, offer["headers"], method=offer["method"])
    with urllib.request.urlopen(request, timeout=40) as sent:
        assert sent.status == 200
    return admin.wait(admin.submit("/api/v1/contracts/imports", {"upload_id": offer["upload_id"]}), timeout_s=120)


@pytest.fixture(scope="module")
def admin(stack: LocalStack) -> Client:
    return administrator(stack)


def administrator(stack: LocalStack) -> Client:
    """A client that may import."""
    secret = (stack.state / "token-secret").read_text("utf-8").strip()
    token = issue_token(Caller("4711", "admin"), secret=secret, now_s=int(time.time()), ttl_s=600)
    return Client(stack.url, token)


@pytest.fixture(scope="module")
def portal(stack: LocalStack, admin: Client) -> Client:
    """A client without an account, and contracts for it to ask about."""
    task = send(admin, list(rows(ROWS, 6)))
    assert task["state"] == "SUCCESS", task
    assert task["result"]["rows_read"] == ROWS
    assert task["result"]["rows_loaded"] + task["result"]["rows_rejected"] == ROWS
    return Client(stack.url)


def browse(portal: Client, path: str, body: object) -> Reply:
    """What `fetch` makes of a body of text: a slash at the end of the path, and text/plain."""
    return portal.call("POST", f"{TASKS}/{path}/", json.dumps(body).encode(), Content_Type="text/plain;charset=UTF-8")


def ask(portal: Client, path: str, body: object) -> Any:  # an answer
    """The client's steps: submit; where it is not `cached`, look each second; then read."""
    submitted = browse(portal, path, body)
    if submitted.status == 200:
        assert submitted.body["status"] == "cached"
        return submitted.body["data"]
    assert (submitted.status, submitted.body["status"]) == (202, "queued"), submitted
    for _ in range(60):
        task = portal.call("GET", f"{TASKS}/status/?task_id={submitted.body['task_id']}").body
        if task["state"] in ("SUCCESS", "FAILURE"):
            break
        time.sleep(1)
    assert (task["state"], task["progress"], task["error"]) == ("SUCCESS", 100, None), task
    read = portal.call("GET", f"{TASKS}/result/?cache_key={task['cache_key']}")
    assert (read.status, read.body["status"]) == (200, "success")
    return read.body["data"]


def test_portal_searches_pages_and_is_answered_from_the_cache_the_second_time(portal: Client) -> None:
    body = {"filters": {"keywords": ["supply"], "page": 2, "page_size": 5, "sort_by": "award_date"}}
    found = ask(portal, "search", body)
    assert (found["success"], len(found["data"])) == (True, 5)
    assert all("supply" in f"{row['award_title']} {row['notice_title']}".lower() for row in found["data"])
    assert found["pagination"]["total_count"] > 10
    assert browse(portal, "search", body).body["data"] == found


def test_charts_add_up_to_the_search(portal: Client) -> None:
    filters = {"time_ranges": [{"type": "yearly", "year": 2019}, {"type": "yearly", "year": 2020}]}
    count = ask(portal, "search", {"filters": filters})["pagination"]["total_count"]
    charts = ask(portal, "analytics", {"filters": filters})["data"]
    assert charts["summary"][0]["count"] == count > 0
    assert [year["year"] for year in charts["by_year"]] == [2019, 2020]
    assert sum(month["count"] for month in charts["by_month"]) == count
    table = ask(portal, "analytics-paginated", {"filters": filters, "entity_type": "category", "page_size": 1000})
    assert sum(group["count"] for group in table["data"]) == count


def test_answers_are_of_the_new_data_set_as_soon_as_its_import_has_ended(portal: Client, admin: Client) -> None:
    body: dict[str, Any] = {"filters": {}}
    before = ask(portal, "search", body)["pagination"]["total_count"]
    task = send(admin, list(rows(500, 7)))
    assert task["state"] == "SUCCESS", task
    after = ask(portal, "search", body)["pagination"]["total_count"]
    assert (before != after, after) == (True, task["result"]["rows_loaded"])


def test_search_in_line_by_the_path_that_the_portal_calls(portal: Client) -> None:
    reply = portal.call("POST", "/api/v1/contracts/chip-search/", {"keywords": ["supply"], "page_size": 3})
    assert (reply.status, len(reply.body["data"])) == (200, 3)


def fetch(url: str) -> tuple[str, bytes]:
    """What is there for a client that follows redirects: what is in it, and the bytes."""
    with urllib.request.urlopen(url, timeout=40) as answer:
        return answer.headers["Content-Type"], answer.read()


@pytest.mark.parametrize(
    ("format_", "media"),
    [
        ("csv", "text/csv; charset=utf-8"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("jsonl", "application/jsonl"),
    ],
)
def test_export_is_written_in_the_background_and_fetched_from_a_link(portal: Client, format_: str, media: str) -> None:
    filters = {"keywords": ["supply"], "value_range": {"max": 1_000_000}}
    expected = portal.call("POST", "/api/v1/contracts/chip-search/", filters | {"page_size": 1000}).body["data"]
    submitted = browse(portal, "export", {"filters": filters, "format": format_})
    task = portal.wait(submitted.body["export_id"])
    assert task["state"] == "SUCCESS", task
    found, content = fetch(portal.url + task["result"]["download_url"])
    assert found == media
    assert hashlib.sha256(content).hexdigest() == task["result"]["sha256"]
    assert len(content) == task["result"]["size_bytes"]
    titles = {"csv": titles_of_csv, "xlsx": titles_of_workbook, "jsonl": titles_of_lines}[format_](content)
    assert titles == [row["award_title"] for row in expected]
    assert task["result"]["row_count"] == len(expected) > 20


def titles_of_csv(content: bytes) -> list[str | None]:
    return [row["award_title"] or None for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))]


def titles_of_workbook(content: bytes) -> list[str | None]:
    sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
    return [row[2] for row in sheet.iter_rows(min_row=2, values_only=True)]


def titles_of_lines(content: bytes) -> list[str | None]:
    return [json.loads(line)["award_title"] for line in content.decode().split("\n") if line]
