"""Two data sets to ask about, loaded once, with the awards that they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

import psycopg2
import pytest
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT, make_dsn

from bench.contract_rows import rows
from chalicelib.db.connect import Database
from chalicelib.db.contracts.search import ContractSearch
from localstack.run import LocalStack
from tests.db.contracts import oracle
from tests.db.contracts.asking import awkward
from tests.db.contracts.loading import load_rows

_NAME = "contracts_to_ask_about"


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


@pytest.fixture(scope="session")
def library(stack: LocalStack) -> Iterator[Library]:
    with closing(psycopg2.connect(stack.database_url)) as admin:
        admin.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
        with admin.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {_NAME}")
        dsn = make_dsn(stack.database_url, dbname=_NAME)
        sources = (list(rows(2_000, 7)), awkward.rows())
        many, few = (DataSet(load_rows(dsn, source), oracle.read(source)) for source in sources)
        with closing(Database(dsn)) as database:
            yield Library(dsn, database, many, few)
        with admin.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {_NAME} WITH (FORCE)")


@pytest.fixture(scope="session")
def search(library: Library) -> ContractSearch:
    return ContractSearch(library.database)
