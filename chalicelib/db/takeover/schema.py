"""The four tables of an old installation: how each column is read, and what stands in where it has no value.

Columns that older versions did not have may be missing. An empty value takes the column's stand-in and nothing is set
aside; a value that cannot be read takes it too, and is. All stand-ins depend on the row alone, so that a second run
finds the rows that the first has written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec

from chalicelib.db.takeover.documents import Json
from chalicelib.db.takeover.values import Choice, Day, Document, Flag, Kind, Moment, Number, Reference, Text, Whole

Values: TypeAlias = Mapping[str, Json]

# Stands for a time that nobody knows any more, and cannot be taken for one that somebody does.
_UNKNOWN_TIME = "1970-01-01T00:00:00+00:00"
# What the old service gave to a new account.
_ACCESS = timedelta(days=365)
_UNNAMED = "Unnamed Project"


class Column(msgspec.Struct, frozen=True):
    """One column, of the same name on both sides."""

    name: str
    kind: Kind
    # Of a column that cannot be NULL: the value where there is none, from the row's other values.
    stand_in: Callable[[Values], Json] | None = None
    # Whether a source without the column is refused.
    is_required: bool = False
    # Whether the row is set aside where this reference leads nowhere; elsewhere the reference alone is.
    decides: bool = False
    # Whether the service goes on writing it without anybody's doing, as at a login: no other content for that.
    lives_on: bool = False


class Table(msgspec.Struct, frozen=True):
    """One table, whose key is `id`."""

    name: str
    columns: tuple[Column, ...]
    # The column that names another row of the same table, which has to be written first.
    parent: str = ""


def _always(value: Json) -> Callable[[Values], Json]:
    return lambda values: value


def _time_of(*names: str) -> Callable[[Values], Json]:
    """The first of these times that is known."""
    return lambda values: next((values[name] for name in names if values[name] is not None), _UNKNOWN_TIME)


def _end_of_access(values: Values) -> Json:
    try:
        return (datetime.fromisoformat(str(values["registration_date"])) + _ACCESS).isoformat()
    except OverflowError:
        return values["registration_date"]


_LEVELS = Choice(("low", "medium", "high", "critical"))

USERS = Table(
    "users",
    (
        Column("email", Text(200), is_required=True),
        Column("password_hash", Text(200), _always(""), is_required=True, lives_on=True),
        Column("name", Text(200), _always(""), is_required=True),
        Column("role", Choice(("student", "instructor", "admin")), _always("student")),
        Column("is_active", Flag(), _always(True)),
        Column("created_at", Moment(), _time_of("registration_date", "updated_at")),
        Column("updated_at", Moment(), _time_of("created_at"), lives_on=True),
        Column("last_login", Moment(), lives_on=True),
        Column("registration_date", Moment(), _time_of("created_at")),
        Column("access_expires_at", Moment(), _end_of_access),
        Column("password_reset_token", Text(200)),
        Column("password_reset_sent_at", Moment()),
        Column("password_reset_expires_at", Moment()),
    ),
)

PROJECTS = Table(
    "projects",
    (
        Column("user_id", Reference(table="users")),
        Column("name", Text(200), _always(_UNNAMED), is_required=True),
        Column("description", Text()),
        Column("team_size", Whole(low=0), _always(1)),
        Column("status", Choice(("active", "on_hold", "completed", "cancelled")), _always("active")),
        Column("priority", Whole(1, 5), _always(3)),
        Column("business_value", Whole(0, 100), _always(50)),
        Column("risk_level", _LEVELS, _always("medium")),
        Column("capacity_allocated", Number(0), _always(1.0)),
        Column("strategic_importance", _LEVELS, _always("medium")),
        Column("start_date", Day()),
        Column("target_end_date", Day()),
        Column("owner", Text(200)),
        Column("stakeholder", Text(200)),
        Column("tags", Document(is_array=True), _always([])),
        Column("created_at", Moment(), _time_of("updated_at")),
        Column("updated_at", Moment(), _time_of("created_at")),
    ),
)

FORECASTS = Table(
    "forecasts",
    (
        Column("user_id", Reference(table="users")),
        Column("project_id", Reference(table="projects"), is_required=True, decides=True),
        Column("name", Text(200), _always(_UNNAMED), is_required=True),
        Column("description", Text()),
        Column("forecast_type", Text(50), _always("deadline")),
        # An empty document in place of an unreadable one keeps the row, its versions and its actuals.
        Column("forecast_data", Document(), _always({}), is_required=True),
        Column("input_data", Document(), _always({}), is_required=True),
        Column("backlog", Whole()),
        Column("deadline_date", Day()),
        Column("start_date", Day()),
        Column("weeks_to_deadline", Number()),
        Column("projected_weeks_p85", Number()),
        Column("can_meet_deadline", Flag()),
        Column("scope_completion_pct", Number()),
        Column("created_at", Moment(), _time_of()),
        Column("created_by", Text(100)),
        Column("version", Whole(low=1), _always(1)),
        Column("parent_forecast_id", Reference(table="forecasts")),
    ),
    parent="parent_forecast_id",
)

ACTUALS = Table(
    "actuals",
    (
        Column("forecast_id", Reference(table="forecasts"), is_required=True, decides=True),
        Column("actual_completion_date", Day()),
        Column("actual_weeks_taken", Number(0)),
        Column("actual_items_completed", Whole(low=0)),
        Column("actual_scope_delivered_pct", Number(0)),
        Column("weeks_error", Number()),
        Column("weeks_error_pct", Number()),
        Column("scope_error_pct", Number()),
        Column("notes", Text()),
        Column("recorded_at", Moment(), _time_of()),
        Column("recorded_by", Text(100)),
    ),
)

# In the order in which they refer to each other.
TABLES = (USERS, PROJECTS, FORECASTS, ACTUALS)
