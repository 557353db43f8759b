"""The `forecasts` table, and the `projects` that its rows belong to."""

from __future__ import annotations

from datetime import date

import msgspec
import psycopg2
from psycopg2.extras import RealDictCursor

from chalicelib.db.connect import Database
from chalicelib.db.sql import statements
from chalicelib.db.viewer import read_id
from chalicelib.errors import NotSaved


class NewForecast(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast to be saved; None where a figure is not known."""

    # The job that computed it, under which it is saved once.
    job_id: str
    # The account's id.
    owner: str
    # As the client wrote it; empty: a new project is made, of this name and team size.
    project_id: str
    # As the client wrote it; empty, or the forecast whose next version this is.
    parent_forecast_id: str
    name: str
    team_size: int
    forecast_type: str
    # Result and request as JSON.
    forecast_data: str
    input_data: str
    backlog: int
    # The day from which the weeks count.
    start_date: date | None
    projected_weeks_p85: float
    deadline_date: date | None
    weeks_to_deadline: float | None
    can_meet_deadline: bool | None
    scope_completion_pct: float | None


class Forecasts:
    """Writes saved forecasts; raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("forecasts")

    def save(self, forecast: NewForecast) -> int:
        """Saves the forecast and answers its id, which is the same however often it is saved for one job.

        Raises NotSaved where the account or its project is not there, or a text cannot be stored.
        """
        try:
            with self._database.transaction() as cursor:
                return self._save(cursor, forecast)
        except (psycopg2.DataError, ValueError) as error:
            # Texts may hold the character NUL, which Postgres cannot store: the driver or the server says so.
            reason = error.diag.message_primary if isinstance(error, psycopg2.Error) else None
            raise NotSaved(f"the database cannot store the forecast: {reason or error}") from error

    def _save(self, cursor: RealDictCursor, forecast: NewForecast) -> int:
        parent_id, parents_project = self._parent(cursor, forecast)
        project_id = self._project(cursor, forecast) or parents_project
        values = msgspec.structs.asdict(forecast) | {"project_id": project_id, "parent_forecast_id": parent_id}
        for statement in ("add", "find_by_job"):
            cursor.execute(self._sql[statement], values)
            row = cursor.fetchone()
            if row is not None:
                return int(row["id"])
        raise NotSaved(f"account {forecast.owner} does not exist any more")

    def _project(self, cursor: RealDictCursor, forecast: NewForecast) -> int | None:
        """The named project's id, None where none is named."""
        text = forecast.project_id
        if not text:
            return None
        cursor.execute(self._sql["find_project"], {"project_id": read_id(text), "owner": forecast.owner})
        row = cursor.fetchone()
        if row is None:
            raise NotSaved(f"project_id must be a project of yours, got {text[:40]!r}")
        return int(row["id"])

    def _parent(self, cursor: RealDictCursor, forecast: NewForecast) -> tuple[int | None, int | None]:
        """The ids of the forecast that this one renews and of its project; None where none is named."""
        text = forecast.parent_forecast_id
        if not text:
            return None, None
        cursor.execute(self._sql["find_parent"], {"parent_id": read_id(text), "owner": forecast.owner})
        row = cursor.fetchone()
        if row is None:
            raise NotSaved(f"parent_forecast_id must be a forecast of yours, got {text[:40]!r}")
        return int(row["id"]), int(row["project_id"])
