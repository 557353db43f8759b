"""Payloads that rules are about: nothing in them that no rule leads to, and most of it as it must be."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from chalicelib.events.rules import Rule, RuleSheet
from chalicelib.events.tree import Node, grow
from tests.events.strategies import NUMBERS, SCALARS, TEXTS

_ABSENT = object()
ODD: st.SearchStrategy[Any] = st.sampled_from([None, "", " ", [], {}, 1, True, [1], "2024-01-02"])


def payloads(sheet: RuleSheet, event: str) -> st.SearchStrategy[dict[str, Any]]:  # any JSON object
    return _objects(grow(rule for rule in sheet.rules if rule.event == event))


def _objects(node: Node) -> st.SearchStrategy[dict[str, Any]]:
    fields = {child.name: _values(child) for child in node.children.values()}
    return st.fixed_dictionaries(fields).map(
        lambda found: {name: value for name, value in found.items() if value is not _ABSENT}
    )


def _values(node: Node) -> st.SearchStrategy[Any]:
    fit: st.SearchStrategy[Any]
    if node.children:
        fit = _objects(node)
    elif node.element:
        fit = st.lists(_values(node.element).filter(lambda value: value is not _ABSENT), max_size=3)
    elif node.rule:
        fit = _scalars(node.rule)
    else:
        fit = SCALARS | ODD
    others = ODD | st.just(_ABSENT)
    return st.integers(0, 19).flatmap(lambda chance: others if chance == 0 else fit)


def _scalars(rule: Rule) -> st.SearchStrategy[Any]:
    if rule.enum:
        return st.sampled_from(rule.enum)
    found: dict[str, st.SearchStrategy[Any]] = {
        "text": TEXTS | st.sampled_from(["abc", "a;bc"]),
        "integer": st.integers(-5, 5),
        "float": st.sampled_from([0.5, 1.0, -2.5]),
        "number": NUMBERS,
        "boolean": st.booleans(),
        "date": st.just("2024-01-02 03:04:05"),
        "datetime": st.just("2024-01-02T03:04:05Z"),
        "array": st.lists(SCALARS, max_size=4),
        "object": st.just({}),
    }
    return found[rule.type]
