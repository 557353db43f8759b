"""What the amounts of contracts look like: how they spread, their first digits, how round they are; in line."""

from __future__ import annotations

from typing import TypeVar

from msgspec import Struct, structs

from chalicelib.api.analysis import REFUSALS, describe, read_question
from chalicelib.api.http import Answer, Call
from chalicelib.api.route import Doc
from chalicelib.errors import NotFound
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


def _described(example: Filters, result: type[Struct], *, name: str, summary: str, details: str) -> Doc:
    doc = describe(example, result, name=name, summary=summary, details=details)
    return structs.replace(doc, group="Contracts", refusals=(*REFUSALS, NotFound))


DOCS = {
    "distribute": _described(
        DistributionRequest(business_categories=("construction",), num_bins=50),
        ValueDistribution,
        name="distribute_contract_values",
        summary="Awards by amount, in bins of equal width",
        details="Bins without an award are left out.",
    ),
    "compare_first_digits": _described(
        _EXAMPLE,
        Benford,
        name="compare_contract_first_digits",
        summary="First digits of amounts beside Benford's law",
        details=_REVIEW,
    ),
    "describe_rounding": _described(
        _EXAMPLE, Rounding, name="describe_contract_rounding", summary="How round the amounts are", details=_REVIEW
    ),
}
