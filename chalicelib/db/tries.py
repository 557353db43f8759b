"""The `tries` table: who has tried how often what led to nothing, and when they may try again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from chalicelib.accounts.pace import Tries
from chalicelib.db.connect import Database
from chalicelib.db.sql import statements
from chalicelib.errors import TooManyRequests


class KeptTries:
    """Counts tries; raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("tries")

    def charge(self, counted: Sequence[Tries], *, now: datetime) -> None:
        """Counts one more try under each; raises TooManyRequests where one has to wait, and then none is counted.

        A try is counted before it is made, so that many at once are no way around the wait.
        """
        with self._database.transaction() as cursor:
            for tries in counted:
                values = {
                    "key": tries.key,
                    "now": now,
                    "waits_s": tries.pace.waits_s(),
                    "forget_s": tries.pace.forget_s,
                }
                cursor.execute(self._sql["charge"], values)
                if cursor.fetchone() is None:
                    cursor.execute(self._sql["find_wait"], values)
                    row = cursor.fetchone()
                    raise too_soon("there were too many tries", row["next_at"] - now if row else timedelta())
            cursor.execute(self._sql["sweep"], {"now": now})

    def settle(self, *, forget: Sequence[Tries] = (), refund: Sequence[Tries] = (), now: datetime) -> None:
        """Takes tries back of which one has led to something: all of some, the last one of others."""
        with self._database.transaction() as cursor:
            for name, counted in (("forget", forget), ("refund", refund)):
                for tries in counted:
                    cursor.execute(self._sql[name], {"key": tries.key, "now": now})


def too_soon(reason: str, wait: timedelta) -> TooManyRequests:
    """What somebody is told who has to wait."""
    wait_s = max(1, ceil(wait.total_seconds()))
    return TooManyRequests(f"{reason}; try again in {wait_s} s", retry_after_s=wait_s)
