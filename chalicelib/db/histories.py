"""The throughput histories that the saved forecasts of a project were asked with."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib.db.connect import Database
from chalicelib.db.sql import statements


class History(msgspec.Struct, frozen=True):
    """What one forecast was asked with; no samples where it had none that can be read."""

    forecast_id: int
    backlog: int | None
    samples: tuple[float, ...]


class Histories:
    """Reads histories; raises Unavailable. Who may see a project is for `Projects` to say."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("histories")

    def of_project(self, project_id: int) -> list[History]:
        """Those of the project's forecasts, at most 500, newest first."""
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["of_project"], {"project_id": project_id})
            rows = cursor.fetchall()
        return [History(row["id"], row["backlog"], _samples(row["samples"])) for row in rows]


def _samples(stored: Any) -> tuple[float, ...]:  # any JSON value
    """The samples, of which an old installation may have stored anything."""
    try:
        found = msgspec.convert(stored, tuple[float, ...])
    except msgspec.ValidationError:
        return ()
    return found if all(0 <= value <= 100_000 for value in found) and len(found) <= 1_000 else ()
