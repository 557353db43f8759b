"""The vocabulary of a version: which rows have which words in their titles, and which n-grams of common words.

Python tells the words apart, so that a search that does the same finds them. Those of a range of rows at a time are
held in memory; Postgres joins the ranges.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from psycopg2 import sql
from psycopg2.extras import RealDictCursor

from chalicelib.db.contracts.copying import copy_rows
from chalicelib.db.contracts.state import Sizes
from chalicelib.db.contracts.versions import compose, one_row
from chalicelib.search.awards import words_of
from chalicelib.search.grams import GramFinder, common_grams

_FETCHED_ROWS = 20_000
# Rows of the sample that are beside each other: their titles share pages, and the year's fashion in words.
_BLOCK_ROWS = 100


class RangeFiller:
    """Lists the rows of what is found in their titles, a range of rows at a time; `tell` is called often."""

    def __init__(self, cursor: RealDictCursor, version: int, tell: Callable[[], None]) -> None:
        self._cursor = cursor
        self._version = version
        self._tell = tell

    def words(self, part: int, range_rows: int) -> bool:
        """Adds the words of a range; answers whether the range is behind the last row."""
        return self._fill(words_of, part, range_rows)

    def choose_grams(self, sizes: Sizes) -> None:
        """Keeps which n-grams are common as a sample of the rows tells, when all words are known."""
        self._cursor.execute(self._compose("last_row"))
        last = int(one_row(self._cursor)["rid"])
        gap = max(_BLOCK_ROWS, last * _BLOCK_ROWS // sizes.sampled_rows)
        self._cursor.execute(self._compose("sample_titles"), {"last": last, "gap": gap, "block_rows": _BLOCK_ROWS})
        texts = [row["search_text"] for row in self._cursor.fetchall()]
        self._tell()
        least = max(2, sizes.common_rows * len(texts) // (2 * last))
        grams = sorted(common_grams(texts, self._tokens("common_words"), least))
        copy_rows(self._cursor, self._compose("copy_common_grams"), ((gram,) for gram in grams))

    def grams(self, part: int, range_rows: int) -> bool:
        """Adds the n-grams of common words, when it has been chosen which are common."""
        return self._fill(GramFinder(self._tokens("common_words"), self._tokens("common_grams")), part, range_rows)

    def _fill(self, find: Callable[[str], set[str]], part: int, range_rows: int) -> bool:
        values = {"after": part * range_rows, "last": (part + 1) * range_rows}
        rids: defaultdict[str, array[int]] = defaultdict(_no_rids)
        is_behind = True
        with self._cursor.connection.cursor(name="titles") as titles:
            titles.execute(self._compose("read_titles"), values)
            while rows := titles.fetchmany(_FETCHED_ROWS):
                is_behind = False
                for rid, text in rows:
                    for name in find(text):
                        rids[name].append(rid)
                self._tell()
        copy_rows(self._cursor, self._compose("copy_words"), _word_rows(part, rids))
        return is_behind

    def _tokens(self, statement: str) -> set[str]:
        self._cursor.execute(self._compose(statement))
        return {row["token"] for row in self._cursor.fetchall()}

    def _compose(self, statement: str) -> sql.Composed:
        return compose("contracts_load", statement, self._version)


def _no_rids() -> array[int]:
    return array("i")


def _word_rows(part: int, rids: Mapping[str, Sequence[int]]) -> Iterator[tuple[object, ...]]:
    for name, found in rids.items():
        yield name, part, len(found), f"{{{','.join(map(str, found))}}}"
