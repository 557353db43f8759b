"""Saved forecasts: listed, saved, exported, imported, and their versions."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import UnsetType
from msgspec.structs import replace

from chalicelib.api.auth import require
from chalicelib.api.forecast_requests import (
    MAX_DATA_BYTES,
    ImportedForecast,
    NewForecastRequest,
    created,
    imported,
)
from chalicelib.api.http import Answer, Call
from chalicelib.api.paging import NO_STORE, PAGE_PARAMS, answer_page, list_reply, read_page
from chalicelib.api.projects import DAYS, LENIENT, OWNED, STRICT
from chalicelib.api.record import read_record
from chalicelib.api.route import BODY, CALLER, Access, Doc, Param, Reply
from chalicelib.db.saved_forecasts import ForecastSummary, SavedForecast
from chalicelib.db.viewer import viewer_of
from chalicelib.errors import FieldError, InvalidRequest, NotFound, Unavailable

# What is longer when it is indented is exported without.
_MAX_EXPORT_BYTES = 4 * 1024 * 1024


def list_forecasts(call: Call) -> Answer:
    """GET /api/forecasts: a page of those that the caller may see, of one project if it is named."""
    viewer, page = viewer_of(require(call)), read_page(call)
    named = call.query.get("project_id", "")
    project_id = call.runtime.projects.find(viewer, named).id if named else None
    return answer_page(call, page, call.runtime.saved_forecasts.page(viewer, page, project_id))


def create_forecast(call: Call) -> Answer:
    """POST /api/forecasts: 201 with the forecast, in its project or as the next version of another."""
    viewer = viewer_of(require(call))
    request, warnings = read_record(call, NewForecastRequest)
    empty = [name for name in ("forecast_data", "input_data") if getattr(request, name) is None]
    if empty:
        raise InvalidRequest([FieldError(f"/{name}", "must not be null") for name in empty])
    return _saved(call.runtime.saved_forecasts.add(viewer, created(viewer, request)), warnings)


def import_forecast(call: Call) -> Answer:
    """POST /api/forecasts/import: 201 with the forecast that an export held, as a new one."""
    viewer = viewer_of(require(call))
    request, warnings = read_record(call, ImportedForecast)
    return _saved(call.runtime.saved_forecasts.add(viewer, imported(viewer, request)), warnings)


def get_forecast(call: Call) -> Answer:
    """GET /api/forecasts/{forecast_id}: the forecast, whole."""
    return Answer(body=_find(call), headers=NO_STORE)


def export_forecast(call: Call) -> Answer:
    """GET /api/forecasts/{forecast_id}/export: the same as a file."""
    found = _find(call)
    plain = msgspec.json.encode(found)
    indented = msgspec.json.format(plain, indent=2)
    disposition = f"attachment; filename=forecast_{found.id}.json"
    return Answer(
        body=indented if len(indented) <= _MAX_EXPORT_BYTES else plain,
        headers={**NO_STORE, "Content-Disposition": disposition},
    )


def list_versions(call: Call) -> Answer:
    """GET /api/forecasts/{forecast_id}/versions: all versions of the forecast, oldest first."""
    viewer = viewer_of(require(call))
    found = call.runtime.saved_forecasts.versions(viewer, call.params["forecast_id"])
    return Answer(body=found, headers=NO_STORE)


def delete_forecast(call: Call) -> Answer:
    """DELETE /api/forecasts/{forecast_id}: 204, and what came of it is gone with it."""
    viewer = viewer_of(require(call))
    call.runtime.saved_forecasts.remove(viewer, call.params["forecast_id"])
    return Answer(status=204)


def _find(call: Call) -> SavedForecast:
    viewer = viewer_of(require(call))
    return call.runtime.saved_forecasts.find(viewer, call.params["forecast_id"])


def _saved(forecast: SavedForecast, warnings: list[str] | UnsetType) -> Answer:
    headers = {**NO_STORE, "Location": f"/api/forecasts/{forecast.id}"}
    return Answer(status=201, body=replace(forecast, warnings=warnings), headers=headers)


_FORECAST_ID = Param(name="forecast_id", where="path", summary="The forecast.")
_PROJECT = Param(name="project_id", where="query", summary="Only those of this project.")
_READ = (*CALLER, NotFound, Unavailable)
_MADE = Reply(summary="The forecast", body=SavedForecast, headers={"Location": "Path of the forecast."})
_SIZE = f"forecast_data and input_data may have {MAX_DATA_BYTES} bytes together."
_EXAMPLE = NewForecastRequest(
    name="Relaunch, January",
    project_name="Relaunch",
    forecast_data={"percentile_stats": {"p50": 7, "p85": 9, "p95": 11}},
    input_data={"numberOfTasks": 50, "startDate": "05/01/2026", "deadlineDate": "30/03/2026"},
)
_EXPORTED = ImportedForecast(
    name="Relaunch, January",
    project_name="Relaunch",
    forecast_data={"percentile_stats": {"p50": 7, "p85": 9, "p95": 11}},
    input_data={"numberOfTasks": 50},
    start_date="2026-01-05",
)

DOCS: Mapping[str, Doc] = {
    "list_forecasts": Doc(
        name="list_forecasts",
        group="Saved forecasts",
        summary="Saved forecasts without their answers, newest first",
        details=OWNED,
        access=Access.ACCOUNT,
        params=(_PROJECT, *PAGE_PARAMS),
        replies={200: list_reply("One page", ForecastSummary)},
        refusals=(*_READ, InvalidRequest),
    ),
    "create_forecast": Doc(
        name="create_forecast",
        group="Saved forecasts",
        summary="Save a forecast, or its next version",
        details="The figures of the summary are read from forecast_data and input_data where they are left out, as far "
        f"as they are there. A forecast belongs to the owner of its project. {_SIZE} {DAYS} {LENIENT}",
        access=Access.ACCOUNT,
        params=(STRICT,),
        request=NewForecastRequest,
        example=_EXAMPLE,
        replies={201: _MADE},
        refusals=(*BODY, *_READ),
    ),
    "import_forecast": Doc(
        name="import_forecast",
        group="Saved forecasts",
        summary="Save an exported forecast as a new one",
        details="The project_id of the export must be a project of the caller's; without it a project is made. "
        f"{_SIZE} {DAYS} {LENIENT}",
        access=Access.ACCOUNT,
        params=(STRICT,),
        request=ImportedForecast,
        example=_EXPORTED,
        replies={201: _MADE},
        refusals=(*BODY, *_READ),
    ),
    "get_forecast": Doc(
        name="get_forecast",
        group="Saved forecasts",
        summary="One saved forecast, whole",
        details=OWNED,
        access=Access.ACCOUNT,
        params=(_FORECAST_ID,),
        replies={200: Reply(summary="The forecast", body=SavedForecast)},
        refusals=_READ,
    ),
    "export_forecast": Doc(
        name="export_forecast",
        group="Saved forecasts",
        summary="A saved forecast as a file",
        details="JSON, indented by two spaces, unless that takes more than 4 MB.",
        access=Access.ACCOUNT,
        params=(_FORECAST_ID,),
        replies={
            200: Reply(
                summary="The file",
                body=SavedForecast,
                headers={"Content-Disposition": "Names the file forecast_<id>.json."},
            )
        },
        refusals=_READ,
    ),
    "list_versions": Doc(
        name="list_forecast_versions",
        group="Saved forecasts",
        summary="All versions of a forecast, oldest first",
        details="Those that it renews, those that renew it, and itself, whichever of them is named.",
        access=Access.ACCOUNT,
        params=(_FORECAST_ID,),
        replies={200: list_reply("All versions", ForecastSummary)},
        refusals=_READ,
    ),
    "delete_forecast": Doc(
        name="delete_forecast",
        group="Saved forecasts",
        summary="Remove a saved forecast",
        details="What came of it is removed with it. Other versions stay, and follow the one that it was made from.",
        access=Access.ACCOUNT,
        params=(_FORECAST_ID,),
        replies={204: Reply(summary="Removed")},
        refusals=_READ,
    ),
}
