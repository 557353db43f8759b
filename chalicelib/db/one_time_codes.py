"""The `one_time_codes` table, and what a code may do to an account: open it, or change its password.

What has to go with a change, such as its mail, is handed over within its transaction: where that cannot be done nothing
is changed, and the same request may be sent again. Where only the end of the transaction fails, a mail is on its way
that says what has not happened; the request sent again makes it true, or sends a code that works.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from chalicelib.accounts.codes import LIFE_S, MOST_TRIES, PAUSE_S, Purpose
from chalicelib.db.accounts import Account
from chalicelib.db.connect import Database
from chalicelib.db.sql import statements
from chalicelib.db.tries import too_soon

# Is handed what was changed, while that can still be undone by raising.
HandOn = Callable[[Account], None]


class CodeRow(msgspec.Struct, frozen=True):
    """A code as it is stored."""

    purpose: Purpose
    address: str
    digest: str


class OneTimeCodes:
    """Issues and redeems codes; raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("one_time_codes")
        self._of_accounts = statements("accounts")

    def issue(self, code: CodeRow, hand_on: Callable[[], None], *, now: datetime) -> None:
        """Stores the code once its mail is handed on; raises TooManyRequests within PAUSE_S of the mail before."""
        values = msgspec.structs.asdict(code) | {
            "now": now,
            "expires_at": now + timedelta(seconds=LIFE_S),
            "mailed_before": now - timedelta(seconds=PAUSE_S),
        }
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["issue"], values)
            if cursor.fetchone() is None:
                cursor.execute(self._sql["find_mailed_at"], values)
                row = cursor.fetchone()
                passed = now - row["mailed_at"] if row else timedelta(seconds=PAUSE_S)
                raise too_soon("a mail went to this address a moment ago", timedelta(seconds=PAUSE_S) - passed)
            cursor.execute(self._sql["sweep"], {"now": now})
            hand_on()

    def spend_try(self, purpose: Purpose, address: str, *, now: datetime) -> str:
        """Uses up a try of the address's code; its digest, empty if there is none that is good for anything."""
        values = {"purpose": purpose, "address": address, "now": now, "most_tries": MOST_TRIES}
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["spend_try"], values)
            row = cursor.fetchone()
        return str(row["digest"]) if row else ""

    def give_back(self, code: CodeRow) -> None:
        """Gives a try back: the code was the right one, and could not be redeemed for a reason of ours."""
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["give_back"], msgspec.structs.asdict(code))

    def open_account(self, code: CodeRow, *, name: str, password_hash: str, hand_on: HandOn) -> Account | None:
        """Makes the address's account by a code, once; None if the code was used meanwhile or there is an account."""
        return self._redeem(code, "open", {"name": name, "password_hash": password_hash}, hand_on)

    def change_password(self, code: CodeRow, *, password_hash: str, hand_on: HandOn) -> Account | None:
        """Changes the password of the address's account by a code, once; None if there is neither."""
        return self._redeem(code, "set_password", {"password_hash": password_hash}, hand_on)

    def _redeem(self, code: CodeRow, statement: str, values: dict[str, str], hand_on: HandOn) -> Account | None:
        with self._database.transaction() as cursor:
            # Locks the code's row: of two at once, the second one finds none.
            cursor.execute(self._sql["use"], msgspec.structs.asdict(code))
            if cursor.fetchone() is None:
                return None
            cursor.execute(self._of_accounts[statement], {"email": code.address, **values})
            row = cursor.fetchone()
            if row is None:
                return None
            account = msgspec.convert(row, Account)
            hand_on(account)
        return account
