"""Data sets imported by the job, as an admin's client does it; on a real Postgres."""

from __future__ import annotations

import pytest

from chalicelib.errors import Cancelled, JobFailed, SluiceError, Superseded, Unavailable
from chalicelib.jobs.context import Unwatched
from chalicelib.jobs.kind import Continue
from chalicelib.kinds.contracts_import import DataSetRequest, run
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


class Ended(Unwatched):
    """Ends a step with an error as soon as rows are read."""

    def __init__(self, desk: Desk, cursor: str, error: SluiceError, *, is_last_attempt: bool = False) -> None:
        super().__init__(desk.api.runtime, "1")
        self.cursor = cursor
        self.is_last_attempt = is_last_attempt
        self._error = error

    def __call__(self, fraction: float, stage: str) -> None:
        if stage == "reading rows":
            raise self._error


AWAY = Unavailable("the database went away")


@pytest.mark.parametrize(
    ("error", "is_last_attempt", "state", "schemas"),
    [
        (Cancelled("cancelled"), False, "failed", []),
        (JobFailed("the job ran longer than its limit"), False, "failed", []),
        (AWAY, True, "failed", []),
        (AWAY, False, "loading", [("contracts_v1",)]),
        (Superseded("another attempt has it"), True, "loading", [("contracts_v1",)]),
    ],
    ids=["cancelled", "failed", "away for good", "away", "taken over"],
)
def test_step_that_ends_early_leaves_nothing_unless_somebody_goes_on_with_it(
    desk: Desk, dsn: str, error: SluiceError, is_last_attempt: bool, state: str, schemas: list[tuple[object, ...]]
) -> None:
    request = DataSetRequest(upload_id=desk.upload(THREE))
    begun = run(request, Unwatched(desk.api.runtime, "1"))
    assert isinstance(begun, Continue)
    with pytest.raises(type(error)):
        run(request, Ended(desk, begun.cursor, error, is_last_attempt=is_last_attempt))
    assert query(dsn, "SELECT state FROM contract_versions") == [(state,)]
    assert query(dsn, SCHEMAS) == schemas
