"""Samples as old clients send them: a list of numbers, or a text with numbers in it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.errors import FieldError
from chalicelib.sim.fields import Weekly

MOST_SAMPLES = 1_000
HIGHEST = 100_000
_BETWEEN = re.compile(r"[\s,;]+")

SampleList = Annotated[tuple[Weekly, ...], Meta(max_length=MOST_SAMPLES)]
SampleText = Annotated[str, Meta(max_length=20_000)]
Sent = SampleList | SampleText
HOW = "A list, or a text of numbers separated by spaces, commas, semicolons or lines; a decimal point, no comma."


class Series(Struct, frozen=True):
    """The numbers that were read, and every rule that the text breaks."""

    values: tuple[float, ...]
    errors: tuple[FieldError, ...] = ()


def read_series(samples: Sent | None, pointer: str) -> Series:
    """The samples as numbers, each 0 to 100,000; none for None and for an empty text. Cost: linear."""
    if samples is None or isinstance(samples, tuple):
        return Series(samples or ())
    words = [word for word in _BETWEEN.split(samples) if word]
    errors = tuple(_broken(words, pointer))
    return Series(() if errors else tuple(float(word) for word in words), errors)


def _broken(words: list[str], pointer: str) -> Iterator[FieldError]:
    if len(words) > MOST_SAMPLES:
        yield FieldError(pointer, f"must have at most {MOST_SAMPLES} numbers, got {len(words)}")
    for place, word in enumerate(words, start=1):
        value = _number(word)
        if value is None:
            yield FieldError(pointer, f"number {place} must be a number, got {word[:40]!r}")
        elif not 0 <= value <= HIGHEST:
            yield FieldError(pointer, f"number {place} must be from 0 to {HIGHEST}, got {word[:40]}")


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return None if math.isnan(value) else value
