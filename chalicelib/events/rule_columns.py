"""The columns of a rule sheet as a file: how each cell is read into a rule, and written out of one.

A cell that is read back is what was written, so a sheet can be downloaded, edited and sent again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from chalicelib.events.rules import Condition, Rule

_YES = ("true", "yes", "1", "y")
_NO = ("", "false", "no", "0", "n")
_INTEGER = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,3})?", re.ASCII)
_CONDITION_FIELDS = frozenset(Condition.__struct_fields__)
_NUMERIC_TYPES = ("integer", "float", "number")


class Column(NamedTuple):
    """A column: its name in files, the field of a rule, and both directions; reading raises ValueError."""

    name: str
    field: str
    # The cell, trimmed, and the data type of its row in; a value of the field out.
    read: Callable[[str, str], Any]
    write: Callable[[Any], str]


def fold_column(name: str) -> str:
    """The name by which columns are compared: letters alone, in lower case."""
    return "".join(character for character in name.lower() if character.isalnum())


def _read_text(cell: str, _: str) -> str:
    return cell


def _read_optional_text(cell: str, _: str) -> str | None:
    return cell or None


def _read_flag(cell: str, _: str) -> bool:
    folded = cell.lower()
    if folded not in (*_YES, *_NO):
        raise ValueError("must be true, yes, 1 or y, or false, no, 0, n or blank")
    return folded in _YES


def _read_number(cell: str, _: str) -> int | float | None:
    if not cell:
        return None
    if _INTEGER.fullmatch(cell):
        return int(cell)
    if not _NUMBER.fullmatch(cell) or not math.isfinite(float(cell)):
        raise ValueError("must be a number with a point for its fraction")
    return float(cell)


def _read_count(cell: str, _: str) -> int | None:
    if not cell:
        return None
    if not _INTEGER.fullmatch(cell):
        raise ValueError("must be a whole number")
    return int(cell)


def _read_enum(cell: str, type_: str) -> tuple[Any, ...]:
    """A JSON list, or values between bars, which are numbers where the type is one."""
    if not cell.startswith("["):
        values = [value.strip() for value in cell.split("|")] if cell else []
        if type_.strip().lower() not in _NUMERIC_TYPES:
            return tuple(values)
        return tuple(_read_number(value, type_) for value in values if value)
    try:
        return msgspec.json.decode(cell, type=tuple[str | int | float | bool, ...])
    except msgspec.DecodeError as error:
        raise ValueError(f"must be a JSON list of texts, numbers, true and false ({error}), or a|b|c") from None


def _read_pii(cell: str, _: str) -> str | None:
    folded = cell.lower()
    if folded not in ("", "hash", "drop"):
        raise ValueError("must be hash, drop or blank")
    return folded or None


def _read_condition(cell: str, _: str) -> Condition | None:
    if not cell:
        return None
    try:
        said = msgspec.json.decode(cell, type=dict[str, Any])
        unknown = sorted(said.keys() - _CONDITION_FIELDS)
        if unknown:
            raise ValueError(f"must have none but {', '.join(Condition.__struct_fields__)}, has {unknown[0]!r}")
        return msgspec.convert(said, Condition) if said else None
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"must be a JSON object with if_field, if_value, then_field, then_type ({error})") from None


def _write_text(value: object) -> str:
    return "" if value is None else str(value)


def _write_number(value: object) -> str:
    return "" if value is None else repr(value)


def _write_flag(value: object) -> str:
    return "true" if value else "false"


def _write_json(value: object) -> str:
    return msgspec.json.encode(value).decode() if value else ""


COLUMNS = (
    Column("eventName", "event", _read_text, _write_text),
    Column("eventPayload", "path", _read_text, _write_text),
    Column("dataType", "type", _read_text, _write_text),
    Column("required", "required", _read_flag, _write_flag),
    Column("condition", "condition", _read_condition, _write_json),
    Column("nullable", "nullable", _read_flag, _write_flag),
    Column("pattern", "pattern", _read_optional_text, _write_text),
    Column("min", "minimum", _read_number, _write_number),
    Column("max", "maximum", _read_number, _write_number),
    Column("minLength", "min_length", _read_count, _write_number),
    Column("maxLength", "max_length", _read_count, _write_number),
    Column("minItems", "min_items", _read_count, _write_number),
    Column("maxItems", "max_items", _read_count, _write_number),
    Column("enum", "enum", _read_enum, _write_json),
    Column("pii", "pii", _read_pii, _write_text),
)
# The first three, without which a sheet says nothing.
NEEDED = COLUMNS[:3]
COLUMN_OF_FIELD = {column.field: column.name for column in COLUMNS}


def write_row(rule: Rule) -> list[str]:
    """The cells of a rule, in the order of COLUMNS."""
    return [column.write(getattr(rule, column.field)) for column in COLUMNS]
