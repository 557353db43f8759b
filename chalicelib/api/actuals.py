"""Actuals: what came of saved forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta
from msgspec.structs import asdict, replace

from chalicelib.api.auth import require
from chalicelib.api.http import Answer, Call
from chalicelib.api.paging import NO_STORE, PAGE_PARAMS, answer_page, list_reply, read_page
from chalicelib.api.projects import DAYS, LENIENT, OWNED, STRICT, Id
from chalicelib.api.record import read_record
from chalicelib.api.route import BODY, CALLER, Access, Doc, Param, Reply
from chalicelib.db.actuals import Actual, ActualChange
from chalicelib.db.viewer import viewer_of
from chalicelib.errors import InvalidRequest, NotFound, Unavailable


class NewActual(ActualChange, frozen=True, kw_only=True):
    """What came of a forecast, to be recorded."""

    forecast_id: Annotated[Id, Meta(description="The forecast, as a number or as text.")]
    recorded_by: Annotated[
        Annotated[str, Meta(max_length=100)] | None, Meta(description="Who recorded it; the account's name if missing.")
    ] = None


def list_actuals(call: Call) -> Answer:
    """GET /api/actuals: a page of those that the caller may see, of one forecast if it is named."""
    viewer, page = viewer_of(require(call)), read_page(call)
    named = call.query.get("forecast_id", "")
    forecast_id = call.runtime.saved_forecasts.find(viewer, named).id if named else None
    return answer_page(call, page, call.runtime.actuals.page(viewer, page, forecast_id))


def create_actual(call: Call) -> Answer:
    """POST /api/actuals: 201 with the record and what follows from it."""
    viewer = viewer_of(require(call))
    request, warnings = read_record(call, NewActual)
    fields = asdict(request)
    forecast_id, recorded_by = str(fields.pop("forecast_id")), fields.pop("recorded_by")
    actual = call.runtime.actuals.add(
        viewer, forecast_id.strip(), ActualChange(**fields), recorded_by=(recorded_by or "").strip() or None
    )
    headers = {**NO_STORE, "Location": f"/api/actuals/{actual.id}"}
    return Answer(status=201, body=replace(actual, warnings=warnings), headers=headers)


def get_actual(call: Call) -> Answer:
    """GET /api/actuals/{actual_id}."""
    viewer = viewer_of(require(call))
    return Answer(body=call.runtime.actuals.find(viewer, call.params["actual_id"]), headers=NO_STORE)


def change_actual(call: Call) -> Answer:
    """PUT /api/actuals/{actual_id}: sets the fields that are sent; all that follows from them is computed anew."""
    viewer = viewer_of(require(call))
    fields, warnings = read_record(call, ActualChange)
    actual = call.runtime.actuals.change(viewer, call.params["actual_id"], fields)
    return Answer(body=replace(actual, warnings=warnings), headers=NO_STORE)


def delete_actual(call: Call) -> Answer:
    """DELETE /api/actuals/{actual_id}: 204."""
    viewer = viewer_of(require(call))
    call.runtime.actuals.remove(viewer, call.params["actual_id"])
    return Answer(status=204)


_ACTUAL_ID = Param(name="actual_id", where="path", summary="The record.")
_FORECAST = Param(name="forecast_id", where="query", summary="Only those of this forecast.")
_READ = (*CALLER, NotFound, Unavailable)
_SIGN = "Errors are actual - forecast: positive where it took longer than projected_weeks_p85."

DOCS: Mapping[str, Doc] = {
    "list_actuals": Doc(
        name="list_actuals",
        group="Accuracy",
        summary="What came of saved forecasts, newest first",
        details=f"A record is its forecast's owner's. {OWNED}",
        access=Access.ACCOUNT,
        params=(_FORECAST, *PAGE_PARAMS),
        replies={200: list_reply("One page", Actual)},
        refusals=(*_READ, InvalidRequest),
    ),
    "create_actual": Doc(
        name="create_actual",
        group="Accuracy",
        summary="Record what came of a forecast",
        details=f"{_SIGN} A forecast may have several records. {DAYS} {LENIENT}",
        access=Access.ACCOUNT,
        params=(STRICT,),
        request=NewActual,
        example=NewActual(forecast_id=1, actual_completion_date="16/03/2026", actual_items_completed=50),
        replies={201: Reply(summary="The record", body=Actual, headers={"Location": "Path of the record."})},
        refusals=(*BODY, *_READ),
    ),
    "get_actual": Doc(
        name="get_actual",
        group="Accuracy",
        summary="One record of what came of a forecast",
        details=OWNED,
        access=Access.ACCOUNT,
        params=(_ACTUAL_ID,),
        replies={200: Reply(summary="The record", body=Actual)},
        refusals=_READ,
    ),
    "change_actual": Doc(
        name="change_actual",
        group="Accuracy",
        summary="Correct a record",
        details="Fields that are left out stay as they are, null empties one; all errors are computed anew. A new "
        "actual_completion_date counts the weeks anew, unless actual_weeks_taken is sent too or the forecast has no "
        f"start. {_SIGN} {DAYS} {LENIENT}",
        access=Access.ACCOUNT,
        params=(_ACTUAL_ID, STRICT),
        request=ActualChange,
        example=ActualChange(actual_completion_date="2026-03-23", notes="Two more items."),
        replies={200: Reply(summary="The record as it is now", body=Actual)},
        refusals=(*BODY, *_READ),
    ),
    "delete_actual": Doc(
        name="delete_actual",
        group="Accuracy",
        summary="Remove a record",
        access=Access.ACCOUNT,
        params=(_ACTUAL_ID,),
        replies={204: Reply(summary="Removed")},
        refusals=_READ,
    ),
}
