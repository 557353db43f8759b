"""N-grams of common words in titles, with little between the words: what texts of several words are found by.

Rows that have all words of a text may be many, and those that have the text few, so that to look into the titles of the
many takes longest. Of common words every pair is listed. Of more words all those are listed whose words without the
last and without the first are both common n-grams themselves, however rare they are: so a text of common words either
has a list that is complete, or holds an n-gram that is not common, whose few rows can be looked into.
What Lucene's common grams are to pairs, for any number of words up to MOST_WORDS. What is between two words, a blank or
"-" or ", ", is a part of the n-gram.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set

from chalicelib.search.awards import WORD

# Longer texts of common words are found by the n-grams they are made of, whose rows are looked into.
MOST_WORDS = 8
# Characters between two words.
MOST_BETWEEN = 3
# Pieces of titles that are kept taken apart, some twenty megabytes.
_MOST_KEPT = 100_000
_FAR = " " * (MOST_BETWEEN + 1)
_NONE: list[str] = []

# The words of what is between two blanks, each with what is before it, and what is behind the last one and its blank.
_Piece = tuple[tuple[tuple[str, str], ...], str]


class GramFinder:
    """Finds n-grams of these words, of which these of two words and more are common."""

    def __init__(self, words: Set[str], common: Set[str] = frozenset(), most_words: int = MOST_WORDS) -> None:
        self._words = words
        self._common = common
        # Common ones of so many words may be gone on with.
        self._most_opened = most_words - 2
        self._pieces: dict[str, _Piece] = {}

    def __call__(self, text: str) -> set[str]:
        """The n-grams of a folded text, each written as it stands there."""
        found, pieces = set[str](), self._pieces
        left, between = "", _FAR
        # The common ones that end in `left`, from two words on, each a word longer than the one before.
        opened = _NONE
        for piece in text.split(" "):
            words, behind = pieces.get(piece) or self._take_apart(piece)
            for before, word in words:
                if before:
                    between += before
                if word and left and len(between) <= MOST_BETWEEN:
                    gram = f"{left}{between}{word}"
                    found.add(gram)
                    opened = self._extend(gram, opened, f"{between}{word}", found) if gram in self._common else _NONE
                else:
                    opened = _NONE
                left, between = word, ""
            if words:
                between = behind
            elif len(between) <= MOST_BETWEEN:
                between += behind
        return found

    def _extend(self, gram: str, opened: list[str], word: str, found: set[str]) -> list[str]:
        """What is open behind a word that is common together with the one before it."""
        longer = [gram]
        for each in opened:
            gram = f"{each}{word}"
            found.add(gram)
            if gram not in self._common:
                break
            longer.append(gram)
        return longer[: self._most_opened]

    def _take_apart(self, piece: str) -> _Piece:
        """The words, with nothing in place of those that are not asked for."""
        words, end = [], 0
        for run in WORD.finditer(piece):
            words.append((piece[end : run.start()], run[0] if run[0] in self._words else ""))
            end = run.end()
        found = tuple(words), f"{piece[end:]} "
        if len(self._pieces) < _MOST_KEPT:
            self._pieces[piece] = found
        return found


def common_grams(texts: Iterable[str], words: Set[str], least: int) -> set[str]:
    """The n-grams of two words and more that at least so many of the texts have, as far as longer ones need them.

    Cost: MOST_WORDS passes over the texts at most.
    """
    texts, common = list(texts), set[str]()
    for count in range(2, MOST_WORDS):
        find = GramFinder(words, common, count)
        counts = Counter(gram for text in texts for gram in find(text))
        longer = {gram for gram, rows in counts.items() if rows >= least} - common
        if not longer:
            break
        common |= longer
    return common
