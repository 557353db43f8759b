"""Drill-downs from a name of contracts to others and to its awards, as older clients know them; in line."""

from __future__ import annotations

import msgspec

from chalicelib.api.analysis import STRICT, read_question
from chalicelib.api.auth import require
from chalicelib.api.body import parse_json
from chalicelib.api.http import Answer, Call
from chalicelib.api.query import query_params, read_query
from chalicelib.api.route import BODY, CALLER, Access, Doc, Param, Reply
from chalicelib.errors import FieldError, InvalidRequest, NotFound, Unavailable
from chalicelib.search.entities import (
    AvailableTimes,
    EntityContractPage,
    EntityContractsRequest,
    EntityFilter,
    EntityPage,
    EntityQuery,
    EntityRow,
    RelatedQuery,
    check_entity_contracts,
    check_timed,
)
from chalicelib.search.paging import DIMENSIONS
from chalicelib.search.profile import EntityProfile

_FILTERS = "/filters"


def list_entities(call: Call) -> Answer:
    """GET query-entities/: names with their sums."""
    require(call, public=call.runtime.settings.public_search)
    return Answer(body=call.runtime.directory.entities(read_query(call, EntityQuery, check_timed)))


def list_related(call: Call) -> Answer:
    """GET query-related-entities/: names that occur together with one."""
    require(call, public=call.runtime.settings.public_search)
    return Answer(body=call.runtime.directory.related(read_query(call, RelatedQuery, check_timed)))


def list_contracts(call: Call) -> Answer:
    """POST query-contracts-by-entity/: the awards with exact names; the body may be the list of filters alone."""
    require(call, public=call.runtime.settings.public_search)
    return Answer(body=call.runtime.directory.contracts(_read_filters(call)))


def list_times(call: Call) -> Answer:
    """GET available-time-ranges/: the years and quarters that have awards."""
    require(call, public=call.runtime.settings.public_search)
    return Answer(body=call.runtime.directory.times())


def show(call: Call) -> Answer:
    """GET /api/v1/entities/{kind}/{entity_id}: all about one name."""
    require(call, public=call.runtime.settings.public_search)
    said = call.params["kind"]
    kind = next((dimension for dimension in DIMENSIONS if dimension == said), None)
    if kind is None:
        raise NotFound(f"there are no entities of the kind {said[:40]!r}; the kinds are {', '.join(DIMENSIONS)}")
    return Answer(body=call.runtime.directory.profile(kind, call.params["entity_id"]))


def _read_filters(call: Call) -> EntityContractsRequest:
    raw = parse_json(call)
    if not isinstance(raw, list):
        return _read(call)
    try:
        return _read(msgspec.structs.replace(call, body=msgspec.json.encode({"filters": raw})))
    except InvalidRequest as error:
        # Where the caller wrote it.
        raise InvalidRequest([FieldError(e.pointer.removeprefix(_FILTERS), e.detail) for e in error.errors]) from None


def _read(call: Call) -> EntityContractsRequest:
    request, _ = read_question(call, EntityContractsRequest, check_entity_contracts, opened_by="public_search")
    return request


_GROUP = "Contracts"
_REFUSALS = (*CALLER, InvalidRequest, NotFound, Unavailable)

DOCS = {
    "list_entities": Doc(
        name="list_contract_entities",
        group=_GROUP,
        summary="Names with their sums, of all time or of a stretch of it",
        details="entity_type is required. Awards without such a name are left out.",
        access=Access.OPTIONAL,
        params=query_params(EntityQuery),
        replies={200: Reply(summary="A page of names", body=EntityPage)},
        refusals=_REFUSALS,
    ),
    "list_related": Doc(
        name="list_related_contract_entities",
        group=_GROUP,
        summary="Names that occur together with a name",
        details="source_dim, source_value and target_dim are required. Largest sums first; none where no award has "
        "the name.",
        access=Access.OPTIONAL,
        params=query_params(RelatedQuery),
        replies={200: Reply(summary="Names", body=list[EntityRow])},
        refusals=_REFUSALS,
    ),
    "list_contracts": Doc(
        name="list_contracts_by_entity",
        group=_GROUP,
        summary="Awards with exact names",
        details="The body may also be the list of filters alone. page_index counts pages, not rows.",
        access=Access.OPTIONAL,
        params=(STRICT,),
        request=EntityContractsRequest,
        example=EntityContractsRequest(
            filters=(EntityFilter(dim="area", value="Metro Manila"), EntityFilter(dim="category", value="Services")),
            time_range="quarterly",
            year=2024,
            quarter=1,
        ),
        replies={200: Reply(summary="A page of awards", body=EntityContractPage)},
        refusals=(*BODY, *CALLER, NotFound, Unavailable),
    ),
    "list_times": Doc(
        name="list_contract_times",
        group=_GROUP,
        summary="Years and quarters that have awards",
        access=Access.OPTIONAL,
        replies={200: Reply(summary="Years and quarters", body=AvailableTimes)},
        refusals=(*CALLER, NotFound, Unavailable),
    ),
    "show": Doc(
        name="get_contract_entity",
        group=_GROUP,
        summary="All about one name",
        details="Its awards by year, whom they bring it together with, and names of the same kind that read alike, "
        "which are for review.",
        access=Access.OPTIONAL,
        params=(
            Param(name="kind", where="path", summary="Kind of the name.", values=DIMENSIONS),
            Param(name="entity_id", where="path", summary="The id that lists of names give; data sets share it."),
        ),
        replies={200: Reply(summary="The name", body=EntityProfile)},
        refusals=(*CALLER, NotFound, Unavailable),
    ),
}
