"""Names and words of one version that are like those that were looked for and not found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from psycopg2.extras import RealDictCursor

from chalicelib.db.contracts.fragments import fragment
from chalicelib.search.phrases import phrase
from chalicelib.search.suggestions import Sought, Suggestion, replaced, sought

if TYPE_CHECKING:
    from chalicelib.db.connect import Database
    from chalicelib.search.filters import Filters

_MOST = 3
# Of 0 to 1: a letter that is wrong, missing or doubled leaves about half of a word's trigrams.
_LEAST_SIMILARITY = 0.5
# Two letters that changed places count as two wrong ones; of a short word hardly anything would be left.
_WRONG_LETTERS, _WRONG_OF_SHORT, _SHORT = 2, 1, 4
# Levenshtein's distance takes texts of up to 255 bytes.
_LONGEST_WORD = 60


class ContractSimilar:
    """Answers by filters that have passed their check; raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def suggest(self, version: int, filters: Filters) -> tuple[Suggestion, ...]:
        """What may have been meant by each text that fits nothing and is like something.

        Cost: a look at all names of a dimension, or at all words, for each text.
        """
        with self._database.transaction() as cursor:
            found = [(each, tuple(_instead(cursor, version, each))) for each in sought(filters)]
        return tuple(
            Suggestion(field=each.field, text=each.text, instead=instead) for each, instead in found if instead
        )


def _instead(cursor: RealDictCursor, version: int, wanted: Sought) -> Iterator[str]:
    if wanted.dimension is not None:
        text = fragment("similar_names", version, dimension=wanted.dimension)
        whole = phrase(wanted.text) if wanted.is_phrase else None
        cursor.execute(text, {"text": wanted.text, "phrase": whole, "least": _LEAST_SIMILARITY, "most": _MOST})
        yield from (row["name"] for row in cursor.fetchall())
        return
    words = {word: _similar_words(cursor, version, word, is_whole=wanted.is_phrase) for word in wanted.words}
    best = {word: similar for word, similar in words.items() if similar}
    # The words in their order of likeness, one text for each rank.
    for rank in range(max(map(len, best.values()), default=0)):
        yield replaced(wanted.text, {word: similar[min(rank, len(similar) - 1)] for word, similar in best.items()})


def _similar_words(cursor: RealDictCursor, version: int, word: str, *, is_whole: bool) -> list[str]:
    if len(word) > _LONGEST_WORD:
        return []
    letters = _WRONG_OF_SHORT if len(word) <= _SHORT else _WRONG_LETTERS
    values = {"text": word, "is_whole": is_whole, "letters": letters, "most": _MOST}
    cursor.execute(fragment("similar_words", version), values)
    return [row["token"] for row in cursor.fetchall()]
