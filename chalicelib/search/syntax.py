"""What an item of a filter asks for: texts that must be found and texts that must not, in one way or in another.

Plain items have `&&` alone. Extended ones have `||` too, which binds less; a dash right before a text that must not be
found; and double quotes around a text that stands as whole words, in which nothing has a meaning but a doubled quote,
which is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from chalicelib.search.awards import fold

Syntax = Literal["plain", "extended"]

_QUOTED = re.compile(r'"(?:[^"]|"")*"')
# Of what is shown of an item that cannot be read.
_SHOWN = 60


class Part(Struct, frozen=True, order=True):
    """A text, folded and not empty: one that is found anywhere, or one that stands as whole words."""

    text: str
    is_phrase: bool = False


class Alternative(Struct, frozen=True, order=True):
    """What must all be found, at least one, and of what none may be; each once and in order."""

    wanted: tuple[Part, ...]
    unwanted: tuple[Part, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        return (*self.wanted, *self.unwanted)


class Item(Struct, frozen=True):
    """Alternatives of which one must hold, none if nothing is asked; `fault` is why an item cannot be read."""

    alternatives: tuple[Alternative, ...] = ()
    fault: str | None = None


def read_item(text: str, syntax: Syntax) -> Item:
    """What an item asks for; only extended ones can have a fault. Cost: linear in its length."""
    if syntax == "plain":
        wanted = _each_once(Part(fold(part.strip())) for part in text.split("&&"))
        return Item((Alternative(wanted),) if wanted else ())
    fault = _fault(text)
    if fault is not None:
        return Item(fault=f"{fault}, got {_shown(text)}")
    alternatives = (_read_alternative(part) for part in _cut(text, "||"))
    return Item(tuple(each for each in alternatives if each.wanted))


def write_alternative(alternative: Alternative, syntax: Syntax) -> str:
    """An item that asks for this and nothing else."""
    if syntax == "plain":
        return " && ".join(part.text for part in alternative.wanted)
    wanted = (_write_part(part) for part in alternative.wanted)
    return " && ".join([*wanted, *(f"-{_write_part(part)}" for part in alternative.unwanted)])


def _fault(text: str) -> str | None:
    if text.count('"') % 2:
        return 'must close each " (one that is meant itself is written "" within quotes)'
    for alternative in _cut(text, "||"):
        parts = [_read_part(part) for part in _cut(alternative, "&&")]
        if None in parts:
            return "must have && or || between a text in quotes and what is beside it"
        read = _read_alternative(alternative)
        if read.unwanted and not read.wanted:
            return "must look for something besides what it leaves out"
    return None


def _cut(text: str, operator: Literal["&&", "||"]) -> list[str]:
    """What is between operators that are not in quotes."""
    mask = _QUOTED.sub(lambda quoted: '"' * len(quoted[0]), text)
    places = [found.start() for found in re.finditer(re.escape(operator), mask)]
    starts = [0, *(place + len(operator) for place in places)]
    return [text[start:end] for start, end in zip(starts, [*places, len(text)], strict=True)]


def _read_alternative(text: str) -> Alternative:
    read = [found for part in _cut(text, "&&") if (found := _read_part(part)) is not None]
    return Alternative(
        _each_once(part for part, is_wanted in read if is_wanted),
        _each_once(part for part, is_wanted in read if not is_wanted),
    )


def _read_part(text: str) -> tuple[Part, bool] | None:
    """A part and whether it is wanted; None where there is something beside quotes."""
    said = text.strip()
    is_wanted = said[:1] != "-" or not said[1:2].strip()
    said = said if is_wanted else said[1:]
    if '"' not in said:
        return Part(fold(said)), is_wanted
    if not _QUOTED.fullmatch(said):
        return None
    return Part(fold(said[1:-1].replace('""', '"')), is_phrase=True), is_wanted


def _each_once(parts: Iterator[Part]) -> tuple[Part, ...]:
    return tuple(sorted({part for part in parts if part.text}))


def _write_part(part: Part) -> str:
    quoted = part.text.replace('"', '""')
    return f'"{quoted}"' if part.is_phrase else part.text


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
