"""Known and unknown addresses cannot be told apart by how long an answer takes: they cost the same calls.

Times themselves are not asserted; what they are made of is: statements, messages and password hashes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, cast

import pytest
from psycopg2.extras import RealDictCursor

from chalicelib.db.connect import Database
from tests.db.visitors import ANN, OTHER_PASSWORD, Visitor, member

NOBODY = "eve@example.org"
PASSWORDS = {"password": OTHER_PASSWORD, "password_confirm": OTHER_PASSWORD}


class Noting:
    """A cursor that notes its statements."""

    def __init__(self, cursor: RealDictCursor, noted: list[str]) -> None:
        self._cursor, self._noted = cursor, noted

    def execute(self, statement: str, values: object = None) -> None:
        self._noted.append(statement)
        self._cursor.execute(statement, cast("dict[str, object]", values))

    def __getattr__(self, name: str) -> Any:  # of whatever type the cursor has it
        return getattr(self._cursor, name)


class NotingDatabase(Database):
    """A database that notes what it is asked."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.noted: list[str] = []

    @contextmanager
    def transaction(self) -> Iterator[RealDictCursor]:
        with super().transaction() as cursor:
            yield cast("RealDictCursor", Noting(cursor, self.noted))


def cost(ann: Visitor, noting: NotingDatabase, path: str, body: dict[str, object]) -> tuple[int, list[str], int]:
    """The status, the statements and the number of messages of one request."""
    noting.noted.clear()
    status = ann.ask(path, **body).status
    return status, list(noting.noted), len(ann.mails())


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/api/auth/register", 200, {}),
        ("/api/auth/forgot", 200, {}),
        ("/api/auth/login", 401, {"password": OTHER_PASSWORD}),
        ("/api/auth/verify", 400, {"otp": "000000", **PASSWORDS}),
        ("/api/auth/reset", 400, {"otp": "000000", **PASSWORDS}),
    ],
)
def test_known_and_unknown_address_cost_the_same(
    database: Database, dsn: str, path: str, status: int, body: dict[str, object]
) -> None:
    ann = member(database)
    with closing(NotingDatabase(dsn)) as noting:
        ann.api.runtime.__dict__["database"] = noting
        for part in ("accounts", "tries", "one_time_codes"):
            ann.api.runtime.__dict__.pop(part)
        known = cost(ann, noting, path, {"email": ANN, **body})
        assert cost(ann, noting, path, {"email": NOBODY, **body}) == known
    assert known[0] == status
    assert len(known[1]) >= 2
