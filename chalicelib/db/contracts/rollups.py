"""Which sums that were made at load answer for a scope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from chalicelib.db.contracts.scope import Scope
from chalicelib.search.paging import Dimension

# How the load numbers dimensions in its sums by year.
KINDS: Mapping[Dimension, int] = {"contractor": 1, "organization": 2, "area": 3, "category": 4}

Rollup = Literal["all", "year", "years"]


def rollup_of(scope: Scope) -> Rollup | None:
    """Those of the whole data set, of a year or of several; None where the rows have to be summed."""
    if not scope.is_of_time_alone or scope.years is None:
        return None
    if len(scope.years) > 1:
        return "years"
    return "year" if scope.years else "all"


def rollup_values(scope: Scope) -> dict[str, object]:
    """The values that pieces on these sums name."""
    years = scope.years or ()
    return {"years": list(years), "year": min(years, default=None)}
