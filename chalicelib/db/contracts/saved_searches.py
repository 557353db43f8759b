"""The table `saved_searches` as the accounts see it: each its own, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from chalicelib.db.contracts.search_alerts import Channel, Recipient
from chalicelib.db.contracts.versions import one_row
from chalicelib.db.pages import Page, Place
from chalicelib.db.projects import read_row
from chalicelib.db.sql import statements
from chalicelib.db.viewer import missing, read_id
from chalicelib.errors import Conflict
from chalicelib.search.filters import Filters, canonical

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

    from chalicelib.db.connect import Database

# Of one account.
MOST_SEARCHES = 100
_WHAT = "saved search"


class SearchFields(Struct, frozen=True, kw_only=True):
    """A saved search as it is to be."""

    name: str
    filters: Filters
    channel: Channel
    # Of a webhook.
    target: str | None
    is_active: bool


class SavedSearch(Struct, frozen=True, kw_only=True):
    """A search that is kept, and asked again of each new data set."""

    id: Annotated[int, Meta(description="Names the search.")]
    name: str
    filters: Annotated[Raw, Meta(description="As they were given.")]
    channel: Annotated[Channel, Meta(description="How new awards are told; none: they are listed under `alerts` only.")]
    target: Annotated[str | None, Meta(description="Where to: the account's address, or that of the webhook.")]
    is_active: Annotated[bool, Meta(description="Whether new data sets are looked at.")]
    created_at: Annotated[datetime, Meta(description="RFC 3339 in UTC.")]
    updated_at: Annotated[datetime, Meta(description="RFC 3339 in UTC.")]
    last_version: Annotated[
        int,
        Meta(description="Data set that was looked at last, or was there when the search began; 0: there was none."),
    ]
    last_matches: Annotated[int | None, Meta(description="New awards in it; null where none was looked at yet.")]
    secret: Annotated[
        str | UnsetType,
        Meta(description="Key of the webhook's signatures. It is in the answer that makes it, and never again."),
    ] = UNSET
    warnings: Annotated[
        list[str] | UnsetType, Meta(description="Unknown fields that have been ignored; that no mail is sent.")
    ] = UNSET

    @property
    def place(self) -> Place:
        return Place(self.created_at, self.id)


class KeptAlert(Struct, frozen=True, kw_only=True):
    """What a data set brought, as it is kept."""

    id: int
    version: int
    base_version: int
    matches: int
    # JSON of a list.
    first_rows: str
    created_at: datetime
    delivery: str
    task_id: str | None

    @property
    def place(self) -> Place:
        return Place(self.created_at, self.id)


class SavedSearches:
    """Reads and writes an account's searches; raises Unavailable, and NotFound for the id of one that it has not."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("saved_searches")

    def page(self, account: int | None, page: Page) -> list[SavedSearch]:
        """The searches of a page, newest first, and one more if there is a next page."""
        with self._database.transaction() as cursor:
            return self._read(cursor, account, page)

    def find(self, account: int | None, search_id: str) -> SavedSearch:
        """One search."""
        with self._database.transaction() as cursor:
            return self._find(cursor, account, search_id)

    def add(self, account: int | None, fields: SearchFields, secret: str) -> SavedSearch:
        """A new search, which gets the secret if it has a webhook; raises Conflict."""
        with self._database.transaction() as cursor:
            self._check(cursor, account, fields.name, None)
            values = _values(fields) | {"account": account, "secret": secret if fields.target else None}
            cursor.execute(self._sql["add"], values)
            made = self._find(cursor, account, str(one_row(cursor)["id"]))
        return msgspec.structs.replace(made, secret=secret) if fields.target else made

    def change(
        self, account: int | None, search_id: str, change: Callable[[SearchFields], SearchFields], secret: str
    ) -> SavedSearch:
        """The search as `change` makes it; a new webhook gets the secret. Raises Conflict, and what that raises."""
        with self._database.transaction() as cursor:
            before, kept = self._lock(cursor, account, search_id)
            fields = change(before)
            self._check(cursor, account, fields.name, read_id(search_id))
            is_new = fields.target is not None and fields.target != before.target
            known = secret if is_new else kept
            values = _values(fields) | {"id": read_id(search_id), "secret": known if fields.target else None}
            cursor.execute(self._sql["change"], values)
            changed = self._find(cursor, account, search_id)
        return msgspec.structs.replace(changed, secret=secret) if is_new else changed

    def remove(self, account: int | None, search_id: str) -> None:
        """Removes a search and its alerts."""
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["remove"], {"account": account, "id": read_id(search_id)})
            if cursor.fetchone() is None:
                raise missing(_WHAT, search_id)

    def alerts(self, account: int | None, search_id: str, page: Page) -> list[KeptAlert]:
        """The alerts of a page, newest first, and one more if there is a next page."""
        with self._database.transaction() as cursor:
            search = self._find(cursor, account, search_id)
            cursor.execute(self._sql["read_alerts"], page.values() | {"id": search.id})
            return [read_row(row, KeptAlert) for row in cursor.fetchall()]

    def recipient(self, account: int | None, search_id: str) -> Recipient:
        """Where a search's messages go."""
        with self._database.transaction() as cursor:
            cursor.execute(self._sql["read_target"], {"account": account, "id": read_id(search_id)})
            row = cursor.fetchone()
        if row is None:
            raise missing(_WHAT, search_id)
        return msgspec.convert(row, Recipient)

    def _lock(self, cursor: RealDictCursor, account: int | None, search_id: str) -> tuple[SearchFields, str | None]:
        """A search and its secret; nobody else changes it before the transaction ends."""
        cursor.execute(self._sql["lock"], {"account": account, "id": read_id(search_id)})
        row = cursor.fetchone()
        if row is None:
            raise missing(_WHAT, search_id)
        filters = msgspec.json.decode(row["filters"], type=Filters)
        return msgspec.convert(dict(row) | {"filters": filters}, SearchFields), row["secret"]

    def _check(self, cursor: RealDictCursor, account: int | None, name: str, search_id: int | None) -> None:
        cursor.execute(self._sql["lock_account"], {"account": account})
        if cursor.fetchone() is None:
            raise missing("account", "" if account is None else account)
        cursor.execute(self._sql["count"], {"account": account, "name": name, "id": search_id})
        row = one_row(cursor)
        if row["namesake"] is not None:
            raise Conflict(f"name must be one of its own, and saved search {row['namesake']} is called {name!r}")
        if search_id is None and row["saved"] >= MOST_SEARCHES:
            raise Conflict(f"an account may save at most {MOST_SEARCHES} searches, and has {row['saved']}; remove one")

    def _find(self, cursor: RealDictCursor, account: int | None, search_id: str) -> SavedSearch:
        number = read_id(search_id)
        found = [] if number is None else self._read(cursor, account, Page(limit=0), number)
        if not found:
            raise missing(_WHAT, search_id)
        return found[0]

    def _read(
        self, cursor: RealDictCursor, account: int | None, page: Page, search_id: int | None = None
    ) -> list[SavedSearch]:
        cursor.execute(self._sql["read"], page.values() | {"account": account, "id": search_id})
        found = [dict(row) | {"filters": Raw(row["filters"].encode())} for row in cursor.fetchall()]
        return [read_row(row, SavedSearch) for row in found]


def _values(fields: SearchFields) -> dict[str, object]:
    return msgspec.structs.asdict(fields) | {
        "filters": msgspec.json.encode(_said(msgspec.to_builtins(fields.filters))).decode(),
        "canonical": msgspec.json.encode(canonical(fields.filters)).decode(),
    }


def _said(value: Any) -> Any:  # JSON of filters
    """What was said, without what says nothing: nulls, empty lists, false, and that texts are plain."""
    if isinstance(value, list | tuple):
        return [_said(item) for item in value]
    if not isinstance(value, dict):
        return value
    said = {name: _said(item) for name, item in value.items()}
    return {
        name: item
        for name, item in said.items()
        if item is not None and item is not False and item not in ([], "plain")
    }
