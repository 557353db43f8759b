"""A page of a list that is read newest first, and the place where the next one goes on."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CURSOR = re.compile(r"(-?\d{1,18})-(\d{1,18})", re.ASCII)


class Place(msgspec.Struct, frozen=True):
    """The last row of a page: its time and its id, which decides between rows of one moment."""

    at: datetime
    row_id: int

    def __str__(self) -> str:
        """As a cursor that a client hands back."""
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.row_id}"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows are wanted, and after which one."""

    limit: int
    after: Place | None = None

    def values(self) -> dict[str, Any]:  # the parameters of a statement
        """What the queries call it; one row more than wanted tells whether there is a next page."""
        after = self.after
        return {
            "limit": self.limit + 1,
            "after_at": after.at if after else None,
            "after_id": after.row_id if after else None,
        }


def read_place(cursor: str) -> Place | None:
    """The place that a cursor names; None if it is none of ours."""
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        return None
    try:
        return Place(_EPOCH + int(found[1]) * _MICROSECOND, int(found[2]))
    except OverflowError:
        return None
