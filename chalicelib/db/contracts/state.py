"""How far a load has come, kept in its version's schema so that any process can go on with it."""

from __future__ import annotations

import msgspec
from psycopg2 import errors
from psycopg2.extras import RealDictCursor

from chalicelib.db.contracts.versions import compose
from chalicelib.errors import JobFailed, Superseded


class State(msgspec.Struct, frozen=True):
    """What is to be done next, and how much of the source has been read."""

    phase: str
    # Parts of the phase that are done.
    part: int
    rows_read: int
    byte: int
    lines: int


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """How much is done at a time, and for how many rows it is worth to prepare an answer."""

    # Ten megabytes as text, some of them as Python's objects.
    batch_rows: int = 20_000
    # Batches of one part, which takes some ten seconds.
    part_batches: int = 25
    # Rows whose words are held in memory together; a hundred megabytes.
    range_rows: int = 500_000
    # Rows of a word that is common, so that its n-grams with others are listed: to look into the titles of fewer rows
    # takes less than 50 ms. An n-gram is common, so that longer ones are listed, with half as many.
    common_rows: int = 10_000
    # Letters that such a word has at most.
    common_letters: int = 80
    # Rows by which n-grams are known as common.
    sampled_rows: int = 50_000
    # Rows of a word for which sums are kept: to sum up fewer takes less than 100 ms.
    summed_rows: int = 50_000
    # Names of each kind whose sums are kept for such a word, as many as charts may show.
    summed_names: int = 1_000


def read_state(cursor: RealDictCursor, version: int) -> State:
    """How far the load has come; the caller's own until the transaction ends. Raises JobFailed if there is no load."""
    try:
        cursor.execute(compose("contracts_load", "lock_state", version))
        row = cursor.fetchone()
    except (errors.InvalidSchemaName, errors.UndefinedTable):
        raise JobFailed(f"version {version} of the contracts is not being loaded") from None
    if row is None:
        # Tables without a journal are empty after a crash.
        raise JobFailed("the database lost the load when it crashed; start it again")
    return msgspec.convert(row, State)


def expect_state(cursor: RealDictCursor, version: int, state: State) -> None:
    """Makes sure that the load is where the caller left it; raises Superseded if somebody has gone on with it."""
    if read_state(cursor, version) != state:
        raise Superseded(f"another run has gone on with the load of version {version}")


def keep_state(cursor: RealDictCursor, version: int, state: State) -> None:
    """Keeps how far the load has come, together with the rest of the transaction's work."""
    cursor.execute(compose("contracts_load", "keep_state", version), msgspec.structs.asdict(state))
