"""What auditors look at first: who got most of what was spent, and what lies just below thresholds; in line."""

from __future__ import annotations

from chalicelib.api.analysis import about_contracts, describe, read_question
from chalicelib.api.http import Answer, Call
from chalicelib.search.bunching import Bunching, BunchingRequest
from chalicelib.search.concentration import Concentration, ConcentrationRequest
from chalicelib.search.filters import check


def concentration(call: Call) -> Answer:
    """POST supplier-concentration/."""
    request, _ = read_question(call, ConcentrationRequest, check, opened_by="public_search")
    return Answer(body=call.runtime.contract_review.concentration(request))


def bunching(call: Call) -> Answer:
    """POST threshold-bunching/."""
    request, _ = read_question(call, BunchingRequest, check, opened_by="public_search")
    return Answer(body=call.runtime.contract_review.bunching(request))


_REVIEW = "For review, not a finding:"

DOCS = {
    "concentration": about_contracts(
        describe(
            ConcentrationRequest(organizations=("public works",), top=10),
            Concentration,
            name="measure_supplier_concentration",
            summary="How much went to how few suppliers",
            details=f"{_REVIEW} few suppliers may be all that there are.",
        )
    ),
    "bunching": about_contracts(
        describe(
            BunchingRequest(organizations=("public works",), thresholds=(1_000_000.0,)),
            Bunching,
            name="measure_threshold_bunching",
            summary="Whether amounts gather just below thresholds",
            details=f"{_REVIEW} prices like to end just below round numbers, and budgets are planned up to a limit.",
        )
    ),
}
