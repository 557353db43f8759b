"""Apps that events can be stored for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.db.accounts import Accounts
from chalicelib.db.connect import Database
from tests.db.test_database import query

NewApp = Callable[[str], int]


@pytest.fixture
def owner(database: Database) -> int:
    return int(Accounts(database).put(email="ann@example.org", name="Ann", password_hash="hash", role="student"))


@pytest.fixture
def new_app(dsn: str, owner: int) -> NewApp:
    """Makes an app of that id; answers its number."""

    return lambda app_id: insert_app(dsn, app_id, str(owner))


def insert_app(dsn: str, app_id: str, owner: str) -> int:
    """An app as it is before anything was said about it; answers its number."""
    ((number,),) = query(
        dsn,
        "INSERT INTO apps (app_id, user_id, name, salt) "
        f"VALUES ('{app_id}', {owner}, 'App', decode(repeat('ab', 32), 'hex')) RETURNING id",
    )
    return int(str(number))
