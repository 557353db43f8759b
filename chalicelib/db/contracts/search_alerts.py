"""The table `search_alerts` as its job fills it: one row for a saved search and a version that brought something."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec
from msgspec import Struct

from chalicelib.db.connect import Row
from chalicelib.db.contracts.new_matches import Found
from chalicelib.db.contracts.versions import Transactions
from chalicelib.db.sql import statements
from chalicelib.search.filters import Filters

Channel = Literal["email", "webhook", "none"]
# Alerts of one search that are kept, the newest ones.
KEPT = 100
_SQL = statements("search_alerts")


class WaitingSearch(Struct, frozen=True, kw_only=True):
    """A saved search that has not been told of a version."""

    id: int
    # JSON of its filters.
    filters: str
    last_version: int

    def read(self) -> Filters:
        """Its filters; raises msgspec.ValidationError where they are none of today's."""
        return msgspec.json.decode(self.filters, type=Filters)


class Recipient(Struct, frozen=True, kw_only=True):
    """Where messages of a saved search go, and what they call it."""

    search_id: int
    owner: str
    name: str
    channel: Channel
    target: str | None
    secret: str | None
    email: str


class News(Struct, frozen=True, kw_only=True):
    """What a message says."""

    type: Literal["alert", "test"]
    # Names the message.
    id: str
    created_at: datetime
    version: int
    base_version: int
    matches: int
    # JSON of a list.
    first_rows: str


class DueAlert(Struct, frozen=True):
    """An alert that is to be handed to a delivery."""

    id: int
    recipient: Recipient
    news: News


class SearchAlerts:
    """Notes what versions have brought; raises what its database raises."""

    def __init__(self, database: Transactions) -> None:
        self._database = database

    def waiting(self, version: int, after: int, limit: int) -> list[WaitingSearch]:
        """The next saved searches that are to be told of a version, behind one by its id."""
        with self._database.transaction() as cursor:
            cursor.execute(_SQL["waiting"], {"version": version, "after": after, "limit": limit})
            return [msgspec.convert(row, WaitingSearch) for row in cursor.fetchall()]

    def tell(self, search: WaitingSearch, version: int, found: Found) -> bool:
        """Notes what a version has brought; answers whether an alert was made.

        Nothing is noted for a search that was told meanwhile, changed or removed.
        """
        values = msgspec.structs.asdict(search) | {"version": version, "matches": found.matches}
        with self._database.transaction() as cursor:
            cursor.execute(_SQL["told"], values)
            row = cursor.fetchone()
            if row is None or not found.matches:
                return False
            alert = {
                "base_version": found.base_version,
                "first_rows": msgspec.json.encode(found.rows).decode(),
                "delivery": "kept" if row["channel"] == "none" else "due",
            }
            cursor.execute(_SQL["add"], values | alert)
            is_made = cursor.rowcount == 1
            cursor.execute(_SQL["tidy"], {"id": search.id, "kept": KEPT})
        return is_made

    def due(self, limit: int) -> list[DueAlert]:
        """Alerts that nobody was told of, oldest first."""
        with self._database.transaction() as cursor:
            cursor.execute(_SQL["due"], {"limit": limit})
            return [_alert(row) for row in cursor.fetchall()]

    def hand_on(self, alert_id: int, task_id: str | None) -> None:
        """Notes which task delivers an alert; None: it is only kept."""
        with self._database.transaction() as cursor:
            cursor.execute(_SQL["handed_on"], {"id": alert_id, "task_id": task_id})


def _alert(row: Row) -> DueAlert:
    values = dict(row) | {"type": "alert", "id": str(row["id"]), "created_at": row["created_at"].astimezone(UTC)}
    # Of the fields of a row each type takes its own.
    return DueAlert(row["id"], msgspec.convert(values, Recipient), msgspec.convert(values, News))
