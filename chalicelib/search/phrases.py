"""Texts that stand as whole words: with no letter or digit right before or behind them, whatever is within.

What letters and digits are is for Python to say, as it does for the words of titles. Postgres would ask the locale of
its database instead, so its regular expressions are given every range of them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache

from chalicelib.search.awards import WORD
from chalicelib.search.names import whole_word
from chalicelib.search.syntax import Part

_SPECIAL = re.compile(r"[][\\.^$*+?(){}|]")


def places(text: str, part: Part) -> Iterator[int]:
    """From which characters on a part stands in a folded text, in order; it may overlap itself."""
    is_there = whole_word(part.text) if part.is_phrase else re.compile(re.escape(part.text))
    found = is_there.search(text)
    while found:
        yield found.start()
        found = is_there.search(text, found.start() + 1)


def phrase(*texts: str) -> str:
    """The regular expression of Postgres for what has any of these texts as whole words.

    It is some 4,400 characters long. Cost: about 2 ms to compile, then 3 µs for a title; the first one of a process
    takes a look at all characters there are.
    """
    letters, said = _letters(), "|".join(_SPECIAL.sub(r"\\\g<0>", text) for text in texts)
    return f"(?:^|[^{letters}])(?:{said})(?:[^{letters}]|$)"


@cache
def _letters() -> str:
    """All letters and digits, as ranges within brackets."""
    characters = "".join(map(chr, range(sys.maxunicode + 1)))
    return "".join(f"{run[0]}-{run[-1]}" for run in WORD.findall(characters))
