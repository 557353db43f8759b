"""The vocabulary of a version: which rows have which words in their titles.

Python tells the words apart, so that a search that does the same finds them. The words of a range of rows at a time are
held in memory; Postgres joins the ranges.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from psycopg2.extras import RealDictCursor

from chalicelib.db.contracts.copying import copy_rows
from chalicelib.db.contracts.versions import compose
from chalicelib.search.awards import words_of

_FETCHED_ROWS = 20_000


def fill_range(cursor: RealDictCursor, version: int, part: int, range_rows: int, tell: Callable[[], None]) -> bool:
    """Adds the words of a range of rows; answers whether the range is behind the last row. `tell` is called often."""
    values = {"after": part * range_rows, "last": (part + 1) * range_rows}
    rids: defaultdict[str, array[int]] = defaultdict(_no_rids)
    is_behind = True
    with cursor.connection.cursor(name="titles") as titles:
        titles.execute(compose("contracts_load", "read_titles", version), values)
        while rows := titles.fetchmany(_FETCHED_ROWS):
            is_behind = False
            _add(rids, rows)
            tell()
    copy_rows(cursor, compose("contracts_load", "copy_words", version), _word_rows(part, rids))
    return is_behind


def _no_rids() -> array[int]:
    return array("i")


def _add(rids: defaultdict[str, array[int]], rows: Sequence[tuple[int, str]]) -> None:
    for rid, text in rows:
        for word in words_of(text):
            rids[word].append(rid)


def _word_rows(part: int, rids: Mapping[str, Sequence[int]]) -> Iterator[tuple[object, ...]]:
    for word, found in rids.items():
        yield word, part, len(found), f"{{{','.join(map(str, found))}}}"
