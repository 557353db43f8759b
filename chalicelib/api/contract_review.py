"""What auditors look at first: who got most of what was spent, and what lies just below thresholds; in line."""

from __future__ import annotations

from msgspec import Struct, structs

from chalicelib.api.analysis import REFUSALS, describe, read_question
from chalicelib.api.http import Answer, Call
from chalicelib.api.route import Doc
from chalicelib.errors import NotFound
from chalicelib.search.bunching import Bunching, BunchingRequest
from chalicelib.search.concentration import Concentration, ConcentrationRequest
from chalicelib.search.filters import Filters, check


def concentration(call: Call) -> Answer:
    """POST supplier-concentration/."""
    request, _ = read_question(call, ConcentrationRequest, check, opened_by="public_search")
    return Answer(body=call.runtime.contract_review.concentration(request))


def bunching(call: Call) -> Answer:
    """POST threshold-bunching/."""
    request, _ = read_question(call, BunchingRequest, check, opened_by="public_search")
    return Answer(body=call.runtime.contract_review.bunching(request))


def _described(example: Filters, result: type[Struct], *, name: str, summary: str, details: str) -> Doc:
    doc = describe(example, result, name=name, summary=summary, details=f"For review, not a finding: {details}")
    return structs.replace(doc, group="Contracts", refusals=(*REFUSALS, NotFound))


DOCS = {
    "concentration": _described(
        ConcentrationRequest(organizations=("public works",), top=10),
        Concentration,
        name="measure_supplier_concentration",
        summary="How much went to how few suppliers",
        details="few suppliers may be all that there are.",
    ),
    "bunching": _described(
        BunchingRequest(organizations=("public works",), thresholds=(1_000_000.0,)),
        Bunching,
        name="measure_threshold_bunching",
        summary="Whether amounts gather just below thresholds",
        details="prices like to end just below round numbers, and budgets are planned up to a limit.",
    ),
}
