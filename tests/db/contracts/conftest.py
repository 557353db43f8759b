"""A database of contracts that tests only read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bench.contract_rows import rows
from chalicelib.db.connect import Database
from chalicelib.db.contracts.state import Sizes
from chalicelib.db.contracts.versions import Versions
from localstack.run import LocalStack
from tests.db.conftest import new_database
from tests.db.contracts.desk import THREE, Desk
from tests.db.contracts.loading import load_rows_in

ROWS = 5_000
_NAME = "contracts_generated"
# Some words are common, and of some of these sums are kept, but not for all names.
SIZES = Sizes(common_rows=50, summed_rows=200, summed_names=30)


@dataclass(frozen=True)
class Loaded:
    """What was loaded, and where."""

    dsn: str
    version: int
    rows: list[dict[str, str]]


@pytest.fixture(scope="session")
def generated(stack: LocalStack) -> Iterator[Loaded]:
    """Made-up awards with all that is odd about the real ones."""
    made = list(rows(ROWS, 6))
    with new_database(stack, _NAME) as dsn:
        yield Loaded(dsn, load_rows_in(dsn, made, SIZES), made)


@pytest.fixture
def desk(dsn: str) -> Iterator[Desk]:
    """An API whose data set is of three awards."""
    desk = Desk(dsn)
    assert desk.import_text(THREE)["state"] == "SUCCESS"
    yield desk
    desk.api.runtime.database.close()


@pytest.fixture
def versions(database: Database) -> Versions:
    return Versions(database)
