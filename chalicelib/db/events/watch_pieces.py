"""Pieces of statements about stored events: from a closed set, so that no text of a user is ever in one."""

from __future__ import annotations

from chalicelib.db.sql import statements

_PIECES = ("looked_at", "fits", "each_result", "fits_result")


def compose(statement: str) -> str:
    """The statement with the pieces that it names in braces."""
    sql = statements("event_watch")
    return statement.format(**{name: sql[name].partition("\n")[2] for name in _PIECES})
