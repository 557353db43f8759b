"""Questions about contracts, answered from the data set that is the current one at the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.db.contracts.current import CurrentVersion
from chalicelib.db.contracts.integrity import ContractIntegrity
from chalicelib.db.contracts.search import ContractSearch
from chalicelib.db.contracts.similar import ContractSimilar
from chalicelib.search.answers import ChartAnswer, SearchAnswer, TableAnswer, paginate, paginate_groups
from chalicelib.search.distribution import ValueDistribution
from chalicelib.search.filters import Filters
from chalicelib.search.highlight import highlight
from chalicelib.search.integrity import Benford, Rounding
from chalicelib.search.requests import (
    ChartRequest,
    DistributionRequest,
    SearchRequest,
    TableRequest,
    dimension_of,
    group_order_of,
    order_of,
    page_of,
)

if TYPE_CHECKING:
    from chalicelib.db.connect import Database


class Contracts:
    """Answers requests that have passed their check; raises Unavailable, and NotFound before the first import."""

    def __init__(self, database: Database) -> None:
        self._current = CurrentVersion(database)
        self._search = ContractSearch(database)
        self._integrity = ContractIntegrity(database)
        self._similar = ContractSimilar(database)

    def search(self, request: SearchRequest) -> SearchAnswer:
        """A page of awards."""

        def ask(version: int) -> SearchAnswer:
            page = page_of(request)
            rows, total = self._search.page(version, request, page, order_of(request))
            found = tuple(highlight(row, request) for row in rows) if request.highlight else tuple(rows)
            return SearchAnswer(
                data=found,
                results=found,
                pagination=paginate(page, total),
                dataset_version=version,
                did_you_mean=() if total else self._similar.suggest(version, request),
            )

        return self._current.ask(ask)

    def charts(self, request: ChartRequest) -> ChartAnswer:
        """What charts show."""
        return self._current.ask(
            lambda version: ChartAnswer(
                data=self._search.series(version, request, request.topN), dataset_version=version
            )
        )

    def table(self, request: TableRequest) -> TableAnswer:
        """A page of groups."""

        def ask(version: int) -> TableAnswer:
            page = page_of(request)
            rows, total = self._search.table(version, request, dimension_of(request), page, group_order_of(request))
            return TableAnswer(data=tuple(rows), pagination=paginate_groups(page, total), dataset_version=version)

        return self._current.ask(ask)

    def benford(self, filters: Filters) -> Benford:
        """First digits of the amounts beside Benford's law."""
        return self._current.ask(lambda version: self._integrity.benford(version, filters))

    def rounding(self, filters: Filters) -> Rounding:
        """How round the amounts are."""
        return self._current.ask(lambda version: self._integrity.rounding(version, filters))

    def value_distribution(self, request: DistributionRequest) -> ValueDistribution:
        """Amounts in bins of equal width."""
        return self._current.ask(lambda version: self._integrity.value_distribution(version, request, request.num_bins))
