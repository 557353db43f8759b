"""All about one name: its awards by year, whom they bring it together with, and names that read alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.search.names import EntityId, NameRow, NameSums, entity_id, name_row
from chalicelib.search.paging import Dimension
from chalicelib.search.result import Count, Pesos, YearTotal, average

# Of each kind.
MOST_PARTNERS = 10
MOST_VARIANTS = 50

_REVIEW = (
    "For review, not a finding: names that differ in case, accents, blanks, punctuation, letters that look the same or "
    "the legal form alone may be of one entity or of several. All sums here are of the exact name."
)


class Partners(Struct, frozen=True, kw_only=True):
    """Names of one kind that the awards have besides."""

    count: Annotated[int, Meta(description="How many names there are.")]
    largest: Annotated[tuple[NameRow, ...], Meta(description=f"The {MOST_PARTNERS} with the largest sums.")]


class Variant(NameRow, frozen=True, kw_only=True):
    """Another name of the same kind that reads alike."""

    first_date: date | None
    last_date: date | None


class EntityProfile(Struct, frozen=True, kw_only=True):
    """All about one name. Awards without a date are in no year, those without another name in no list of partners."""

    kind: Dimension
    id: EntityId
    name: str
    count: Count
    total_value: Pesos
    avg_value: Annotated[float, Meta(description="In pesos.")]
    first_date: Annotated[date | None, Meta(description="Day of the earliest award, null where none has a date.")]
    last_date: date | None
    by_year: Annotated[tuple[YearTotal, ...], Meta(description="Earliest first.")]
    partners: Annotated[dict[str, Partners], Meta(description="By the other three kinds.")]
    variant_count: Annotated[int, Meta(description="Other names of this kind that read alike.")]
    variants: Annotated[
        tuple[Variant, ...], Meta(description=f"The {MOST_VARIANTS} of them with the most awards, most first.")
    ]
    warning: Annotated[str | None, Meta(description="What variants are worth; null where there are none.")]
    dataset_version: Annotated[int, Meta(description="Number of the data set that this was made from.")]


class Relations(Struct, frozen=True, kw_only=True):
    """What was found out about a name."""

    years: Sequence[YearTotal]
    partners: dict[str, Partners]
    variants: Sequence[NameSums]
    variant_count: int


def describe_entity(kind: Dimension, sums: NameSums, relations: Relations, version: int) -> EntityProfile:
    """The page of a name."""
    return EntityProfile(
        kind=kind,
        id=entity_id(sums.name),
        name=sums.name,
        count=sums.awards,
        total_value=sums.centavos / 100,
        avg_value=average(sums.centavos, sums.awards),
        first_date=sums.first,
        last_date=sums.last,
        by_year=tuple(relations.years),
        partners=relations.partners,
        variant_count=relations.variant_count,
        variants=tuple(map(_variant, relations.variants)),
        warning=_REVIEW if relations.variant_count else None,
        dataset_version=version,
    )


def describe_partners(names: Sequence[NameSums], count: int) -> Partners:
    """The names with the largest sums, of all there are."""
    return Partners(count=count, largest=tuple(map(name_row, names)))


def _variant(sums: NameSums) -> Variant:
    return Variant(
        id=entity_id(sums.name),
        name=sums.name,
        count=sums.awards,
        total_value=sums.centavos / 100,
        first_date=sums.first,
        last_date=sums.last,
    )
