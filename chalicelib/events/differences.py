"""What changed from one version of a rule sheet to the next, and whether senders may notice.

A change is breaking if an event that was valid, with no keys but those in the sheet, may now be invalid. In doubt it is
breaking: a false alarm costs a look, a silent one costs events. Keys that were not in the sheet do not count, so a new
field that is not required is compatible, as an addition is in SchemaVer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.events.bounds import key_of
from chalicelib.events.paths import EACH, read_path
from chalicelib.events.rules import LEAST, Compat, Rule, RuleSheet
from chalicelib.events.tree import Node, grow

Label = Literal["compatible", "breaking"]

_ATTRIBUTES = tuple(name for name in Rule.__struct_fields__ if name not in ("event", "path"))
# What is also of another type.
_WIDER = {
    "integer": ("number",),
    "float": ("number",),
    "date": ("text",),
    "datetime": ("text",),
}


class FieldChange(Struct, frozen=True):
    """A field whose rule is another one now."""

    event: Annotated[str, Meta(description="Name of the event.")]
    path: Annotated[str, Meta(description="Path of the field.")]
    attributes: Annotated[tuple[str, ...], Meta(description="What about it changed, by the names in a rule.")] = ()


class Differences(Struct, frozen=True):
    """What changed from one sheet to another."""

    label: Annotated[Label, Meta(description="breaking where a valid event may be invalid now, or compatible.")]
    reasons: Annotated[tuple[str, ...], Meta(description="Every change that is breaking, in words.")]
    events_added: Annotated[tuple[str, ...], Meta(description="Events that had no rules.")]
    events_removed: Annotated[tuple[str, ...], Meta(description="Events that have no rules any more.")]
    added: Annotated[tuple[FieldChange, ...], Meta(description="New rules of events that had some.")]
    removed: Annotated[tuple[FieldChange, ...], Meta(description="Rules gone from events that have some left.")]
    changed: Annotated[tuple[FieldChange, ...], Meta(description="Rules that are others now.")]


_Rules = dict[tuple[str, ...], Rule]


def differ(old: RuleSheet, new: RuleSheet, compat: Compat = Compat()) -> Differences:  # noqa: B008 - it is frozen
    """What changed between two tidied sheets without problems, by event and path. Cost: linear in both."""
    before, after = _by_event(old), _by_event(new)
    added: list[FieldChange] = []
    removed: list[FieldChange] = []
    changed: list[FieldChange] = []
    reasons: list[str] = []
    for event in sorted(before.keys() & after.keys()):
        one, other = before[event], after[event]
        added += [FieldChange(event, other[keys].path) for keys in sorted(other.keys() - one.keys())]
        removed += [FieldChange(event, one[keys].path) for keys in sorted(one.keys() - other.keys())]
        changed += [
            FieldChange(event, other[keys].path, attributes)
            for keys in sorted(one.keys() & other.keys())
            if (attributes := _changed(one[keys], other[keys]))
        ]
        reasons += (f"{event}: {reason}" for reason in _reasons(one, other, compat))
    return Differences(
        label="breaking" if reasons else "compatible",
        reasons=tuple(reasons),
        events_added=tuple(sorted(after.keys() - before.keys())),
        events_removed=tuple(sorted(before.keys() - after.keys())),
        added=tuple(added),
        removed=tuple(removed),
        changed=tuple(changed),
    )


def _by_event(sheet: RuleSheet) -> dict[str, _Rules]:
    found: dict[str, _Rules] = {}
    for rule in sheet.rules:
        found.setdefault(rule.event, {})[read_path(rule.path).keys] = rule
    return found


def _changed(one: Rule, other: Rule) -> tuple[str, ...]:
    # As text, because 1 and true are equal.
    return tuple(name for name in _ATTRIBUTES if repr(getattr(one, name)) != repr(getattr(other, name)))


def _reasons(one: _Rules, other: _Rules, compat: Compat) -> Iterator[str]:
    before, after = grow(one.values()), grow(other.values())
    for keys in sorted(other.keys() | one.keys()):
        rule = other.get(keys) or one[keys]
        if keys not in one:
            found = _of_added(rule, keys, before, compat)
        elif keys not in other:
            found = _of_removed(rule, _find(after, keys))
        else:
            found = _of_changed(one[keys], rule, compat)
        yield from (f"{rule.path} {reason}" for reason in found)


def _of_added(rule: Rule, keys: tuple[str, ...], before: Node, compat: Compat) -> Iterator[str]:
    if rule.required:
        yield "is new and required"
    elif compat.optional_absent_is_invalid:
        yield "is new, and absent fields are invalid"
    if rule.condition:
        yield "is new and has a condition"
    known = _find(before, keys)
    if known is not None and (known.kind != rule.type or known.wanted_type is not None or _is_bounded(rule)):
        yield "has a rule of its own now"
    for at in range(1, len(keys)):
        above = _find(before, keys[:at])
        wanted = "array" if keys[at] == EACH else "object"
        if above is not None and above.kind != wanted:
            yield f"wants {wanted} above it, which could be something else"
        element = _find(before, keys[: at + 1])
        if above is not None and wanted == "array" and (element is None or not element.kind):
            yield "is in an array whose elements could be anything"


def _is_bounded(rule: Rule) -> bool:
    return rule.max_items is not None or (rule.min_items or 0) > LEAST


def _of_removed(rule: Rule, left: Node | None) -> Iterator[str]:
    """A rule on the way to others also says when those are not wanted."""
    if left is None or not (left.children or left.element):
        return
    if left.is_required and not rule.required:
        yield "may not be absent any more"
    if rule.nullable:
        yield "may not be null any more"
    if rule.allows_no_items:
        yield "may not be empty any more"


def _of_changed(one: Rule, other: Rule, compat: Compat) -> Iterator[str]:
    if not _is_wider(one, other, compat):
        yield f"is {other.type}, was {one.type}"
    if other.required and not one.required:
        yield "is required now"
    if one.nullable and not other.nullable:
        yield "may not be null any more"
    if one.allows_blank and not other.allows_blank:
        yield "may not be blank any more"
    yield from _of_bounds(one, other)
    if other.condition is not None and repr(other.condition) != repr(one.condition):
        yield "has another condition"


def _of_bounds(one: Rule, other: Rule) -> Iterator[str]:
    if other.pattern not in (None, one.pattern):
        yield "has another pattern"
    for name, least, now in _lower_bounds(one, other):
        if now is not None and (least is None or now > least):
            yield f"has {name} {now}, had {least}"
    for name in ("maximum", "max_length", "max_items"):
        most, now = getattr(one, name), getattr(other, name)
        if now is not None and (most is None or now < most):
            yield f"has {name} {now}, had {most}"
    if other.enum and not (one.enum and set(map(key_of, one.enum)) <= set(map(key_of, other.enum))):
        yield "allows fewer values"


def _is_wider(one: Rule, other: Rule, compat: Compat) -> bool:
    if other.type == one.type or other.type in _WIDER.get(one.type, ()):
        return True
    return compat.integer_for_float and other.type == "float" and one.type in ("integer", "number")


def _lower_bounds(one: Rule, other: Rule) -> Iterator[tuple[str, float | None, float | None]]:
    yield "minimum", one.minimum, other.minimum
    for name in ("min_length", "min_items"):
        least, now = getattr(one, name), getattr(other, name)
        yield name, LEAST if least is None else least, LEAST if now is None else now


def _find(root: Node, keys: tuple[str, ...]) -> Node | None:
    node: Node | None = root
    for key in keys:
        node = node and (node.element if key == EACH else node.children.get(key))
    return node
