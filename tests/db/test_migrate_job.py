"""An old installation's file migrated by a job, for databases that only workers can reach; on a real Postgres."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from chalicelib import kinds
from chalicelib.aws.memory_files import MemoryFiles
from chalicelib.db.migrate import migrate
from chalicelib.jobs.queue import Delivery
from chalicelib.jobs.worker import Worker
from tests.api.calls import Api, document
from tests.api.test_tasks import bearer
from tests.contract.test_kinds import call_as
from tests.db.old_installation import build
from tests.db.test_database import query
from tests.doubles import registry

KIND = kinds.registry("prod").kinds["migrate_sqlite"]
COUNTS = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM projects), (SELECT count(*) FROM forecasts)"


@pytest.fixture
def api(dsn: str) -> Api:
    migrate(dsn)
    return Api(KIND, database_url=dsn)


def upload(api: Api, body: bytes) -> str:
    offered = document(call_as("admin", api, "POST", "/api/uploads", {"size": len(body)}))
    files = api.runtime.files
    assert isinstance(files, MemoryFiles)
    files.receive(offered["url"], body)
    name: str = offered["upload_id"]
    return name


def run(api: Api, body: dict[str, Any]) -> Any:  # a task
    accepted = call_as("admin", api, "POST", KIND.path, body)
    assert accepted.status == 202, document(accepted)
    worker = Worker(api.parts.serving(api.runtime), registry(KIND), "batch")
    message = msgspec.json.encode(api.parts.queues.sent["batch"].popleft()).decode()
    worker.settle([Delivery(message_id="message-1", body=message, receipt="receipt-1")])
    return document(call_as("admin", api, "GET", accepted.headers["Location"]))


def test_uploaded_installation_is_told_first_and_migrated_when_asked(api: Api, dsn: str, tmp_path: Path) -> None:
    build(tmp_path / "old.db")
    name = upload(api, (tmp_path / "old.db").read_bytes())
    told = run(api, {"upload_id": name})
    assert (told["state"], told["result"]["dry_run"]) == ("SUCCESS", True), told
    assert query(dsn, COUNTS) == [(0, 0, 0)]
    done = run(api, {"upload_id": name, "dry_run": False})
    assert done["state"] == "SUCCESS", done
    assert {table["table"]: table["source"] for table in done["result"]["tables"]} == {
        "users": 15,
        "projects": 23,
        "forecasts": 47,
        "actuals": 12,
    }
    ((users, projects, forecasts),) = query(dsn, COUNTS)
    assert (users, projects) == (15, 23)
    again = run(api, {"upload_id": name, "dry_run": False})
    assert (again["result"]["migrated"], query(dsn, COUNTS)) == (0, [(15, 23, forecasts)])


def test_file_that_is_no_database_fails_the_task_and_changes_nothing(api: Api, dsn: str) -> None:
    task = run(api, {"upload_id": upload(api, b"not a database"), "dry_run": False})
    assert (task["state"], task["error_type"]) == ("FAILURE", "job-failed"), task
    assert query(dsn, COUNTS) == [(0, 0, 0)]


def test_migration_is_for_admins() -> None:
    refused = Api(KIND).call("POST", KIND.path, {"upload_id": "x"}, authorization=bearer("7"))
    assert refused.status == 403
