"""An event's rules made ready: each place of its payload judges what stands there, and hands on what is below.

A scope is a payload or an element of an array. Its plain fields come first, by name, then its arrays; so results come
out in order, and the stack grows with the rules' paths, never with the payload.
"""

from __future__ import annotations

from operator import attrgetter, itemgetter
from typing import Any

from chalicelib.events.bounds import fault_of
from chalicelib.events.conditions import ABSENT, require
from chalicelib.events.paths import EACH, fold_key, write_path
from chalicelib.events.results import (
    EMPTY,
    EXTRA,
    EXTRA_KEY,
    HIDDEN,
    INVALID,
    MISSING,
    NOT_PRESENT,
    OPTIONAL_ABSENT,
    VALID,
    WRONG,
    FieldResult,
    Results,
)
from chalicelib.events.rules import Compat
from chalicelib.events.tree import Node
from chalicelib.events.types import name_type, show

_BY_KEY = attrgetter("key")
_BY_ARRAY = itemgetter(0)
_MUST_BE_FILLED = "must not be null or empty"
_FOR_A_CONDITION = "is in the sheet for a condition only"


class Scope:
    """Results of one scope as they come."""

    __slots__ = ("base", "event", "later", "plain")

    def __init__(self, event: str, base: str) -> None:
        self.event = event
        # What the keys of its fields begin with: nothing for a payload, items[0] for an element.
        self.base = base
        self.plain: list[FieldResult] = []
        # By path: an array to go through, or a result about what would be in it.
        self.later: list[tuple[str, list[Any] | FieldResult, Place]] = []


class Place:
    """A place with a rule of its own, or on the way to rules."""

    __slots__ = (
        "_allows_no_items", "_element", "_event", "_expected", "_fault", "_fields", "_is_hidden", "_is_nullable",
        "_is_ruled", "_is_wanted", "_lacks_blank", "_nearest", "_requirements", "_tail", "needs",
    )  # fmt: skip

    def __init__(self, node: Node, tail: str, event: str, compat: Compat) -> None:
        rule = node.rule
        self._event, self._tail = event, tail
        self._is_ruled = rule is not None
        self._fault = fault_of(rule, compat) if rule else None
        self._is_nullable = rule is not None and rule.nullable
        self._lacks_blank = rule is None or not rule.allows_blank
        self._allows_no_items = rule is not None and (rule.allows_no_items or rule.type != "array")
        self._is_wanted = node.wanted_type is not None
        self._expected = rule.type if rule else node.wanted_type or "any"
        # Where an object should be, a text may be what should be in it.
        self._is_hidden = node.is_hidden or node.has_pii
        self._fields = _Fields(node, tail, event, compat) if node.children else None
        self.needs = "must be in an object" if node.children else "must be in an array"
        self._element = Place(node.element, "", event, compat) if node.element else None
        self._requirements = [(require(link, event, compat), link.is_then_hidden, link) for link in node.links]
        nearest = [((), node)] if rule else node.nearest
        self._nearest = [_Unreached(_go_on(tail, names), each, compat) for names, each in nearest]

    def settle(self, value: Any, scope: Scope, results: Results) -> None:  # any JSON value
        """Judges the value that the scope is about, and all below it."""
        self.judge(value, scope)
        if self._requirements:
            self._check_requirements(value, scope)
        scope.plain.sort(key=_BY_KEY)
        results.add(scope.plain)
        for tail, found, place in sorted(scope.later, key=_BY_ARRAY):
            if isinstance(found, FieldResult):
                results.add([found])
            else:
                place._settle_elements(found, scope.base + tail, results)

    def judge(self, value: Any, scope: Scope) -> None:  # any JSON value
        if value is ABSENT:
            for unreached in self._nearest:
                unreached.report_absent(scope, self)
            return
        if self._is_ruled:
            scope.plain.append(self._judge(value, scope))
        elif self._is_wanted:
            scope.plain.append(self._result(value, scope, VALID, _FOR_A_CONDITION))
        if self._fields is not None or self._element is not None:
            self._descend(value, scope)

    def _judge(self, value: Any, scope: Scope) -> FieldResult:
        if value is None:
            if self._is_nullable:
                return self._result(value, scope, VALID, "")
            return self._result(value, scope, EMPTY, _MUST_BE_FILLED)
        if (value == "" and self._lacks_blank) or (value == [] and not self._allows_no_items):
            return self._result(value, scope, EMPTY, _MUST_BE_FILLED)
        assert self._fault is not None
        reason = self._fault(value)
        if reason is None:
            return self._result(value, scope, VALID, "")
        return self._result(value, scope, WRONG, reason)

    def _result(self, value: Any, scope: Scope, status: str, comment: str) -> FieldResult:
        shown = HIDDEN if self._is_hidden else show(value)
        key = scope.base + self._tail
        return FieldResult(self._event, key, shown, self._expected, name_type(value), status, comment)

    def _descend(self, value: Any, scope: Scope) -> None:
        if self._fields is not None and type(value) is dict:
            self._fields.judge(value, scope)
        elif self._element is not None and type(value) is list and value:
            scope.later.append((self._tail, value, self))
        elif not self._is_ruled:
            for unreached in self._nearest:
                shown = HIDDEN if self._is_hidden else show(value)
                unreached.report(value, shown, scope, self)

    def _settle_elements(self, values: list[Any], base: str, results: Results) -> None:
        assert self._element is not None
        for number, value in enumerate(values):
            self._element.settle(value, Scope(self._event, f"{base}[{number}]"), results)

    def _check_requirements(self, value: Any, scope: Scope) -> None:
        folded = {fold_key(name): each for name, each in value.items()} if isinstance(value, dict) else {}
        broken = []
        for requirement, is_hidden, link in self._requirements:
            found = requirement.broken_by(value, folded)
            if found is requirement:
                continue
            shown = "" if found is ABSENT else HIDDEN if is_hidden else show(found)
            key = write_path(link.then_path.names, scope.base)
            type_ = requirement.then_type or "any"
            sentence, comment = requirement.sentence, requirement.comment
            broken.append(FieldResult(self._event, key, shown, type_, INVALID, sentence, comment))
        keys = {result.key for result in broken}
        scope.plain[:] = [each for each in scope.plain if each.comment != _FOR_A_CONDITION or each.key not in keys]
        scope.plain += broken


class _Fields:
    """The fields of an object."""

    __slots__ = ("_event", "_is_hidden", "_places", "_prefix", "_slots")

    def __init__(self, node: Node, tail: str, event: str, compat: Compat) -> None:
        self._event = event
        self._prefix = f"{tail}." if node.name else ""
        self._is_hidden = node.is_hidden
        children = sorted(node.children.items(), key=lambda pair: pair[1].name)
        self._places = [Place(child, f"{self._prefix}{child.name}", event, compat) for _, child in children]
        self._slots = {key: slot for slot, (key, _) in enumerate(children)}
        # As the sheet writes them, which is how most senders do.
        self._slots |= {child.name: slot for slot, (_, child) in enumerate(children)}

    def judge(self, value: dict[str, Any], scope: Scope) -> None:
        slots = self._slots
        found: list[Any] = [ABSENT] * len(self._places)
        for name, each in value.items():
            slot = slots.get(name)
            if slot is None:
                slot = slots.get(fold_key(name))
            if slot is not None:
                found[slot] = each
            elif not self._is_hidden:
                key = f"{scope.base}{self._prefix}{show(name)}"
                scope.plain.append(FieldResult(self._event, key, show(each), EXTRA, name_type(each), EXTRA_KEY))
        for place, each in zip(self._places, found, strict=True):
            place.judge(each, scope)


class _Unreached:
    """A rule whose field cannot be there, for something on the way to it is absent or no object or array."""

    __slots__ = ("_absent_status", "_array", "_expected", "_tail")

    def __init__(self, tail: str, node: Node, compat: Compat) -> None:
        assert node.rule is not None
        self._tail = tail
        # The path of the array that its result belongs to.
        self._array = tail.partition(EACH)[0] if EACH in tail else None
        self._expected = node.rule.type
        is_wanted = node.rule.required or compat.optional_absent_is_invalid
        self._absent_status = MISSING if is_wanted else OPTIONAL_ABSENT

    def report_absent(self, scope: Scope, place: Place) -> None:
        self._put(scope, place, "", NOT_PRESENT, (self._absent_status, ""))

    def report(self, value: Any, shown: str, scope: Scope, place: Place) -> None:  # any JSON value
        is_empty = value is None or value in ("", [])
        said = (EMPTY, _MUST_BE_FILLED) if is_empty else (WRONG, place.needs)
        self._put(scope, place, shown, name_type(value), said)

    def _put(self, scope: Scope, place: Place, shown: str, received: str, said: tuple[str, str]) -> None:
        result = FieldResult(scope.event, scope.base + self._tail, shown, self._expected, received, *said)
        if self._array is None:
            scope.plain.append(result)
        else:
            scope.later.append((self._array, result, place))


def _go_on(tail: str, names: tuple[str, ...]) -> str:
    """Steps behind a place, whose own text may be empty for an element."""
    return write_path(names, f"_{tail}")[1:]
