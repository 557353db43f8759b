"""Who asks for saved rows, and which of them that shows and lets change."""

from __future__ import annotations

import msgspec

from chalicelib.errors import Forbidden, NotFound
from chalicelib.model import ADMIN_ROLE, Caller

# Roles that see the rows of everybody, also those that are older than their installation's accounts.
SEEING_ROLES = frozenset({ADMIN_ROLE, "instructor"})
# A bigint has 19.
_ID_DIGITS = 18


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """An account in the terms of the queries: its rows are those with its id in `user_id`."""

    account: int | None
    # Whether the rows of everybody are shown.
    sees_all: bool
    # Whether the rows of everybody may be changed.
    changes_all: bool


def viewer_of(caller: Caller) -> Viewer:
    """The caller as the queries know it; an API key changes the rows of others with the scope admin only."""
    return Viewer(
        account=read_id(caller.user_id),
        sees_all=caller.role in SEEING_ROLES,
        changes_all="admin" in caller.scopes,
    )


def read_id(text: str) -> int | None:
    """The number that an id's text stands for; None, which no row has, for any other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _ID_DIGITS else None


def missing(what: str, row_id: str | int) -> NotFound:
    """The answer about a row that is not there, word for word that about somebody else's."""
    return NotFound(f"there is no {what} {str(row_id)[:40]}")


def check_owner(viewer: Viewer, owner: int | None, what: str, row_id: str | int) -> None:
    """Raises Forbidden where a row that the viewer sees is not the viewer's to change."""
    if not viewer.changes_all and (owner is None or owner != viewer.account):
        raise Forbidden(f"only its owner or an admin may change {what} {str(row_id)[:40]}")
