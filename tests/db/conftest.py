"""Databases of a test's own on the real Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count

import psycopg2
import pytest
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT, make_dsn

from chalicelib.db.connect import Database
from chalicelib.db.migrate import migrate
from localstack.run import LocalStack

_numbers = count()


@pytest.fixture
def dsn(stack: LocalStack) -> Iterator[str]:
    """An empty database of the test's own."""
    with new_database(stack) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def module_dsn(stack: LocalStack) -> Iterator[str]:
    """An empty database that the tests of a module share."""
    with new_database(stack) as dsn:
        yield dsn


@contextmanager
def new_database(stack: LocalStack, name: str = "") -> Iterator[str]:
    """A database that is there for the time of the block."""
    name = name or f"test_{next(_numbers)}"
    _as_admin(stack, f"CREATE DATABASE {name}")
    yield make_dsn(stack.database_url, dbname=name)
    _as_admin(stack, f"DROP DATABASE {name} WITH (FORCE)")


def _as_admin(stack: LocalStack, statement: str) -> None:
    # A connection for each: other tests of the session restart the server in between.
    with closing(psycopg2.connect(stack.database_url)) as admin:
        admin.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
        with admin.cursor() as cursor:
            cursor.execute(statement)


@pytest.fixture
def database(dsn: str) -> Iterator[Database]:
    migrate(dsn)
    with closing(Database(dsn)) as database:
        yield database
