"""Facets: what each filter could be set to besides, with how many awards there would be.

The values of a filter are counted under all filters but itself, for its items are joined by "or": whoever has chosen
one sees what a second one would add.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.search.filters import Filters
from chalicelib.search.names import EntityId
from chalicelib.search.result import Count, Pesos

_Selected = Annotated[bool, Meta(description="Whether the filter of its kind is set and lets it through.")]


class FacetRequest(Filters, frozen=True, kw_only=True):
    """Which filters are set, and how many values to offer."""

    size: Annotated[
        Annotated[int, Meta(ge=1, le=200)], Meta(description="Values of a list, those with the most awards.")
    ] = 20


class NameFacet(Struct, frozen=True, kw_only=True):
    """A name, and its awards under all other filters."""

    id: EntityId
    value: str
    count: Count
    total_value: Pesos
    selected: _Selected


class YearFacet(Struct, frozen=True, kw_only=True):
    """A calendar year, and its awards under all filters but those of time."""

    value: int
    count: Count
    total_value: Pesos
    selected: Annotated[bool, Meta(description="Whether a day of the year is in the time that is asked for.")]


class Facets(Struct, frozen=True, kw_only=True):
    """Values to choose from, most awards first. Awards without a name or date are in no value."""

    contractors: tuple[NameFacet, ...]
    organizations: tuple[NameFacet, ...]
    areas: tuple[NameFacet, ...]
    business_categories: tuple[NameFacet, ...]
    years: tuple[YearFacet, ...]


class FacetAnswer(Struct, frozen=True, kw_only=True):
    """What each filter could be set to."""

    data: Facets
    dataset_version: Annotated[int, Meta(description="Number of the data set that this was made from.")]
