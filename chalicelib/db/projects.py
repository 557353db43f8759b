"""The `projects` table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.db.pages import Page, Place
from chalicelib.db.sql import statements
from chalicelib.db.viewer import Viewer, check_owner, missing, read_id
from chalicelib.sim.fields import DayText, Text

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

    from chalicelib.db.connect import Database

T = TypeVar("T", bound=Struct)

Status = Literal["active", "on_hold", "completed", "cancelled"]
Level = Literal["low", "medium", "high", "critical"]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
LongText = Annotated[str, Meta(max_length=10_000)]
TeamSize = Annotated[int, Meta(ge=0, le=9_999)]
Warnings = Annotated[list[str] | UnsetType, Meta(description="Fields that were not known and have been ignored.")]

_Tags = Annotated[tuple[Annotated[str, Meta(max_length=100)], ...], Meta(max_length=100)]


class ProjectChange(Struct, frozen=True, kw_only=True):
    """Fields of a project; what is left out stays as it is, or takes its default in a new project."""

    name: Annotated[Name | UnsetType, Meta(description="Not blank.")] = UNSET
    description: Annotated[LongText | UnsetType | None, Meta(description="Free text.")] = UNSET
    team_size: Annotated[TeamSize | UnsetType, Meta(description="People; 1 in a new project.")] = UNSET
    status: Annotated[Status | UnsetType, Meta(description="active in a new project.")] = UNSET
    priority: Annotated[
        Annotated[int, Meta(ge=1, le=5)] | UnsetType, Meta(description="1 to 5; 3 in a new project.")
    ] = UNSET
    business_value: Annotated[
        Annotated[int, Meta(ge=0, le=100)] | UnsetType, Meta(description="0 to 100; 50 in a new project.")
    ] = UNSET
    risk_level: Annotated[Level | UnsetType, Meta(description="medium in a new project.")] = UNSET
    capacity_allocated: Annotated[
        Annotated[float, Meta(ge=0, le=9_999)] | UnsetType,
        Meta(description="Share of the team that works on it; 1 in a new project."),
    ] = UNSET
    strategic_importance: Annotated[Level | UnsetType, Meta(description="medium in a new project.")] = UNSET
    start_date: Annotated[DayText | UnsetType | None, Meta(description="First day; empty for none.")] = UNSET
    target_end_date: Annotated[DayText | UnsetType | None, Meta(description="Day to be done by; empty for none.")] = (
        UNSET
    )
    owner: Annotated[Text | UnsetType | None, Meta(description="Who answers for it, as a name.")] = UNSET
    stakeholder: Annotated[Text | UnsetType | None, Meta(description="Whom it is done for, as a name.")] = UNSET
    tags: Annotated[_Tags | UnsetType, Meta(description="At most 100 words.")] = UNSET


class Project(Struct, frozen=True, kw_only=True):
    """A project, to which forecasts belong."""

    id: Annotated[int, Meta(description="Names the project.")]
    name: str
    description: str | None
    team_size: Annotated[int, Meta(description="People.")]
    status: Status
    priority: Annotated[int, Meta(description="1 to 5.")]
    business_value: Annotated[int, Meta(description="0 to 100.")]
    risk_level: Level
    capacity_allocated: Annotated[float, Meta(description="Share of the team that works on it.")]
    strategic_importance: Level
    start_date: Annotated[date | None, Meta(description="ISO day, yyyy-mm-dd.")]
    target_end_date: Annotated[date | None, Meta(description="ISO day.")]
    owner: Annotated[str | None, Meta(description="Who answers for it, as a name.")]
    stakeholder: str | None
    # Those of an older installation may be any JSON.
    tags: list[Any]
    created_at: Annotated[datetime, Meta(description="RFC 3339 in UTC.")]
    updated_at: Annotated[datetime, Meta(description="RFC 3339 in UTC.")]
    forecasts_count: Annotated[int, Meta(description="Forecasts in it that the caller may read.")]
    warnings: Warnings = UNSET

    @property
    def place(self) -> Place:
        return Place(self.created_at, self.id)


class Projects:
    """Reads and writes projects as far as a viewer may; raises Unavailable, and NotFound for an id of no such row."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("projects")

    def page(self, viewer: Viewer, page: Page) -> list[Project]:
        """The projects of a page, newest first, and one more if there is a next page."""
        with self._database.transaction() as cursor:
            return self._read(cursor, viewer, page)

    def find(self, viewer: Viewer, project_id: str) -> Project:
        """One project."""
        with self._database.transaction() as cursor:
            return self._find(cursor, viewer, project_id)

    def add(self, viewer: Viewer, owner: int | None, fields: ProjectChange) -> Project:
        """A new project, whose name must be given, of an account, which must exist."""
        with self._database.transaction() as cursor:
            project_id = add_project(cursor, owner, fields)
            return self._find(cursor, viewer, str(project_id))

    def change(self, viewer: Viewer, project_id: str, fields: ProjectChange) -> Project:
        """The project with the fields that were given; raises Forbidden."""
        with self._database.transaction() as cursor:
            find_owner(cursor, viewer, project_id)
            cursor.execute(self._sql["change"], {"id": read_id(project_id), "changes": _json(fields)})
            return self._find(cursor, viewer, project_id)

    def remove(self, viewer: Viewer, project_id: str) -> None:
        """Removes the project and all that belongs to it; raises Forbidden."""
        with self._database.transaction() as cursor:
            find_owner(cursor, viewer, project_id)
            cursor.execute(self._sql["remove"], {"id": read_id(project_id)})

    def _find(self, cursor: RealDictCursor, viewer: Viewer, project_id: str) -> Project:
        number = read_id(project_id)
        found = [] if number is None else self._read(cursor, viewer, Page(limit=0), number)
        if not found:
            raise missing("project", project_id)
        return found[0]

    def _read(self, cursor: RealDictCursor, viewer: Viewer, page: Page, project_id: int | None = None) -> list[Project]:
        cursor.execute(self._sql["read"], msgspec.structs.asdict(viewer) | page.values() | {"id": project_id})
        return [read_row(row, Project) for row in cursor.fetchall()]


def find_owner(cursor: RealDictCursor, viewer: Viewer, project_id: str) -> int | None:
    """Whose project it is, None for nobody's, if the viewer may change it; raises NotFound or Forbidden."""
    values = msgspec.structs.asdict(viewer) | {"id": read_id(project_id)}
    cursor.execute(statements("projects")["find_owner"], values)
    row = cursor.fetchone()
    if row is None:
        raise missing("project", project_id)
    owner: int | None = row["user_id"]
    check_owner(viewer, owner, "project", project_id)
    return owner


def add_project(cursor: RealDictCursor, owner: int | None, fields: ProjectChange) -> int:
    """The id of a new project of an account; raises NotFound if there is no such account."""
    cursor.execute(statements("projects")["add"], {"owner": owner, "name": fields.name})
    row = cursor.fetchone()
    if row is None:
        raise missing("account", "" if owner is None else owner)
    project_id = int(row["id"])
    cursor.execute(statements("projects")["change"], {"id": project_id, "changes": _json(fields)})
    return project_id


def read_row(row: Mapping[str, Any], type_: type[T]) -> T:
    """A row as a struct, its times in UTC, whatever the server's zone."""
    plain = {name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in row.items()}
    return msgspec.convert(plain, type_)


def _json(fields: ProjectChange) -> str:
    return msgspec.json.encode(fields).decode()
