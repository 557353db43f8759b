"""What keywords come down to in one version: words and n-grams, by which rows with them are listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct
from psycopg2.extras import RealDictCursor

from chalicelib.db.contracts.grams import Grams, find_grams
from chalicelib.db.contracts.vocabulary import Words, find_words
from chalicelib.search.conditions import GramTest, Keyword, Patterns


class Lookup(Struct, frozen=True):
    """One alternative of the keywords: rows with one of each of `words` and of `grams`, in whose titles all texts and
    phrases stand, without those of what is unwanted.
    """

    words: tuple[Words, ...]
    texts: Patterns
    grams: tuple[Grams, ...] = ()
    phrases: Patterns = ()
    unwanted: tuple[Lookup, ...] = ()

    def most(self, rows: int) -> int:
        """How many of so many rows are found at most."""
        return min([rows, *(words.postings for words in self.words), *(grams.most for grams in self.grams)])


def find_lookups(cursor: RealDictCursor, version: int, keywords: tuple[Keyword, ...], rows: int) -> tuple[Lookup, ...]:
    """The lookups of the keywords in a version of so many rows."""
    every = tuple(each for keyword in keywords for each in (keyword, *keyword.unwanted))
    found = find_words(cursor, version, every, rows)
    grams = find_grams(cursor, version, found, dict.fromkeys(test for keyword in every for test in keyword.grams))
    return tuple(_lookup(keyword, found, grams) for keyword in keywords)


def _lookup(keyword: Keyword, found: Mapping[str, Words | None], grams: Mapping[GramTest, Grams]) -> Lookup:
    used = [grams[test] for test in dict.fromkeys(keyword.grams) if test in grams]
    # Rows with words in sequence have the words.
    covered = {word for test in keyword.grams if test in grams for word in test.parts[::2]}
    proven = {said for each in used for said in (each.text, each.phrase)}
    words = [test for test in keyword.words if test.word not in covered]
    texts = [text for text in keyword.texts if text not in proven]
    return Lookup(
        tuple(listed for test in words if (listed := found[test.word]) is not None),
        tuple(dict.fromkeys([*texts, *_unlisted(keyword, found)])),
        tuple(used),
        tuple(said for said in keyword.phrases if said not in proven),
        tuple(_lookup(each, found, grams) for each in keyword.unwanted),
    )


def _unlisted(keyword: Keyword, found: Mapping[str, Words | None]) -> Iterator[str]:
    return (test.text for test in keyword.words if found[test.word] is None)
