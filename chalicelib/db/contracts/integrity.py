"""Counts of the amounts of one version's contracts, and what they look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from chalicelib.db.contracts.scope import opened
from chalicelib.db.contracts.statements import amounts_statement, run
from chalicelib.search.distribution import BinTotal, ValueDistribution, describe_bins
from chalicelib.search.integrity import Benford, RoundedCount, Rounding, compare_with_benford, describe_rounding

if TYPE_CHECKING:
    from chalicelib.db.connect import Database
    from chalicelib.search.filters import Filters


class ContractIntegrity:
    """Answers by filters that have passed their check; raises Unavailable, and Gone where a version was."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def benford(self, version: int, filters: Filters) -> Benford:
        """First digits beside Benford's law."""
        with opened(self._database, version, filters) as (cursor, scope):
            rows = run(cursor, amounts_statement(scope, "first_digits"))
        return compare_with_benford({row["digit"]: row["awards"] for row in rows})

    def rounding(self, version: int, filters: Filters) -> Rounding:
        """How round the amounts are."""
        with opened(self._database, version, filters) as (cursor, scope):
            rows = run(cursor, amounts_statement(scope, "roundness"))
        return describe_rounding(msgspec.convert(row, RoundedCount) for row in rows)

    def value_distribution(self, version: int, filters: Filters, bins: int) -> ValueDistribution:
        """Amounts in bins of equal width."""
        with opened(self._database, version, filters) as (cursor, scope):
            rows = run(cursor, amounts_statement(scope, "bins", bins))
        return describe_bins([msgspec.convert(row, BinTotal) for row in rows], bins)
