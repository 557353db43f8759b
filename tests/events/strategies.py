"""Rule sheets as they may be: tidied, and without problems."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from chalicelib.events.paths import EACH, read_path, write_path
from chalicelib.events.rule_checks import check
from chalicelib.events.rules import OPERATORS, Rule, RuleSheet, tidy

# Few, so that they meet; with what CSV, JSON and paths stumble over.
NAMES = ("a", "B b", "é;c")
PATTERNS = ("^a", '[",;]', "b|c")
NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, -1.0, 1e22, 2.0])
TEXTS = st.sampled_from(["x", "a,b", '"q"', "é", "1"])
SCALARS = NUMBERS | TEXTS | st.booleans()


@st.composite
def paths(draw: st.DrawFn) -> str:
    steps = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3))
    return ".".join(step + draw(st.sampled_from(["", "", "[]", "[][]"])) for step in steps)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:  # any JSON
    operator = draw(st.sampled_from(OPERATORS))
    value: Any = draw(SCALARS)
    if operator in ("in", "not_in"):
        value = draw(st.lists(SCALARS, min_size=1, max_size=3))
    elif operator in ("exists", "absent"):
        value = None
    elif operator in ("gt", "gte", "lt", "lte"):
        value = draw(NUMBERS | TEXTS)
    return {
        "if_field": draw(paths()),
        "operator": operator,
        "if_value": value,
        "then_field": draw(st.none() | paths()),
        "then_type": draw(st.sampled_from([None, "text", "integer", "object"])),
    }


def _bounds(type_: str) -> st.SearchStrategy[dict[str, Any]]:
    counts = st.integers(0, 3)
    if type_ == "text":
        said = {
            "pattern": st.sampled_from(PATTERNS),
            "min_length": counts,
            "max_length": st.integers(3, 9),
            "enum": st.lists(TEXTS, min_size=1, max_size=2),
        }
    elif type_ in ("integer", "float", "number"):
        numbers = st.integers(-3, 3) if type_ == "integer" else NUMBERS
        said = {
            "minimum": st.sampled_from([-5, -2.5]),
            "maximum": st.sampled_from([5, 2e22]),
            "enum": st.lists(numbers, min_size=1, max_size=2),
        }
    elif type_ == "array":
        said = {"min_items": counts, "max_items": st.integers(3, 5)}
    elif type_ == "enum":
        return st.fixed_dictionaries({"enum": st.lists(SCALARS, min_size=1, max_size=3)})
    else:
        said = {}
    return st.fixed_dictionaries({}, optional=said)


@st.composite
def rules(draw: st.DrawFn, *, with_conditions: bool = True) -> Rule:
    type_ = draw(st.sampled_from(["text", "integer", "float", "number", "boolean", "date", "datetime", "array",
                                  "object", "enum"]))  # fmt: skip
    said = {
        "event": draw(st.sampled_from(["e", "f g"])),
        "path": draw(paths()),
        "type": type_,
        "required": draw(st.booleans()),
        "nullable": draw(st.booleans()),
        "pii": draw(st.sampled_from([None, None, "hash", "drop"])),
        "condition": draw(st.none() | st.none() | st.none() | conditions()) if with_conditions else None,
        **draw(_bounds(type_)),
    }
    return msgspec.convert(said, Rule)


@st.composite
def _above(draw: st.DrawFn, rule: Rule) -> list[Rule]:
    """Rules for some of what is on the way to a field."""
    keys = read_path(rule.path).names
    found = []
    for at in range(1, len(keys)):
        type_ = "array" if keys[at] == EACH else "object"
        said = {"event": rule.event, "path": write_path(keys[:at]), "type": type_, **draw(_bounds(type_))}
        said |= {"required": draw(st.booleans()), "nullable": draw(st.booleans())}
        found += draw(st.sampled_from([[], [msgspec.convert(said, Rule)]]))
    return found


@st.composite
def sheets(draw: st.DrawFn, *, most: int = 8, with_conditions: bool = True) -> RuleSheet:
    """At least one rule; those that contradict an earlier one are left out."""
    kept: list[Rule] = []
    for each in draw(st.lists(rules(with_conditions=with_conditions), min_size=1, max_size=most)):
        for more in (each, *draw(_above(each))):
            longer = tidy(RuleSheet(rules=(*kept, more)))
            kept = list(longer.rules) if not check(longer) else kept
    if not kept:
        kept = [Rule(event="e", path="a", type="text")]
    return RuleSheet(rules=tuple(kept))
