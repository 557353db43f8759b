"""Pairs of common words that follow each other in a title: what texts of two words are found by at once.

Rows that have two common words are many, and those in which one follows the other few, so that to look into the titles
of the many takes longest. Other words than common ones have few rows, whose titles are looked into.
"""

from __future__ import annotations

from collections.abc import Set

from chalicelib.search.awards import WORD

# Pieces of titles whose ends are kept, some ten megabytes.
_MOST_KEPT = 100_000
_NEITHER = (None, None)


class PairFinder:
    """Finds pairs of these words."""

    def __init__(self, words: Set[str]) -> None:
        self._words = words
        self._ends: dict[str, tuple[str | None, str | None]] = {}

    def __call__(self, text: str) -> set[str]:
        """The pairs of a folded text, each written with the one blank that is between its words."""
        pairs, left = set(), None
        for piece in text.split(" "):
            first, last = self._ends.get(piece) or self._look(piece)
            if left is not None and first is not None:
                pairs.add(f"{left} {first}")
            left = last
        return pairs

    def _look(self, piece: str) -> tuple[str | None, str | None]:
        """The words at both ends of what is between two blanks, None for a word that is not asked for."""
        runs = list(WORD.finditer(piece))
        first = runs[0][0] if runs and runs[0].start() == 0 else None
        last = runs[-1][0] if runs and runs[-1].end() == len(piece) else None
        ends = (first if first in self._words else None, last if last in self._words else None)
        if len(self._ends) < _MOST_KEPT:
            self._ends[piece] = _NEITHER if ends == _NEITHER else ends
        return ends
