"""What keywords come down to in one version: words and pairs of words, by which rows with them are listed.

A pair that is looked for is a word that fits before a word that fits. Where both are common words, the pair has a list
of its own; rows with any other such pair have a word that is not common, so they are few.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from msgspec import Struct
from psycopg2.extras import RealDictCursor

from chalicelib.db.contracts.fragments import fragment
from chalicelib.search.conditions import Keyword, PairTest, Patterns

# Pairs of common words that fit are listed one by one up to this number: ends of words, as in "s of", have thousands.
_MOST_PAIRS = 400


class Words(Struct, frozen=True):
    """Words, or pairs, of which a row has one, the most frequent first; `postings` is the length of all their lists."""

    tokens: tuple[str, ...] = ()
    postings: int = 0
    # How many of the first ones are common, and the length of the lists of the others.
    common: int = 0
    rare_postings: int = 0

    @property
    def rare(self) -> tuple[str, ...]:
        return self.tokens[self.common :]


class Pairs(Struct, frozen=True):
    """A word before a word: the pairs that are listed, and all words that fit; `text` and `phrase` are then proven."""

    listed: Words
    left: Words
    right: Words
    text: str | None
    phrase: str | None

    @property
    def most(self) -> int:
        """How many rows have such a pair at most."""
        return self.listed.postings + self.left.rare_postings + self.right.rare_postings


class Lookup(Struct, frozen=True):
    """One alternative of the keywords: rows with one of each of `words` and of `pairs`, in whose titles all texts and
    phrases stand, without those of what is unwanted.
    """

    words: tuple[Words, ...]
    texts: Patterns
    pairs: tuple[Pairs, ...] = ()
    phrases: Patterns = ()
    unwanted: tuple[Lookup, ...] = ()

    def most(self, rows: int) -> int:
        """How many of so many rows are found at most."""
        return min([rows, *(words.postings for words in self.words), *(pairs.most for pairs in self.pairs)])


def find_lookups(cursor: RealDictCursor, version: int, keywords: tuple[Keyword, ...], rows: int) -> tuple[Lookup, ...]:
    """The lookups of the keywords in a version of so many rows."""
    every = tuple(each for keyword in keywords for each in (keyword, *keyword.unwanted))
    found = _find_words(cursor, version, every, rows)
    wanted = {test: _names(found, test) for keyword in every for test in keyword.pairs}
    listed = _find_pairs(cursor, version, sorted({name for names in wanted.values() if names for name in names}))
    pairs = {
        test: _pairs(found, test, {name: listed[name] for name in names if name in listed})
        for test, names in wanted.items()
        if names is not None
    }
    return tuple(_lookup(keyword, found, pairs) for keyword in keywords)


def _find_words(
    cursor: RealDictCursor, version: int, keywords: tuple[Keyword, ...], rows: int
) -> dict[str, Words | None]:
    """Words by pattern; None where to list their rows costs more than to look into all titles."""
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


def _names(found: Mapping[str, Words | None], test: PairTest) -> list[str] | None:
    """The pairs of common words that fit; None where they are too many, or words of one side are."""
    left, right = found[test.left], found[test.right]
    if left is None or right is None or left.common * right.common > _MOST_PAIRS:
        return None
    return [" ".join(pair) for pair in product(left.tokens[: left.common], right.tokens[: right.common])]


def _find_pairs(cursor: RealDictCursor, version: int, names: list[str]) -> dict[str, int]:
    """How many rows have the pairs that there are."""
    if not names:
        return {}
    cursor.execute(fragment("pairs", version), {"pairs": names})
    return {row["token"]: row["df"] for row in cursor.fetchall()}


def _pairs(found: Mapping[str, Words | None], test: PairTest, listed: Mapping[str, int]) -> Pairs:
    left, right = found[test.left], found[test.right]
    assert left is not None
    assert right is not None
    names = tuple(sorted(listed, key=lambda name: (-listed[name], name)))
    return Pairs(Words(names, sum(listed.values()), len(names)), left, right, test.text, test.phrase)


def _lookup(keyword: Keyword, found: Mapping[str, Words | None], pairs: Mapping[PairTest, Pairs]) -> Lookup:
    used = [test for test in dict.fromkeys(keyword.pairs) if test in pairs]
    # Rows with a pair have its words.
    covered = {word for test in used for word in (test.left, test.right)}
    proven = {said for test in used for said in (test.text, test.phrase)}
    words = [test for test in keyword.words if test.word not in covered]
    texts = [text for text in keyword.texts if text not in proven]
    return Lookup(
        tuple(listed for test in words if (listed := found[test.word]) is not None),
        tuple(dict.fromkeys([*texts, *_unlisted(keyword, found)])),
        tuple(pairs[test] for test in used),
        tuple(said for said in keyword.phrases if said not in proven),
        tuple(_lookup(each, found, pairs) for each in keyword.unwanted),
    )


def _unlisted(keyword: Keyword, found: Mapping[str, Words | None]) -> Iterator[str]:
    return (test.text for test in keyword.words if found[test.word] is None)
