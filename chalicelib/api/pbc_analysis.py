"""Whether a team is steady enough to be forecast from its past."""

from __future__ import annotations

from msgspec import structs

from chalicelib.api.analysis import REFUSALS, STRICT, Docs, answered, describe, read_question
from chalicelib.api.auth import require
from chalicelib.api.http import Answer, Call
from chalicelib.api.route import Access, Doc, Param, Reply
from chalicelib.db.viewer import viewer_of
from chalicelib.errors import NotFound
from chalicelib.sim.analyses.xmr_inputs import XmrRequest, check
from chalicelib.sim.analyses.xmr_result import ProjectXmrReport, XmrReport


def analyse(call: Call) -> Answer:
    """POST /api/pbc-analysis."""
    question, warnings = read_question(call, XmrRequest, check)
    from chalicelib.sim.analyses import xmr

    return answered(xmr.report(question), warnings)


def analyse_project(call: Call) -> Answer:
    """POST /api/projects/{project_id}/pbc-analysis: the same, under the name of a project that the caller may see."""
    viewer = viewer_of(require(call))
    question, warnings = read_question(call, XmrRequest, check)
    project = call.runtime.projects.find(viewer, call.params["project_id"])
    from chalicelib.sim.analyses import xmr

    report = structs.asdict(xmr.report(question))
    return answered(ProjectXmrReport(**report, project_id=project.id, project_name=project.name), warnings)


_DETAILS = "A process behaviour chart (XmR): natural limits, runs, trends and a score."
_EXAMPLE = XmrRequest(tp_samples=(5, 6, 7, 8, 6, 3, 6, 5, 7, 14))

DOCS: Docs = {
    "analyse": describe(
        _EXAMPLE,
        XmrReport,
        name="analyse_stability",
        summary="Whether a history is steady enough to forecast from",
        details=_DETAILS,
    ),
    "analyse_project": Doc(
        name="analyse_project_stability",
        group="Analyses",
        summary="The same for a project",
        details=f"{_DETAILS} Only the name is taken from the project. Answered at once and not kept.",
        access=Access.ACCOUNT,
        params=(Param(name="project_id", where="path", summary="The project."), STRICT),
        request=XmrRequest,
        example=_EXAMPLE,
        replies={200: Reply(summary="The answer", body=ProjectXmrReport)},
        refusals=(*REFUSALS, NotFound),
    ),
}
