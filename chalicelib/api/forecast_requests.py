"""What a client sends to save a forecast, and the row that it becomes."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from chalicelib.api.projects import Id, owner_of
from chalicelib.db.projects import LongText, Name, ProjectChange, TeamSize
from chalicelib.db.saved_forecasts import ForecastEntry
from chalicelib.db.viewer import Viewer
from chalicelib.errors import TooLarge
from chalicelib.sim.accuracy.saved_figures import Figures, complete
from chalicelib.sim.fields import DayText, Text

# Answer and request of one forecast together: as large as can be read again through Lambda's 6 MB, in which every
# quotation mark takes two characters.
MAX_DATA_BYTES = 3 * 1024 * 1024

_Weeks = Annotated[float, Meta(ge=0, le=100_000)]
_ASKED = "Read from forecast_data and input_data where it is left out."


class ForecastFields(Struct, frozen=True, kw_only=True):
    """What a saved forecast may say besides its answer and its request."""

    project_id: Annotated[
        Id | None, Meta(description="Project in which it is saved; where it is left out, a new one is made.")
    ] = None
    project_description: Annotated[LongText | None, Meta(description="Of the new project.")] = None
    team_size: Annotated[TeamSize | None, Meta(description="Of the new project; 1 when missing.")] = None
    user_id: Annotated[
        Id | None, Meta(description="For admins: the account that a new project is made for, instead of their own.")
    ] = None
    description: Annotated[LongText | None, Meta(description="Free text.")] = None
    backlog: Annotated[Annotated[int, Meta(ge=0, le=2**31 - 1)] | None, Meta(description=f"Items. {_ASKED}")] = None
    deadline_date: Annotated[DayText | None, Meta(description=_ASKED)] = None
    start_date: Annotated[DayText | None, Meta(description=f"The day from which the weeks count. {_ASKED}")] = None
    weeks_to_deadline: Annotated[
        Annotated[float, Meta(ge=-100_000, le=100_000)] | None,
        Meta(description="Counted from start_date to deadline_date where it is left out."),
    ] = None
    projected_weeks_p85: Annotated[
        _Weeks | None, Meta(description=f"Calendar weeks within which it is done in 85 % of the cases. {_ASKED}")
    ] = None
    can_meet_deadline: Annotated[
        bool | None,
        Meta(description="Where it is left out: read as above, else whether projected_weeks_p85 ends by the deadline."),
    ] = None
    scope_completion_pct: Annotated[
        Annotated[float, Meta(ge=0, le=100_000)] | None,
        Meta(
            description="Share of the backlog that is done by the deadline, in %. Where it is left out: read as above, "
            "else 100, or in proportion to the time where projected_weeks_p85 ends after the deadline."
        ),
    ] = None
    created_by: Annotated[Any, Meta(description="Not read: it is the account's name.")] = None


class NewForecastRequest(ForecastFields, frozen=True, kw_only=True):
    """A forecast to be saved."""

    name: Annotated[Name, Meta(description="Not blank.")]
    forecast_data: Annotated[Any, Meta(description="The answer: any JSON but null.")]
    input_data: Annotated[Any, Meta(description="The request that it answers: any JSON but null.")]
    forecast_type: Annotated[
        Annotated[str, Meta(min_length=1, max_length=50)], Meta(description="What made it, in a word.")
    ] = "deadline"
    project_name: Annotated[Text | None, Meta(description="Of the new project; Unnamed Project if missing.")] = None
    parent_forecast_id: Annotated[
        Id | None,
        Meta(
            description="Saved forecast that this one renews: it is saved as that one's next version, in the same "
            "project unless project_id names another, and the older one is kept."
        ),
    ] = None


class ImportedForecast(ForecastFields, frozen=True, kw_only=True):
    """A forecast as it was exported; everything may be left out."""

    name: Annotated[Name, Meta(description="Imported Forecast when missing.")] = "Imported Forecast"
    forecast_data: Annotated[Any, Meta(description="The answer: any JSON; {} when missing.")] = None
    input_data: Annotated[Any, Meta(description="The request that it answers: any JSON; {} when missing.")] = None
    forecast_type: Annotated[
        Annotated[str, Meta(min_length=1, max_length=50)], Meta(description="What made it, in a word.")
    ] = "deadline"
    project_name: Annotated[
        Text | None,
        Meta(description="Of the new project; Imported Project if missing."),
    ] = None
    id: Annotated[Any, Meta(description="Not read: an import gets an id of its own.")] = None
    created_at: Annotated[Any, Meta(description="Not read.")] = None
    version: Annotated[Any, Meta(description="Not read: an import is a first version.")] = None
    parent_forecast_id: Annotated[Any, Meta(description="Not read.")] = None


def created(viewer: Viewer, request: NewForecastRequest) -> ForecastEntry:
    """The row that a new forecast becomes; raises TooLarge, and Forbidden for another account's user_id."""
    project = (request.project_name or "").strip() or "Unnamed Project"
    parent = "" if request.parent_forecast_id is None else str(request.parent_forecast_id).strip()
    return _entry(viewer, request, project=project, parent=parent)


def imported(viewer: Viewer, request: ImportedForecast) -> ForecastEntry:
    """The row that an exported forecast becomes; raises as `created`."""
    empty: dict[str, object] = {}
    whole = msgspec.structs.replace(
        request,
        forecast_data=empty if request.forecast_data is None else request.forecast_data,
        input_data=empty if request.input_data is None else request.input_data,
    )
    return _entry(viewer, whole, project=(request.project_name or "").strip() or "Imported Project", parent="")


def _entry(
    viewer: Viewer, request: NewForecastRequest | ImportedForecast, *, project: str, parent: str
) -> ForecastEntry:
    data, inputs = msgspec.json.encode(request.forecast_data), msgspec.json.encode(request.input_data)
    size = len(data) + len(inputs)
    if size > MAX_DATA_BYTES:
        raise TooLarge(f"forecast_data and input_data must be at most {MAX_DATA_BYTES} bytes together, got {size}")
    return ForecastEntry(
        name=request.name,
        description=request.description,
        forecast_type=request.forecast_type,
        forecast_data=data.decode(),
        input_data=inputs.decode(),
        figures=complete(_given(request), request.forecast_data, request.input_data),
        project_id="" if request.project_id is None else str(request.project_id).strip(),
        parent_forecast_id=parent,
        new_project=_new_project(request, project),
        new_project_owner=owner_of(viewer, request.user_id),
    )


def _given(request: ForecastFields) -> Figures:
    return Figures(
        backlog=request.backlog,
        start_date=_date(request.start_date),
        deadline_date=_date(request.deadline_date),
        weeks_to_deadline=request.weeks_to_deadline,
        projected_weeks_p85=request.projected_weeks_p85,
        can_meet_deadline=request.can_meet_deadline,
        scope_completion_pct=request.scope_completion_pct,
    )


def _date(iso: str | None) -> date | None:
    # The body was read with its days as ISO text.
    return date.fromisoformat(iso) if iso else None


def _new_project(request: ForecastFields, name: str) -> ProjectChange:
    size = msgspec.UNSET if request.team_size is None else request.team_size
    return ProjectChange(name=name, description=request.project_description, team_size=size)
