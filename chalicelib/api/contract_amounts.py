"""What the amounts of contracts look like: how they spread, their first digits, how round they are; in line."""

from __future__ import annotations

from typing import TypeVar

from msgspec import Struct

from chalicelib.api.auth import require
from chalicelib.api.body import read_body
from chalicelib.api.http import Answer, Call
from chalicelib.api.route import BODY, CALLER, Access, Doc, Reply
from chalicelib.errors import InvalidRequest, NotFound, Unavailable
from chalicelib.search.distribution import ValueDistribution
from chalicelib.search.filters import Filters, check
from chalicelib.search.integrity import Benford, Rounding
from chalicelib.search.requests import DistributionRequest

Request = TypeVar("Request", bound=Filters)


def distribute(call: Call) -> Answer:
    """POST value-distribution/."""
    return Answer(body=call.runtime.contracts.value_distribution(_read(call, DistributionRequest)))


def compare_first_digits(call: Call) -> Answer:
    """POST benfords-law/."""
    return Answer(body=call.runtime.contracts.benford(_read(call, Filters)))


def describe_rounding(call: Call) -> Answer:
    """POST rounding-patterns/."""
    return Answer(body=call.runtime.contracts.rounding(_read(call, Filters)))


def _read(call: Call, type_: type[Request]) -> Request:
    require(call, public=call.runtime.settings.public_search)
    request, _ = read_body(call, type_, lenient=True)
    errors = check(request)
    if errors:
        raise InvalidRequest(errors)
    return request


_EXAMPLE = Filters(business_categories=("construction",))
_REVIEW = (
    "For review, not a finding: prices that are set, thresholds and few awards all make digits uneven. Unknown fields "
    "are ignored."
)


def _described(name: str, summary: str, example: Filters, answer: type[Struct], *, details: str) -> Doc:
    return Doc(
        name=name,
        group="Contracts",
        summary=summary,
        details=details,
        access=Access.OPTIONAL,
        request=type(example),
        example=example,
        replies={200: Reply(summary="The answer", body=answer)},
        refusals=(*BODY, *CALLER, NotFound, Unavailable),
    )


DOCS = {
    "distribute": _described(
        "distribute_contract_values",
        "Awards by amount, in bins of equal width",
        DistributionRequest(business_categories=("construction",), num_bins=50),
        ValueDistribution,
        details="Bins without an award are left out. Unknown fields are ignored.",
    ),
    "compare_first_digits": _described(
        "compare_contract_first_digits",
        "First digits of amounts beside Benford's law",
        _EXAMPLE,
        Benford,
        details=_REVIEW,
    ),
    "describe_rounding": _described(
        "describe_contract_rounding", "How round the amounts are", _EXAMPLE, Rounding, details=_REVIEW
    ),
}
