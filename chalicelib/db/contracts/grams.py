"""What words in sequence come down to in one version: n-grams whose rows are listed, and words where one is rare.

Only common words are in n-grams. Every pair of them is listed, and of more words every n-gram whose words without the
last and without the first are both common n-grams: such a list is complete, and where there is none no row has them.
Any other n-gram is looked for among the rows of the rarest complete one within it, and these are few: one of those
within is not common, or else it would be listed itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from msgspec import Struct
from psycopg2.extras import RealDictCursor

from chalicelib.db.contracts.fragments import fragment
from chalicelib.db.contracts.vocabulary import Words
from chalicelib.search.conditions import GramTest
from chalicelib.search.grams import MOST_WORDS

# N-grams that fit are looked up one by one up to this number: ends of words, as in "s of", have thousands.
_MOST_NAMES = 2_000


class Grams(Struct, frozen=True):
    """Rows with words in sequence: those of the n-grams that are `listed`, and, if `text` and `phrase` stand in their
    titles, those with n-grams of `among`, and those with a rare word at one end, any at the other and all of `middle`.

    Without a `text` these are but all rows that may have the words.
    """

    listed: Words
    among: Words
    left: Words
    middle: Words
    right: Words
    text: str | None
    phrase: str | None
    # Whether `middle` is a word rather than an n-gram.
    is_word: bool = True

    @property
    def most(self) -> int:
        """How many rows have the words at most."""
        return self.listed.postings + self.among.postings + self.left.rare_postings + self.right.rare_postings


# Words by turns with what is between them.
_Sequence = tuple[str, ...]


class _Ends(Struct, frozen=True):
    """A test with the words that fit at both of its ends; those between are common."""

    left: Words
    between: _Sequence
    right: Words
    text: str | None
    phrase: str | None

    @property
    def middle(self) -> _Sequence:
        return self.between[1:-1]

    def sequences(self) -> Iterator[_Sequence]:
        """All that fits of common words."""
        for first, last in product(self.left.tokens[: self.left.common], self.right.tokens[: self.right.common]):
            yield (first, *self.between, last)


def find_grams(
    cursor: RealDictCursor, version: int, found: Mapping[str, Words | None], tests: Iterable[GramTest]
) -> dict[GramTest, Grams]:
    """What the tests come down to, with words by pattern; those that help nothing are left out."""
    every = {test: ends for test in tests if (ends := _ends(found, test)) is not None}
    sequences = [sequence for ends in every.values() for sequence in (*ends.sequences(), ends.middle)]
    known = _Known(cursor, version, sequences)
    return {test: _grams(known, ends) for test, ends in every.items()}


def _ends(found: Mapping[str, Words | None], test: GramTest) -> _Ends | None:
    parts = test.parts
    while len(parts) > 1:
        left, right = found[parts[0]], found[parts[-1]]
        if left is not None and right is not None and left.common * right.common <= _MOST_NAMES:
            middle = [found[word] for word in parts[2:-2:2]]
            # Rows with a word that is not common are few: to look into their titles is all it takes.
            if not all(each is not None and each.common for each in middle):
                return None
            is_all = parts == test.parts
            return _Ends(left, parts[1:-1], right, test.text if is_all else None, test.phrase if is_all else None)
        # An end of which too many words fit is left to what looks into titles.
        parts = parts[2:] if left is None or (right is not None and left.common > right.common) else parts[:-2]
    return None


def _grams(known: _Known, ends: _Ends) -> Grams:
    listed, among = dict[str, int](), dict[str, int]()
    for sequence in ends.sequences():
        rarest = known.rarest(sequence)
        if rarest is not None:
            (listed if known.is_complete(sequence) else among)[rarest] = known.rows(rarest)
    middle, is_word = Words(), len(ends.middle) < 2
    if is_word and ends.middle:
        middle = Words(ends.middle)
    elif ends.middle:
        rarest = known.rarest(ends.middle)
        if rarest is None:
            # No row has the words between the ends.
            return Grams(Words(), Words(), Words(), Words(), Words(), ends.text, ends.phrase)
        middle = Words((rarest,))
    return Grams(_words(listed), _words(among), ends.left, middle, ends.right, ends.text, ends.phrase, is_word)


def _words(rows: Mapping[str, int]) -> Words:
    return Words(tuple(sorted(rows, key=lambda name: (-rows[name], name))), sum(rows.values()), len(rows))


class _Known:
    """The n-grams within sequences of common words that are listed."""

    def __init__(self, cursor: RealDictCursor, version: int, sequences: Iterable[_Sequence]) -> None:
        names = {"".join(part) for sequence in sequences for part in _within(sequence)}
        self._found: dict[str, tuple[int, bool]] = {}
        if names:
            cursor.execute(fragment("grams", version), {"grams": sorted(names)})
            self._found = {row["token"]: (row["df"], row["is_common"]) for row in cursor.fetchall()}

    def rows(self, name: str) -> int:
        return self._found[name][0]

    def is_complete(self, sequence: _Sequence) -> bool:
        """Whether a list of this n-gram has all of its rows, and no rows have it where there is no list."""
        words = len(sequence[::2])
        return words == 2 or (words <= MOST_WORDS and self._is_common(sequence[:-2]) and self._is_common(sequence[2:]))

    def rarest(self, sequence: _Sequence) -> str | None:
        """The complete n-gram within a sequence that has the fewest rows, of equals the longest.

        None if no row has one of them, and so the sequence.
        """
        names = ["".join(part) for part in _within(sequence) if self.is_complete(part)]
        if not all(name in self._found for name in names):
            return None
        return min(names, key=lambda name: (self.rows(name), -len(name)))

    def _is_common(self, sequence: _Sequence) -> bool:
        return self._found.get("".join(sequence), (0, False))[1]


def _within(sequence: _Sequence) -> Iterator[_Sequence]:
    """All n-grams of two words and more within a sequence that may be listed."""
    for words in range(2, min(len(sequence[::2]), MOST_WORDS) + 1):
        size = 2 * words - 1
        for first in range(0, len(sequence) - size + 1, 2):
            yield sequence[first : first + size]
