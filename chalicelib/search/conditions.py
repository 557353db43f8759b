"""What has to hold for an award to be wanted, as patterns of LIKE for an index of words and for plain texts.

The index knows the words of a title: its longest runs of letters and digits. Where a text stands in a title, each of
its own runs is a word or a part of one: a run at both ends of the text may go on to both sides, one at its beginning to
the left, one at its end to the right, and any other is a whole word. So rows with fitting words are all that can have
the text. A text that is a single run stands in every one of them; any other has to be looked for in their titles.
Runs with little between them follow each other in the title too, and the index knows the n-grams of common words.
Of a phrase every run is a whole word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from msgspec import Struct

from chalicelib.search.awards import WORD
from chalicelib.search.filters import Centavos, Days, Filters, alternatives_of, centavos_of, days_of
from chalicelib.search.grams import MOST_BETWEEN
from chalicelib.search.names import NAME_KINDS
from chalicelib.search.paging import Dimension
from chalicelib.search.phrases import phrase
from chalicelib.search.syntax import Alternative, Part

_WILD = re.compile(r"([\\%_])")
# Patterns that must all fit.
Patterns = tuple[str, ...]


class NameTest(Struct, frozen=True):
    """One alternative for names: all texts and phrases fit, which are regular expressions, and no unwanted ones do."""

    texts: Patterns
    phrases: Patterns = ()
    unwanted_texts: Patterns = ()
    unwanted_phrases: Patterns = ()


class WordTest(Struct, frozen=True):
    """Rows with a word that fits; `text` is for looking into titles instead where a part of a word is in too many."""

    word: str
    text: str


class GramTest(Struct, frozen=True):
    """Two words or more that fit, by turns with what is between them; `text` and `phrase` are what is all of them."""

    # Patterns of words, and between two of them the characters that are there.
    parts: Patterns
    text: str | None
    phrase: str | None = None


class Keyword(Struct, frozen=True):
    """One alternative of the keywords: all tests of words hold, and all texts and phrases, which words cannot prove.

    The tests of n-grams say no more than those of words, texts and phrases together. Of the unwanted ones none holds;
    they have no unwanted ones of their own.
    """

    words: tuple[WordTest, ...]
    texts: Patterns
    grams: tuple[GramTest, ...] = ()
    phrases: Patterns = ()
    unwanted: tuple[Keyword, ...] = ()


class Conditions(Struct, frozen=True, kw_only=True):
    """All that has to hold; of the names of a dimension, of keywords and of days any."""

    names: Mapping[Dimension, tuple[NameTest, ...]]
    keywords: tuple[Keyword, ...]
    days: tuple[Days, ...]
    amounts: Centavos

    @property
    def years(self) -> tuple[int, ...] | None:
        """The calendar years that the days are, in order, if they are whole ones."""
        if any(
            (each.first.month, each.first.day, each.last.month, each.last.day) != (1, 1, 12, 31) for each in self.days
        ):
            return None
        return tuple(year for each in self.days for year in range(each.first.year, each.last.year + 1))

    @property
    def only_run(self) -> str | None:
        """Letters and digits, if that they stand anywhere in a title is all that is asked."""
        if len(self.keywords) != 1 or self.names or self.days or self.amounts != Centavos():
            return None
        (keyword,) = self.keywords
        if len(keyword.words) != 1 or keyword.texts or keyword.unwanted:
            return None
        word = keyword.words[0].word
        return word[1:-1] if word.startswith("%") and word.endswith("%") else None


def conditions_of(filters: Filters) -> Conditions:
    """The conditions of filters that have passed their check. Cost: linear in their length."""
    names = {dimension: alternatives_of(filters, kind) for kind, dimension in NAME_KINDS.items()}
    return Conditions(
        names={dimension: tuple(map(_name_test, wanted)) for dimension, wanted in names.items() if wanted},
        keywords=tuple(map(_keyword, alternatives_of(filters, "keywords"))),
        days=days_of(filters),
        amounts=centavos_of(filters),
    )


def containing(text: str) -> str:
    """The pattern of texts that have this one anywhere, each of whose characters stands for itself."""
    return "%" + _WILD.sub(r"\\\1", text) + "%"


def _name_test(alternative: Alternative) -> NameTest:
    wanted, unwanted = alternative.wanted, alternative.unwanted
    phrases = [part.text for part in unwanted if part.is_phrase]
    return NameTest(
        # What has no such text has no such phrase either, which is quicker to see.
        texts=tuple(containing(part.text) for part in wanted),
        phrases=tuple(phrase(part.text) for part in wanted if part.is_phrase),
        unwanted_texts=tuple(containing(part.text) for part in unwanted if not part.is_phrase),
        # Postgres keeps 32 regular expressions compiled, so one for all.
        unwanted_phrases=(phrase(*phrases),) if phrases else (),
    )


def _keyword(alternative: Alternative) -> Keyword:
    parts = alternative.wanted
    to_see = [part for part in parts if not WORD.fullmatch(part.text)]
    return Keyword(
        words=tuple(test for part in parts for test in _word_tests(part)),
        texts=tuple(containing(part.text) for part in to_see),
        grams=tuple(gram for part in parts for gram in _gram_tests(part)),
        phrases=tuple(phrase(part.text) for part in to_see if part.is_phrase),
        unwanted=tuple(_keyword(Alternative((part,))) for part in alternative.unwanted),
    )


def _word_tests(part: Part) -> list[WordTest]:
    text = containing(part.text)
    return [WordTest(_word(part, run), text) for run in WORD.finditer(part.text)]


def _gram_tests(part: Part) -> Iterator[GramTest]:
    for runs in _sequences(part):
        if len(runs) > 1:
            is_all = runs[0].start() == 0 and runs[-1].end() == len(part.text)
            parts = [_word(part, runs[0])]
            for left, right in pairwise(runs):
                parts += part.text[left.end() : right.start()], _word(part, right)
            yield GramTest(
                tuple(parts),
                containing(part.text) if is_all else None,
                phrase(part.text) if is_all and part.is_phrase else None,
            )


def _sequences(part: Part) -> Iterator[list[re.Match[str]]]:
    """The runs, those with little between them together."""
    sequence: list[re.Match[str]] = []
    for run in WORD.finditer(part.text):
        if sequence and run.start() - sequence[-1].end() > MOST_BETWEEN:
            yield sequence
            sequence = []
        sequence.append(run)
    yield sequence


def _word(part: Part, run: re.Match[str]) -> str:
    if part.is_phrase:
        return run[0]
    return f"{'' if run.start() else '%'}{run[0]}{'' if run.end() < len(part.text) else '%'}"
