"""Lists about contracts, answered in line: names, what occurs together, facets, and all awards by cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.db.contracts.current import CurrentVersion
from chalicelib.db.contracts.entities import ContractEntities
from chalicelib.db.contracts.facets import ContractFacets
from chalicelib.db.contracts.harvest import ContractHarvest
from chalicelib.db.contracts.names import NameQuery
from chalicelib.search.entities import (
    DIMENSION_OF,
    AvailableTimes,
    EntityContractPage,
    EntityContractsRequest,
    EntityFilter,
    EntityPage,
    EntityQuery,
    EntityRow,
    RelatedQuery,
    available_times,
    entity_contract,
    entity_row,
    envelope,
    name_order_of,
    order_of,
    page_of,
    time_filters,
)
from chalicelib.search.facets import FacetAnswer, FacetRequest
from chalicelib.search.filters import Filters
from chalicelib.search.harvest import HarvestPage, HarvestRequest, read_cursor
from chalicelib.search.names import (
    NAME_KINDS,
    FilterOptions,
    NameOption,
    NameOrder,
    NameRow,
    NamesRequest,
    OptionPlace,
    OptionsRequest,
    name_option,
    name_row,
    option_place,
    year_options,
)
from chalicelib.search.paging import Dimension, Page
from chalicelib.search.profile import EntityProfile, describe_entity

if TYPE_CHECKING:
    from chalicelib.db.connect import Database

_EVER = Filters()


class Directory:
    """Answers requests that have passed their check; raises Unavailable, and NotFound before the first import."""

    def __init__(self, database: Database) -> None:
        self._current = CurrentVersion(database)
        self._entities = ContractEntities(database)
        self._facets = ContractFacets(database)
        self._harvest = ContractHarvest(database)

    def options(self, request: OptionsRequest) -> FilterOptions:
        """What can be filtered by."""
        return self._current.ask(lambda version: self._options(version, request))

    def names(self, dimension: Dimension, request: NamesRequest) -> tuple[list[NameRow], int]:
        """A page of the names of a kind, and how many fit."""
        query = NameQuery(
            dimension=dimension,
            order=NameOrder("name", is_descending=False),
            page=Page(request.page, request.page_size),
            text=request.search,
            word=request.word,
        )
        names, total = self._current.ask(lambda version: self._entities.names(version, query, _EVER))
        return list(map(name_row, names)), total

    def entities(self, request: EntityQuery) -> EntityPage:
        """A page of names with their sums."""
        query = NameQuery(
            dimension=DIMENSION_OF[request.entity_type],
            order=name_order_of(request),
            page=page_of(request),
            text=request.search,
        )
        times = time_filters(request)
        names, total = self._current.ask(lambda version: self._entities.names(version, query, times))
        return EntityPage(rows=tuple(map(entity_row, names)), **envelope(query.page, total))

    def related(self, request: RelatedQuery) -> list[EntityRow]:
        """The names with the largest sums among the awards of a name; none where nothing has that name."""
        query = NameQuery(dimension=request.target_dim, order=NameOrder(), page=Page(1, request.limit))
        source = EntityFilter(dim=request.source_dim, value=request.source_value)
        times = time_filters(request)
        names = self._current.ask(lambda version: self._entities.related(version, source, query, times))
        return list(map(entity_row, names))

    def contracts(self, request: EntityContractsRequest) -> EntityContractPage:
        """A page of the awards with exact names."""
        times, page, order = time_filters(request), page_of(request), order_of(request)
        contracts, total = self._current.ask(
            lambda version: self._entities.contracts(version, request.filters, times, page, order)
        )
        return EntityContractPage(rows=tuple(map(entity_contract, contracts)), **envelope(page, total))

    def times(self) -> AvailableTimes:
        """The years and quarters that have awards."""
        return available_times([month for month, _ in self._current.ask(self._entities.months)])

    def profile(self, kind: Dimension, entity: str) -> EntityProfile:
        """All about the name that an id stands for; raises NotFound for one of no name."""

        def ask(version: int) -> EntityProfile:
            return describe_entity(kind, *self._entities.profile(version, kind, entity), version)

        return self._current.ask(ask)

    def facets(self, request: FacetRequest) -> FacetAnswer:
        """The values of each filter."""
        return self._current.ask(
            lambda version: FacetAnswer(data=self._facets.facets(version, request), dataset_version=version)
        )

    def harvest(self, request: HarvestRequest) -> HarvestPage:
        """A page of all awards that fit; raises InvalidRequest for a wrong cursor, Gone for one that has outlived."""
        cursor = read_cursor(request)
        if cursor is None:
            return self._current.ask(lambda version: self._harvest.first(version, request))
        return self._harvest.next(cursor, request)

    def _options(self, version: int, request: OptionsRequest) -> FilterOptions:
        order = NameOrder(request.sort_by, is_descending=request.sort_by == "count")
        page = Page(request.page, request.page_size)
        wanted = NAME_KINDS if request.kind is None else {request.kind: NAME_KINDS[request.kind]}
        lists: dict[str, tuple[NameOption, ...]] = {}
        places: dict[str, OptionPlace] = {}
        for kind, dimension in wanted.items():
            query = NameQuery(dimension=dimension, order=order, page=page, text=request.search)
            names, total = self._entities.names(version, query, _EVER)
            lists[kind] = tuple(map(name_option, names))
            places[kind] = option_place(page, total)
        return FilterOptions(
            **lists,
            years=year_options(self._entities.months(version)),
            pagination=places,
            dataset_version=version,
        )
