"""Accuracy: how saved forecasts turned out, as a report and at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from chalicelib.api.auth import require
from chalicelib.api.http import Answer, Call, problem
from chalicelib.api.paging import MAX_PAGE, NO_STORE, PAGE, read_limit
from chalicelib.api.projects import OWNED
from chalicelib.api.route import CALLER, Access, Doc, Param, Reply
from chalicelib.db.viewer import viewer_of
from chalicelib.errors import FieldError, InvalidRequest, NotFound, SluiceError, Unavailable
from chalicelib.sim.accuracy.accuracy import MIN_PAIRS, dashboard, report, usable
from chalicelib.sim.accuracy.report import AccuracyReport, Dashboard


def analyse_accuracy(call: Call) -> Answer:
    """GET /api/accuracy-analysis: the report; 404 without any actual, 400 with too few to compare."""
    viewer, limit = viewer_of(require(call)), read_limit(call)
    forecast_id, project = call.query.get("forecast_id", ""), call.query.get("project_id", "")
    project_id = call.runtime.projects.find(viewer, project).id if project and not forecast_id else None
    pairs = call.runtime.outcomes.newest(viewer, limit, forecast_id=forecast_id, project_id=project_id)
    if not pairs:
        return _refuse(call, NotFound("no forecast has an actual yet: record one at POST /api/actuals"), metrics=None)
    count = len(usable(pairs))
    if count < MIN_PAIRS:
        detail = (
            f"at least {MIN_PAIRS} forecasts must have a percentile of their weeks and an actual above 0, got {count}"
        )
        return _refuse(call, InvalidRequest([FieldError("", detail)], detail), count=count)
    return Answer(body=report(pairs), headers=NO_STORE)


def show_dashboard(call: Call) -> Answer:
    """GET /api/forecast-vs-actual/dashboard: the newest actuals at a glance, by project too."""
    viewer = viewer_of(require(call))
    return Answer(body=dashboard(call.runtime.outcomes.newest(viewer, MAX_PAGE)), headers=NO_STORE)


def _refuse(call: Call, error: SluiceError, **more: object) -> Answer:
    """The problem document with the members that old clients look for."""
    refusal = problem(error, call.request_id)
    body = cast("dict[str, Any]", refusal.body) | more
    return Answer(status=refusal.status, body=body, headers=refusal.headers, content_type=refusal.content_type)


_ORDER = (
    "Errors are actual - forecast: positive where the work took longer. Of each forecast the record of the newest "
    "completion counts, once; forecasts are compared in the order in which their work ended."
)
_REFUSALS = (*CALLER, NotFound, InvalidRequest, Unavailable)

DOCS: Mapping[str, Doc] = {
    "analyse_accuracy": Doc(
        name="analyse_accuracy",
        group="Accuracy",
        summary="How saved forecasts turned out",
        details="Coverage comes first: whether the P50, P85 and P95 held as often as promised. The metrics are of a "
        f"point forecast, the P50 where a forecast has one, else its P85. {_ORDER} 404, with `metrics` null, without "
        f"any actual; 400, with their `count`, with fewer than {MIN_PAIRS} that can be compared. {OWNED}",
        access=Access.ACCOUNT,
        params=(
            Param(name="forecast_id", where="query", summary="Only this forecast and its other versions."),
            Param(name="project_id", where="query", summary="Only this project; not read with forecast_id."),
            Param(
                name="limit",
                where="query",
                summary=f"Only so many that ended last, 1 to {MAX_PAGE}; {PAGE} when missing.",
            ),
        ),
        replies={200: Reply(summary="The report", body=AccuracyReport)},
        refusals=_REFUSALS,
    ),
    "show_dashboard": Doc(
        name="show_accuracy_dashboard",
        group="Accuracy",
        summary="How saved forecasts turned out, at a glance",
        details=f"The {MAX_PAGE} forecasts whose work ended last. {_ORDER} {OWNED}",
        access=Access.ACCOUNT,
        replies={200: Reply(summary="The figures, or that there are none yet", body=Dashboard)},
        refusals=(*CALLER, Unavailable),
    ),
}
