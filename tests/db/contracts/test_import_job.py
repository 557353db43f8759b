"""Data sets imported by the job, as an admin's client does it; on a real Postgres."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress

import msgspec
import pytest

from chalicelib.errors import Cancelled, JobFailed, SluiceError, Superseded, Unavailable
from chalicelib.jobs.context import Unwatched
from chalicelib.jobs.kind import Continue, Progress
from chalicelib.jobs.worker import ComeAgain
from chalicelib.kinds.contracts_import import KIND, DataSetRequest, DataSetResult, run
from tests.api.calls import document
from tests.api.test_tasks import bearer
from tests.db.contracts.desk import ADMIN, IMPORTS, THREE, Desk
from tests.db.test_database import query

VERSIONS = "SELECT state, rows_read, rows_loaded, rows_rejected FROM contract_versions ORDER BY id"
SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'contracts%' ORDER BY 1"


@pytest.fixture
def desk(dsn: str) -> Desk:
    return Desk(dsn)


def test_file_becomes_the_data_set_and_bad_rows_are_named(desk: Desk, dsn: str) -> None:
    task = desk.import_text(THREE + "A-4,2024-01-01,No amount,,Acme,X,Y,Z\nA-5,31/31/2024,No day,5,Acme,X,Y,Z\n")
    assert task["state"] == "SUCCESS", task
    result = task["result"]
    counts = [result[name] for name in ("dataset_version", "rows_read", "rows_loaded", "rows_rejected")]
    assert counts == [1, 5, 3, 2]
    assert [(row["line"], row["value"]) for row in result["rejected"]] == [(5, ""), (6, "31/31/2024")]
    assert query(dsn, VERSIONS) == [("current", 5, 3, 2)]
    assert desk.api.runtime.datasets.version("contracts") == 1


def test_all_bad_rows_are_in_a_file_however_many_the_result_lists(desk: Desk) -> None:
    bad = "".join(f"B-{number},2024-01-01,=1+1,none,Acme,X,Y,Z\n" for number in range(5_000))
    task = desk.import_text(THREE + bad)
    assert (task["result"]["rows_rejected"], len(task["result"]["rejected"])) == (5_000, 100)
    answer = desk.api.call("GET", task["result"]["rejected_url"], authorization=ADMIN)
    assert (answer.status, answer.headers["Location"]) == (
        303,
        f"https://files.test/{task['task_id']}/rejected_rows.csv",
    )
    with desk.api.runtime.job_files.open(task["task_id"]) as file:
        lines = file.read().decode().split("\r\n")
    assert (lines[0], len(lines)) == ("line,column,value,reason", 5_002)
    assert lines[1] == '5,amount,none,"must be a number such as 1234.50 or 1,234.50"'
    assert lines[5_000].startswith("5004,amount,none,")


def test_import_without_a_bad_row_has_no_file_of_them(desk: Desk) -> None:
    task = desk.import_text(THREE)
    assert task["result"]["rejected_url"] is None
    answer = desk.api.call("GET", f"/api/tasks/{task['task_id']}/download", authorization=ADMIN)
    assert (answer.status, answer.headers["Content-Disposition"].endswith('.json"')) == (200, True)


def test_import_takes_the_place_of_the_data_set_before(desk: Desk, dsn: str) -> None:
    desk.import_text(THREE)
    desk.import_text(THREE.replace("Manila", "Davao"))
    assert [state for state, *_ in query(dsn, VERSIONS)] == ["old", "current"]
    assert desk.api.runtime.datasets.version("contracts") == 2


def test_file_without_the_columns_fails_and_leaves_no_trace(desk: Desk, dsn: str) -> None:
    task = desk.import_text("a,b\n1,2\n")
    assert task["state"] == "FAILURE"
    assert "column names" in task["error"]
    assert query(dsn, SCHEMAS) == []
    assert desk.api.runtime.datasets.version("contracts") == 0


def test_file_that_was_never_sent_fails_before_anything_is_made(desk: Desk, dsn: str) -> None:
    accepted = desk.api.call("POST", IMPORTS, {"upload_id": "nothing"}, authorization=ADMIN)
    desk.work("batch")
    task = document(desk.api.call("GET", accepted.headers["Location"], authorization=ADMIN))
    assert (task["state"], task["error"][:31]) == ("FAILURE", "there is no upload nothing of y")
    assert query(dsn, "SELECT id FROM contract_versions") == []


def test_import_is_for_admins(desk: Desk) -> None:
    refused = desk.api.call("POST", IMPORTS, {"upload_id": "x"}, authorization=bearer("7"))
    assert refused.status == 403


class Ended(Unwatched):
    """Ends a step with an error as soon as rows are read."""

    def __init__(self, progress: Progress, error: SluiceError) -> None:
        super().__init__(progress.parts, progress.owner, cursor=progress.cursor)
        self._error = error

    def __call__(self, fraction: float, stage: str) -> None:
        if stage == "reading rows":
            raise self._error


@pytest.mark.parametrize(
    ("error", "max_attempts", "state", "schemas"),
    [
        (Cancelled("cancelled"), 4, "failed", []),
        (JobFailed("the job ran longer than its limit"), 4, "failed", []),
        (Unavailable("the database went away"), 1, "failed", []),
        (Unavailable("the database went away"), 4, "loading", [("contracts_v1",)]),
        (Superseded("another attempt has it"), 1, "loading", [("contracts_v1",)]),
    ],
    ids=["cancelled", "failed", "away for good", "away", "taken over"],
)
def test_step_that_ends_early_leaves_nothing_unless_somebody_goes_on_with_it(
    desk: Desk, dsn: str, error: SluiceError, max_attempts: int, state: str, schemas: list[tuple[object, ...]]
) -> None:
    def stopped(request: DataSetRequest, progress: Progress) -> DataSetResult | Continue:
        return run(request, Ended(progress, error))

    desk.submit({"upload_id": desk.upload(THREE)})
    with suppress(ComeAgain):
        desk.work("batch", kind=msgspec.structs.replace(KIND, run=stopped, max_attempts=max_attempts, outage_s=0))
    assert query(dsn, "SELECT state FROM contract_versions") == [(state,)]
    assert query(dsn, SCHEMAS) == schemas


def test_import_that_is_cancelled_between_two_steps_is_removed_at_once(desk: Desk, dsn: str) -> None:
    path = desk.submit({"upload_id": desk.upload(THREE)})
    desk.work("batch", steps=1)
    assert query(dsn, SCHEMAS) == [("contracts_v1",)]
    assert document(desk.api.call("DELETE", path, authorization=ADMIN))["state"] == "REVOKED"
    desk.work("batch")
    assert query(dsn, "SELECT state FROM contract_versions") == [("failed",)]
    assert query(dsn, SCHEMAS) == []


RELEASE = {
    "ocid": "ocds-x-1",
    "buyer": {"name": "City of Manila"},
    "tender": {"title": "Bridges", "mainProcurementCategory": "works"},
    "awards": [
        {"id": "A-1", "title": "Repair", "value": {"amount": 10.5, "currency": "PHP"}, "suppliers": [{"name": "Acme"}]},
        {"id": "A-2", "title": "Repair", "value": {"amount": 7, "currency": "USD"}, "suppliers": [{"name": "Acme"}]},
    ],
}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(RELEASE, indent=1).encode(),
        json.dumps({"releases": [RELEASE]}).encode(),
        json.dumps(RELEASE).encode() + b"\n\n",
        gzip.compress(json.dumps({"releases": [RELEASE]}, indent=1).encode()),
    ],
    ids=["release", "package", "lines", "packed"],
)
def test_releases_become_the_data_set_too(desk: Desk, dsn: str, content: bytes) -> None:
    task = desk.import_text(content)
    assert task["state"] == "SUCCESS", task
    assert task["result"] == {
        "task_id": task["task_id"],
        "completed_at": task["result"]["completed_at"],
        "dataset_version": 1,
        "rows_read": 2,
        "rows_loaded": 1,
        "rows_rejected": 1,
        "rejected": [{"line": 1, "column": "amount", "value": "7 USD", "reason": "must be in PHP, got USD"}],
        "rejected_url": f"/api/tasks/{task['task_id']}/download",
    }
    assert query(dsn, "SELECT contract_number, notice_title FROM contracts_v1.title") == [("A-1", "Bridges")]


def test_file_of_another_format_is_refused_before_anything_is_made(desk: Desk, dsn: str) -> None:
    task = desk.import_text(b"PK\x03\x04 an Excel workbook")
    assert (task["state"], task["error"]) == (
        "FAILURE",
        "/: must be CSV, or OCDS releases as JSON or JSON Lines, but this is an Excel workbook or a ZIP file: "
        "save the sheet as CSV",
    )
    assert query(dsn, "SELECT id FROM contract_versions") == []


def test_document_that_ends_early_leaves_no_trace(desk: Desk, dsn: str) -> None:
    task = desk.import_text(json.dumps({"releases": [RELEASE]})[:-1])
    assert (task["state"], "the file ends within it" in task["error"]) == ("FAILURE", True)
    assert query(dsn, SCHEMAS) == []
