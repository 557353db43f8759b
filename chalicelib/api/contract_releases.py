"""All contracts as packages of the Open Contracting Data Standard, one after the other; in line."""

from __future__ import annotations

from datetime import UTC, datetime

from chalicelib.api.auth import require
from chalicelib.api.http import Answer, Call
from chalicelib.api.query import query_params, read_query
from chalicelib.api.route import CALLER, Access, Doc, Reply
from chalicelib.errors import Gone, InvalidRequest, NotFound, Unavailable
from chalicelib.jobs.kind import accept_all
from chalicelib.search.release_package import Publication, ReleasePackage, ReleasesRequest, harvest_of, package

_PATH = "/api/v1/ocds/releases"


def releases(call: Call) -> Answer:
    """GET releases/: a package, and the address of the next one."""
    require(call, public=call.runtime.settings.public_search)
    request = read_query(call, ReleasesRequest, accept_all)
    page = call.runtime.directory.harvest(harvest_of(request))
    settings = call.runtime.settings
    publication = Publication(
        prefix=settings.ocid_prefix,
        url=f"{settings.public_url}{_PATH}",
        now=datetime.fromtimestamp(call.runtime.clock.now(), UTC),
    )
    return Answer(body=package(page, request, publication))


DOCS = {
    "releases": Doc(
        name="list_ocds_releases",
        group="Contracts",
        summary="All awards as OCDS 1.1 release packages, by cursor",
        details="Newest first; go on with `links.next` until there is none. All packages are from the data set of the "
        "first one; 410 says that two imports have ended since. Awards of one contract number are releases of one "
        "process. Answered at once.",
        access=Access.OPTIONAL,
        params=query_params(ReleasesRequest),
        replies={200: Reply(summary="A package", body=ReleasePackage)},
        refusals=(*CALLER, InvalidRequest, NotFound, Gone, Unavailable),
    )
}
