"""The process behaviour chart of a project: under its name, and for those who may see it."""

from __future__ import annotations

import pytest

from chalicelib.db.connect import Database
from tests.api.published import broken, published
from tests.db.desks import Desk, desk, expect

SAMPLES = [5, 6, 7, 8, 6, 3, 6, 5, 7, 14]


@pytest.fixture
def mine(database: Database) -> Desk:
    return desk(database, "Ann")


def test_project_is_named_and_its_samples_are_charted(mine: Desk) -> None:
    project = mine.post("/api/projects", {"name": "Relaunch"})
    path = f"/api/projects/{project['id']}/pbc-analysis"
    found = expect(mine.call("POST", path, {"tp_samples": SAMPLES, "zzqq": 1}), 200)
    assert (found["project_id"], found["project_name"]) == (project["id"], "Relaunch")
    assert found["analysis"]["average"] == 6.7
    assert found["input_data"] == {"tp_samples": SAMPLES, "n_samples": 10}
    assert found["warnings"] == ["/zzqq is not known and was ignored"]
    assert broken(published(mine.api), "ProjectXmrReport", found) == []


@pytest.mark.parametrize("project_id", ["999999", "x", "9" * 30])
def test_project_that_there_is_not_is_404(mine: Desk, project_id: str) -> None:
    refused = expect(mine.call("POST", f"/api/projects/{project_id}/pbc-analysis", {"tp_samples": SAMPLES}), 404)
    assert refused["detail"] == f"there is no project {project_id}"


def test_project_of_somebody_else_is_404_and_of_nobody_without_credentials(mine: Desk, database: Database) -> None:
    project = desk(database, "Bob").post("/api/projects", {"name": "Secret"})
    path = f"/api/projects/{project['id']}/pbc-analysis"
    expect(mine.call("POST", path, {"tp_samples": SAMPLES}), 404)
    expect(mine.api.call("POST", path, {"tp_samples": SAMPLES}), 401)


def test_too_few_samples_are_refused(mine: Desk) -> None:
    project = mine.post("/api/projects", {"name": "Relaunch"})
    refused = expect(mine.call("POST", f"/api/projects/{project['id']}/pbc-analysis", {"tp_samples": [5]}), 400)
    assert refused["errors"] == [{"pointer": "/tp_samples", "detail": "must have at least 2 samples, got 1"}]
