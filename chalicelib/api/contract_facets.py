"""What filters of contracts could be set to besides, with counts; in line."""

from __future__ import annotations

from chalicelib.api.analysis import about_contracts, describe, read_question
from chalicelib.api.http import Answer, Call
from chalicelib.search.facets import FacetAnswer, FacetRequest
from chalicelib.search.filters import check


def count(call: Call) -> Answer:
    """POST facets/: the values of each filter with the most awards under all other filters."""
    request, _ = read_question(call, FacetRequest, check, opened_by="public_search")
    return Answer(body=call.runtime.directory.facets(request))


DOCS = {
    "count": about_contracts(
        describe(
            FacetRequest(keywords=("road",), areas=("Metro Manila",), size=5),
            FacetAnswer,
            name="count_contract_facets",
            summary="What each filter could be set to, with how many awards",
            details="Values of a filter are counted under all filters but itself, so that another one can be added.",
        ),
    )
}
