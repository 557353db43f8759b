"""What the amounts of contracts look like: how they spread, their first digits, how round they are; in line."""

from __future__ import annotations

from typing import TypeVar

from chalicelib.api.analysis import about_contracts, describe, read_question
from chalicelib.api.http import Answer, Call
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
    question, _ = read_question(call, type_, check, opened_by="public_search")
    return question


_EXAMPLE = Filters(business_categories=("construction",))
_REVIEW = "For review, not a finding: prices that are set, thresholds and few awards all make digits uneven."


DOCS = {
    "distribute": about_contracts(
        describe(
            DistributionRequest(business_categories=("construction",), num_bins=50),
            ValueDistribution,
            name="distribute_contract_values",
            summary="Awards by amount, in bins of equal width",
            details="Bins without an award are left out.",
        )
    ),
    "compare_first_digits": about_contracts(
        describe(
            _EXAMPLE,
            Benford,
            name="compare_contract_first_digits",
            summary="First digits of amounts beside Benford's law",
            details=_REVIEW,
        )
    ),
    "describe_rounding": about_contracts(
        describe(
            _EXAMPLE, Rounding, name="describe_contract_rounding", summary="How round the amounts are", details=_REVIEW
        )
    ),
}
