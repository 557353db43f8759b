"""The vocabulary of a version: which rows have which words in their titles, and which pairs of common words.

Python tells the words apart, so that a search that does the same finds them. Those of a range of rows at a time are
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
from chalicelib.search.pairs import PairFinder

_FETCHED_ROWS = 20_000


class RangeFiller:
    """Lists the rows of what is found in their titles, a range of rows at a time; `tell` is called often."""

    def __init__(self, cursor: RealDictCursor, version: int, tell: Callable[[], None]) -> None:
        self._cursor = cursor
        self._version = version
        self._tell = tell

    def words(self, part: int, range_rows: int) -> bool:
        """Adds the words of a range; answers whether the range is behind the last row."""
        return self._fill(words_of, part, range_rows)

    def pairs(self, part: int, range_rows: int) -> bool:
        """Adds the pairs of common words, which are known when all words are."""
        self._cursor.execute(compose("contracts_load", "common_words", self._version))
        return self._fill(PairFinder({row["token"] for row in self._cursor.fetchall()}), part, range_rows)

    def _fill(self, find: Callable[[str], set[str]], part: int, range_rows: int) -> bool:
        values = {"after": part * range_rows, "last": (part + 1) * range_rows}
        rids: defaultdict[str, array[int]] = defaultdict(_no_rids)
        is_behind = True
        with self._cursor.connection.cursor(name="titles") as titles:
            titles.execute(compose("contracts_load", "read_titles", self._version), values)
            while rows := titles.fetchmany(_FETCHED_ROWS):
                is_behind = False
                for rid, text in rows:
                    for name in find(text):
                        rids[name].append(rid)
                self._tell()
        copy_rows(self._cursor, compose("contracts_load", "copy_words", self._version), _word_rows(part, rids))
        return is_behind


def _no_rids() -> array[int]:
    return array("i")


def _word_rows(part: int, rids: Mapping[str, Sequence[int]]) -> Iterator[tuple[object, ...]]:
    for name, found in rids.items():
        yield name, part, len(found), f"{{{','.join(map(str, found))}}}"
