"""Words of one version that fit patterns, with how many rows have them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from psycopg2.extras import RealDictCursor

from chalicelib.db.contracts.fragments import fragment
from chalicelib.search.conditions import Keyword


class Words(Struct, frozen=True):
    """Words, or n-grams, of which a row has one, the most frequent first; `postings` is the length of their lists."""

    tokens: tuple[str, ...] = ()
    postings: int = 0
    # How many of the first ones are common, and the length of the lists of the others.
    common: int = 0
    rare_postings: int = 0

    @property
    def rare(self) -> tuple[str, ...]:
        return self.tokens[self.common :]


def find_words(cursor: RealDictCursor, version: int, keywords: Sequence[Keyword], rows: int) -> dict[str, Words | None]:
    """Words by pattern; None where to list their rows costs more than to look into all titles, of so many rows."""
    patterns = sorted({test.word for keyword in keywords for test in keyword.words})
    found: dict[str, Words | None] = dict.fromkeys(patterns, Words())
    if patterns:
        values = {
            "patterns": [pattern for pattern in patterns if "%" in pattern],
            "words": [pattern for pattern in patterns if "%" not in pattern],
            "rows": rows,
        }
        cursor.execute(fragment("words", version), values)
        for row in cursor.fetchall():
            found[row["text"]] = row["tokens"] and Words(
                tuple(row["tokens"]), int(row["postings"]), row["common"], int(row["rare_postings"])
            )
    return found
