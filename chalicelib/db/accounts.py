"""The `users` table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from chalicelib.db.connect import Database
from chalicelib.db.sql import statements


class Account(msgspec.Struct, frozen=True):
    """One user as a login needs to know it."""

    id: str
    email: str
    name: str
    role: str
    password_hash: str
    is_active: bool
    access_expires_at: datetime


class Accounts:
    """Reads and writes accounts; raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("accounts")

    def find(self, email: str) -> Account | None:
        """The account that logs in with this address, if there is one."""
        return self._one("find_by_email", {"email": email})

    def of(self, user_id: str) -> Account | None:
        """The account with this id, if it is still there."""
        return self._one("find_by_id", {"id": user_id})

    def record_login(self, account: Account, *, at: datetime, renewed: str | None = None) -> bool:
        """Remembers the time of a login, and a hash that was made anew; False if the password is another by now."""
        values = {"id": account.id, "at": at, "password_hash": account.password_hash, "renewed": renewed}
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["record_login"], values)
            return cursor.fetchone() is not None

    def put(self, *, email: str, name: str, password_hash: str, role: str) -> str:
        """Makes the account or renews it; answers its id."""
        values = {"email": email, "name": name, "password_hash": password_hash, "role": role}
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["put"], values)
            row = cursor.fetchone()
        assert row is not None  # INSERT ... RETURNING answers one row or raises
        return str(row["id"])

    def _one(self, statement: str, values: Mapping[str, str]) -> Account | None:
        with self._database.transaction() as cursor:
            cursor.execute(self._sql[statement], values)
            row = cursor.fetchone()
        return msgspec.convert(row, Account) if row else None
