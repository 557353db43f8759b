"""Judging an event again from its row, by other rules than those that judged it when it came.

Of personal data a row has a hash or nothing, so that no rule can be held against it any more. What was found about it
when it came still stands: fields of which a result is hidden and whose value is gone keep their results, and so do
conditions on them. All else is judged by the new rules alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

import msgspec
from msgspec import Struct

from chalicelib.events.conditions import ABSENT
from chalicelib.events.judge import CompiledSheet
from chalicelib.events.paths import EACH, fold_key, read_path
from chalicelib.events.results import (
    EXTRA,
    EXTRA_KEY,
    HIDDEN,
    INVALID,
    LEFT_OUT,
    OF_EXTRA_EVENT,
    FieldResult,
    Judgement,
    makes_invalid,
)
from chalicelib.events.tree import Node

# Steps to a field as a result has it: folded names, and numbers of elements.
Steps = tuple[str | int, ...]

_STEP = re.compile(r"\[(\d*)\]|([^.\[\]]+)")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")


class Again(Struct, frozen=True):
    """The new verdict on an event, and how many fields and conditions keep what was found when it came."""

    judgement: Judgement
    kept: int = 0


def judge_again(
    compiled: CompiledSheet, event_name: str, payload: Mapping[str, Any], stored: Sequence[FieldResult]
) -> Again | None:
    """What the rules say to the stored payload of an event, of which `stored` are the results so far.

    None for an event with personal data and more results than are kept: what is hidden in it is not known. Cost: as
    judging it, and what it takes to look at the results where one is hidden.
    """
    judgement = compiled.judge(event_name, payload)
    hidden = [result for result in stored if result.value == HIDDEN and result.validation_status != LEFT_OUT]
    tree = compiled.tree_of(event_name)
    if (hidden or (tree and tree.has_pii)) and _is_cut(stored):
        return None
    gone = _gone(payload, hidden)
    if not gone:
        return Again(judgement)
    return None if _is_cut(judgement.results) else _Merging(tree, stored, gone).merge(judgement)


def _is_cut(results: Sequence[FieldResult]) -> bool:
    return bool(results) and results[-1].validation_status == LEFT_OUT


def _gone(payload: Mapping[str, Any], hidden: Sequence[FieldResult]) -> dict[Steps, None]:
    """The fields whose value is gone, with all below them, in the order of their results."""
    gone: dict[Steps, None] = {}
    for result in hidden:
        steps = _steps(result.key)
        value = _at(payload, steps)
        # Null stands for what was left out of an array, or for itself.
        is_left_out = value is ABSENT or (value is None and result.received_type != "null")
        if is_left_out or (isinstance(value, str) and _HASH.fullmatch(value)):
            gone[steps] = None
    return gone


class _Merging:
    """New results, and those that stand where no new one can be made."""

    def __init__(self, tree: Node | None, stored: Sequence[FieldResult], gone: dict[Steps, None]) -> None:
        self._tree = tree
        self._gone = gone
        self._folded_gone = {_fold(steps) for steps in gone}
        # Sentences of conditions that cannot be looked at, as results have them.
        self._conditions = set(self._closed_conditions())
        self._plain: dict[Steps, list[FieldResult]] = {}
        self._broken = []
        for result in stored:
            if result.received_type != INVALID:
                self._plain.setdefault(_steps(result.key), []).append(result)
            elif result.validation_status in self._conditions:
                self._broken.append(result)
        self._kept: set[Steps] = set()

    def merge(self, judgement: Judgement) -> Again:
        merged: list[FieldResult] = []
        placed: set[Steps] = set()
        for result in judgement.results:
            steps = _steps(result.key)
            if result.received_type == INVALID:
                if result.validation_status not in self._conditions:
                    merged.append(result)
            elif steps in self._gone:
                if steps not in placed:
                    merged += self._standing(steps, result)
                placed.add(steps)
            elif result.validation_status != EXTRA_KEY and _is_below(steps, self._gone.keys()):
                self._kept.add(steps)
            elif not (EACH in steps and any(_is_among(end, steps) for end in self._gone)):
                # Else it is about elements that only seem to be missing.
                merged.append(result)
        for steps in self._gone:
            if steps not in placed:
                merged += self._standing(steps, None)
        merged += self._broken
        is_unknown = judgement.status == "no_rules"
        verdict = "no_rules" if is_unknown else "invalid" if any(map(makes_invalid, merged)) else "valid"
        return Again(
            Judgement(verdict, tuple(merged)),  # type: ignore[arg-type]  # one of three texts
            len(self._kept) + len(self._conditions),
        )

    def _standing(self, steps: Steps, new: FieldResult | None) -> list[FieldResult]:
        """What stands about a field whose value is gone; where no rule is about it, that it is there and hidden."""
        old = self._plain.get(steps, [])
        if _is_ruled(self._tree, steps):
            self._kept.add(steps)
            return old
        status = OF_EXTRA_EVENT if self._tree is None else EXTRA_KEY
        return [
            msgspec.structs.replace(each, expected_type=EXTRA, validation_status=status, comment="") for each in old[:1]
        ]

    def _closed_conditions(self) -> Iterator[str]:
        for node in _all(self._tree):
            for link in node.links:
                paths = (read_path(link.condition.if_field).keys, read_path(link.target).keys)
                if any(_is_below((*keys, ""), self._folded_gone) for keys in paths):
                    yield f"{link.target} is wanted because of {link.condition.if_field}"


def _is_ruled(tree: Node | None, steps: Steps) -> bool:
    node = tree
    for step in _fold(steps):
        node = node and (node.element if step == EACH else node.children.get(step))
    return node is not None and (node.rule is not None or node.wanted_type is not None)


def _all(node: Node | None) -> Iterator[Node]:
    if node is not None:
        yield node
        for child in (*node.children.values(), node.element):
            yield from _all(child)


def _is_below(steps: Sequence[str | int], ends: Set[Steps] | Set[tuple[str, ...]]) -> bool:
    return any(tuple(steps[:length]) in ends for length in range(1, len(steps)))


def _is_among(end: Steps, steps: Steps) -> bool:
    """Whether steps to all elements of an array, in which there is none, lead to what was in one of them."""
    return len(end) <= len(steps) and all(
        step == wanted or (wanted == EACH and isinstance(step, int))
        for step, wanted in zip(end, steps[: len(end)], strict=True)
    )


def _steps(key: str) -> Steps:
    return tuple(
        (int(number) if number else EACH) if not name else fold_key(name) for number, name in _STEP.findall(key)
    )


def _fold(steps: Steps) -> tuple[str, ...]:
    return tuple(EACH if isinstance(step, int) else step for step in steps)


def _at(value: Any, steps: Steps) -> Any:  # any JSON value, or ABSENT
    for step in steps:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else ABSENT
        elif isinstance(value, dict):
            value = next((value[name] for name in reversed(value) if fold_key(name) == step), ABSENT)
        else:
            return ABSENT
    return value
