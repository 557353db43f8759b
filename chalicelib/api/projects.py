"""Projects: what forecasts belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta
from msgspec.structs import asdict, replace

from chalicelib.api.auth import require
from chalicelib.api.http import Answer, Call
from chalicelib.api.paging import NO_STORE, PAGE_PARAMS, answer_page, list_reply, read_page
from chalicelib.api.record import read_record
from chalicelib.api.route import BODY, CALLER, SWITCH, Access, Doc, Param, Reply
from chalicelib.db.projects import Name, Project, ProjectChange
from chalicelib.db.viewer import Viewer, missing, read_id, viewer_of
from chalicelib.errors import Forbidden, InvalidRequest, NotFound, Unavailable
from chalicelib.sim.dates import ACCEPTED

Id = Annotated[str | int, Meta(description="An id, as a number or as text.")]


class NewProject(ProjectChange, frozen=True, kw_only=True):
    """A project to be made; its name is enough."""

    name: Annotated[Name, Meta(description="Not blank.")]
    user_id: Annotated[
        Id | None, Meta(description="For admins: the account that it is made for, instead of their own.")
    ] = None


def list_projects(call: Call) -> Answer:
    """GET /api/projects: a page of those that the caller may see."""
    viewer, page = viewer_of(require(call)), read_page(call)
    return answer_page(call, page, call.runtime.projects.page(viewer, page))


def create_project(call: Call) -> Answer:
    """POST /api/projects: 201 with the project."""
    viewer = viewer_of(require(call))
    request, warnings = read_record(call, NewProject)
    fields = asdict(request)
    owner = owner_of(viewer, fields.pop("user_id"))
    project = call.runtime.projects.add(viewer, owner, ProjectChange(**fields))
    headers = {**NO_STORE, "Location": f"/api/projects/{project.id}"}
    return Answer(status=201, body=replace(project, warnings=warnings), headers=headers)


def get_project(call: Call) -> Answer:
    """GET /api/projects/{project_id}."""
    viewer = viewer_of(require(call))
    return Answer(body=call.runtime.projects.find(viewer, call.params["project_id"]), headers=NO_STORE)


def change_project(call: Call) -> Answer:
    """PUT /api/projects/{project_id}: sets the fields that are sent."""
    viewer = viewer_of(require(call))
    fields, warnings = read_record(call, ProjectChange)
    project = call.runtime.projects.change(viewer, call.params["project_id"], fields)
    return Answer(body=replace(project, warnings=warnings), headers=NO_STORE)


def delete_project(call: Call) -> Answer:
    """DELETE /api/projects/{project_id}: 204, and its forecasts are gone with it."""
    viewer = viewer_of(require(call))
    call.runtime.projects.remove(viewer, call.params["project_id"])
    return Answer(status=204)


def owner_of(viewer: Viewer, user_id: str | int | None) -> int | None:
    """The account that something new is for: the caller's, or for admins the one that they name."""
    if user_id is None or str(user_id) == str(viewer.account):
        return viewer.account
    if not viewer.changes_all:
        raise Forbidden("user_id must be your own account's, or left out; only an admin may name another")
    owner = read_id(str(user_id))
    if owner is None:
        raise missing("account", user_id)
    return owner


DAYS = f"Days are accepted as {ACCEPTED}, and answered as yyyy-mm-dd."
OWNED = (
    "Everybody sees their own; instructors and admins see all, and only admins change those of others. The id of one "
    "that the caller may not see is answered like an id that there is not."
)
LENIENT = "Unknown fields are ignored and listed in `warnings`, or refused with `?strict=1`."
STRICT = Param(name="strict", where="query", summary="Refuses unknown fields.", values=SWITCH)
_PROJECT_ID = Param(name="project_id", where="path", summary="The project.")
_EXAMPLE = NewProject(name="Relaunch", team_size=5, status="active", start_date="2026-01-05", tags=("web",))
_READ = (*CALLER, NotFound, Unavailable)

DOCS: Mapping[str, Doc] = {
    "list_projects": Doc(
        name="list_projects",
        group="Projects",
        summary="Projects, newest first",
        details=OWNED,
        access=Access.ACCOUNT,
        params=PAGE_PARAMS,
        replies={200: list_reply("One page", Project)},
        refusals=(*CALLER, InvalidRequest, Unavailable),
    ),
    "create_project": Doc(
        name="create_project",
        group="Projects",
        summary="Make a project",
        details=f"{DAYS} {LENIENT}",
        access=Access.ACCOUNT,
        params=(STRICT,),
        request=NewProject,
        example=_EXAMPLE,
        replies={201: Reply(summary="The project", body=Project, headers={"Location": "Path of the project."})},
        refusals=(*BODY, *_READ),
    ),
    "get_project": Doc(
        name="get_project",
        group="Projects",
        summary="One project",
        details=OWNED,
        access=Access.ACCOUNT,
        params=(_PROJECT_ID,),
        replies={200: Reply(summary="The project", body=Project)},
        refusals=_READ,
    ),
    "change_project": Doc(
        name="change_project",
        group="Projects",
        summary="Change fields of a project",
        details=f"Fields that are left out stay as they are; null empties a field that may be empty. {DAYS} {LENIENT}",
        access=Access.ACCOUNT,
        params=(_PROJECT_ID, STRICT),
        request=ProjectChange,
        example=ProjectChange(status="on_hold", target_end_date="30/06/2026"),
        replies={200: Reply(summary="The project as it is now", body=Project)},
        refusals=(*BODY, *_READ),
    ),
    "delete_project": Doc(
        name="delete_project",
        group="Projects",
        summary="Remove a project",
        details="Its forecasts, and what came of them, are removed with it.",
        access=Access.ACCOUNT,
        params=(_PROJECT_ID,),
        replies={204: Reply(summary="Removed")},
        refusals=_READ,
    ),
}
