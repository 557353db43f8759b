"""Apps that send events, and their rule sheets by version."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from chalicelib.db.sql import statements
from chalicelib.db.viewer import Viewer, missing
from chalicelib.errors import Conflict

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

    from chalicelib.db.connect import Database, Row

Policy = Literal["record", "accept", "drop"]
Label = Literal["first", "compatible", "breaking", "same"]


class AppFields(msgspec.Struct, frozen=True, kw_only=True):
    """What an owner says about an app."""

    name: str
    description: str = ""
    platform: str = "android"
    sdk_type: str = "ce"
    policy: Policy = "record"
    optional_absent_is_invalid: bool = False
    integer_for_float: bool = False
    # SHA-256 of the ingest key; None: senders need none.
    ingest_key_digest: str | None = None
    # Valid events of a minute that keep their body, in each process that takes them; None: all.
    keep_bodies_per_minute: int | None = None
    # Whether the owner gets a mail when more events than usual are invalid: in a quarter of an hour more than so many
    # times the median of the day before, and more than the floor. After a mail there is none for the pause.
    spike_alerts: bool = False
    spike_factor: float = 3.0
    spike_floor: int = 20
    spike_pause_minutes: int = 60


class App(AppFields, frozen=True, kw_only=True):
    """An app as it is stored."""

    id: int
    app_id: str
    user_id: int
    salt: bytes
    # Of its current rule sheet; 0: it has none.
    rules_version: int
    # Grows with every change of any app.
    revision: int
    created_at: datetime
    updated_at: datetime


class NewSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A rule sheet as JSON, with how it differs from the one before and where it came from."""

    rules: str
    label: Label
    source: str
    created_by: int | None


class SheetRow(msgspec.Struct, frozen=True, kw_only=True):
    """A stored rule sheet; `rules` is its JSON."""

    version: int
    rules: str
    label: Label
    source: str
    created_at: datetime


class SheetLine(msgspec.Struct, frozen=True, kw_only=True):
    """A stored rule sheet in a list; `rules` is how many it has."""

    version: int
    rules: int
    label: Label
    source: str
    created_at: datetime


class Apps:
    """Reads and changes apps; raises Unavailable, and NotFound where the app is not the viewer's to see."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("event_apps")

    def add(self, app_id: str, owner: int, fields: AppFields, salt: bytes) -> App:
        """A new app; raises Conflict where its id is taken."""
        values = msgspec.structs.asdict(fields) | {"app_id": app_id, "user_id": owner, "salt": salt}
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["add"], values)
            row = cursor.fetchone()
        if row is None:
            raise Conflict(f"there is an app {app_id} already; choose another app_id")
        return read_app(row)

    def find(self, app_id: str, viewer: Viewer) -> App:
        with self._database.transaction() as cursor:
            return self._find(cursor, "find", app_id, viewer)

    def of(self, account: int) -> list[App]:
        """The account's apps, newest first."""
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["of"], {"account": account})
            return [read_app(row) for row in cursor.fetchall()]

    def change(self, app_id: str, viewer: Viewer, fields: AppFields) -> App:
        """Sets all fields."""
        with self._database.transaction() as cursor:
            app = self._find(cursor, "lock", app_id, viewer)
            cursor.execute(self._sql["change"], msgspec.structs.asdict(fields) | {"id": app.id})
            row = cursor.fetchone()
        assert row is not None
        return read_app(row)

    def remove(self, app_id: str, viewer: Viewer) -> App:
        """Removes an app and all that it has; answers it with the revision of its end."""
        with self._database.transaction() as cursor:
            app = self._find(cursor, "lock", app_id, viewer)
            # What is known of the newest events first, in which order all others lock them as well.
            for statement in ("remove_latest", "remove_entries", "remove_ids"):
                cursor.execute(self._sql[statement], {"id": app.id})
            cursor.execute(self._sql["remove"], {"id": app.id})
            row = cursor.fetchone()
        assert row is not None
        return msgspec.structs.replace(app, revision=row["revision"])

    def add_sheet(self, app_id: str, viewer: Viewer, expected: int, sheet: NewSheet) -> App:
        """Makes a sheet the next version and has events be judged by it, in one transaction.

        Raises Conflict where the app's version is not the expected one, from which the sheet was made.
        """
        with self._database.transaction() as cursor:
            app = self._find(cursor, "lock", app_id, viewer)
            if app.rules_version != expected:
                raise Conflict(f"the rules are of version {app.rules_version} now, not {expected}; look at them again")
            values = msgspec.structs.asdict(sheet) | {"app": app.id, "version": app.rules_version + 1}
            cursor.execute(self._sql["add_sheet"], values)
            cursor.execute(self._sql["use_sheet"], {"id": app.id, "version": app.rules_version + 1})
            row = cursor.fetchone()
        assert row is not None
        return read_app(row)

    def sheet(self, app: App, version: int) -> SheetRow | None:
        """The sheet of a version; None where there is none."""
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["sheet"], {"app": app.id, "version": version})
            row = cursor.fetchone()
        return msgspec.convert(row, SheetRow) if row else None

    def sheets(self, app: App, limit: int) -> list[SheetLine]:
        """The newest versions, without their rules."""
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["sheets"], {"app": app.id, "limit": limit})
            return [msgspec.convert(row, SheetLine) for row in cursor.fetchall()]

    def _find(self, cursor: RealDictCursor, statement: str, app_id: str, viewer: Viewer) -> App:
        if "\0" in app_id:
            # Postgres has no text with it.
            raise missing("app", app_id)
        values = {"app_id": app_id, "account": viewer.account, "sees_all": viewer.changes_all}
        cursor.execute(self._sql[statement], values)
        row = cursor.fetchone()
        if row is None:
            raise missing("app", app_id)
        return read_app(row)


def read_app(row: Row) -> App:
    """An app from its row."""
    return msgspec.convert({**row, "salt": bytes(row["salt"])}, App)
