"""The `actuals` table: what came of saved forecasts. A row is its forecast's owner's."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.db.pages import Page, Place
from chalicelib.db.projects import LongText, Warnings, read_row
from chalicelib.db.sql import statements
from chalicelib.db.viewer import Viewer, check_owner, missing, read_id
from chalicelib.sim.accuracy.outcome import Promise, measure
from chalicelib.sim.dates import read_date
from chalicelib.sim.fields import DayText

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

    from chalicelib.db.connect import Database

Weeks = Annotated[float, Meta(ge=0, le=100_000)]
Items = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Percent = Annotated[float, Meta(ge=0, le=100_000)]


class ActualChange(Struct, frozen=True, kw_only=True):
    """What came of a forecast; what is left out stays as it is."""

    actual_completion_date: Annotated[
        DayText | UnsetType | None, Meta(description="Day on which it was done; empty for none.")
    ] = UNSET
    actual_weeks_taken: Annotated[
        Weeks | UnsetType | None,
        Meta(
            description="Calendar weeks that it took. Left out, they are counted from the forecast's start to "
            "actual_completion_date, if both are known and the latter is sent."
        ),
    ] = UNSET
    actual_items_completed: Annotated[Items | UnsetType | None, Meta(description="Items that were done.")] = UNSET
    actual_scope_delivered_pct: Annotated[
        Percent | UnsetType | None, Meta(description="Share of the scope that was delivered, in %.")
    ] = UNSET
    notes: Annotated[LongText | UnsetType | None, Meta(description="Free text.")] = UNSET


class Actual(Struct, frozen=True, kw_only=True):
    """What came of a forecast. Errors are actual - forecast: positive where it took longer than the P85."""

    id: Annotated[int, Meta(description="Names the record.")]
    forecast_id: int
    actual_completion_date: Annotated[date | None, Meta(description="ISO day, yyyy-mm-dd.")]
    actual_weeks_taken: Annotated[float | None, Meta(description="Calendar weeks.")]
    actual_items_completed: int | None
    actual_scope_delivered_pct: float | None
    weeks_error: Annotated[float | None, Meta(description="Weeks taken less projected_weeks_p85; null if unknown.")]
    weeks_error_pct: Annotated[float | None, Meta(description="weeks_error in % of projected_weeks_p85.")]
    scope_error_pct: Annotated[
        float | None,
        Meta(
            description="Items completed in % of the backlog, less the forecast's scope_completion_pct, which counts "
            "as 100 where there is none."
        ),
    ]
    notes: str | None
    recorded_at: Annotated[datetime, Meta(description="RFC 3339 in UTC; of the last change.")]
    recorded_by: Annotated[str | None, Meta(description="Who recorded it, by default the account's name.")]
    warnings: Warnings = UNSET

    @property
    def place(self) -> Place:
        return Place(self.recorded_at, self.id)


class Actuals:
    """Reads and writes what came of forecasts as far as a viewer may; raises Unavailable, and NotFound."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("actuals")

    def page(self, viewer: Viewer, page: Page, forecast_id: int | None = None) -> list[Actual]:
        """The records of a page, newest first, and one more if there is a next page."""
        values = msgspec.structs.asdict(viewer) | page.values() | {"id": None, "forecast_id": forecast_id}
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["read"], values)
            return [read_row(row, Actual) for row in cursor.fetchall()]

    def find(self, viewer: Viewer, actual_id: str) -> Actual:
        """One record."""
        with self._database.transaction() as cursor:
            return self._find(cursor, viewer, actual_id)

    def add(self, viewer: Viewer, forecast_id: str, fields: ActualChange, *, recorded_by: str | None = None) -> Actual:
        """Records what came of a forecast; raises Forbidden, and InvalidRequest where it ended before its start."""
        with self._database.transaction() as cursor:
            promise = self._promise(cursor, viewer, forecast_id)
            values = _merged(promise, fields, None) | {"forecast_id": read_id(forecast_id)}
            cursor.execute(self._sql["add"], values | {"recorded_by": recorded_by, "account": viewer.account})
            row = cursor.fetchone()
            assert row is not None  # INSERT ... RETURNING answers one row or raises
            return self._find(cursor, viewer, str(row["id"]))

    def change(self, viewer: Viewer, actual_id: str, fields: ActualChange) -> Actual:
        """The record with the fields that were given, all that follows from them computed anew; raises as `add`."""
        with self._database.transaction() as cursor:
            promise, before = self._lock(cursor, viewer, actual_id)
            cursor.execute(self._sql["change"], _merged(promise, fields, before) | {"id": before.id})
            return self._find(cursor, viewer, actual_id)

    def remove(self, viewer: Viewer, actual_id: str) -> None:
        """Removes the record; raises Forbidden."""
        with self._database.transaction() as cursor:
            _, before = self._lock(cursor, viewer, actual_id)
            cursor.execute(self._sql["remove"], {"id": before.id})

    def _find(self, cursor: RealDictCursor, viewer: Viewer, actual_id: str) -> Actual:
        number = read_id(actual_id)
        if number is None:
            raise missing("actual", actual_id)
        values = msgspec.structs.asdict(viewer) | Page(limit=0).values() | {"id": number, "forecast_id": None}
        cursor.execute(self._sql["read"], values)
        row = cursor.fetchone()
        if row is None:
            raise missing("actual", actual_id)
        return read_row(row, Actual)

    def _lock(self, cursor: RealDictCursor, viewer: Viewer, actual_id: str) -> tuple[Promise, Actual]:
        """A record that the viewer may change, and what its forecast promised."""
        forecast_id = self._find(cursor, viewer, actual_id).forecast_id
        # The forecast is locked and not the record, as removing the forecast would; then the record is read again.
        promise = self._promise(cursor, viewer, str(forecast_id))
        return promise, self._find(cursor, viewer, actual_id)

    def _promise(self, cursor: RealDictCursor, viewer: Viewer, forecast_id: str) -> Promise:
        values = msgspec.structs.asdict(viewer) | {"forecast_id": read_id(forecast_id)}
        cursor.execute(self._sql["lock_promise"], values)
        row = cursor.fetchone()
        if row is None:
            raise missing("forecast", forecast_id)
        check_owner(viewer, row["user_id"], "what came of forecast", forecast_id)
        return msgspec.convert(row, Promise)


def _merged(promise: Promise, fields: ActualChange, before: Actual | None) -> dict[str, Any]:
    """The columns of a record: the fields that were given, else as before, and what follows from them."""
    given = msgspec.structs.asdict(fields)
    values = {name: getattr(before, name, None) if value is UNSET else value for name, value in given.items()}
    completed, weeks = values["actual_completion_date"], values["actual_weeks_taken"]
    if fields.actual_weeks_taken is UNSET and fields.actual_completion_date and promise.start_date:
        weeks = None
    day = read_date(completed or "") if isinstance(completed, str) else completed
    measured = measure(promise, weeks=weeks, completed=day, items=values["actual_items_completed"])
    return values | {"actual_completion_date": day} | msgspec.structs.asdict(measured)
