"""Data sets imported by the job, as an admin's client does it; on a real Postgres."""

from __future__ import annotations

import pytest

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
