"""Lists by page: a bare list as old clients read it, and the address of the next page in the Link header."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlencode

import msgspec

from chalicelib.api.http import Answer, Call
from chalicelib.api.route import Param, Reply
from chalicelib.db.pages import Page, Place, read_place
from chalicelib.errors import FieldError, InvalidRequest

PAGE, MAX_PAGE = 100, 500
PAGE_PARAMS = (
    Param(name="limit", where="query", summary=f"Rows of a page, 1 to {MAX_PAGE}; {PAGE} when missing."),
    Param(name="cursor", where="query", summary="Where the page begins: from the Link header of the one before it."),
)
NO_STORE = {"Cache-Control": "no-store"}


class Placed(Protocol):
    """A row that knows its place in the list."""

    @property
    def place(self) -> Place: ...


def read_page(call: Call) -> Page:
    """Which page is wanted; raises InvalidRequest naming the parameter that is wrong."""
    cursor = call.query.get("cursor", "")
    after = read_place(cursor) if cursor else None
    if cursor and after is None:
        raise InvalidRequest([FieldError("", f"cursor must be one of a Link header, got {cursor[:40]!r}")])
    return Page(limit=read_limit(call), after=after)


def read_limit(call: Call) -> int:
    """How many rows are wanted; raises InvalidRequest."""
    text = call.query.get("limit", str(PAGE))
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and 1 <= int(text) <= MAX_PAGE):
        raise InvalidRequest([FieldError("", f"limit must be a whole number from 1 to {MAX_PAGE}, got {text[:40]!r}")])
    return int(text)


def answer_page(call: Call, page: Page, rows: Sequence[Placed]) -> Answer:
    """The rows of a page, of which one more than wanted says that there is a next page."""
    shown = rows[: page.limit]
    if len(rows) <= page.limit:
        return Answer(body=shown, headers=NO_STORE)
    query = urlencode({**call.query, "cursor": str(shown[-1].place)})
    return Answer(body=shown, headers={**NO_STORE, "Link": f'<{call.path}?{query}>; rel="next"'})


def list_reply(summary: str, type_: type[msgspec.Struct]) -> Reply:
    """The description of a page of `type_`."""
    body: type = list[type_]  # type: ignore[valid-type]
    return Reply(summary=summary, body=body, headers={"Link": 'Address of the next page, as `rel="next"`, if any.'})
