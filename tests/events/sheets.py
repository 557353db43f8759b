"""Short ways to say a sheet, and to judge an event by it."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib.events.judge import compile_sheet
from chalicelib.events.results import Judgement
from chalicelib.events.rules import Compat, Rule, RuleSheet, tidy

EVENT = "order"


def rule(path: str, type_: str = "text", **said: Any) -> Rule:  # any JSON
    return msgspec.convert({"event": EVENT, "path": path, "type": type_, **said}, Rule)


def sheet(*rules: Rule) -> RuleSheet:
    return tidy(RuleSheet(rules=rules))


def judge(rules: list[Rule], payload: dict[str, Any], compat: Compat | None = None) -> Judgement:
    return compile_sheet(sheet(*rules), compat or Compat()).judge(EVENT, payload)


def found(rules: list[Rule], payload: dict[str, Any], compat: Compat | None = None) -> list[tuple[str, str]]:
    """Keys and their status, in order."""
    return [(result.key, result.validation_status) for result in judge(rules, payload, compat).results]
