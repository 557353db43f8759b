"""All awards that fit, page by page: a cursor says where the next page begins, in which data set, and of what filters.

A harvest stays with the data set that it began with, so nothing is left out or there twice though an import comes in
between. A client may read and forge a cursor: it says nothing that could not be asked for.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.search.filters import Filters, canonical
from chalicelib.search.paging import PageSize
from chalicelib.search.result import Contract

# Of the filters' digest in a cursor; it is there for mistakes, not for enemies.
_FINGERPRINT = 16
# Of what is shown of a cursor that is none.
_SHOWN = 40
# Beyond any row, and such that the next number is one for Postgres too.
_Number = Annotated[int, Meta(ge=0, le=2_000_000_000)]


class HarvestRequest(Filters, frozen=True, kw_only=True):
    """Which awards are wanted, and from where on."""

    page_size: Annotated[PageSize, Meta(description="Awards of a page, at most 1000.")] = 1_000
    cursor: Annotated[
        Annotated[str, Meta(min_length=1, max_length=200)] | None,
        Meta(description="The next_cursor of the page before, to be sent with the same filters; none for the first."),
    ] = None


class HarvestPage(Struct, frozen=True, kw_only=True):
    """A page of awards, newest first, then largest."""

    data: tuple[Contract, ...]
    next_cursor: Annotated[str | None, Meta(description="Where the next page begins; null where there is none.")]
    total_count: Annotated[int, Meta(description="Awards of all pages.")]
    dataset_version: Annotated[int, Meta(description="Number of the data set that all pages are from.")]


class Cursor(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a page begins."""

    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    # The number of the last row before it.
    after: _Number
    # Awards of all pages, which are counted once.
    total: _Number
    fingerprint: str


def write_cursor(cursor: Cursor) -> str:
    """The cursor as a client hands it back: letters, digits, - and _."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def read_cursor(request: HarvestRequest) -> Cursor | None:
    """Where the page begins, None for the first one; raises InvalidRequest for a cursor of other filters or none."""
    if request.cursor is None:
        return None
    try:
        padded = request.cursor + "=" * (-len(request.cursor) % 4)
        cursor = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=Cursor)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise _refused(f"must be the next_cursor of a page, got {request.cursor[:_SHOWN]!r}") from None
    if cursor.fingerprint != fingerprint(request):
        raise _refused("belongs to other filters: send it with those of the first page")
    return cursor


def fingerprint(filters: Filters) -> str:
    """What tells filters apart, however they are written."""
    text = msgspec.json.encode(canonical(filters), order="deterministic")
    return hashlib.sha256(text).hexdigest()[:_FINGERPRINT]


def _refused(detail: str) -> InvalidRequest:
    return InvalidRequest([FieldError("/cursor", detail)])
