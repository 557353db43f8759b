"""`make import`: the file is loaded, and the stage told of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.aws.datasets import MemoryDatasets
from chalicelib.errors import Unavailable
from infra.import_contracts import find_database, import_contracts
from tests.db.contracts.desk import THREE
from tests.db.test_database import query


class Unreachable(MemoryDatasets):
    def publish(self, name: str, version: int) -> None:
        raise Unavailable("the data set record cannot be reached")


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "awards.csv"
    path.write_text(THREE, "utf-8")
    return str(path)


def test_stage_is_told_of_the_data_set_that_was_loaded(dsn: str, file: str) -> None:
    datasets = MemoryDatasets()
    assert import_contracts([file], dsn, datasets) == 0
    assert datasets.version("contracts") == 1
    assert query(dsn, "SELECT id, rows_loaded FROM contract_versions WHERE state = 'current'") == [(1, 3)]


def test_stage_that_could_not_be_told_is_an_error(dsn: str, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert import_contracts([file], dsn, Unreachable()) == 1
    assert "the stage could not be told: the data set record cannot be reached" in capsys.readouterr().err


def test_stage_is_told_nothing_of_a_load_that_failed(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n", "utf-8")
    datasets = MemoryDatasets()
    assert import_contracts([str(tmp_path / "bad.csv")], dsn, datasets) == 1
    assert datasets.version("contracts") == 0


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"DATABASE_URL": "postgresql://named/db"}, "postgresql://named/db"),
        ({}, "postgresql://local/db"),
        ({"STAGE": "prod"}, ""),
    ],
)
def test_database_is_the_named_one_or_that_of_the_local_environment(
    environ: dict[str, str], found: str, tmp_path: Path
) -> None:
    run_file = tmp_path / "run.json"
    run_file.write_text(json.dumps({"database_url": "postgresql://local/db"}), "utf-8")
    assert find_database(environ, run_file) == found
    assert find_database({}, tmp_path / "nothing.json") == ""
