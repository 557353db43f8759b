"""What items of a filter ask for, read character by character, and whether it is in a text, seen at each place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from chalicelib.search.syntax import Syntax


class Refused(Exception):
    """An item that does not say what is meant."""


@dataclass(frozen=True)
class Said:
    """A part of an item: a text, whether it was in quotes, and whether it must not be there."""

    text: str
    is_quoted: bool
    is_left_out: bool


@dataclass(frozen=True)
class _Sign:
    """A character, an operator, or all that stands between two quotes."""

    text: str
    kind: str

    @property
    def is_blank(self) -> bool:
        return self.kind == "character" and self.text.isspace()


def asked(item: str, syntax: Syntax) -> list[list[Said]]:
    """The alternatives of an item, each with its parts; none if it asks for nothing."""
    if syntax == "plain":
        parts = [Said(part.strip(), is_quoted=False, is_left_out=False) for part in item.split("&&") if part.strip()]
        return [parts] if parts else []
    signs = _signs(item)
    alternatives = [
        [part for signs in _between(alternative, "&&") if (part := _part(signs)).text]
        for alternative in _between(signs, "||")
    ]
    if any(parts and all(part.is_left_out for part in parts) for parts in alternatives):
        raise Refused
    return [parts for parts in alternatives if parts]


def has_any(text: str | None, items: Iterable[str], syntax: Syntax) -> bool:
    """Whether what one of the items asks for is there; so it is where none asks for anything."""
    alternatives = [parts for item in items for parts in asked(item, syntax)]
    if not alternatives:
        return True
    return text is not None and any(
        all(_stands(part, text.lower()) != part.is_left_out for part in parts) for parts in alternatives
    )


def _signs(item: str) -> list[_Sign]:
    signs: list[_Sign] = []
    rest = item
    while rest:
        if rest[0] == '"':
            text, rest = _quoted(rest[1:])
            signs.append(_Sign(text, "quoted"))
            continue
        length = 2 if rest[:2] in ("&&", "||") else 1
        signs.append(_Sign(rest[:length], "operator" if length == 2 else "character"))
        rest = rest[length:]
    return signs


def _quoted(rest: str) -> tuple[str, str]:
    """What stands before the closing quote, and what behind it."""
    text = ""
    while rest:
        if rest[:2] == '""':
            text, rest = text + '"', rest[2:]
        elif rest[0] == '"':
            return text, rest[1:]
        else:
            text, rest = text + rest[0], rest[1:]
    raise Refused


def _between(signs: Sequence[_Sign], operator: str) -> list[list[_Sign]]:
    is_operator = _Sign(operator, "operator")
    return [list(group) for is_one, group in groupby(signs, is_operator.__eq__) if not is_one]


def _part(signs: list[_Sign]) -> Said:
    while signs and signs[0].is_blank:
        signs = signs[1:]
    while signs and signs[-1].is_blank:
        signs = signs[:-1]
    is_left_out = len(signs) > 1 and signs[0] == _Sign("-", "character") and not signs[1].is_blank
    said = signs[1:] if is_left_out else signs
    is_quoted = any(sign.kind == "quoted" for sign in said)
    if is_quoted and len(said) > 1:
        raise Refused
    return Said("".join(sign.text for sign in said), is_quoted, is_left_out)


def _stands(part: Said, text: str) -> bool:
    wanted = part.text.lower()
    if not part.is_quoted:
        return wanted in text
    framed = f" {text} "
    return any(
        framed.startswith(wanted, place)
        and not framed[place - 1].isalnum()
        and not framed[place + len(wanted)].isalnum()
        for place in range(1, len(framed) - len(wanted))
    )
