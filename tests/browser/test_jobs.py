"""The page of jobs: one's own, one of them, everybody's, and the queues."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from playwright.sync_api import Locator, Page, expect

from localstack.demo import ADMIN, ADMIN_PASSWORD, EMAIL, PASSWORD
from localstack.run import LocalStack
from tests.browser.conftest import NARROW, Opened, shoot
from tests.e2e.client import Client

FORECAST = {"tpSamples": [3, 5, 4, 6, 2, 5], "numberOfTasks": 20, "simulations": 1000}


@pytest.fixture
def demo(stack: LocalStack) -> Client:
    return Client(stack.url).login(EMAIL, PASSWORD)


@pytest.fixture
def admin(stack: LocalStack) -> Iterator[Client]:
    """An admin, after whom every queue is worked on."""
    client = Client(stack.url).login(ADMIN, ADMIN_PASSWORD)
    yield client
    client.call("POST", "/api/admin/queues/simulations/resume")


def line_of(page: Page, task_id: str) -> Locator:
    """The job's line in a list."""
    return page.get_by_role("row").filter(has=page.locator(f'a[href="#/jobs/{task_id}"]'))


def test_jobs_are_listed_with_how_long_they_waited_and_ran_and_filtered_by_the_address(
    opened: Opened, demo: Client
) -> None:
    done = demo.submit("/api/async/slow", {"seconds": 1.2})
    demo.wait(done)
    task = demo.call("GET", f"/api/tasks/{done}").body
    page = opened("/#/jobs", login=(EMAIL, PASSWORD))
    line = line_of(page, done)
    expect(line).to_contain_text("Finished")
    expect(line).to_contain_text("simulations")
    # It ran for as long as it was told, and the page says so as the service's times do.
    ran_s = line.get_by_role("cell").nth(6).inner_text()
    assert re.fullmatch(r"1\.[2-9] s|[2-9](\.\d)? s", ran_s), (ran_s, task)

    page.get_by_label("State").select_option("Failed")
    expect(page.get_by_text("There is no such job.")).to_be_visible()
    assert page.url.endswith("#/jobs?state=FAILURE")
    page.get_by_label("State").select_option("Finished")
    page.get_by_label("Kind").select_option("Slow")
    page.get_by_label("Submitted").select_option("Last hour")
    expect(line).to_be_visible()
    page.reload()
    expect(line).to_be_visible()
    expect(page.get_by_label("Kind")).to_have_value("slow")
    assert page.url.endswith("#/jobs?state=SUCCESS&kind=slow&since=1")


def test_running_job_is_followed_and_cancelled(opened: Opened, demo: Client) -> None:
    running = demo.submit("/api/async/slow", {"seconds": 120})
    page = opened("/#/jobs", login=(EMAIL, PASSWORD))
    line_of(page, running).get_by_role("link").click()
    expect(page.get_by_role("heading", name="Slow")).to_be_visible()
    expect(page.get_by_role("status").first).to_contain_text(re.compile(r"Running .*\(\d+ %\)"))
    page.get_by_role("button", name=f"Cancel: Slow {running[:8]}").click()
    expect(page.get_by_role("status").first).to_contain_text("Cancelled")
    assert demo.wait(running)["state"] == "REVOKED"


def test_job_is_found_by_its_id_and_shows_its_result(opened: Opened, demo: Client) -> None:
    task_id = demo.submit("/api/async/simulate", FORECAST)
    demo.wait(task_id)
    page = opened("/#/jobs", login=(EMAIL, PASSWORD), width=NARROW)
    page.get_by_label("Id of a job").fill(f" {task_id} ")
    page.get_by_label("Id of a job").press("Enter")
    expect(page.get_by_role("region", name="Result")).to_contain_text('"percentiles"')
    expect(page.get_by_role("region", name="Id")).to_have_text(task_id)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the result").click()
    assert download.value.suggested_filename.endswith(f"{task_id}.json")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(page, "job")


def test_public_job_is_found_without_an_account_and_a_private_one_is_not(
    opened: Opened, stack: LocalStack, demo: Client
) -> None:
    public = Client(stack.url).submit("/api/async/slow", {"seconds": 0})
    private = demo.submit("/api/async/slow", {"seconds": 0})
    page = opened("/#/jobs", expects=("status of 404",))
    expect(page.get_by_role("link", name="Log in or sign up")).to_have_attribute("href", re.compile("next=%23%2Fjobs"))
    page.get_by_label("Id of a job").fill(public)
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("status").first).to_contain_text("Finished")
    page.goto(f"{stack.url}/#/jobs/{private}")
    expect(page.get_by_text("There is no such job.")).to_be_visible()
    expect(page.get_by_text("Submitted with an account?")).to_be_visible()


def test_foreign_text_is_text(opened: Opened, stack: LocalStack) -> None:
    page = opened("/#/jobs/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", expects=("status of 404",))
    expect(page.get_by_text("There is no such job.")).to_be_visible()
    task_id = Client(stack.url).submit("/api/async/simulate", FORECAST | {"<img src=x>": 1})
    page.goto(f"{stack.url}/#/jobs/{task_id}")
    expect(page.get_by_text("/<img src=x> is not known and was ignored")).to_be_visible()


def test_others_than_admins_see_neither_everybody_s_jobs_nor_queues(opened: Opened) -> None:
    page = opened("/#/jobs", login=(EMAIL, PASSWORD))
    expect(page.get_by_label("State")).to_be_visible()
    expect(page.get_by_role("navigation", name="Jobs")).to_have_count(0)


def test_admin_sees_and_cancels_everybody_s_jobs(opened: Opened, demo: Client) -> None:
    running = demo.submit("/api/async/slow", {"seconds": 120})
    demo.wait(running, ("PROGRESS",))
    page = opened("/#/jobs/all", login=(ADMIN, ADMIN_PASSWORD))
    line = line_of(page, running)
    expect(line).to_contain_text("Running")
    shoot(page, "jobs-everybody")
    line.get_by_role("button", name="Cancel").click()
    assert demo.wait(running)["state"] == "REVOKED"
    expect(line).to_have_count(0)


def test_queue_is_paused_seen_filled_and_resumed(opened: Opened, demo: Client, admin: Client) -> None:
    page = opened("/#/jobs/queues", login=(ADMIN, ADMIN_PASSWORD))
    line = page.get_by_role("region", name="Queues").get_by_role("row").filter(has_text="simulations")
    page.get_by_role("button", name="Pause: simulations").click()
    expect(line).to_contain_text("Paused")
    # Polls that had begun when it was paused may still take a few.
    waiting = ""
    deadline = time.monotonic() + 60
    while not waiting or demo.wait(waiting, ("PENDING", "SUCCESS"))["state"] != "PENDING":
        assert time.monotonic() < deadline
        waiting = demo.submit("/api/async/slow", {"seconds": 0})
    expect(line.get_by_role("cell").nth(3)).to_have_text(re.compile(r"\d+(\.\d)? m?s"))
    shoot(page, "jobs-queues")
    page.get_by_role("button", name="Resume: simulations").click()
    expect(line).not_to_contain_text("Paused")
    assert demo.wait(waiting)["state"] == "SUCCESS"


def test_failed_job_says_why_and_is_started_again(opened: Opened, admin: Client) -> None:
    task_id = failed(admin)
    page = opened(f"/#/jobs/{task_id}", login=(ADMIN, ADMIN_PASSWORD))
    expect(page.get_by_role("alert")).to_contain_text("there is no upload nothing of yours")
    attempt = page.get_by_role("row").filter(has_text="Attempt")
    expect(attempt).to_contain_text("1")
    page.get_by_role("button", name="Retry").click()
    # It fails again, for the file is still not there.
    expect(attempt).to_contain_text("2")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()


def failed(admin: Client) -> str:
    """A job that has failed: the file that it needs was never sent."""
    task_id = admin.submit("/api/async/migrate-sqlite", {"upload_id": "nothing"})
    assert admin.wait(task_id)["state"] == "FAILURE"
    return task_id


def test_dead_letters_are_looked_at_redriven_and_deleted(opened: Opened, stack: LocalStack, admin: Client) -> None:
    task_id = failed(admin)
    bury(stack, json.dumps({"id": task_id, "kind": "migrate_sqlite", "v": 1}), "gave up after 4 attempts")
    bury(stack, "broken", "not a <b>job</b> message")
    page = opened("/#/jobs/queues", login=(ADMIN, ADMIN_PASSWORD))
    page.get_by_role("button", name="Dead letters: batch").click()
    letters = page.get_by_role("region", name="Dead letters")
    unreadable = letters.get_by_role("row").filter(has_text="not a <b>job</b> message")
    expect(unreadable).to_contain_text("Unreadable")
    expect(unreadable.get_by_role("button")).to_have_count(0)
    expect(line_of(page, task_id)).to_contain_text("gave up after 4 attempts")
    assert page.url.endswith("#/jobs/queues?dead=batch")
    shoot(page, "jobs-dead-letters")

    page.get_by_role("button", name=f"Redrive: {task_id}").click()
    expect(page.get_by_text("Queued again")).to_be_visible()
    deadline = time.monotonic() + 60
    while admin.wait(task_id)["attempt"] != 2:
        assert time.monotonic() < deadline
    page.get_by_role("button", name="Redrive, delete the rest: batch").click()
    page.get_by_role("button", name="Delete them").click()
    expect(page.get_by_text("There are none.")).to_be_visible()
    assert admin.call("GET", "/api/admin/queues/batch/dead").body == {"letters": []}


def bury(stack: LocalStack, body: str, reason: str) -> None:
    """Puts a message into the dead-letter queue of batch, as a worker does."""
    sqs = boto3.client(
        "sqs",
        endpoint_url=stack.endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    url = sqs.get_queue_url(QueueName=f"{stack.prefix}-batch-dlq")["QueueUrl"]
    attributes: Any = {"reason": {"DataType": "String", "StringValue": reason}}
    sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)


def test_metrics_of_the_local_stage_are_shown_by_kind(opened: Opened, demo: Client) -> None:
    demo.wait(demo.submit("/api/async/slow", {"seconds": 0.5}))
    page = opened("/#/jobs/queues", login=(ADMIN, ADMIN_PASSWORD))
    line = page.get_by_role("region", name="Metrics").get_by_role("row").filter(has_text="Slow")
    expect(line.get_by_role("cell").nth(1)).to_have_text(re.compile(r"[1-9]\d*"))
    expect(line.get_by_role("cell").nth(7)).to_have_text(re.compile(r"s / .*s$"))
