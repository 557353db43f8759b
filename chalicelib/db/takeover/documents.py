"""JSON between SQLite and Postgres: what jsonb can hold, and one spelling by which both sides are compared.

Numbers stay decimals from text to text, so that no digit is lost on the way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Subnormal
from typing import TypeAlias, cast

import msgspec

Json: TypeAlias = bool | int | float | Decimal | str | Sequence["Json"] | Mapping[str, "Json"] | None

# Far beyond what people write, within what Python's stack allows.
_MAX_DEPTH = 200
_SURROGATES = re.compile("[\ud800-\udfff]")
# jsonb itself holds 131 072 digits before the point and 16 383 behind it, a float 308 and 324.
_EXACT = Context(prec=1000, Emin=-1000, Emax=1000, traps=[Inexact, Overflow, Subnormal])
_NAN = Decimal("NaN")

_encoder = msgspec.json.Encoder(order="sorted", decimal_format="number")


def parse(text: str) -> Json:
    """The value of a JSON text; NaN and Infinity are read too. Raises ValueError where it is none."""
    try:
        document = json.loads(
            text, strict=False, parse_float=_decimal, parse_int=_decimal, parse_constant=lambda name: Decimal(name)
        )
    except RecursionError:
        raise ValueError("nested too deep") from None
    return cast(Json, document)


def storable(value: Json, *, depth: int = 0) -> Json:
    """The value without what jsonb cannot hold, each number in one spelling; equal to `value` where nothing is lost.

    NaN, Infinity and numbers beyond 10^±1000 or of more than 1000 digits become null; for texts see `clean`. Raises
    ValueError where it is nested deeper than 200.
    """
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deep")
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Decimal):
        return _normal(value)
    if isinstance(value, Mapping):
        return {clean(key): storable(item, depth=depth + 1) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [storable(item, depth=depth + 1) for item in value]
    return value


def clean(text: str) -> str:
    """The text without NUL, which Postgres cannot hold, and with U+FFFD for halves of surrogate pairs."""
    return _SURROGATES.sub("\ufffd", text.replace("\0", ""))


def encode(value: Json) -> str:
    """The JSON text of a storable value, the same for equal values: keys sorted, no spaces."""
    return _encoder.encode(value).decode()


def canonical(text: str) -> str:
    """A JSON text that Postgres has stored, as `encode` spells it."""
    return encode(storable(parse(text)))


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent of more than 18 digits
        return _NAN


def _normal(number: Decimal) -> Decimal | None:
    if not number.is_finite():
        return None
    if not number:
        return Decimal(0)
    try:
        return number.normalize(_EXACT)
    except DecimalException:
        return None
