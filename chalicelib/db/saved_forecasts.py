"""The `forecasts` table as its owners see it; jobs write to it with `forecasts`."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, Struct

from chalicelib.db.pages import Page, Place
from chalicelib.db.projects import ProjectChange, Warnings, add_project, read_row
from chalicelib.db.projects import find_owner as find_project_owner
from chalicelib.db.sql import statements
from chalicelib.db.viewer import Viewer, check_owner, missing, read_id
from chalicelib.sim.accuracy.saved_figures import Figures

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

    from chalicelib.db.connect import Database

# A chain is told whole: nobody reads more versions, and each has its whole answer elsewhere.
MOST_VERSIONS = 1_000


class ForecastSummary(Struct, frozen=True, kw_only=True):
    """A saved forecast without its answer and its request."""

    id: Annotated[int, Meta(description="Names the forecast.")]
    project_id: int
    project_name: str
    name: str
    description: str | None
    forecast_type: Annotated[str, Meta(description="What made it: deadline, monte_carlo, backtest and so on.")]
    backlog: Annotated[int | None, Meta(description="Items.")]
    deadline_date: Annotated[date | None, Meta(description="ISO day, yyyy-mm-dd.")]
    start_date: Annotated[date | None, Meta(description="ISO day from which the weeks count.")]
    weeks_to_deadline: Annotated[float | None, Meta(description="From the start; negative for one that is over.")]
    projected_weeks_p85: Annotated[float | None, Meta(description="Done within so many weeks in 85 % of the cases.")]
    can_meet_deadline: Annotated[bool | None, Meta(description="Whether the P85 ends by the deadline.")]
    scope_completion_pct: Annotated[
        float | None, Meta(description="Share of the backlog that is done by the deadline, in %, at most 100.")
    ]
    created_at: Annotated[datetime, Meta(description="RFC 3339 in UTC.")]
    created_by: Annotated[str | None, Meta(description="Name of the account that saved it.")]
    version: Annotated[int, Meta(description="1, or one more than that of the forecast that it renews.")]
    parent_forecast_id: Annotated[int | None, Meta(description="The forecast that it renews.")]

    @property
    def place(self) -> Place:
        return Place(self.created_at, self.id)


class SavedForecast(ForecastSummary, frozen=True, kw_only=True):
    """A saved forecast, whole."""

    forecast_data: Annotated[Raw, Meta(description="The answer as it was saved: any JSON.")]
    input_data: Annotated[Raw, Meta(description="The request as it was saved: any JSON.")]
    warnings: Warnings = UNSET


class ForecastEntry(Struct, frozen=True, kw_only=True):
    """A forecast to be saved. Ids are as a client writes them, empty for none."""

    name: str
    description: str | None
    forecast_type: str
    # JSON.
    forecast_data: str
    input_data: str
    figures: Figures
    project_id: str
    # The forecast whose next version this is.
    parent_forecast_id: str
    # What is made, and for which account, where neither of the two is named.
    new_project: ProjectChange
    new_project_owner: int | None


class SavedForecasts:
    """Reads, saves and removes forecasts as far as a viewer may; raises Unavailable, and NotFound for an unknown id."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("saved_forecasts")

    def page(self, viewer: Viewer, page: Page, project_id: int | None = None) -> list[ForecastSummary]:
        """The forecasts of a page, newest first, and one more if there is a next page."""
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["read"], _values(viewer, page) | {"project_id": project_id})
            return [read_row(row, ForecastSummary) for row in cursor.fetchall()]

    def find(self, viewer: Viewer, forecast_id: str) -> SavedForecast:
        """One forecast, whole."""
        with self._database.transaction() as cursor:
            return self._find(cursor, viewer, forecast_id)

    def versions(self, viewer: Viewer, forecast_id: str) -> list[ForecastSummary]:
        """All versions of a forecast, itself included, oldest first."""
        with self._database.transaction() as cursor:
            ids = find_chain(cursor, viewer, forecast_id)
            cursor.execute(self._sql["read"], _values(viewer, Page(limit=MOST_VERSIONS)) | {"ids": ids})
            found = [read_row(row, ForecastSummary) for row in cursor.fetchall()]
        return sorted(found, key=lambda forecast: (forecast.version, forecast.created_at, forecast.id))

    def add(self, viewer: Viewer, entry: ForecastEntry) -> SavedForecast:
        """Saves a forecast for the owner of the forecast that it renews, else of its project; raises Forbidden."""
        with self._database.transaction() as cursor:
            values = msgspec.structs.asdict(entry.figures) | _place(cursor, viewer, entry)
            cursor.execute(self._sql["add"], values)
            row = cursor.fetchone()
            assert row is not None  # INSERT ... RETURNING answers one row or raises
            return self._find(cursor, viewer, str(row["id"]))

    def remove(self, viewer: Viewer, forecast_id: str) -> None:
        """Removes a forecast and what came of it, but no other version; raises Forbidden."""
        with self._database.transaction() as cursor:
            _lock(cursor, viewer, forecast_id)
            for statement in ("relink", "remove"):
                cursor.execute(self._sql[statement], {"id": read_id(forecast_id)})

    def _find(self, cursor: RealDictCursor, viewer: Viewer, forecast_id: str) -> SavedForecast:
        number = read_id(forecast_id)
        if number is None:
            raise missing("forecast", forecast_id)
        cursor.execute(self._sql["read"], _values(viewer, Page(limit=0)) | {"ids": [number], "with_data": True})
        row = cursor.fetchone()
        if row is None:
            raise missing("forecast", forecast_id)
        summary = read_row(row, ForecastSummary)
        return SavedForecast(
            **msgspec.structs.asdict(summary),
            forecast_data=Raw(row["forecast_data"].encode()),
            input_data=Raw(row["input_data"].encode()),
        )


def find_chain(cursor: RealDictCursor, viewer: Viewer, forecast_id: str) -> list[int]:
    """The ids of all versions of a forecast that the viewer sees, those of others included; raises NotFound."""
    values = msgspec.structs.asdict(viewer) | {"id": read_id(forecast_id)}
    cursor.execute(statements("saved_forecasts")["find_chain"], values)
    ids = [int(row["id"]) for row in cursor.fetchall()]
    if not ids:
        raise missing("forecast", forecast_id)
    return ids


def _place(cursor: RealDictCursor, viewer: Viewer, entry: ForecastEntry) -> dict[str, object]:
    """The values of a new row but its figures: beside its parent, in the named project, or in one that is made."""
    owner, project_id, version = None, None, 1
    if entry.parent_forecast_id:
        parent = _lock(cursor, viewer, entry.parent_forecast_id)
        owner, project_id, version = parent.user_id, parent.project_id, parent.version + 1
    if entry.project_id:
        projects_owner = find_project_owner(cursor, viewer, entry.project_id)
        owner, project_id = owner or projects_owner, read_id(entry.project_id)
    if project_id is None:
        owner = entry.new_project_owner
        project_id = add_project(cursor, owner, entry.new_project)
    return msgspec.structs.asdict(entry) | {
        "account": viewer.account,
        "owner": owner or viewer.account,
        "project_id": project_id,
        "parent_id": read_id(entry.parent_forecast_id),
        "version": version,
    }


class _Locked(Struct, frozen=True):
    user_id: int | None
    project_id: int
    version: int


def _lock(cursor: RealDictCursor, viewer: Viewer, forecast_id: str) -> _Locked:
    """A forecast that the viewer may change, until the transaction ends; raises NotFound or Forbidden."""
    values = msgspec.structs.asdict(viewer) | {"id": read_id(forecast_id)}
    cursor.execute(statements("saved_forecasts")["find_owner"], values)
    row = cursor.fetchone()
    if row is None:
        raise missing("forecast", forecast_id)
    locked = msgspec.convert(row, _Locked)
    check_owner(viewer, locked.user_id, "forecast", forecast_id)
    return locked


def _values(viewer: Viewer, page: Page) -> dict[str, object]:
    nothing = {"ids": None, "project_id": None, "with_data": False}
    return nothing | page.values() | msgspec.structs.asdict(viewer)
