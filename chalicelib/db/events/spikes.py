"""Spikes of invalid events: windows that stand out, each found once, and what a mail says of one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from chalicelib.db.contracts.versions import Transactions
from chalicelib.db.sql import statements
from chalicelib.events.results import HARMLESS
from chalicelib.events.spikes import TRAILING, WINDOW, is_spike, usual, windows

_SQL = statements("event_spikes")
_LOCK = statements("event_counts")["lock_rollup"]
# Of a mail.
_TOP = 5
# Of a window, to see which fields are wrong: the newest ones.
_MOST_LOOKED_AT = 1_000
_DUE_AT_ONCE = 100


class Tally(Struct, frozen=True):
    """How many invalid events a name or field has."""

    name: str
    count: int


class DueSpike(Struct, frozen=True, kw_only=True):
    """A spike that is to be told, and whom."""

    id: int
    app: int
    app_id: str
    app_name: str
    slot: datetime
    invalid: int
    # Of all events, as far as they were counted; none is left of a window that is outdated.
    total: int | None
    usual: float
    factor: float
    floor: int
    pause_minutes: int
    owner: str
    owner_name: str
    # None: nobody wants to know any more.
    email: str | None


class _Candidate(Struct, frozen=True):
    app: int
    slot: datetime
    invalid: int
    factor: float
    floor: int


class EventSpikes:
    """Finds spikes and keeps them; raises what its database raises."""

    def __init__(self, database: Transactions) -> None:
        self._database = database

    def waits(self, now: datetime) -> bool:
        """Whether there is anything to count, to judge or to tell: one statement that looks at few rows."""
        first, beyond = windows(now)
        with self._database.transaction() as cursor:
            cursor.execute(_SQL["waits"], {"first": first, "beyond": beyond})
            (row,) = cursor.fetchall()
        return bool(row["waits"])

    def judge(self, now: datetime) -> int:
        """Holds the last windows of all apps that want it against those before them; answers how many spikes are new.

        A window is kept as a spike once, and stays what it was found to be.
        """
        first, beyond = windows(now)
        found = 0
        with self._database.transaction() as cursor:
            cursor.execute(_LOCK)
            cursor.execute(_SQL["candidates"], {"first": first, "beyond": beyond})
            for each in [msgspec.convert(row, _Candidate) for row in cursor.fetchall()]:
                since = {"app": each.app, "slot": each.slot, "since": each.slot - TRAILING * WINDOW}
                cursor.execute(_SQL["trailing"], since)
                normal = usual([row["invalid"] for row in cursor.fetchall()])
                if is_spike(each.invalid, normal, factor=each.factor, floor=each.floor):
                    values = since | {"invalid": each.invalid, "usual": normal, "now": now}
                    cursor.execute(_SQL["add_spike"], values)
                    found += cursor.rowcount
            cursor.execute(_SQL["mark_judged"], {"beyond": beyond})
        return found

    def due(self) -> list[DueSpike]:
        """Some spikes that nobody was told of, oldest first."""
        with self._database.transaction() as cursor:
            cursor.execute(_SQL["due_spikes"], {"limit": _DUE_AT_ONCE})
            rows = cursor.fetchall()
        return [msgspec.convert({**row, "slot": row["slot"].astimezone(UTC)}, DueSpike) for row in rows]

    def top_names(self, spike: DueSpike) -> list[Tally]:
        """The names that had most of the invalid events."""
        return self._tallies("top_names", spike, {})

    def top_fields(self, spike: DueSpike) -> list[Tally]:
        """The fields that made most events invalid, of the newest ones of the window; values of fields are not read."""
        beyond = {"beyond": spike.slot + WINDOW, "most_looked_at": _MOST_LOOKED_AT}
        return self._tallies("top_fields", spike, beyond | {"harmless": sorted(HARMLESS)})

    def told(self, spike: DueSpike, *, is_told: bool) -> None:
        """Notes that a spike was handed to a delivery, or that nobody is told of it."""
        with self._database.transaction() as cursor:
            cursor.execute(_SQL["told_spike"], {"id": spike.id, "is_told": is_told})

    def _tallies(self, statement: str, spike: DueSpike, more: dict[str, object]) -> list[Tally]:
        values = {"app": spike.app, "slot": spike.slot, "limit": _TOP} | more
        with self._database.transaction() as cursor:
            cursor.execute(_SQL[statement], values)
            return _read(cursor.fetchall())


def _read(rows: Iterable[object]) -> list[Tally]:
    return [msgspec.convert(row, Tally) for row in rows]
