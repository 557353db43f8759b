"""Work items to throughput over the API: in line as JSON or as a table, and in the background from an upload."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib import kinds
from chalicelib.aws.memory_files import MemoryFiles
from chalicelib.jobs.queue import Delivery
from chalicelib.jobs.worker import Worker
from tests.api.calls import Api, details, document
from tests.api.test_tasks import bearer
from tests.doubles import registry

KIND = kinds.registry("prod").kinds["throughput_import"]
PATH, BACKGROUND = "/api/throughput/import", "/api/async/throughput/import"
# Mondays to Sundays of 2025: two items, none, one; the last day is a Sunday, so that whole weeks end there.
TABLE = "Closed date\n2025-01-07\n2025-01-08\n2025-01-26\n"
WEEKS = [2, 0, 1]
MINE = bearer("7")


@pytest.fixture
def api() -> Api:
    return Api(KIND)


def test_table_in_a_json_body_is_read_with_its_idle_weeks(api: Api) -> None:
    answer = api.call("POST", PATH, {"content": TABLE, "fromDate": "2025-01-06"})
    assert (answer.status, document(answer)["tpSamples"]) == (200, WEEKS), document(answer)


def test_table_is_taken_as_it_is_with_its_options_in_the_query(api: Api) -> None:
    path = f"{PATH}?fromDate=2025-01-06&throughputCadenceDays=21"
    answer = api.call("POST", path, TABLE.encode(), content_type="text/csv; charset=utf-8")
    assert (answer.status, document(answer)["tpSamples"]) == (200, [3]), document(answer)


def test_option_of_a_table_that_is_out_of_bounds_is_named(api: Api) -> None:
    answer = api.call("POST", f"{PATH}?throughputCadenceDays=400", TABLE.encode(), content_type="text/csv")
    assert (answer.status, details(answer)) == (400, [("/throughputCadenceDays", "must be at most 366, got 400")])


def test_table_that_is_not_utf_8_is_refused_with_the_place(api: Api) -> None:
    answer = api.call("POST", PATH, b"Closed date\n\xff\n", content_type="text/csv")
    assert (answer.status, details(answer)) == (400, [("", "a table must be sent as UTF-8, byte 12 is not")])


def test_table_is_for_kinds_that_take_one() -> None:
    simulate = kinds.registry("prod").kinds["simulate"]
    answer = Api(simulate).call("POST", "/api/simulate", TABLE.encode(), content_type="text/csv")
    assert answer.status == 415


def test_table_of_more_than_4_mb_is_413(api: Api) -> None:
    answer = api.call("POST", PATH, b"x" * (4 * 1024 * 1024 + 1), content_type="text/csv")
    assert answer.status == 413


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        ("", "is empty"),
        ("Name\nAnn\n", "Name"),
        ("Closed date\n", "must have rows below the header, got none"),
        ("Closed date\nsoon\n", "'soon'"),
    ],
)
def test_file_without_a_date_is_a_client_error_that_says_what_was_found(api: Api, content: str, detail: str) -> None:
    answer = api.call("POST", PATH, {"content": content})
    assert answer.status == 400, document(answer)
    ((pointer, said),) = details(answer)
    assert pointer == "/content"
    assert detail in said


def test_upload_is_read_by_the_worker_for_its_owner(api: Api) -> None:
    offered = document(api.call("POST", "/api/uploads", {"size": len(TABLE)}, authorization=MINE))
    files = api.runtime.files
    assert isinstance(files, MemoryFiles)
    assert files.receive(offered["url"], TABLE.encode())
    body = {"upload_id": offered["upload_id"], "fromDate": "2025-01-06"}
    task = run(api, body)
    assert (task["state"], task["result"]["tpSamples"]) == ("SUCCESS", WEEKS), task


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_upload_is_read_in_the_encodings_that_spreadsheets_write(api: Api, encoding: str) -> None:
    table = "Geschlossen,Closed date\nÄrger,2025-01-07\n".encode(encoding)
    offered = document(api.call("POST", "/api/uploads", {"size": len(table)}, authorization=MINE))
    files = api.runtime.files
    assert isinstance(files, MemoryFiles)
    files.receive(offered["url"], table)
    task = run(api, {"upload_id": offered["upload_id"], "fromDate": "2025-01-01"})
    assert (task["state"], sum(task["result"]["tpSamples"])) == ("SUCCESS", 1), task


def test_upload_that_is_not_there_or_not_mine_fails_the_task_with_the_reason(api: Api) -> None:
    offered = document(api.call("POST", "/api/uploads", {"size": 3}, authorization=bearer("8")))
    files = api.runtime.files
    assert isinstance(files, MemoryFiles)
    files.receive(offered["url"], b"abc")
    task = run(api, {"upload_id": offered["upload_id"]})
    assert (task["state"], task["error_type"]) == ("FAILURE", "not-found")
    assert f"there is no upload {offered['upload_id']} of yours" in task["error"]


def test_upload_in_line_is_refused_with_the_way_to_go(api: Api) -> None:
    answer = api.call("POST", PATH, {"upload_id": "x"})
    assert (answer.status, details(answer)) == (
        400,
        [("/upload_id", f"is for the background: send the request to {BACKGROUND}")],
    )


@pytest.mark.parametrize("size", [0, 5 * 2**30 + 1])
def test_upload_out_of_bounds_is_refused(api: Api, size: int) -> None:
    assert api.call("POST", "/api/uploads", {"size": size}, authorization=MINE).status == 400


@pytest.mark.parametrize(("role", "status"), [("student", 403), ("admin", 201)])
def test_upload_that_no_worker_holds_whole_is_for_admins(api: Api, role: str, status: int) -> None:
    assert api.call("POST", "/api/uploads", {"size": 100 * 2**20}, authorization=bearer("7", role)).status == 201
    refused = api.call("POST", "/api/uploads", {"size": 100 * 2**20 + 1}, authorization=bearer("7", role))
    assert refused.status == status


def test_upload_needs_an_account_where_forecasts_do() -> None:
    assert Api(KIND, public_forecasts=False).call("POST", "/api/uploads", {"size": 3}).status == 401


def run(api: Api, body: dict[str, Any]) -> Any:  # a task
    """The task of a request after its worker has settled it."""
    accepted = api.call("POST", BACKGROUND, body, authorization=MINE)
    assert accepted.status == 202, document(accepted)
    worker = Worker(api.parts.serving(api.runtime), registry(KIND), KIND.queue)
    message = msgspec.json.encode(api.parts.queues.sent[KIND.queue].popleft()).decode()
    worker.settle([Delivery(message_id="message-1", body=message, receipt="receipt-1")])
    return document(api.call("GET", accepted.headers["Location"], authorization=MINE))
