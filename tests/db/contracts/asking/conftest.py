"""Two data sets to ask about, loaded once, with the awards that they are made of."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

import pytest

from bench.contract_rows import rows
from chalicelib.db.connect import Database
from chalicelib.db.contracts.search import ContractSearch
from chalicelib.db.contracts.state import Sizes
from localstack.run import LocalStack
from tests.db.conftest import new_database
from tests.db.contracts import oracle
from tests.db.contracts.asking import awkward
from tests.db.contracts.loading import load_rows_in

_NAME = "contracts_to_ask_about"
# With words that are common, words of which sums are kept for some names, and words that are neither.
SIZES = Sizes(common_rows=20, summed_rows=40, summed_names=15)
FEW_SIZES = Sizes(common_rows=11, summed_rows=6, summed_names=3)


class DataSet(NamedTuple):
    """A version, and its awards in their default order."""

    version: int
    awards: list[oracle.Award]


class Library:
    """A database of which tests only read, with many awards that were made up and a few awkward ones.

    Not a dataclass: where a test fails Hypothesis shows all fields of one, and that they are long ends its report.
    """

    def __init__(self, dsn: str, database: Database, many: DataSet, awkward: DataSet) -> None:
        self.dsn, self.database, self.many, self.awkward = dsn, database, many, awkward


class Sided(NamedTuple):
    """Awards of which some words are on one side of an order, in a database of their own."""

    search: ContractSearch
    data: DataSet


@pytest.fixture(scope="session")
def library(stack: LocalStack) -> Iterator[Library]:
    with new_database(stack, _NAME) as dsn:
        sources = ((_many(), SIZES), (awkward.rows(), FEW_SIZES))
        many, few = (DataSet(load_rows_in(dsn, source, sizes), oracle.read(source)) for source, sizes in sources)
        with closing(Database(dsn)) as database:
            yield Library(dsn, database, many, few)


@pytest.fixture(scope="session")
def sided(stack: LocalStack) -> Iterator[Sided]:
    with new_database(stack, f"{_NAME}_by_side") as dsn:
        data = DataSet(load_rows_in(dsn, _sided(), SIZES), oracle.read(_sided()))
        with closing(Database(dsn)) as database:
            yield Sided(ContractSearch(database), data)


def _sided() -> list[dict[str, str]]:
    """1,500 awards: by amount or by name all `small` ones are before all `large` ones, and `both` is on each side."""
    return [
        {
            "contract_number": str(place),
            "award_date": f"2024-{place % 12 + 1:02}-01",
            "award_title": f"{'small' if place < 900 else 'large'} {'both' if place % 3 else 'other'} road",
            "contract_amount": str(place // 4),
            "awardee_name": f"Builder {place // 10:03}",
        }
        for place in range(1_500)
    ]


def _many() -> list[dict[str, str]]:
    """2,000 made-up awards; as many as ORACLE_ROWS says, or those of the CSV file that it names, packed or not."""
    wanted = os.environ.get("ORACLE_ROWS", "2000")
    if wanted.isdecimal():
        return list(rows(int(wanted), 7))
    with (gzip.open if wanted.endswith(".gz") else open)(wanted, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def search(library: Library) -> ContractSearch:
    return ContractSearch(library.database)
