"""All contracts that fit, a page after the other by cursor; in line."""

from __future__ import annotations

from chalicelib.api.analysis import about_contracts, describe, read_question
from chalicelib.api.http import Answer, Call
from chalicelib.errors import Gone
from chalicelib.search.filters import check
from chalicelib.search.harvest import HarvestPage, HarvestRequest


def harvest(call: Call) -> Answer:
    """POST harvest/: a page of the awards that fit, and where the next one begins."""
    request, _ = read_question(call, HarvestRequest, check, opened_by="public_search")
    return Answer(body=call.runtime.directory.harvest(request))


DOCS = {
    "harvest": about_contracts(
        describe(
            HarvestRequest(business_categories=("construction",), page_size=500),
            HarvestPage,
            name="harvest_contracts",
            summary="All awards that fit, by cursor",
            details="Send the same filters again with the cursor of each page until there is none. All pages are from "
            "the data set of the first one; 410 says that two imports have ended since.",
        ),
        Gone,
    )
}
