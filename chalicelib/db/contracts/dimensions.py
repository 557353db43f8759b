"""The names of a version: contractors, organizations, areas and categories, each numbered in the order of its names."""

from __future__ import annotations

from psycopg2.extras import RealDictCursor

from chalicelib.db.contracts.copying import copy_rows
from chalicelib.db.contracts.versions import compose
from chalicelib.search.awards import fold
from chalicelib.search.likeness import likeness

# Their places, from 1, are their kinds in the table entity_year.
DIMENSIONS = ("contractor", "organization", "area", "category")
_FETCHED_ROWS = 20_000


def fill_dimension(cursor: RealDictCursor, version: int, dimension: str) -> None:
    """Fills a dimension's table from the stage. Python folds the names, so that a search that does the same agrees."""
    with cursor.connection.cursor(name="names") as names:
        names.execute(compose("contracts_load", "read_names", version, dimension=dimension))
        while rows := names.fetchmany(_FETCHED_ROWS):
            copy_rows(
                cursor,
                compose("contracts_load", "copy_names", version),
                ((name, fold(name), likeness(name)) for (name,) in rows),
            )
    cursor.execute(compose("contracts_load", "fill_dimension", version, dimension=dimension))
