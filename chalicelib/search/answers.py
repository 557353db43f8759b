"""Answers as clients read them: what was found, and which part of it this is."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

from chalicelib.search.paging import Page
from chalicelib.search.result import Contract, Group, Series
from chalicelib.search.suggestions import Suggestion

_Success = Annotated[Literal[True], Meta(description="Always true; errors have a status of their own.")]


class _Place(Struct, frozen=True, kw_only=True):
    page_size: int
    total_pages: Annotated[int, Meta(description="0 where there is nothing.")]
    has_next: bool
    has_previous: bool


class Pagination(_Place, frozen=True, kw_only=True):
    """Which page this is, and how many there are."""

    page: int
    total_count: Annotated[int, Meta(description="Awards that fit, on whichever page.")]


class GroupPagination(_Place, frozen=True, kw_only=True):
    """Which page this is, and how many there are."""

    current_page: int
    total_count: Annotated[int, Meta(description="Groups, on whichever page.")]


class SearchAnswer(Struct, frozen=True, kw_only=True):
    """A page of awards."""

    data: Annotated[tuple[Contract, ...], Meta(description="The awards.")]
    results: Annotated[tuple[Contract, ...], Meta(description="The same.")]
    pagination: Pagination
    dataset_version: Annotated[int, Meta(description="Number of the data set that this was made from.")]
    did_you_mean: Annotated[
        tuple[Suggestion, ...],
        Meta(description="Where nothing was found: for each text that fits nothing what is like it, if anything is."),
    ] = ()
    success: _Success = True


class ChartAnswer(Struct, frozen=True, kw_only=True):
    """What charts show."""

    data: Series
    dataset_version: Annotated[int, Meta(description="Number of the data set that this was made from.")]
    success: _Success = True


class TableAnswer(Struct, frozen=True, kw_only=True):
    """A page of groups."""

    data: Annotated[tuple[Group, ...], Meta(description="The groups.")]
    pagination: GroupPagination
    dataset_version: Annotated[int, Meta(description="Number of the data set that this was made from.")]
    success: _Success = True


def paginate(page: Page, total: int) -> Pagination:
    """The place of a page among `total` rows; a page behind the last one has no next one."""
    return Pagination(page=page.number, total_count=total, **structs.asdict(_place(page, total)))


def paginate_groups(page: Page, total: int) -> GroupPagination:
    """The same for groups."""
    return GroupPagination(current_page=page.number, total_count=total, **structs.asdict(_place(page, total)))


def _place(page: Page, total: int) -> _Place:
    pages = -(-total // page.size)
    return _Place(page_size=page.size, total_pages=pages, has_next=page.number < pages, has_previous=page.number > 1)
