"""Pieces of statements on one version's tables, from files of `queries/`: all that a search is composed of.

What is put into a piece is another piece, the name of a table or column of ours, or the name of a value that is passed
beside the statement; never a value itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal

from psycopg2 import sql

from chalicelib.db.contracts.versions import schema_name
from chalicelib.db.sql import statements

FAMILIES = (
    "contracts_search",
    "contracts_texts",
    "contracts_entities",
    "contracts_export",
    "contracts_review",
    "contracts_similar",
)


def fragment(name: str, version: int, **parts: str | sql.Composable) -> sql.Composed:
    """A piece without its line of purpose; a part that is a plain text is an identifier."""
    _, _, text = _pieces()[name].partition("\n")
    identifiers = {key: sql.Identifier(part) if isinstance(part, str) else part for key, part in parts.items()}
    return sql.SQL(text).format(schema=sql.Identifier(schema_name(version)), **identifiers)


def placeholder(name: str) -> sql.Placeholder:
    """Where the value of that name goes."""
    return sql.Placeholder(name)


def all_of(pieces: Sequence[sql.Composable]) -> sql.Composable:
    """Conditions that must all hold, at least one."""
    return sql.SQL("\n    AND ").join(pieces)


def any_of(pieces: Sequence[sql.Composable]) -> sql.Composable:
    """Conditions of which one must hold, at least one."""
    return sql.SQL("({})").format(sql.SQL(" OR ").join(pieces))


def united(pieces: Sequence[sql.Composable]) -> sql.Composable:
    """Queries, at least one, as one: the rows of any, each once."""
    return sql.SQL("\nUNION\n").join(pieces)


def joined(pieces: Sequence[sql.Composable], operator: Literal["&", "|", "||"]) -> sql.Composable:
    """Lists, at least one, as one: what is in all, in any, or all after each other."""
    return sql.SQL("({})").format(sql.SQL(f"\n    {operator} ").join(pieces))


@cache
def _pieces() -> dict[str, str]:
    named = [piece for family in FAMILIES for piece in statements(family).items()]
    pieces = dict(named)
    if len(pieces) < len(named):
        raise ValueError(f"a name occurs in two of {', '.join(FAMILIES)}")
    return pieces
