"""How a single value of an old installation is read, by the kind of its column here.

SQLite keeps whatever is written into a column, so each kind is ready for numbers, texts and bytes. Every kind has

`read`, which answers the value as JSON for Postgres and, where that is not all of what was there, the reason for
which the original is set aside; a value of None leaves the choice to the column;

`restore`, which brings a value that came back from Postgres as JSON to the form in which `read` answered it.
"""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Literal, Protocol, TypeAlias

import msgspec

from chalicelib.db.takeover.documents import Json, clean, parse, storable
from chalicelib.sim.dates import ACCEPTED, read_date

Raw: TypeAlias = int | float | str | bytes | None

_INTEGER = (-(2**31), 2**31 - 1)
_BIGINT = (-(2**63), 2**63 - 1)
_FLAGS = {"1": True, "true": True, "t": True, "yes": True, "0": False, "false": False, "f": False, "no": False}


class Reading(msgspec.Struct, frozen=True):
    """What was read from one value."""

    value: Json = None
    # Why the original is set aside; empty where `value` is all of it.
    reason: str = ""


class Kind(Protocol):
    """One way to read a column."""

    def read(self, raw: Raw) -> Reading: ...

    def restore(self, stored: Json) -> Json: ...


class Text(msgspec.Struct, frozen=True):
    """A text of at most `most` characters, without bound where that is 0; what is longer is cut."""

    most: int = 0

    def read(self, raw: Raw) -> Reading:
        if raw is None:
            return Reading()
        text = _decoded(raw)
        whole = clean(text)
        if self.most and len(whole) > self.most:
            return Reading(whole[: self.most], f"longer than {self.most} characters; cut")
        if whole != text or _is_torn(raw):
            return Reading(whole, "holds bytes or characters that Postgres cannot store; without them")
        return Reading(whole)

    def restore(self, stored: Json) -> Json:
        return stored


class Choice(msgspec.Struct, frozen=True):
    """One of some words, in any case."""

    words: tuple[str, ...]

    def read(self, raw: Raw) -> Reading:
        word = _word(raw)
        if not word:
            return Reading()
        return Reading(word) if word in self.words else Reading(None, f"must be one of {', '.join(self.words)}")

    def restore(self, stored: Json) -> Json:
        return stored


class Whole(msgspec.Struct, frozen=True):
    """A whole number within bounds, those of Postgres's integer unless others are given."""

    low: int = _INTEGER[0]
    high: int = _INTEGER[1]

    def read(self, raw: Raw) -> Reading:
        if not _word(raw):
            return Reading()
        number = _number(raw)
        if number is None or number != (whole := int(number)) or not self.low <= whole <= self.high:
            return Reading(None, f"must be a whole number from {self.low} to {self.high}")
        return Reading(whole)

    def restore(self, stored: Json) -> Json:
        return None if stored is None else int(str(stored))


class Reference(Whole, frozen=True, kw_only=True):
    """The id of a row in `table`; whether that row exists is seen where all rows are known."""

    table: Literal["users", "projects", "forecasts"]
    low: int = _BIGINT[0]
    high: int = _BIGINT[1]


class Number(msgspec.Struct, frozen=True):
    """A finite number of at least `low`."""

    low: float = -math.inf

    def read(self, raw: Raw) -> Reading:
        if not _word(raw):
            return Reading()
        number = _number(raw)
        if number is None or number < self.low:
            bound = "" if math.isinf(self.low) else f" of at least {self.low:g}"
            return Reading(None, f"must be a finite number{bound}")
        return Reading(_float(number))

    def restore(self, stored: Json) -> Json:
        return None if stored is None else _float(float(str(stored)))


class Flag(msgspec.Struct, frozen=True):
    """True or false, also as 0 and 1 and as words."""

    def read(self, raw: Raw) -> Reading:
        word = _word(raw)
        if not word:
            return Reading()
        return Reading(_FLAGS[word]) if word in _FLAGS else Reading(None, "must be true or false")

    def restore(self, stored: Json) -> Json:
        return stored


class Day(msgspec.Struct, frozen=True):
    """A calendar day in any form that requests may use; a time of day behind it is dropped, as the old pages did."""

    def read(self, raw: Raw) -> Reading:
        word = _word(raw)
        if not word:
            return Reading()
        day = read_date(word.upper().partition(" ")[0])
        return Reading(day.isoformat()) if day else Reading(None, f"must be a day as {ACCEPTED}")

    def restore(self, stored: Json) -> Json:
        return stored


class Moment(msgspec.Struct, frozen=True):
    """A point in time: ISO 8601, or a day; what names no zone is UTC, which the old service wrote."""

    def read(self, raw: Raw) -> Reading:
        word = _word(raw).upper()
        if not word:
            return Reading()
        with suppress(ValueError, OverflowError):
            if isinstance(raw, str | bytes):
                return Reading(_in_utc(word))
        return Reading(None, "must be a time as yyyy-mm-dd hh:mm:ss")

    def restore(self, stored: Json) -> Json:
        with suppress(ValueError, OverflowError):  # infinity, a year above 9999: nothing that was migrated
            return None if stored is None else _in_utc(str(stored))
        return stored


class Document(msgspec.Struct, frozen=True):
    """JSON as text; text within text, which encoding twice leaves behind, is opened. What jsonb cannot hold is left
    out, see `storable`. JSON's null is no document, and with `is_array` only an array is.
    """

    is_array: bool = False

    def read(self, raw: Raw) -> Reading:
        text = "" if raw is None else _decoded(raw)
        if not text.strip():
            return Reading()
        try:
            found = _opened(parse(text))
            kept = storable(found)
        except ValueError:
            return Reading(None, "must be JSON")
        if found is None or (self.is_array and not isinstance(found, list)):
            return Reading(None, f"must be a JSON {'array' if self.is_array else 'document'}")
        if kept != found or _is_torn(raw):
            return Reading(kept, "holds NaN, Infinity or characters that Postgres cannot store; without them")
        return Reading(kept)

    def restore(self, stored: Json) -> Json:
        return storable(stored)


def _decoded(raw: str | float | bytes) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def _is_torn(raw: Raw) -> bool:
    """Whether these are bytes that are no UTF-8."""
    return isinstance(raw, bytes) and _decoded(raw).encode() != raw


def _word(raw: Raw) -> str:
    return "" if raw is None else _decoded(raw).strip().lower()


def _number(raw: Raw) -> int | float | None:
    """The number, finite, or None; texts too, since a column of texts may have been filled with them."""
    with suppress(ValueError, OverflowError):
        number = raw if isinstance(raw, int | float) else float(_word(raw))
        return number if math.isfinite(number) else None
    return None


def _float(number: float) -> float:
    # jsonb has no -0.
    return float(number) + 0.0


def _in_utc(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        day: date | None = read_date(text)
        if day is None:
            raise
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _opened(document: Json) -> Json:
    if isinstance(document, str):
        with suppress(ValueError):
            inner = parse(document)
            return inner if isinstance(inner, list | dict) else document
    return document
