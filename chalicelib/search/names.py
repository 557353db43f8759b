"""Names that awards have, and lists of them: what a client offers as filters, and where it links to."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

from chalicelib.errors import FieldError
from chalicelib.search.answers import paginate
from chalicelib.search.filters import NO_CHARACTER
from chalicelib.search.paging import Dimension, Page, PageNumber, PageSize
from chalicelib.search.result import Count, Pesos

# The kinds of names in the words of the filters.
NameKind = Literal["contractors", "organizations", "areas", "business_categories"]
NAME_KINDS: Mapping[NameKind, Dimension] = {
    "contractors": "contractor",
    "organizations": "organization",
    "areas": "area",
    "business_categories": "category",
}
# What names can be sorted by.
NameField = Literal["name", "count", "total", "average", "first_date", "last_date"]
MOST_NAMES = 1_000
_ID = re.compile("[0-9a-f]{32}")

SearchText = Annotated[str, Meta(max_length=500)]
EntityId = Annotated[str, Meta(description="Names the same name in every data set; see `/api/v1/entities/`.")]
_Search = Annotated[SearchText, Meta(description="Text that stands anywhere in the name, in any case.")]
_PageNumber = Annotated[PageNumber, Meta(description="Page, from 1.")]
_PageSize = Annotated[PageSize, Meta(description=f"Names of a page, at most {MOST_NAMES}.")]


class NameOrder(Struct, frozen=True):
    """An order of names; equals stand in the order of their names, what has no value last."""

    field: NameField = "total"
    is_descending: bool = True


class NameSums(Struct, frozen=True):
    """The awards with one name; no days where none of them has a date."""

    name: str
    awards: int
    centavos: int
    first: date | None
    last: date | None


class OptionsRequest(Struct, frozen=True, kw_only=True):
    """Which names to offer as filters."""

    kind: Annotated[NameKind | None, Meta(description="Of which kind; of all four where it is missing.")] = None
    search: _Search = ""
    page: _PageNumber = 1
    page_size: _PageSize = 100
    sort_by: Annotated[Literal["count", "name"], Meta(description="Most awards first, or in alphabetical order.")] = (
        "count"
    )


class NamesRequest(Struct, frozen=True, kw_only=True):
    """Which names of a kind to list; in alphabetical order."""

    search: _Search = ""
    word: Annotated[
        SearchText, Meta(description="Text that stands in the name between what are no letters or digits, in any case.")
    ] = ""
    page: _PageNumber = 1
    page_size: _PageSize = 100


class NameOption(Struct, frozen=True, kw_only=True):
    """A name and its awards."""

    id: EntityId
    value: str
    count: Count
    total_value: Pesos


class YearOption(Struct, frozen=True, kw_only=True):
    """A calendar year and its awards."""

    year: int
    count: Count


class OptionPlace(Struct, frozen=True, kw_only=True):
    """Which page of a list this is, and how many there are."""

    page: int
    page_size: int
    total_count: Annotated[int, Meta(description="Names that fit, on whichever page.")]
    total_pages: int
    has_next: bool
    has_previous: bool


class FilterOptions(Struct, frozen=True, kw_only=True):
    """What can be filtered by. Lists of kinds that were not asked for are empty and not in `pagination`."""

    contractors: tuple[NameOption, ...] = ()
    organizations: tuple[NameOption, ...] = ()
    areas: tuple[NameOption, ...] = ()
    business_categories: tuple[NameOption, ...] = ()
    years: Annotated[tuple[YearOption, ...], Meta(description="Earliest first; awards without a date are in none.")]
    pagination: Annotated[dict[str, OptionPlace], Meta(description="By kind.")]
    dataset_version: Annotated[int, Meta(description="Number of the data set that this was made from.")]


class NameRow(Struct, frozen=True, kw_only=True):
    """A name and its awards."""

    id: EntityId
    name: str
    count: Count
    total_value: Pesos


class NameList(Struct, frozen=True, kw_only=True):
    """A page of names."""

    count: Annotated[int, Meta(description="Names that fit, on whichever page.")]
    next: Annotated[str | None, Meta(description="Address of the next page.")]
    previous: Annotated[str | None, Meta(description="Address of the page before.")]
    results: tuple[NameRow, ...]


def entity_id(name: str) -> str:
    """What stands for a name in addresses: it is made of the name alone, so every data set has the same one."""
    # As Postgres makes it in an index; it keeps nothing secret.
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def is_entity_id(text: str) -> bool:
    """Whether a text can be what stands for a name."""
    return _ID.fullmatch(text) is not None


def whole_word(text: str) -> re.Pattern[str]:
    """What finds a folded text between what are no letters or digits, the ends of a name included."""
    return re.compile(rf"(?<![^\W_]){re.escape(text)}(?![^\W_])")


def check_texts(request: Struct) -> list[FieldError]:
    """A rule for all texts of a request that no schema can state."""
    return list(_wrong_texts(request))


def name_row(sums: NameSums) -> NameRow:
    """A name as lists have it."""
    return NameRow(id=entity_id(sums.name), name=sums.name, count=sums.awards, total_value=sums.centavos / 100)


def name_option(sums: NameSums) -> NameOption:
    """A name as filters offer it."""
    return NameOption(id=entity_id(sums.name), value=sums.name, count=sums.awards, total_value=sums.centavos / 100)


def option_place(page: Page, total: int) -> OptionPlace:
    """The place of a page among `total` names."""
    return OptionPlace(**structs.asdict(paginate(page, total)))


def year_options(months: Iterable[tuple[date, int]]) -> tuple[YearOption, ...]:
    """The years of months with how many awards each has, in the order of the months."""
    counts = Counter[int]()
    for month, awards in months:
        counts[month.year] += awards
    return tuple(YearOption(year=year, count=count) for year, count in counts.items())


def _wrong_texts(request: Struct) -> Iterator[FieldError]:
    for name, value in structs.asdict(request).items():
        if isinstance(value, str) and NO_CHARACTER.search(value):
            yield FieldError(f"/{name}", "must not contain U+0000 or half of a surrogate pair")
