"""What a migration of an old installation answers."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class SetAside(msgspec.Struct, frozen=True):
    """A row or a value that has no place in the new tables and is kept in the table `set_aside`."""

    table: Annotated[str, Meta(description="Table of the old installation.")]
    id: Annotated[int, Meta(description="The row's id there.")]
    column: Annotated[str, Meta(description="The value's column; empty where the whole row was set aside.")]
    reason: Annotated[str, Meta(description="Why it could not be migrated as it was.")]


class LeftOut(msgspec.Struct, frozen=True):
    """Something of the old installation that has no place here and stays where it is."""

    name: Annotated[str, Meta(description="A table, or a column as table.column.")]
    rows: Annotated[int, Meta(description="Its rows, or the rows that have a value in the column.")]


class TableReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one table's rows: `source` is the sum of the three others."""

    table: Annotated[str, Meta(description="Name of the table, the same on both sides.")]
    source: Annotated[int, Meta(description="Rows in the old installation.")]
    migrated: Annotated[int, Meta(description="Rows that were added; with dry_run, that would be.")]
    already_there: Annotated[int, Meta(description="Rows that an earlier run had added and nobody changed since.")]
    set_aside: Annotated[int, Meta(description="Rows that were set aside as a whole.")]
    sha256: Annotated[str, Meta(description="Hash of the contents of all rows but those, the same on both sides.")]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a migration."""

    tables: tuple[TableReport, ...]
    total: Annotated[int, Meta(description="Rows in the four tables of the old installation.")]
    migrated: Annotated[int, Meta(description="Rows that were added; with dry_run, that would be.")]
    already_there: Annotated[int, Meta(description="Rows that an earlier run had added.")]
    set_aside: Annotated[tuple[SetAside, ...], Meta(description="The first 100 rows and values that were set aside.")]
    values_set_aside: Annotated[int, Meta(description="How many single values were set aside in all.")]
    rows_set_aside: Annotated[int, Meta(description="How many whole rows were set aside in all.")]
    not_migrated: Annotated[
        tuple[LeftOut, ...], Meta(description="Other tables and unknown columns, which stay where they are.")
    ]
    dry_run: Annotated[bool, Meta(description="Whether nothing was written.")]
