"""Names that contracts have, to choose from and to link to; in line."""

from __future__ import annotations

from urllib.parse import urlencode

from chalicelib.api.auth import require
from chalicelib.api.http import Answer, Call
from chalicelib.api.query import query_params, read_query
from chalicelib.api.route import CALLER, Access, Doc, Reply
from chalicelib.errors import InvalidRequest, NotFound, Unavailable
from chalicelib.search.names import FilterOptions, NameList, NamesRequest, OptionsRequest, check_texts
from chalicelib.search.paging import Dimension


def options(call: Call) -> Answer:
    """GET filter-options/: what can be filtered by."""
    require(call, public=call.runtime.settings.public_search)
    return Answer(body=call.runtime.directory.options(read_query(call, OptionsRequest, check_texts)))


def contractors(call: Call) -> Answer:
    """GET contractors/."""
    return _names(call, "contractor")


def organizations(call: Call) -> Answer:
    """GET organizations/."""
    return _names(call, "organization")


def business_categories(call: Call) -> Answer:
    """GET business-categories/."""
    return _names(call, "category")


def areas_of_delivery(call: Call) -> Answer:
    """GET areas-of-delivery/."""
    return _names(call, "area")


def _names(call: Call, dimension: Dimension) -> Answer:
    require(call, public=call.runtime.settings.public_search)
    request = read_query(call, NamesRequest, check_texts)
    rows, total = call.runtime.directory.names(dimension, request)
    pages = -(-total // request.page_size)
    body = NameList(
        count=total,
        next=_address(call, request.page + 1) if request.page < pages else None,
        # Behind the last page the one before is the last one.
        previous=_address(call, min(request.page - 1, max(pages, 1))) if request.page > 1 else None,
        results=tuple(rows),
    )
    return Answer(body=body)


def _address(call: Call, page: int) -> str:
    query = urlencode({**call.query, "page": page})
    return f"{call.runtime.settings.public_url}{call.path}?{query}"


_GROUP = "Contracts"
_REFUSALS = (*CALLER, InvalidRequest, NotFound, Unavailable)


def _listing(view: str, what: str) -> Doc:
    return Doc(
        name=f"list_contract_{view}",
        group=_GROUP,
        summary=what,
        details="In alphabetical order, with how many awards each has. A page behind the last one is empty.",
        access=Access.OPTIONAL,
        params=query_params(NamesRequest),
        replies={200: Reply(summary="A page of names", body=NameList)},
        refusals=_REFUSALS,
    )


DOCS = {
    "options": Doc(
        name="list_contract_filter_options",
        group=_GROUP,
        summary="What contracts can be filtered by",
        details="The names of each kind by page, with how many awards each has, and the years.",
        access=Access.OPTIONAL,
        params=query_params(OptionsRequest),
        replies={200: Reply(summary="Names and years", body=FilterOptions)},
        refusals=_REFUSALS,
    ),
    "contractors": _listing("contractors", "Who got awards"),
    "organizations": _listing("organizations", "Procuring entities"),
    "business_categories": _listing("business_categories", "Business categories"),
    "areas_of_delivery": _listing("areas_of_delivery", "Areas of delivery"),
}
