"""Who a page is told that it is used by, from the accounts as they are."""

from __future__ import annotations

from chalicelib.db.connect import Database
from tests.db.desks import desk


def test_account_is_told_without_its_secrets(database: Database) -> None:
    ann = desk(database, "Ann")
    desk(database, "Bob", "admin")
    said = ann.get("/api/auth/session")
    assert said["user"] == {
        "id": ann.account,
        "email": "ann@example.org",
        "name": "Ann",
        "username": "Ann",
        "role": "student",
    }
    assert (said["user_id"], said["scopes"]) == (ann.account, ["jobs:read", "jobs:write"])


def test_account_that_is_gone_has_no_name(database: Database) -> None:
    ann = desk(database, "Ann")
    with database.transaction() as cursor:
        cursor.execute("DELETE FROM users WHERE id = %s", (ann.account,))
    assert ann.get("/api/auth/session")["user"] is None
