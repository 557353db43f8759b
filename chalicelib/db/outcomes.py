"""Saved forecasts beside what came of them, as accuracy reports compare them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.db.projects import read_row
from chalicelib.db.saved_forecasts import find_chain
from chalicelib.db.sql import statements
from chalicelib.db.viewer import Viewer
from chalicelib.sim.accuracy.accuracy import Pair
from chalicelib.sim.accuracy.saved_figures import weeks_at

if TYPE_CHECKING:
    from chalicelib.db.connect import Database


class Outcomes:
    """Reads pairs that a viewer may see; raises Unavailable, and NotFound for an unknown forecast."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("outcomes")

    def newest(self, viewer: Viewer, limit: int, *, forecast_id: str = "", project_id: int | None = None) -> list[Pair]:
        """The pairs that ended last, newest first: of a forecast and its versions, of a project, or of all."""
        values: dict[str, Any] = msgspec.structs.asdict(viewer) | {"limit": limit, "project_id": project_id}
        with self._database.transaction() as cursor:
            ids = find_chain(cursor, viewer, forecast_id) if forecast_id else None
            cursor.execute(self._sql["read"], values | {"ids": ids})
            return [_pair(row) for row in cursor.fetchall()]


def _pair(row: Mapping[str, Any]) -> Pair:
    answer, inputs, start = row["answer"], row["inputs"], row["start_date"]
    p85 = row["projected_weeks_p85"]
    weeks = {
        "p50": weeks_at("p50", answer, inputs, start),
        "p85": weeks_at("p85", answer, inputs, start) if p85 is None else p85,
        "p95": weeks_at("p95", answer, inputs, start),
    }
    return read_row({**row, **weeks}, Pair)
